// @ts-check
// An endpoint is added or changed.
import { get, path, request } from "../core/api.js";
import { html, useEffect, useMemo, useState } from "../core/html.js";
import { Problem } from "../core/problem.js";
import { SERVICE_KINDS, methodOf } from "../core/words.js";
import { say } from "../parts/announce.js";
import { Dialog } from "../parts/dialog.js";
import { CheckField, NumberField, SelectField, TextField } from "../parts/field.js";
import { Notice } from "../parts/notice.js";
import { useEditing } from "./editing.js";
import { kindOf } from "./endpoint_list.js";
import { ListField } from "./list_field.js";
import { NestedFields } from "./nested_fields.js";
import { Stale } from "./stale.js";

const FIELDS = ["/name", "/type", "/target", "/target_service", "/target_profile", "/min_child_endpoints", "/min_child_endpoints_ipv4", "/min_child_endpoints_ipv6", "/priority", "/weight", "/status", "/always_serve", "/subnets", "/geo_mapping", "/endpoint_location"];
const TYPES = [{ value: "azure", label: "Azure endpoint" }, { value: "external", label: "External endpoint" }, { value: "nested", label: "Nested endpoint" }];
/** @type {Record<string, string>} */
const MEANS = {
  azure: "A service of the inventory: what it answers with, and whether it is running, are known from there.",
  external: "A DNS name or an address of yours, anywhere.",
  nested: "Another profile: it chooses among its own endpoints.",
};

/** @param {{ profile: import("./store.js").Profile, name: string, endpoint?: any, onChanged: () => Promise<void>, onClose: () => void }} props */
export function EndpointDialog({ profile, name, endpoint, onChanged, onClose }) {
  const { wanted } = profile;
  const all = wanted.profile.endpoint ?? [];
  const [fresh] = useState({ type: "external" });
  const now = endpoint && all.find((/** @type {any} */ its) => its.name === endpoint.name);
  const [first] = useState(now);
  const latest = useMemo(() => ({ etag: wanted.etag, document: endpoint ? now ?? first : fresh }), [wanted.etag]);
  const { form, theirs, save, keepMine, takeTheirs } = useEditing({
    latest, fields: FIELDS, reload: onChanged,
    save: async (base, document) => {
      const at = endpoint ? all.findIndex((/** @type {any} */ its) => its.name === endpoint.name) : all.length;
      const target = path`/profiles/${name}/endpoints/${document.name ?? ""}`;
      if (!document.name) throw new Problem(422, "", [{ pointer: "/name", message: "it has no name", help: "write what it is called here, such as virginia" }]);
      if (!endpoint && all.some((/** @type {any} */ its) => its.name.toLowerCase() === (document.name ?? "").toLowerCase())) {
        throw new Problem(409, "", [{ pointer: "/name", message: "the profile has an endpoint of this name", help: "choose another one" }]);
      }
      try {
        const { data, etag } = await request("PUT", target, { body: ofKind(document), etag: `"${base.etag}"` });
        return { etag: (etag ?? "").replaceAll('"', ""), document: data };
      } catch (thrown) {
        throw thrown instanceof Problem ? inside(thrown, at) : thrown;
      }
    },
  });
  const [asked, setAsked] = useState(false);
  const close = () => (form.isDirty && !asked ? setAsked(true) : onClose());
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!(await save())) return;
    say(`${form.value.name} is saved`);
    onClose();
  };
  const kind = kindOf(form.value);
  const method = methodOf(wanted.profile.routing_method);
  return html`<${Dialog} title=${endpoint ? `Edit ${endpoint.name}` : "Add endpoint"} onClose=${close}>
    <form onSubmit=${submit} novalidate>
      <div class="body">
        ${form.summary && html`<${Notice} tone="bad">${form.summary}<//>`}
        <${Stale} theirs=${theirs} onKeep=${keepMine} onTake=${takeTheirs} />
        <${SelectField} form=${form} at="/type" label="Type" options=${TYPES} value=${kind} hint=${MEANS[kind]} disabled=${Boolean(endpoint)} />
        <${TextField} form=${form} at="/name" label="Name" disabled=${Boolean(endpoint)} />
        ${kind === "external" && html`<${TextField} form=${form} at="/target" label="Fully qualified domain name or IP address" placeholder="www1.contoso.com or 192.0.2.10" />`}
        ${kind === "azure" && html`<${ServiceFields} form=${form} />`}
        ${kind === "nested" && html`<${NestedFields} form=${form} own=${name} />`}
        ${method === "priority" && html`<${NumberField} form=${form} at="/priority" label="Priority" placeholder=${`by its place in the list`} hint="1 to 1000, the lowest answers first. Give one to every endpoint or to none." />`}
        ${method === "weighted" && html`<${NumberField} form=${form} at="/weight" label="Weight" placeholder="1" hint="0 to 1000: its part of the answers. 0 drains it." />`}
        ${method === "performance" && html`<${RegionField} form=${form} />`}
        ${method === "geographic" && html`<${ListField} form=${form} at="/geo_mapping" label="Regions" hint="Codes, one a line: WORLD, GEO-EU, DE, US-CA." />`}
        ${["subnet", "geographic", "performance"].includes(method) && html`<${ListField} form=${form} at="/subnets" label="Subnets" hint=${method === "subnet" ? "One a line: 203.0.113.0/24 or 198.51.100.10-198.51.100.20. None: all others." : "One a line: these clients get this endpoint wherever they are."} />`}
        ${kind !== "nested" && html`<${CheckField} form=${form} at="/always_serve" label="Always serve traffic" hint="Nobody probes it, and it counts as up. A failover profile is of no use with it." />`}
      </div>
      ${asked && html`<${Notice} tone="some" title="Not saved yet.">Close again to drop what you typed.<//>`}
      <footer><button type="button" onClick=${close}>Cancel</button><button type="submit" class="primary" disabled=${form.isBusy || theirs.length > 0}>${endpoint ? "Save" : "Add"}</button></footer>
    </form>
  <//>`;
}

/** @param {{ form: import("../core/form.js").Form }} props */
function ServiceFields({ form }) {
  const [all, setAll] = useState(/** @type {import("../profiles/picker.js").Service[]} */ ([]));
  const [kind, setKind] = useState("");
  useEffect(() => void get("/services").then((page) => setAll(page.value), () => {}), []);
  const chosen = all.find((service) => service.id.toLowerCase() === form.get("/target_service")?.toLowerCase());
  const shown = kind || chosen?.kind || "public_ip";
  const kinds = { get: () => shown, set: (/** @type {string} */ _, /** @type {string} */ value) => { setKind(value); form.set("/target_service", undefined); }, error: () => "" };
  const options = all.filter((service) => service.kind === shown).map((service) => ({ value: service.id, label: `${service.name} – ${service.target}${service.location ? ` (${service.location})` : ""}` }));
  return html`
    <${SelectField} form=${kinds} at="/kind" label="Target resource type" value=${shown} options=${Object.entries(SERVICE_KINDS).map(([value, label]) => ({ value, label }))} />
    <${SelectField} form=${form} at="/target_service" label="Target resource" value=${chosen?.id ?? ""} hint=${options.length ? "" : "There is none of this type: add it under Services."} options=${[{ value: "", label: "Choose one" }, ...options]} />`;
}

/** @param {{ form: import("../core/form.js").Form }} props */
function RegionField({ form }) {
  return html`<${TextField} form=${form} at="/endpoint_location" label="Location" placeholder="West Europe" hint="The Azure region that it is in or nearest to." />`;
}

/** Without what was typed for another type. @param {any} document @returns {any} */
function ofKind(document) {
  const { target, target_service, target_profile, min_child_endpoints, min_child_endpoints_ipv4, min_child_endpoints_ipv6, always_serve, ...rest } = document;
  const nested = { target_profile, min_child_endpoints, min_child_endpoints_ipv4, min_child_endpoints_ipv6 };
  const its = { external: { target, always_serve }, azure: { target_service, always_serve }, nested }[kindOf(document)];
  return { ...rest, ...its };
}

/** A problem of a profile's `index`th endpoint, as one of the endpoint itself. @param {Problem} problem @param {number} index @returns {Problem} */
function inside(problem, index) {
  const before = `/endpoint/${index}`;
  const errors = problem.errors.map((fault) => ({ ...fault, pointer: fault.pointer.startsWith(before) ? fault.pointer.slice(before.length) : "" }));
  return new Problem(problem.status, problem.message, errors);
}
