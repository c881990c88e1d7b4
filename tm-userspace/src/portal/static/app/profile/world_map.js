// @ts-check
// The world, and on it who asks: a point for each network whose place is known, coloured by the endpoint that most of its queries got.
import { html } from "../core/html.js";

/** The outline has longitude + 180 from the left, and 84 - latitude from the top. */
const LEFT = 180;
const TOP = 84;
const LEAST = 1.1;
const MOST = 6;

/** @param {{ clients: import("./traffic.js").Client[], hue: (endpoint: string) => number }} props */
export function WorldMap({ clients, hue }) {
  const count = (/** @type {import("./traffic.js").Client} */ client) => client.endpoints.reduce((sum, its) => sum + its.queries, 0);
  const most = Math.max(1, ...clients.map(count));
  const points = clients.flatMap((client) => {
    const { latitude, longitude } = client;
    const main = [...client.endpoints].sort((a, b) => b.queries - a.queries)[0];
    if (latitude === null || longitude === null || !main) return [];
    const latency = main.latency_ms === null ? "" : `, ${Math.round(main.latency_ms)} ms`;
    const says = `${client.network}: ${count(client).toLocaleString("en")} queries, mostly ${main.endpoint}${latency}`;
    return [{ x: longitude + LEFT, y: TOP - latitude, size: LEAST + (MOST - LEAST) * Math.sqrt(count(client) / most), hue: hue(main.endpoint), says }];
  }).sort((a, b) => b.size - a.size);
  const label = points.length ? `Where clients are: ${points.length} places; the table below has them` : "A map of the world without any clients on it";
  return html`<svg class="world" viewBox="0 0 360 142" role="img" aria-label=${label}>
    <use href="/world.svg#land" />
    ${points.map(({ x, y, size, hue, says }) => html`<circle cx=${x} cy=${y} r=${size} data-point=${hue}><title>${says}</title></circle>`)}
  </svg>`;
}
