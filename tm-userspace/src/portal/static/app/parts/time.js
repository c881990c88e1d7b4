// @ts-check
// A moment in the viewer's own time; UTC under the pointer.
import { html } from "../core/html.js";

const SHORT = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const LONG = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });

/** @param {{ at: string | null | undefined, day?: boolean }} props */
export function Time({ at, day = false }) {
  if (!at) return html`<span class="faint">never</span>`;
  const moment = new Date(at);
  const isToday = moment.toDateString() === new Date().toDateString();
  const text = (day ? DAY : isToday ? SHORT : LONG).format(moment);
  return html`<time datetime=${at} title=${utc(moment)}>${text}</time>`;
}

/** @param {Date} moment @returns {string} */
export function utc(moment) {
  return `${moment.toISOString().replace("T", " ").replace("Z", "")} UTC`;
}
