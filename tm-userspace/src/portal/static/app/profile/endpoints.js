// @ts-check
// The endpoints of a profile: added, changed, switched, put in order, removed.
import { path, request } from "../core/api.js";
import { useCell } from "../core/cell.js";
import { html, useState } from "../core/html.js";
import { asProblem } from "../core/problem.js";
import { mayWrite, session } from "../core/session.js";
import { methodOf } from "../core/words.js";
import { say } from "../parts/announce.js";
import { Confirm } from "../parts/confirm.js";
import { Icon } from "../parts/icon.js";
import { OrderList } from "../parts/order_list.js";
import { SaveBar } from "../parts/save_bar.js";
import { useEditing } from "./editing.js";
import { EndpointDialog } from "./endpoint_dialog.js";
import { inOrder, withOrder } from "./endpoint_list.js";
import { EndpointRow } from "./endpoint_row.js";
import { ForceDialog } from "./force.js";
import { mergePatch } from "../core/document.js";
import { Stale } from "./stale.js";
import { patchProfile } from "./store.js";

/** @param {{ profile: import("./store.js").Profile, name: string, onChanged: () => Promise<void> }} props */
export function EndpointsTab({ profile, name, onChanged }) {
  const { wanted, tree } = profile;
  const who = useCell(session);
  const isManaged = mayWrite(who) && wanted.managed_by === "api";
  const [doing, setDoing] = useState(/** @type {{ what: string, endpoint: any } | null} */ (null));
  const { form, theirs, save, discard, keepMine, takeTheirs } = useEditing({
    latest: { etag: wanted.etag, document: wanted.profile }, fields: ["/endpoint"], reload: onChanged,
    save: async (base, document) => {
      const done = await patchProfile(name, base.etag, mergePatch(base.document, document));
      return { etag: done.etag, document: done.profile };
    },
  });
  const list = inOrder(form.value);
  const isPriority = methodOf(wanted.profile.routing_method) === "priority";
  const stop = () => setDoing(null);
  const act = async (/** @type {string} */ what, /** @type {any} */ endpoint) => {
    if (what !== "probe" && what !== "release" && what !== "restore" && what !== "enable") return setDoing({ what, endpoint });
    try {
      say(await do_(what, name, endpoint.name));
      await onChanged();
    } catch (thrown) {
      say(asProblem(thrown).message);
    }
  };
  return html`
    <div class="toolbar">
      ${isManaged && html`<button type="button" class="primary" onClick=${() => setDoing({ what: "add", endpoint: null })}><${Icon} name="add" />Add</button>`}
      ${isPriority && list.length > 1 && html`<span class="faint">The first one that is up answers. Drag to change the order.</span>`}
    </div>
    <${Stale} theirs=${theirs} onKeep=${keepMine} onTake=${takeTheirs} />
    ${list.length === 0 && html`<div class="empty"><h2>No endpoints yet</h2><p>Without one the name does not exist for those who ask. An endpoint is an address, a DNS name, a service of the inventory, or another profile.</p></div>`}
    <${OrderList} items=${list} label="Endpoints" nameOf=${(/** @type {any} */ its) => its.name} isFixed=${!isManaged || list.length < 2} onOrder=${(/** @type {any[]} */ next) => form.replace(withOrder(form.value, next))}>
      ${(/** @type {any} */ endpoint, /** @type {number} */ index) => html`<${EndpointRow} endpoint=${endpoint} place=${isPriority ? index + 1 : 0} method=${methodOf(wanted.profile.routing_method)}
        state=${tree[0]?.endpoints.find((its) => its.name === endpoint.name)} isManaged=${isManaged} mayOrder=${mayWrite(who)} onAct=${(/** @type {string} */ what) => act(what, endpoint)} />`}
    <//>
    <${SaveBar} isDirty=${form.isDirty} isBusy=${form.isBusy} error=${form.error("/endpoint") || form.summary} onSave=${save} onDiscard=${discard} />
    ${doing?.what === "add" && html`<${EndpointDialog} profile=${profile} name=${name} onChanged=${onChanged} onClose=${stop} />`}
    ${doing?.what === "edit" && html`<${EndpointDialog} profile=${profile} name=${name} endpoint=${doing.endpoint} onChanged=${onChanged} onClose=${stop} />`}
    ${doing?.what === "force" && html`<${ForceDialog} profile=${name} endpoint=${doing.endpoint.name} onDone=${onChanged} onClose=${stop} />`}
    ${doing?.what === "disable" && html`<${Confirm} title="Disable endpoint" action="Disable" onClose=${stop} onDo=${async () => { say(await do_("disable", name, doing.endpoint.name)); await onChanged(); }}>
      <p><strong>${doing.endpoint.name}</strong> will not answer any more and is not probed, until it is enabled again.</p>
    <//>`}
    ${doing?.what === "delete" && html`<${Confirm} title="Delete endpoint" action="Delete" onClose=${stop} onDo=${async () => { say(await do_("delete", name, doing.endpoint.name)); await onChanged(); }}>
      <p><strong>${doing.endpoint.name}</strong> is taken out of the profile.${list.length === 1 ? " It is the last one: the name will not exist any more for those who ask." : ""}</p>
    <//>`}`;
}

/** Does something to an endpoint, and says what came of it. @param {string} what @param {string} profile @param {string} endpoint @returns {Promise<string>} */
async function do_(what, profile, endpoint) {
  const at = path`/profiles/${profile}/endpoints/${endpoint}`;
  if (what === "enable" || what === "disable") {
    await request("PATCH", at, { body: { status: `${what}d` } });
    return `${endpoint} is ${what}d`;
  }
  if (what === "delete") {
    await request("DELETE", at);
    return `${endpoint} is deleted`;
  }
  if (what === "probe") {
    const { data } = await request("POST", `${at}/probe`);
    return `${endpoint}: ${data.reason}, after ${Math.round(data.took_ms)} ms`;
  }
  const { data } = await request("POST", "/order", { body: { profile, endpoint, order: what } });
  return `${endpoint}: ${data.done}`;
}
