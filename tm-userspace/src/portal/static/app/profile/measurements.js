// @ts-check
// Real user measurements: what is known of how far clients are from Azure's regions, by which Performance profiles choose.
import { get } from "../core/api.js";
import { html, useEffect, useState } from "../core/html.js";
import { asProblem } from "../core/problem.js";
import { counted, methodOf } from "../core/words.js";
import { Copy } from "../parts/copy.js";
import { Loading } from "../parts/loading.js";
import { Notice } from "../parts/notice.js";
import { MetricsKey } from "./metrics_key.js";

const SHOWN = 500;
const COMMAND = 'tm geo rtt 203.0.113.0/24 "West Europe" 12.5';

/** @param {{ profile: import("./store.js").Profile }} props */
export function MeasurementsTab({ profile: { wanted } }) {
  const [all, setAll] = useState(/** @type {{ prefix: string, region: string, ms: number, samples: number }[] | null} */ (null));
  const [error, setError] = useState(/** @type {import("../core/problem.js").Problem | null} */ (null));
  const [filter, setFilter] = useState("");
  const load = () => {
    get("/round-trips").then((found) => { setAll(found); setError(null); }, (thrown) => setError(asProblem(thrown)));
  };
  useEffect(load, []);
  if (!all) return html`<${Loading} error=${error} onRetry=${load} />`;
  const text = filter.toLowerCase();
  const found = all.filter((its) => `${its.prefix} ${its.region}`.toLowerCase().includes(text));
  return html`
    ${methodOf(wanted.profile.routing_method) !== "performance" && html`<${Notice} tone="info">This profile does not look at round trips: only the method Performance does.<//>`}
    <div class="card">
      <h2>Real user measurements</h2>
      <p>Measured round trips from clients to Azure's regions. They count for every Performance profile of this node, and go before what is guessed from distances.</p>
      ${all.length === 0
        ? html`<p class="faint">None yet. Measurements are given by the command line or by <code>POST /api/v1/round-trips</code>:</p><div class="copied"><code>${COMMAND}</code><${Copy} text=${COMMAND} what="command" /></div>`
        : html`<div class="toolbar"><label class="inline">Filter <input type="search" value=${filter} onInput=${(/** @type {any} */ event) => setFilter(event.target.value)} /></label><span class="faint">${counted(found.length, "measurement")}${found.length > SHOWN ? `, the first ${SHOWN} shown` : ""}</span></div>
          <div class="scroll"><table class="plain"><thead><tr><th scope="col">Clients</th><th scope="col">Region</th><th scope="col" class="number">Round trip</th><th scope="col" class="number">Samples</th></tr></thead>
          <tbody>${found.slice(0, SHOWN).map((its) => html`<tr key=${`${its.prefix} ${its.region}`}><th scope="row"><code>${its.prefix}</code></th><td>${its.region}</td><td class="number">${its.ms.toFixed(1)} ms</td><td class="number">${its.samples}</td></tr>`)}</tbody></table></div>`}
    </div>
    <${MetricsKey} wanted=${wanted} />`;
}
