// @ts-check
// Numbers with bars: what became of packets, and how full tables are.
import { html } from "../core/html.js";
import { percent } from "../core/words.js";

/** Why a packet goes up, where the word alone does not say it. @type {Record<string, string>} */
const MEANS = {
  answered: "answered before the network stack",
  no_such_name: "told before the network stack that there is no such name",
  not_ip: "no IP packet: none of ours",
  not_udp: "TCP and others: the stack's",
  checksum: "the UDP checksum does not fit, or the sender left it to its card",
};

/** @param {{ counts: Record<string, number> }} props */
export function Counts({ counts }) {
  const all = Object.entries(counts).filter(([, count]) => count > 0).sort(([, a], [, b]) => b - a);
  const most = Math.max(1, ...all.map(([, count]) => count));
  if (!all.length) return html`<p class="faint">None yet.</p>`;
  return html`<div class="scroll"><table class="plain bars-table"><tbody>${all.map(([reason, count]) => html`<tr key=${reason}>
    <th scope="row">${reason.replaceAll("_", " ")}${MEANS[reason] && html`<div class="faint">${MEANS[reason]}</div>`}</th><td class="number">${count.toLocaleString("en")}</td>
    <td class="bar"><span style=${{ width: `${(count / most) * 100}%` }}></span></td></tr>`)}</tbody></table></div>`;
}

/** How many were answered before the network stack, and how many went on. @param {{ answered: number, passed: number }} props */
export function Answered({ answered, passed }) {
  const all = answered + passed;
  const parts = [{ hue: 2, label: "answered in the kernel", count: answered }, { hue: 7, label: "passed up", count: passed }];
  return html`<div class="track" role="img" aria-label=${parts.map(({ label, count }) => `${label} ${count}`).join(", ")}>
      ${all > 0 ? parts.map(({ hue, count }) => html`<span data-hue=${hue} style=${{ width: `${(count / all) * 100}%` }}></span>`) : html`<em>None yet</em>`}
    </div>
    <div class="keys-row">${parts.map(({ hue, label, count }) => html`<span class="keyed"><span class="swatch" data-hue=${hue}></span>${label} ${count.toLocaleString("en")}${all > 0 ? `, ${percent(count / all)}` : ""}</span>`)}</div>`;
}

/** @param {{ tables: { name: string, used: number, capacity: number | null }[] }} props */
export function Tables({ tables }) {
  return html`<p class="faint">What does not fit is put into larger ones, which take the place of these in one step.</p>
    <div class="scroll"><table class="plain bars-table"><thead><tr><th scope="col">Table</th><th scope="col" class="number">In use</th><th scope="col" class="number">In the kernel</th><th scope="col"><span class="hidden">Part in use</span></th></tr></thead>
    <tbody>${tables.map(({ name, used, capacity }) => html`<tr key=${name}>
      <th scope="row">${name.replaceAll("_", " ")}</th><td class="number">${used.toLocaleString("en")}</td><td class="number">${capacity?.toLocaleString("en") ?? "–"}</td>
      <td class="bar">${capacity ? html`<span style=${{ width: `${Math.min(100, (used / capacity) * 100)}%` }}></span>` : ""}</td></tr>`)}</tbody></table></div>`;
}
