// @ts-check
// The rates of the last two minutes, a line an endpoint; nested ones as a whole.
import uPlot from "/vendor/uPlot.esm.js";
import { useCell } from "../core/cell.js";
import { html, useEffect, useRef } from "../core/html.js";
import { theme } from "../core/theme.js";
import { HUES } from "./shares.js";

const INTERVAL = 2;
const KEPT = 60;
const HEIGHT = 190;
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

/** @param {{ tree: import("./store.js").State[], rates: Map<string, number[]> }} props */
export function RateChart({ tree, rates }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const chart = useRef(/** @type {any} */ (null));
  const colours = useCell(theme);
  const { endpoints, name } = tree[0];
  const shape = endpoints.map((endpoint) => endpoint.name).join("\n");
  const data = [times(), ...endpoints.map((endpoint) => seriesOf(tree, name, endpoint, rates))];
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const plot = new uPlot(options(element, endpoints), data, element);
    chart.current = plot;
    const sizes = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }));
    sizes.observe(element);
    return () => {
      sizes.disconnect();
      plot.destroy();
      chart.current = null;
    };
  }, [shape, colours]);
  useEffect(() => chart.current?.setData(data), [rates]);
  return html`<div class="chart" ref=${box} role="img" aria-label="Queries a second over the last two minutes; the numbers of now are in the table beside it."></div>`;
}

function times() {
  const now = Date.now() / 1000;
  return Array.from({ length: KEPT }, (_, index) => now - (KEPT - 1 - index) * INTERVAL);
}

/** @param {import("./store.js").State[]} tree @param {string} profile @param {import("./store.js").EndpointState} endpoint @param {Map<string, number[]>} rates @returns {number[]} */
function seriesOf(tree, profile, endpoint, rates) {
  if (!endpoint.child) return rates.get(`${profile}/${endpoint.name}`) ?? Array(KEPT).fill(0);
  const child = tree.find((state) => state.name === endpoint.child?.profile);
  const all = (child?.endpoints ?? []).map((its) => seriesOf(tree, /** @type {any} */ (child).name, its, rates));
  return Array.from({ length: KEPT }, (_, index) => all.reduce((sum, series) => sum + series[index], 0));
}

/** A colour of the tokens as a canvas takes it. @param {HTMLElement} element @param {string} name @returns {string} */
function resolved(element, name) {
  element.style.color = `var(${name})`;
  const { color } = getComputedStyle(element);
  element.style.color = "";
  return color;
}

/** @param {HTMLElement} element @param {import("./store.js").EndpointState[]} endpoints */
function options(element, endpoints) {
  const colour = (/** @type {string} */ name) => resolved(element, name);
  const axis = { stroke: colour("--chart-text"), grid: { stroke: colour("--chart-grid"), width: 1 }, ticks: { show: false }, font: "12px system-ui", gap: 6 };
  return {
    width: element.clientWidth, height: HEIGHT, legend: { show: false }, cursor: { show: false }, padding: [8, 8, 0, 0],
    scales: { y: { range: (/** @type {any} */ _, /** @type {number} */ __, /** @type {number} */ most) => [0, Math.max(1, most * 1.15)] } },
    axes: [{ ...axis, space: 80, size: 28, values: (/** @type {any} */ _, /** @type {number[]} */ all) => all.map((at) => CLOCK.format(at * 1000)) }, { ...axis, size: 44 }],
    series: [{}, ...endpoints.map((endpoint, index) => ({ label: endpoint.name, stroke: colour(`--hue-${index % HUES}`), width: 2, points: { show: false } }))],
  };
}
