// @ts-check
// All profiles: how they are, what they answer, how much; and where a new one is made.
import { useCell } from "../core/cell.js";
import { html, useMemo, useState } from "../core/html.js";
import { mayWrite, session } from "../core/session.js";
import { counted } from "../core/words.js";
import { Icon } from "../parts/icon.js";
import { Loading } from "../parts/loading.js";
import { VirtualTable } from "../parts/virtual.js";
import { CreateDialog } from "./create.js";
import { useRates } from "./rates.js";
import { Head, Row } from "./row.js";
import { filtered, sorted } from "./order.js";
import { useSummaries } from "./store.js";

const ROW = 48;

export function ProfilesPage() {
  const { list, error, load } = useSummaries();
  const rates = useRates();
  const who = useCell(session);
  const [isCreating, setCreating] = useState(false);
  const [filter, setFilter] = useState("");
  const [state, setState] = useState("");
  const [order, setOrder] = useState(/** @type {import("./order.js").Order} */ ({ by: "name", down: false }));
  const found = useMemo(() => filtered(list?.value ?? [], filter, state), [list, filter, state]);
  // Sorting by rates goes by those of the moment: rows that change places each two seconds could not be read.
  const shown = useMemo(() => sorted(found, order, rates), [found, order]);
  const count = list ? (shown.length === list.value.length ? counted(shown.length, "profile") : `${shown.length.toLocaleString("en")} of ${counted(list.value.length, "profile")}`) : "";
  return html`<div class="page fill">
    <title>Profiles</title>
    <div class="page-head">
      <h1>Profiles</h1><span class="faint" role="status">${count}</span>
      ${mayWrite(who) && html`<button type="button" class="primary end" disabled=${!list} onClick=${() => setCreating(true)}><${Icon} name="add" />Create</button>`}
    </div>
    <div class="toolbar">
      <label class="search"><${Icon} name="search" /><span class="hidden">Filter</span>
        <input type="search" placeholder="Filter by name, DNS name or group" value=${filter} onInput=${(/** @type {any} */ event) => setFilter(event.target.value)} />
      </label>
      <label class="inline">Status
        <select value=${state} onChange=${(/** @type {any} */ event) => setState(event.target.value)}>
          ${["", "Online", "Degraded", "CheckingEndpoints", "Disabled", "Inactive"].map((value) => html`<option value=${value}>${value ? value.replace("CheckingEndpoints", "Checking") : "All"}</option>`)}
        </select>
      </label>
    </div>
    ${list
      ? html`<${VirtualTable} items=${shown} height=${ROW} label="Profiles" keyOf=${(/** @type {any} */ item) => item.name}
          head=${html`<${Head} order=${order} onOrder=${setOrder} />`}
          row=${(/** @type {any} */ item) => html`<${Row} summary=${item} series=${rates.of(item.name)} />`}
          empty=${html`<${Empty} isFiltered=${list.value.length > 0} />`} />`
      : html`<${Loading} error=${error} onRetry=${load} />`}
    ${isCreating && list && html`<${CreateDialog} defaults=${list} onClose=${() => setCreating(false)} />`}
  </div>`;
}

/** @param {{ isFiltered: boolean }} props */
function Empty({ isFiltered }) {
  return html`<div class="empty">
    <h2>${isFiltered ? "Nothing fits the filter" : "No profiles yet"}</h2>
    <p>${isFiltered ? "Clear the filter to see all profiles." : "A profile is a DNS name that is answered with the endpoint that is up. Create the first one, or write a file into conf.d."}</p>
  </div>`;
}
