// @ts-check
// Somebody else changed what is being edited: what, and what is to become of it.
import { html } from "../core/html.js";
import { Notice } from "../parts/notice.js";

/** @param {{ theirs: import("./editing.js").Difference[], onKeep: () => void, onTake: () => void }} props */
export function Stale({ theirs, onKeep, onTake }) {
  if (!theirs.length) return null;
  return html`<${Notice} tone="some" title="Somebody else changed this while you edited it.">
    What you typed is still here. Changed meanwhile:
    <div class="scroll"><table class="plain changes">
      <thead><tr><th scope="col">What</th><th scope="col">Was</th><th scope="col">Is now</th></tr></thead>
      <tbody>${theirs.map(({ where, from, to }) => html`<tr><th scope="row">${where}</th><td><del>${text(from)}</del></td><td><ins>${text(to)}</ins></td></tr>`)}</tbody>
    </table></div>
    <div class="buttons">
      <button type="button" onClick=${onKeep}>Keep mine on top of theirs</button>
      <button type="button" onClick=${onTake}>Drop mine, take theirs</button>
    </div>
  <//>`;
}

/** @param {any} value @returns {string} */
export function text(value) {
  if (value === undefined || value === null) return "not set";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
