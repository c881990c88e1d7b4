// @ts-check
// A failover has three parts, and people think of one: probes have to find it, the answer has to change, and resolvers have to forget the old one. A bar each.
import { html } from "../core/html.js";
import { duration } from "../core/words.js";
import { StatusMark } from "../parts/status.js";
import { Time } from "../parts/time.js";

const SHOWN = 12;
/** A part that took a moment still is to be seen. */
const LEAST = 0.6;

/** @param {{ flips: import("../core/live.js").Event[], own: string }} props */
export function Timeline({ flips, own }) {
  const shown = flips.slice(0, SHOWN);
  const most = Math.max(1, ...shown.map(total));
  if (!shown.length) {
    return html`<p class="faint">None since the daemon began. When an endpoint goes or returns, this shows how long it took to <b>detect</b> (probes in a row), to <b>publish</b> (from the verdict to the packets), and to <b>drain</b> (until no resolver may keep the old answer).</p>`;
  }
  return html`<div class="timeline">
    <div class="keys" aria-hidden="true"><span data-part="detect">Detect: probes in a row</span><span data-part="publish">Publish: verdict to packet</span><span data-part="drain">Drain: the TTL in caches</span></div>
    <ol>${shown.map((event) => {
      const { detect_ms, publish_us, drain_s } = /** @type {import("../core/live.js").Delays} */ (event.delays);
      const parts = [{ part: "detect", ms: detect_ms }, { part: "publish", ms: publish_us / 1000 }, { part: "drain", ms: drain_s * 1000 }];
      return html`<li key=${event.id}>
        <div class="flip"><strong class="long">${event.profile === own ? "" : `${event.profile}/`}${event.endpoint}</strong> <${StatusMark} status=${event.to} /> <${Time} at=${event.at} /></div>
        <div class="bars" role="img" aria-label=${parts.map(({ part, ms }) => `${part} ${duration(ms)}`).join(", ")}>
          ${parts.map(({ part, ms }) => html`<span data-part=${part} style=${{ width: `${Math.max(LEAST, (ms / most) * 100 * 0.97)}%` }} title=${`${part}: ${duration(ms)}`}></span>`)}
        </div>
        <div class="parts" aria-hidden="true">${parts.map(({ part, ms }) => html`<span data-part=${part}>${part} ${duration(ms)}</span>`)}</div>
      </li>`;
    })}</ol>
  </div>`;
}

/** @param {import("../core/live.js").Event} event @returns {number} */
function total(event) {
  const { detect_ms, publish_us, drain_s } = /** @type {import("../core/live.js").Delays} */ (event.delays);
  return detect_ms + publish_us / 1000 + drain_s * 1000;
}
