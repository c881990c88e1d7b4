// @ts-check
// The inventory of services that endpoints of type Azure are picked from.
import { get, request } from "../core/api.js";
import { useCell } from "../core/cell.js";
import { html, useEffect, useState } from "../core/html.js";
import { asProblem } from "../core/problem.js";
import { mayWrite, session } from "../core/session.js";
import { SERVICE_KINDS, counted } from "../core/words.js";
import { say } from "../parts/announce.js";
import { Confirm } from "../parts/confirm.js";
import { Icon } from "../parts/icon.js";
import { Loading } from "../parts/loading.js";
import { Menu } from "../parts/menu.js";
import { VirtualTable } from "../parts/virtual.js";
import { ServiceDialog } from "./dialog.js";

/** @typedef {import("../profiles/picker.js").Service} Service */

export function ServicesPage() {
  const who = useCell(session);
  const [all, setAll] = useState(/** @type {Service[] | null} */ (null));
  const [error, setError] = useState(/** @type {import("../core/problem.js").Problem | null} */ (null));
  const [filter, setFilter] = useState("");
  const [doing, setDoing] = useState(/** @type {{ what: string, service?: Service } | null} */ (null));
  const load = () => get("/services").then((page) => { setAll(page.value); setError(null); }, (thrown) => setError(asProblem(thrown)));
  useEffect(() => void load(), []);
  const stop = () => setDoing(null);
  const found = (all ?? []).filter((its) => `${its.name} ${its.target} ${its.location ?? ""}`.toLowerCase().includes(filter.toLowerCase()));
  const change = async (/** @type {Service} */ service, /** @type {string} */ state) => {
    try {
      await request("PUT", `/services${service.id}`, { body: { ...service, state } });
      say(`${service.name} is ${state}`);
      await load();
    } catch (thrown) {
      say(asProblem(thrown).message);
    }
  };
  const row = (/** @type {Service} */ its) => html`
    <div role="cell" class="name" title=${its.id}>${its.name}</div>
    <div role="cell" class="kind">${SERVICE_KINDS[its.kind] ?? its.kind}</div>
    <div role="cell" class="target"><code>${its.target}</code></div>
    <div role="cell" class="where">${its.location ?? html`<span class="faint">not said</span>`}</div>
    <div role="cell" class="state">${its.state}</div>
    <div role="cell" class="do">${mayWrite(who) && html`<${Menu} label=${`Actions for ${its.name}`} items=${[
      { label: "Edit", icon: "edit", onSelect: () => setDoing({ what: "edit", service: its }) },
      its.state === "running" ? { label: "Mark as stopped", icon: "pause", onSelect: () => change(its, "stopped") } : { label: "Mark as running", icon: "play", onSelect: () => change(its, "running") },
      { label: "Delete", icon: "remove", danger: true, onSelect: () => setDoing({ what: "delete", service: its }) },
    ]} />`}</div>`;
  return html`<div class="page fill">
    <title>Services</title>
    <div class="page-head"><h1>Services</h1><span class="faint">${all && counted(found.length, "service")}</span>
      ${mayWrite(who) && html`<button type="button" class="primary end" onClick=${() => setDoing({ what: "add" })}><${Icon} name="add" />Add</button>`}</div>
    <div class="toolbar"><label class="search"><${Icon} name="search" /><span class="hidden">Filter</span><input type="search" placeholder="Filter by name, target or location" value=${filter} onInput=${(/** @type {any} */ event) => setFilter(event.target.value)} /></label></div>
    ${all ? html`<div class="services fill"><${VirtualTable} items=${found} height=${48} label="Services" keyOf=${(/** @type {Service} */ its) => its.id} row=${row}
      head=${html`<div role="row" class="row" aria-rowindex="1">${[["name", "Name"], ["kind", "Type"], ["target", "Target"], ["where", "Location"], ["state", "State"]].map(([cell, label]) => html`<div role="columnheader" class=${cell}>${label}</div>`)}<div role="columnheader" class="do"><span class="hidden">Actions</span></div></div>`}
      empty=${html`<div class="empty"><h2>${all.length ? "Nothing fits the filter" : "No services yet"}</h2><p>Services are what endpoints of type Azure stand for: public addresses, web apps, cloud services. Add them here, or as [[service]] in conf.d.</p></div>`} /></div>`
      : html`<${Loading} error=${error} onRetry=${load} />`}
    ${(doing?.what === "add" || doing?.what === "edit") && html`<${ServiceDialog} service=${doing.service} onDone=${load} onClose=${stop} />`}
    ${doing?.what === "delete" && html`<${Confirm} title="Delete service" action="Delete" onClose=${stop} onDo=${async () => { await request("DELETE", `/services${doing.service?.id}`); say("It is deleted"); await load(); }}>
      <p><strong>${doing.service?.name}</strong> is taken out of the inventory. It can be as long as no endpoint stands for it.</p>
    <//>`}
  </div>`;
}
