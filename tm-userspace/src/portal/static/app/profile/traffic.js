// @ts-check
// Traffic View: where the clients are that ask for a profile, which endpoint they got, and how far it was.
import { html, useEffect, useState } from "../core/html.js";
import { Problem, asProblem } from "../core/problem.js";
import { Loading } from "../parts/loading.js";
import { Time } from "../parts/time.js";
import { HUES } from "./shares.js";
import { WorldMap } from "./world_map.js";

const VERSION = "2022-04-01";

/** @typedef {{ sourceIp?: string, latitude: number, longitude: number, queryExperiences: { endpointId: number, queryCount: number, latency?: number }[] }} Flow */

/** @param {{ profile: import("./store.js").Profile, name: string }} props */
export function TrafficTab({ profile: { wanted }, name }) {
  const { subscription, resource_group: group } = wanted.profile;
  const [found, setFound] = useState(/** @type {any} */ (null));
  const [error, setError] = useState(/** @type {import("../core/problem.js").Problem | null} */ (null));
  const load = () => {
    heatMap(subscription, group, name).then((map) => { setFound(map); setError(null); }, (thrown) => setError(asProblem(thrown)));
  };
  useEffect(load, [subscription, group, name]);
  if (!found) return html`<${Loading} error=${error} onRetry=${load} />`;
  const endpoints = found.endpoints.map((/** @type {any} */ its) => ({ id: its.endpointId, name: its.resourceId.split("/").at(-1), hue: its.endpointId % HUES }));
  /** @type {Flow[]} */
  const flows = found.trafficFlows;
  return html`
    <div class="card">
      <h2>Traffic View</h2>
      <${WorldMap} flows=${flows} endpoints=${endpoints} />
      <div class="keys-row">${endpoints.map((/** @type {any} */ its) => html`<span key=${its.id} class="keyed"><span class="swatch" data-hue=${its.hue}></span>${its.name}</span>`)}</div>
      <p class="faint">From <${Time} at=${found.startTime} day /> to <${Time} at=${found.endTime} day />. ${flows.length === 0 ? "No client of that time is known: nothing has been measured for this profile." : "The larger a point, the more queries came from there."}</p>
    </div>
    ${flows.length > 0 && html`<div class="card"><h2>Clients</h2><${Clients} flows=${flows} endpoints=${endpoints} /></div>`}`;
}

/** @param {{ flows: Flow[], endpoints: { id: number, name: string, hue: number }[] }} props */
function Clients({ flows, endpoints }) {
  const rows = flows.flatMap((flow) => flow.queryExperiences.map((its) => ({ flow, its }))).sort((a, b) => b.its.queryCount - a.its.queryCount).slice(0, 500);
  return html`<div class="scroll"><table class="plain">
    <thead><tr><th scope="col">Client</th><th scope="col">Endpoint</th><th scope="col" class="number">Queries</th><th scope="col" class="number">Latency</th></tr></thead>
    <tbody>${rows.map(({ flow, its }) => html`<tr>
      <th scope="row">${flow.sourceIp ?? `${flow.latitude}, ${flow.longitude}`}</th><td>${endpoints.find((endpoint) => endpoint.id === its.endpointId)?.name ?? "–"}</td>
      <td class="number">${its.queryCount.toLocaleString("en")}</td><td class="number">${its.latency === undefined || its.latency === null ? "–" : `${Math.round(its.latency)} ms`}</td></tr>`)}</tbody>
  </table></div>`;
}

/** As Azure's clients ask for it. @param {string} subscription @param {string} group @param {string} name @returns {Promise<any>} */
async function heatMap(subscription, group, name) {
  const [s, g, n] = [subscription, group, name].map(encodeURIComponent);
  const url = `/subscriptions/${s}/resourceGroups/${g}/providers/Microsoft.Network/trafficManagerProfiles/${n}/heatMaps/default?api-version=${VERSION}`;
  const response = await fetch(url, { headers: { Accept: "application/json" } });
  if (!response.ok) {
    const body = await response.json().catch(() => null);
    throw new Problem(response.status, body?.error?.message ?? `${response.status} ${response.statusText}`);
  }
  return (await response.json()).properties;
}
