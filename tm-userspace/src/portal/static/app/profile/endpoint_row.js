// @ts-check
// One endpoint in the list: what it is, how it is, what can be done with it.
import { html } from "../core/html.js";
import { percent } from "../core/words.js";
import { Icon } from "../parts/icon.js";
import { Menu } from "../parts/menu.js";
import { StatusMark } from "../parts/status.js";
import { Time } from "../parts/time.js";
import { KINDS, kindOf } from "./endpoint_list.js";

/** @param {{ endpoint: any, place: number, method: string, state: import("./store.js").EndpointState | undefined, isManaged: boolean, mayOrder: boolean, onAct: (what: string) => void }} props */
export function EndpointRow({ endpoint, place, method, state, isManaged, mayOrder, onAct }) {
  const isEnabled = (endpoint.status ?? "enabled").toLowerCase() === "enabled";
  const isHeld = state?.notes.some((note) => note.startsWith("held back"));
  const isProbed = state && isEnabled && !state.child && state.monitor_status !== "Unmonitored" && state.monitor_status !== "Stopped" && state.monitor_status !== "Inactive";
  return html`<div class="endpoint" data-off=${String(!isEnabled)}>
    <div class="who">
      <span class="endpoint-name" title=${endpoint.name}>${place ? html`<span class="place">${place}</span> ` : ""}${endpoint.name}</span>
      <span class="faint long">${KINDS[kindOf(endpoint)]} · ${state?.child ? html`<a href=${`/profiles/${encodeURIComponent(state.child.profile)}`}>${state.child.profile}</a>` : html`<code>${state?.target ?? endpoint.target ?? endpoint.target_service}</code>`}</span>
    </div>
    <div class="how">
      <${StatusMark} status=${state?.monitor_status} />
      ${state && html`<span class="faint long">${reason(state)}</span>`}
      ${state?.notes.map((note) => html`<span class="note">${note}</span>`)}
    </div>
    <div class="amount">
      <span class="number big">${percent(state?.share)}</span>
      <span class="faint">${detail(endpoint, method)}</span>
    </div>
    <div class="do">
      ${isManaged && html`<button type="button" class="quiet square" aria-label=${`Edit ${endpoint.name}`} title="Edit" onClick=${() => onAct("edit")}><${Icon} name="edit" /></button>`}
      ${mayOrder && html`<${Menu} label=${`Actions for ${endpoint.name}`} items=${[
        isProbed && { label: "Probe now", icon: "probe", onSelect: () => onAct("probe") },
        isHeld && { label: "Let it answer again", icon: "play", onSelect: () => onAct("restore") },
        state && (state.forced ? { label: "End the forced state", icon: "play", onSelect: () => onAct("release") } : { label: "Force up or down", icon: "warning", onSelect: () => onAct("force") }),
        isManaged && (isEnabled ? { label: "Disable", icon: "pause", onSelect: () => onAct("disable") } : { label: "Enable", icon: "play", onSelect: () => onAct("enable") }),
        isManaged && { label: "Delete", icon: "remove", danger: true, onSelect: () => onAct("delete") },
      ]} />`}
    </div>
  </div>`;
}

/** @param {import("./store.js").EndpointState} state */
function reason(state) {
  if (state.child) return `${state.child.available} of its endpoints are available, ${state.child.min_child_endpoints} needed`;
  if (!state.last_reason) return "";
  return html`${state.last_reason}, <${Time} at=${state.last_at} />`;
}

/** @param {any} endpoint @param {string} method @returns {string} */
function detail(endpoint, method) {
  if (method === "weighted") return `weight ${endpoint.weight ?? 1}`;
  if (method === "performance") return endpoint.endpoint_location ?? "";
  if (method === "geographic") return (endpoint.geo_mapping ?? []).join(", ");
  if (method === "subnet") return endpoint.subnets?.length ? endpoint.subnets.join(", ") : "all others";
  return endpoint.priority === undefined ? "" : `priority ${endpoint.priority}`;
}
