// @ts-check
// What is there while something is being fetched, and where it could not be.
import { html } from "../core/html.js";
import { Notice } from "./notice.js";

/** @param {{ error?: import("../core/problem.js").Problem | null, onRetry?: () => void }} props */
export function Loading({ error, onRetry }) {
  if (!error) return html`<div class="loading" role="status"><span class="hidden">Loading</span></div>`;
  return html`<${Notice} tone="bad">
    ${error.message} ${onRetry && html`<button type="button" onClick=${onRetry}>Try again</button>`}
  <//>`;
}
