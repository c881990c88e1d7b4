// @ts-check
// The world, and on it who asks: a point for each place, coloured by the endpoint that most of its queries got.
import { html } from "../core/html.js";

/** The outline has longitude + 180 from the left, and 84 - latitude from the top. */
const LEFT = 180;
const TOP = 84;
const LEAST = 1.1;
const MOST = 6;

/** @param {{ flows: import("./traffic.js").Flow[], endpoints: { id: number, name: string, hue: number }[] }} props */
export function WorldMap({ flows, endpoints }) {
  const count = (/** @type {import("./traffic.js").Flow} */ flow) => flow.queryExperiences.reduce((sum, its) => sum + its.queryCount, 0);
  const most = Math.max(1, ...flows.map(count));
  const points = flows.map((flow) => {
    const main = [...flow.queryExperiences].sort((a, b) => b.queryCount - a.queryCount)[0];
    const endpoint = endpoints.find((its) => its.id === main?.endpointId);
    const latency = main?.latency === undefined || main.latency === null ? "" : `, ${Math.round(main.latency)} ms`;
    const says = `${flow.sourceIp ?? "clients"}: ${count(flow).toLocaleString("en")} queries, mostly ${endpoint?.name ?? "none"}${latency}`;
    return { x: flow.longitude + LEFT, y: TOP - flow.latitude, size: LEAST + (MOST - LEAST) * Math.sqrt(count(flow) / most), hue: endpoint?.hue ?? 7, says };
  }).sort((a, b) => b.size - a.size);
  const label = flows.length ? `Where clients are: ${flows.length} places; the table below has them` : "A map of the world without any clients on it";
  return html`<svg class="world" viewBox="0 0 360 142" role="img" aria-label=${label}>
    <use href="/world.svg#land" />
    ${points.map(({ x, y, size, hue, says }) => html`<circle cx=${x} cy=${y} r=${size} data-point=${hue}><title>${says}</title></circle>`)}
  </svg>`;
}
