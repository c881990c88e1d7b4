// @ts-check
// This node: where it answers and how, what packets became of, what the tables hold, how much is probed.
import { get } from "../core/api.js";
import { html, useEffect, useRef, useState } from "../core/html.js";
import { asProblem } from "../core/problem.js";
import { counted, perSecond } from "../core/words.js";
import { Loading } from "../parts/loading.js";
import { Notice } from "../parts/notice.js";
import { StatusMark } from "../parts/status.js";
import { Time } from "../parts/time.js";
import { Answered, Counts, Tables } from "./counts.js";

const LOOK_AGAIN = 2000;
const MIB = 1024 * 1024;

export function NodePage() {
  const [node, setNode] = useState(/** @type {any} */ (null));
  const [error, setError] = useState(/** @type {import("../core/problem.js").Problem | null} */ (null));
  const before = useRef(/** @type {{ at: number, node: any } | null} */ (null));
  const [rates, setRates] = useState({ kernel: 0, up: 0 });
  const load = async () => {
    try {
      const found = await get("/node");
      const at = performance.now();
      if (before.current) setRates(between(before.current, { at, node: found }));
      before.current = { at, node: found };
      setNode(found);
      setError(null);
    } catch (thrown) {
      setError(asProblem(thrown));
    }
  };
  useEffect(() => {
    void load();
    const timer = setInterval(() => document.visibilityState === "visible" && load(), LOOK_AGAIN);
    return () => clearInterval(timer);
  }, []);
  if (!node) return html`<div class="page"><title>Node</title><h1>Node</h1><${Loading} error=${error} onRetry=${load} /></div>`;
  const answered = inKernel(node.packets);
  const byHand = sum(node.messages);
  const main = node.programs[0];
  return html`<div class="page">
    <title>Node</title>
    <div class="page-head"><h1>Node</h1><span class="faint">${node.zones.join(", ")}</span></div>
    ${node.config_error && html`<${Notice} tone="bad" title="The last change of the configuration was not taken."><pre>${node.config_error}</pre><//>`}
    ${node.store_error && html`<${Notice} tone="bad" title="Something is wrong with the store.">${node.store_error}<//>`}
    <div class="figures">
      <${Figure} label="Answered in the kernel" value=${`${perSecond(rates.kernel)}/s`} note=${`${answered.toLocaleString("en")} so far`} />
      <${Figure} label="Answered at the sockets" value=${`${perSecond(rates.up)}/s`} note=${`${byHand.toLocaleString("en")} so far`} />
      <${Figure} label="Cost of a packet" value=${main?.nanoseconds ? `${Math.round(main.nanoseconds)} ns` : "–"} note=${main ? (main.nanoseconds ? `over ${main.timed.toLocaleString("en")} runs` : html`timed while <code>kernel.bpf_stats_enabled</code> is 1`) : "XDP is off"} />
      <${Figure} label="Probes" value=${`${perSecond(node.probes_per_second)}/s`} note=${`${counted(node.probed, "endpoint")} of ${node.endpoints.toLocaleString("en")}`} />
      <${Figure} label="Memory of the daemon" value=${node.memory ? `${Math.round(node.memory / MIB)} MiB` : "–"} note=${counted(node.profiles, "profile")} />
    </div>
    <div class="cards even">
      <div class="card"><h2>Interfaces</h2><${Interfaces} node=${node} /></div>
      <div class="card"><h2>Essentials</h2><dl class="facts">
        <div><dt>Version</dt><dd>${node.version}</dd></div><div><dt>Kernel</dt><dd>${node.kernel}</dd></div>
        <div><dt>Running since</dt><dd><${Time} at=${node.started} day /></dd></div><div><dt>Generation</dt><dd>${node.generation}</dd></div></dl></div>
      <div class="card"><h2>Packets that XDP saw</h2><${Answered} answered=${answered} passed=${sum(node.packets) - answered} /><${Counts} counts=${node.packets} /></div>
      <div class="card"><h2>Messages that the sockets saw</h2><${Counts} counts=${node.messages} /></div>
    </div>
    <div class="card"><h2>Tables</h2><${Tables} tables=${node.tables} /></div>
    ${node.programs.length > 0 && html`<div class="card"><h2>Programs in the kernel</h2><div class="scroll"><table class="plain">
      <thead><tr><th scope="col">Name</th><th scope="col" class="number">Verified instructions</th><th scope="col" class="number">Machine code</th></tr></thead>
      <tbody>${node.programs.map((/** @type {any} */ its) => html`<tr><th scope="row">${its.name}</th><td class="number">${its.verified?.toLocaleString("en") ?? "–"}</td><td class="number">${its.machine_code.toLocaleString("en")} octets</td></tr>`)}</tbody>
    </table></div></div>`}
  </div>`;
}

/** @param {{ label: string, value: string, note: any }} props */
function Figure({ label, value, note }) {
  return html`<div class="card figure"><span class="caption">${label}</span><strong>${value}</strong><span class="faint">${note}</span></div>`;
}

/** @param {{ node: any }} props */
function Interfaces({ node }) {
  const none = node.mode === "off" ? "XDP is switched off" : "no program: the sockets answer";
  return html`<table class="plain"><tbody>${node.interfaces.map((/** @type {any} */ its) => html`<tr key=${its.name}>
      <th scope="row">${its.name}</th><td>${its.xdp ? html`<${StatusMark} status="Online" note="The program is attached." /> <span class="faint">XDP, ${its.xdp}</span>` : none}</td></tr>`)}</tbody></table>
    <p class="faint">Mode ${node.mode}; answering at ${node.addresses.join(", ") || "no address"}</p>`;
}

/** Answered by XDP so far. @param {Record<string, number>} packets */
function inKernel(packets) {
  return (packets.answered ?? 0) + (packets.no_such_name ?? 0);
}

/** @param {Record<string, number>} counts @returns {number} */
function sum(counts) {
  return Object.values(counts).reduce((all, count) => all + count, 0);
}

/** Answers a second between two looks. @param {{ at: number, node: any }} then @param {{ at: number, node: any }} now */
function between(then, now) {
  const seconds = Math.max(0.1, (now.at - then.at) / 1000);
  const kernel = inKernel(now.node.packets) - inKernel(then.node.packets);
  return { kernel: Math.max(0, kernel / seconds), up: Math.max(0, (sum(now.node.messages) - sum(then.node.messages)) / seconds) };
}
