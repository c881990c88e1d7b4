// @ts-check
// Where a page breaks, the rest of the portal does not.
import { html, useErrorBoundary } from "../core/html.js";
import { Notice } from "./notice.js";

/** @param {{ children?: any }} props */
export function Guarded({ children }) {
  const [error, reset] = useErrorBoundary((thrown) => console.error(thrown));
  if (!error) return children;
  return html`<${Notice} tone="bad" title="This page broke.">
    ${String(error?.message ?? error)} <button type="button" onClick=${reset}>Draw it again</button>
  <//>`;
}
