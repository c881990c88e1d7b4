// @ts-check
// The last two minutes of a rate, at a glance.
import { html } from "../core/html.js";

const WIDTH = 120;
const HEIGHT = 24;

/** @param {{ series: number[] | undefined }} props */
export function Sparkline({ series }) {
  const most = Math.max(1, ...(series ?? []));
  const step = WIDTH / Math.max(1, (series?.length ?? 1) - 1);
  const y = (/** @type {number} */ rate) => (HEIGHT - 2 - (rate / most) * (HEIGHT - 4)).toFixed(1);
  const line = (series ?? [0, 0]).map((rate, index) => `${index ? "L" : "M"}${(index * step).toFixed(1)} ${y(rate)}`).join("");
  return html`<svg class="sparkline" data-flat=${String(!series)} viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
    ${series && html`<path class="area" d=${`${line}L${WIDTH} ${HEIGHT}L0 ${HEIGHT}Z`} />`}
    <path class="line" d=${series ? line : `M0 ${HEIGHT - 2}L${WIDTH} ${HEIGHT - 2}`} />
  </svg>`;
}
