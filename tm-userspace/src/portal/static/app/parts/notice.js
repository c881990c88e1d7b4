// @ts-check
// A paragraph that must not be missed.
import { html } from "../core/html.js";
import { Icon } from "./icon.js";

/** @param {{ tone: "bad" | "some" | "info" | "good", title?: string, children?: any }} props */
export function Notice({ tone, title, children }) {
  const role = tone === "bad" ? "alert" : undefined;
  return html`<div class="notice" data-tone=${tone} role=${role}>
    <${Icon} name=${tone === "info" ? "info" : tone === "good" ? "check" : "warning"} />
    <div>${title && html`<strong>${title}</strong> `}${children}</div>
  </div>`;
}
