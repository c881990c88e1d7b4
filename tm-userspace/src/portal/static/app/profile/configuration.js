// @ts-check
// Everything that a profile can be told: how it chooses, how long answers are kept, how endpoints are watched, who is let in and out.
import { useCell } from "../core/cell.js";
import { mergePatch } from "../core/document.js";
import { html, useState } from "../core/html.js";
import { mayWrite, session } from "../core/session.js";
import { METHODS, methodOf, methodOption } from "../core/words.js";
import { say } from "../parts/announce.js";
import { CheckField, NumberField, SelectField, TextField } from "../parts/field.js";
import { Notice } from "../parts/notice.js";
import { OrderList } from "../parts/order_list.js";
import { SaveBar } from "../parts/save_bar.js";
import { useEditing } from "./editing.js";
import { inOrder, withOrder } from "./endpoint_list.js";
import { MonitorFields, MONITOR_FIELDS } from "./monitor_fields.js";
import { NameFields } from "./name_fields.js";
import { Stale } from "./stale.js";
import { patchProfile } from "./store.js";

const FIELDS = ["/routing_method", "/ttl", "/max_return", "/relative_name", "/dns_name", "/resource_group", "/subscription", "/endpoint", "/when_all_down", "/last_resort", "/failback", "/guard/withdraw_at_most", "/guard/window", "/slow_start", "/sticky", ...MONITOR_FIELDS];

/** @param {{ profile: import("./store.js").Profile, name: string, onChanged: () => Promise<void> }} props */
export function ConfigurationTab({ profile: { wanted }, name, onChanged }) {
  const who = useCell(session);
  const isFixed = !mayWrite(who) || wanted.managed_by !== "api";
  const [warnings, setWarnings] = useState(/** @type {string[]} */ ([]));
  const { form, theirs, save, discard, keepMine, takeTheirs } = useEditing({
    latest: { etag: wanted.etag, document: wanted.profile }, fields: FIELDS, reload: onChanged,
    save: async (base, document) => {
      const done = await patchProfile(name, base.etag, mergePatch(base.document, document));
      setWarnings(done.warnings ?? []);
      say(`${name} is saved`);
      return { etag: done.etag, document: done.profile };
    },
  });
  const method = methodOf(form.value.routing_method);
  const method_ = METHODS.find((its) => its.value === method);
  const list = inOrder(form.value);
  const error = form.summary || (form.error("/endpoint") && `Endpoints: ${form.error("/endpoint")}`);
  return html`
    <${Stale} theirs=${theirs} onKeep=${keepMine} onTake=${takeTheirs} />
    ${warnings.map((warning) => html`<${Notice} tone="some">${warning}<//>`)}
    ${form.summary && !theirs.length && html`<${Notice} tone="bad">${form.summary}<//>`}
    <form class="settings" onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); void save(); }} novalidate>
      <fieldset disabled=${isFixed}><legend><h2>Routing method settings</h2></legend>
        <div class="grid two">
          <${SelectField} form=${form} at="/routing_method" label="Routing method" value=${method} hint=${method_?.says} options=${METHODS.map((its) => ({ value: its.value, label: methodOption(its) }))} />
          <${NumberField} form=${form} at="/ttl" label="DNS time to live (TTL), seconds" placeholder="30" hint="How long resolvers may keep an answer." />
          ${method === "multivalue" && html`<${NumberField} form=${form} at="/max_return" label="Addresses in an answer" placeholder="2" hint="1 to 10." />`}
          ${method === "weighted" && html`<${CheckField} form=${form} at="/sticky" label="Sticky" hint="All clients of one network get the same endpoint." />`}
          ${method === "weighted" && html`<${TextField} form=${form} at="/slow_start" label="Slow start" placeholder="none" hint="An endpoint that returns comes to its full weight within this time: 5m." />`}
        </div>
        ${form.error("/endpoint") && html`<div class="error" role="alert">${form.error("/endpoint")}</div>`}
        ${method === "priority" && list.length > 0 && html`<h3>Failover priority list</h3>
          <${OrderList} items=${list} label="Failover priority list" nameOf=${(/** @type {any} */ its) => its.name} isFixed=${isFixed} onOrder=${(/** @type {any[]} */ next) => form.replace(withOrder(form.value, next))}>
            ${(/** @type {any} */ its, /** @type {number} */ index) => html`<span class="place">${index + 1}</span><span class="long">${its.name}</span><span class="faint">${index === 0 ? "primary" : "backup"}</span>`}
          <//>`}
      </fieldset>
      <fieldset disabled=${isFixed}><legend><h2>Endpoint monitor settings</h2></legend><${MonitorFields} form=${form} /></fieldset>
      <fieldset disabled=${isFixed}><legend><h2>When endpoints fail and return</h2></legend><${RuleFields} form=${form} /></fieldset>
      <fieldset disabled=${isFixed}><legend><h2>Name and place</h2></legend>
        <div class="grid two">
          <${NameFields} form=${form} own=${wanted.dns_name} />
          <${TextField} form=${form} at="/resource_group" label="Resource group" />
          <${TextField} form=${form} at="/subscription" label="Subscription" />
        </div>
        <p class="faint">The old name stops working as soon as it is changed.</p>
      </fieldset>
      <button type="submit" class="hidden" tabindex="-1" aria-hidden="true">Save</button>
    </form>
    <${SaveBar} isDirty=${form.isDirty} isBusy=${form.isBusy || theirs.length > 0} error=${error} onSave=${save} onDiscard=${discard} />`;
}

/** @param {{ form: import("../core/form.js").Form }} props */
function RuleFields({ form }) {
  const failback = form.get("/failback") ?? "automatic";
  const kind = ["automatic", "manual"].includes(failback) ? failback : "after";
  const names = (form.value.endpoint ?? []).map((/** @type {any} */ its) => its.name);
  const kinds = { ...form, set: (/** @type {string} */ _, /** @type {any} */ value) => form.set("/failback", value === "after" ? "10m" : value === "automatic" ? undefined : value) };
  const down = form.get("/last_resort") !== undefined ? "last" : form.get("/when_all_down") ?? "all";
  const downs = { ...form, error: () => form.error("/when_all_down"), set: (/** @type {string} */ _, /** @type {any} */ value) => {
    form.set("/last_resort", value === "last" ? names.at(-1) ?? "" : undefined);
    form.set("/when_all_down", value === "none" ? "none" : undefined);
  } };
  return html`<div class="grid two">
    <${SelectField} form=${downs} at="/when_all_down" label="When all endpoints are down" value=${down} options=${[
      { value: "all", label: "Answer as if all were up (Azure's rule)" }, { value: "none", label: "Answer nobody" }, { value: "last", label: "Answer with the last resort" }]} />
    ${down === "last" && html`<${SelectField} form=${form} at="/last_resort" label="Last resort" hint="It answers then, and at no other time." options=${names.map((/** @type {string} */ value) => ({ value, label: value }))} />`}
    <${SelectField} form=${kinds} at="/failback" label="When an endpoint is back" value=${kind} options=${[
      { value: "automatic", label: "It answers again at once" }, { value: "after", label: "It answers again after a time" }, { value: "manual", label: "It answers again when an operator says so" }]} />
    ${kind === "after" && html`<${TextField} form=${form} at="/failback" label="Time until it answers again" placeholder="10m" />`}
    <${GuardFields} form=${form} />
  </div>`;
}

/** @param {{ form: import("../core/form.js").Form }} props */
function GuardFields({ form }) {
  const change = (/** @type {string} */ at) => (/** @type {string} */ _, /** @type {any} */ value) => form.set(at, value !== undefined && /^\d+$/.test(value) ? Number(value) : value);
  const count = { ...form, get: () => form.get("/guard/withdraw_at_most")?.toString(), set: change("/guard/withdraw_at_most") };
  return html`
    <${TextField} form=${count} at="/guard/withdraw_at_most" label="Withdraw at most" placeholder="no limit" hint="So many endpoints (1, or 50%) are taken out of the answers within the window." />
    <${TextField} form=${form} at="/guard/window" label="Window" placeholder="none" hint="With its unit: 10m." />`;
}
