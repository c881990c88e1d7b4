// @ts-check
// Traffic View: where the clients are that ask for a profile, which endpoint they got, and how far it was.
import { get, path } from "../core/api.js";
import { useCell } from "../core/cell.js";
import { html, useEffect, useState } from "../core/html.js";
import { asProblem } from "../core/problem.js";
import { mayWrite, session } from "../core/session.js";
import { counted } from "../core/words.js";
import { Loading } from "../parts/loading.js";
import { Notice } from "../parts/notice.js";
import { Time } from "../parts/time.js";
import { HUES } from "./shares.js";
import { patchProfile } from "./store.js";
import { WorldMap } from "./world_map.js";

const SHOWN = 500;
const LOOK_AGAIN = 10_000;

/** @typedef {{ endpoint: string, queries: number, latency_ms: number | null }} Queries */
/** @typedef {{ network: string, place: string, latitude: number | null, longitude: number | null, endpoints: Queries[] }} Client */
/** @typedef {{ from: string, to: string, one_in: number, lost: number, clients: Client[], others: Queries[] }} Traffic */

/** @param {{ profile: import("./store.js").Profile, name: string, onChanged: () => Promise<void> }} props */
export function TrafficTab({ profile: { wanted }, name, onChanged }) {
  const who = useCell(session);
  const [error, setError] = useState(/** @type {import("../core/problem.js").Problem | null} */ (null));
  const isOn = wanted.profile.traffic_view === true;
  const turn = () => {
    patchProfile(name, wanted.etag, { traffic_view: isOn ? null : true }).then(() => { setError(null); return onChanged(); }, (thrown) => setError(asProblem(thrown)));
  };
  const button = mayWrite(who) && wanted.managed_by === "api" && html`<button type="button" class="end" onClick=${turn}>${isOn ? "Turn off" : "Turn on"}</button>`;
  return html`
    ${error && html`<${Notice} tone="bad" title="Nothing was changed.">${error.message}<//>`}
    ${isOn ? html`<${View} name=${name} endpoints=${(wanted.profile.endpoint ?? []).map((/** @type {any} */ its) => its.name)} button=${button} />`
      : html`<div class="card"><h2>Traffic View</h2><p>Shows where clients are, which endpoint they got, and how far it was. It is off for this profile: nothing is known of who asks.</p>${button}</div>`}`;
}

/** @param {{ name: string, endpoints: string[], button: any }} props */
function View({ name, endpoints, button }) {
  const [found, setFound] = useState(/** @type {Traffic | null} */ (null));
  const [error, setError] = useState(/** @type {import("../core/problem.js").Problem | null} */ (null));
  const load = () => {
    get(path`/profiles/${name}/traffic`).then((traffic) => { setFound(traffic); setError(null); }, (thrown) => setError(asProblem(thrown)));
  };
  useEffect(() => {
    load();
    const timer = setInterval(() => document.visibilityState === "visible" && load(), LOOK_AGAIN);
    return () => clearInterval(timer);
  }, [name]);
  if (!found) return html`<${Loading} error=${error} onRetry=${load} />`;
  const hue = (/** @type {string} */ endpoint) => Math.max(0, endpoints.indexOf(endpoint)) % HUES;
  const others = found.others.reduce((sum, its) => sum + its.queries, 0);
  return html`
    <div class="card">
      <div class="toolbar"><h2>Traffic View</h2>${button}</div>
      <${WorldMap} clients=${found.clients} hue=${hue} />
      <div class="keys-row">${endpoints.map((endpoint) => html`<span key=${endpoint} class="keyed"><span class="swatch" data-hue=${hue(endpoint)}></span>${endpoint}</span>`)}</div>
      <p class="faint">From <${Time} at=${found.from} day /> to <${Time} at=${found.to} day />. ${found.clients.length === 0 ? "Nobody has asked yet." : "The larger a point, the more queries came from there."}
        ${found.one_in > 1 && ` Of the answers that XDP gave, one in ${found.one_in.toLocaleString("en")} is looked at and stands for so many.`}
        ${others > 0 && ` ${counted(others, "query", "queries")} came from networks that are too many to tell apart.`}
        ${found.lost > 0 && ` ${counted(found.lost, "answer")} could not be looked at.`}</p>
    </div>
    ${found.clients.length > 0 && html`<div class="card"><h2>Clients</h2><${Clients} clients=${found.clients} /></div>`}`;
}

/** @param {{ clients: Client[] }} props */
function Clients({ clients }) {
  const rows = clients.flatMap((client) => client.endpoints.map((its) => ({ client, its }))).sort((a, b) => b.its.queries - a.its.queries).slice(0, SHOWN);
  return html`<div class="scroll"><table class="plain">
    <thead><tr><th scope="col">Clients</th><th scope="col">Place</th><th scope="col">Endpoint</th><th scope="col" class="number">Queries</th><th scope="col" class="number">Latency</th></tr></thead>
    <tbody>${rows.map(({ client, its }) => html`<tr key=${`${client.network} ${its.endpoint}`}>
      <th scope="row"><code>${client.network}</code></th><td>${client.place}</td><td>${its.endpoint}</td>
      <td class="number">${its.queries.toLocaleString("en")}</td><td class="number">${its.latency_ms === null ? "–" : `${Math.round(its.latency_ms)} ms`}</td></tr>`)}</tbody>
  </table></div>`;
}
