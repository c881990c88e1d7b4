// @ts-check
// What is said at the foot of the page for a moment, and read out.
import { cell, useCell } from "../core/cell.js";
import { html } from "../core/html.js";

const said = cell("");
/** @type {ReturnType<typeof setTimeout> | undefined} */
let fading;

/** @param {string} text */
export function say(text) {
  clearTimeout(fading);
  said.set(text);
  fading = setTimeout(() => said.set(""), 4000);
}

export function Announcements() {
  const text = useCell(said);
  return html`<div class="toast" role="status" data-shown=${String(Boolean(text))}>${text}</div>`;
}
