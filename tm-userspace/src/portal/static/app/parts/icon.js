// @ts-check
// Small drawings. They say nothing that words beside them do not say, so screen readers pass them by.
import { html } from "../core/html.js";

/** @type {Record<string, string>} */
const PATHS = {
  add: "M8 3v10M3 8h10",
  close: "M4 4l8 8M12 4l-8 8",
  up: "M8 13V3M4 7l4-4 4 4",
  down: "M8 3v10M4 9l4 4 4-4",
  right: "M3 8h10M9 4l4 4-4 4",
  left: "M13 8H3M7 4L3 8l4 4",
  copy: "M5.5 5.5h7v8h-7zM3.5 10.5v-8h7",
  check: "M3 8.5l3.5 3.5L13 4.5",
  edit: "M3 13l.6-2.8L10.8 3l2.2 2.2-7.2 7.2zM9.4 4.4l2.2 2.2",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  remove: "M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.6 9h5.8l.6-9M6.8 7v4M9.2 7v4",
  grip: "M6 4h.01M10 4h.01M6 8h.01M10 8h.01M6 12h.01M10 12h.01",
  warning: "M8 2.5l6 11H2zM8 6.5v3.5M8 11.8v.01",
  info: "M8 14A6 6 0 108 2a6 6 0 000 12zM8 7.2v3.6M8 5v.01",
  search: "M7 11.5a4.5 4.5 0 100-9 4.5 4.5 0 000 9zM10.5 10.5L14 14",
  play: "M5 3.5v9l7-4.5z",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  probe: "M2 8h3l1.5-4 3 8L11 8h3",
  sun: "M8 10.7a2.7 2.7 0 100-5.4 2.7 2.7 0 000 5.4zM8 1.5v1.2M8 13.3v1.2M1.5 8h1.2M13.3 8h1.2M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9",
  moon: "M13.5 9.5A5.8 5.8 0 016.5 2.5a5.8 5.8 0 107 7z",
  system: "M2.5 3.5h11v7h-11zM6 13h4M8 10.5V13",
  user: "M8 8a2.6 2.6 0 100-5.2A2.6 2.6 0 008 8zM2.8 13.7a5.3 5.3 0 0110.4 0",
};

/** @param {{ name: string }} props */
export function Icon({ name }) {
  return html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d=${PATHS[name] ?? ""} /></svg>`;
}
