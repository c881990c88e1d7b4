// @ts-check
// This node: where it answers and how, what packets became of, what the tables hold.
import { get } from "../core/api.js";
import { html, useEffect, useState } from "../core/html.js";
import { asProblem } from "../core/problem.js";
import { Loading } from "../parts/loading.js";
import { Notice } from "../parts/notice.js";
import { Time } from "../parts/time.js";

const LOOK_AGAIN = 2000;

export function NodePage() {
  const [node, setNode] = useState(/** @type {any} */ (null));
  const [error, setError] = useState(/** @type {import("../core/problem.js").Problem | null} */ (null));
  const load = () => get("/status").then((found) => { setNode(found); setError(null); }, (thrown) => setError(asProblem(thrown)));
  useEffect(() => {
    void load();
    const timer = setInterval(() => document.visibilityState === "visible" && load(), LOOK_AGAIN);
    return () => clearInterval(timer);
  }, []);
  if (!node) return html`<div class="page"><title>Node</title><h1>Node</h1><${Loading} error=${error} onRetry=${load} /></div>`;
  return html`<div class="page">
    <title>Node</title>
    <div class="page-head"><h1>Node</h1><span class="faint">${node.zone}</span></div>
    ${!node.config_ok && html`<${Notice} tone="bad" title="The last change of the configuration was not taken."><pre>${node.config_error}</pre><//>`}
    ${node.store_error && html`<${Notice} tone="bad" title="Something is wrong with the store.">${node.store_error}<//>`}
    <div class="cards even">
      <div class="card"><h2>Interfaces</h2>
        <table class="plain"><tbody>${node.interfaces.map((/** @type {any} */ its) => html`<tr><th scope="row">${its.name}</th><td>${its.xdp ? `XDP, ${its.xdp}` : "no program: the sockets answer"}</td></tr>`)}</tbody></table>
        <p class="faint">mode ${node.mode}; answering at ${node.addresses.join(", ") || "no address"}</p></div>
      <div class="card"><h2>Essentials</h2><dl class="facts">
        <div><dt>Version</dt><dd>${node.version}</dd></div><div><dt>Running since</dt><dd><${Time} at=${node.started} day /></dd></div>
        <div><dt>Generation</dt><dd>${node.generation}</dd></div><div><dt>Profiles</dt><dd>${node.profiles.length}</dd></div></dl></div>
    </div>
    <div class="cards even">
      <div class="card"><h2>Packets that XDP saw</h2><${Counts} counts=${node.packets} /></div>
      <div class="card"><h2>Messages that the sockets saw</h2><${Counts} counts=${node.messages} /></div>
    </div>
  </div>`;
}

/** @param {{ counts: Record<string, number> }} props */
function Counts({ counts }) {
  const all = Object.entries(counts).filter(([, count]) => count > 0).sort(([, a], [, b]) => b - a);
  const most = Math.max(1, ...all.map(([, count]) => count));
  if (!all.length) return html`<p class="faint">None yet.</p>`;
  return html`<table class="plain bars-table"><tbody>${all.map(([reason, count]) => html`<tr key=${reason}>
    <th scope="row">${reason.replaceAll("_", " ")}</th><td class="number">${count.toLocaleString("en")}</td>
    <td class="bar"><span style=${{ width: `${(count / most) * 100}%` }}></span></td></tr>`)}</tbody></table>`;
}
