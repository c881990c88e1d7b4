// @ts-check
// "What would you answer, and why?", asked as any client; and what would be if.
import { request } from "../core/api.js";
import { html, useEffect, useRef, useState } from "../core/html.js";
import { asProblem } from "../core/problem.js";
import { useLive } from "../core/live.js";
import { Field } from "../parts/field.js";
import { Notice } from "../parts/notice.js";
import { Dig } from "./dig.js";
import { Steps } from "./steps.js";

/** @param {{ profile: import("./store.js").Profile, name: string }} props */
export function TestTab({ profile, name }) {
  const [client, setClient] = useState("");
  const [kind, setKind] = useState("A");
  const [assumed, setAssumed] = useState(/** @type {Record<string, string>} */ ({}));
  const [found, setFound] = useState(/** @type {any} */ (null));
  const [error, setError] = useState("");
  // What was asked before comes too late where something else has been asked since.
  const last = useRef(0);
  const ask = async () => {
    const mine = ++last.current;
    try {
      const assume = Object.entries(assumed).filter(([, state]) => state).map(([endpoint, state]) => `${endpoint}=${state}`);
      const body = { profile: name, kind, assume, all_clients: true, ...asker(client.trim()) };
      const [explained, answered] = await Promise.all([
        request("POST", "/explain", { body }),
        request("POST", "/query", { body: { name: profile.wanted.dns_name, kind, client: body.client ?? null } }),
      ]);
      if (mine !== last.current) return;
      setFound({ explained: explained.data, answered: answered.data, isPlaced: Boolean(body.ecs) });
      setError("");
    } catch (thrown) {
      if (mine === last.current) setError(asProblem(thrown).message);
    }
  };
  const isThere = Boolean(profile.wanted.dns_name);
  const key = JSON.stringify([kind, assumed]);
  useEffect(() => void (isThere && ask()), [key, name]);
  useLive({ event: () => void (isThere && ask()) }, [key, client, name]);
  if (!isThere) return html`<p>A profile that is not in force answers nobody.</p>`;
  const endpoints = profile.tree.flatMap((state) => state.endpoints.map((endpoint) => ({ key: `${state.name}/${endpoint.name}`, endpoint, isOwn: state === profile.tree[0] })));
  return html`
    <form class="card ask" onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); void ask(); }}>
      <div class="grid three">
        <${Field} label="Client address or network" hint="A network, such as 198.51.100.0/24, as a resolver gives it (EDNS Client Subnet). Empty: anybody.">
          <input type="text" spellcheck=${false} autocomplete="off" value=${client} onInput=${(/** @type {any} */ event) => setClient(event.target.value)} />
        <//>
        <${Field} label="Record type"><select value=${kind} onChange=${(/** @type {any} */ event) => setKind(event.target.value)}>
          ${["A", "AAAA", "CNAME", "ANY", "TXT"].map((its) => html`<option value=${its} selected=${its === kind}>${its}</option>`)}
        </select><//>
        <button type="submit" class="primary">Ask</button>
      </div>
      <fieldset class="assume"><legend>What if</legend>
        ${endpoints.map(({ key: its, endpoint, isOwn }) => html`<label key=${its}><span class="long">${isOwn ? endpoint.name : its}</span>
          <select value=${assumed[its] ?? ""} onChange=${(/** @type {any} */ event) => setAssumed({ ...assumed, [its]: event.target.value })}>
            ${[["", `is as it is (${endpoint.monitor_status})`], ["down", "dies"], ["up", "is up"], ["disabled", "is disabled"]].map(([value, label]) => html`<option value=${value} selected=${value === (assumed[its] ?? "")}>${label}</option>`)}
          </select></label>`)}
      </fieldset>
    </form>
    <div aria-live="polite">
      ${error && html`<${Notice} tone="bad">${error}<//>`}
      ${found && html`<${Result} ...${found} />`}
    </div>`;
}

/** @param {{ explained: any, answered: any, isPlaced: boolean }} props */
function Result({ explained, answered, isPlaced }) {
  const { now, then, check } = explained;
  return html`
    ${!check.agrees && html`<${Notice} tone="bad" title="What answers says something else.">${check.said}<//>`}
    ${explained.client.note && html`<${Notice} tone="info">${explained.client.note}<//>`}
    <div class="cards even">
      <div class="card"><h2>${then ? "As it is" : "Why"}</h2><${Steps} explained=${explained} outcome=${now} /></div>
      ${then && html`<div class="card"><h2>As it would be</h2><${Steps} explained=${explained} outcome=${then} before=${now} /></div>`}
      ${!then && html`<div class="card"><h2>The packet's answer</h2><${Dig} explained=${explained} answered=${answered} isPlaced=${isPlaced} /></div>`}
    </div>
    ${explained.all_clients?.length > 1 && html`<div class="card"><h2>All clients</h2><${Everybody} groups=${explained.all_clients} hasThen=${Boolean(then)} /></div>`}`;
}

/** @param {{ groups: any[], hasThen: boolean }} props */
function Everybody({ groups, hasThen }) {
  const share = (/** @type {number} */ value) => `${Math.round(value * 1000) / 10} %`;
  return html`<div class="scroll"><table class="plain"><thead><tr><th scope="col">Clients</th><th scope="col">Endpoint</th><th scope="col" class="number">Share</th>${hasThen && html`<th scope="col" class="number">Then</th>`}</tr></thead>
    <tbody>${groups.flatMap((group) => group.shares.map((/** @type {any} */ its, /** @type {number} */ index) => html`<tr>
      ${index === 0 && html`<th scope="row" rowspan=${group.shares.length}>${group.clients.slice(0, 6).map((/** @type {string} */ line) => html`<div>${line}</div>`)}${group.clients.length > 6 && html`<div class="faint">and ${group.clients.length - 6} more</div>`}</th>`}
      <td>${its.endpoint ?? "no data"}</td><td class="number">${share(its.now)}</td>${hasThen && html`<td class="number">${share(its.then ?? 0)}</td>`}
    </tr>`))}</tbody></table></div>`;
}

/** @param {string} text @returns {{ client?: string, ecs?: [string, number] }} */
function asker(text) {
  if (!text) return {};
  const [address, length] = text.split("/");
  return length === undefined ? { client: address } : { ecs: [address, Number(length)] };
}
