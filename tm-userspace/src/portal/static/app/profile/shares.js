// @ts-check
// Who answers: the share that was decided, and beside it the share that was measured.
import { html } from "../core/html.js";
import { percent, perSecond } from "../core/words.js";
import { StatusMark } from "../parts/status.js";
import { endpointRate } from "./rates.js";

/** Colours that charts give to endpoints, in turn. */
export const HUES = 8;

/** @param {{ tree: import("./store.js").State[], rates: Map<string, number[]> }} props */
export function Shares({ tree, rates }) {
  const state = tree[0];
  const byPlace = state.endpoints.some((endpoint) => endpoint.share === null);
  const measured = state.endpoints.map((endpoint) => endpointRate(tree, state.name, endpoint, rates));
  const total = measured.reduce((sum, rate) => sum + rate, 0);
  if (!state.endpoints.length) {
    return html`<p class="faint">No endpoints yet: the name does not exist for those who ask. <a href=${`/profiles/${encodeURIComponent(state.name)}/endpoints`}>Add the first one.</a></p>`;
  }
  const parts = state.endpoints.map((endpoint, index) => ({
    endpoint, hue: index % HUES, rate: measured[index],
    share: endpoint.share, live: total > 0 ? measured[index] / total : null,
  }));
  return html`
    ${!byPlace && html`<${Bar} label="As decided" parts=${parts.map(({ hue, share, endpoint }) => ({ hue, part: share ?? 0, name: endpoint.name }))} />`}
    <${Bar} label="As answered" parts=${parts.map(({ hue, live, endpoint }) => ({ hue, part: live ?? 0, name: endpoint.name }))} none=${total === 0 ? "Nobody asked within the last ten seconds" : ""} />
    <div class="scroll"><table class="plain">
      <thead><tr><th scope="col">Endpoint</th><th scope="col">Status</th><th scope="col" class="number">Decided</th><th scope="col" class="number">Answered</th><th scope="col" class="number">Per second</th></tr></thead>
      <tbody>${parts.map(({ endpoint, hue, share, live, rate }) => html`<tr key=${endpoint.name}>
        <th scope="row"><span class="keyed"><span class="swatch" data-hue=${hue}></span><span class="long" title=${endpoint.name}>${endpoint.name}</span></span></th>
        <td><${StatusMark} status=${endpoint.monitor_status} note=${endpoint.last_reason ?? ""} /></td>
        <td class="number">${byPlace ? html`<span class="faint" title="It depends on where the client is: see Test.">by place</span>` : percent(share)}</td>
        <td class="number">${live === null ? "–" : percent(live)}</td>
        <td class="number">${perSecond(rate)}</td>
      </tr>`)}</tbody>
    </table></div>`;
}

/** @param {{ label: string, parts: { hue: number, part: number, name: string }[], none?: string }} props */
function Bar({ label, parts, none }) {
  const told = parts.filter(({ part }) => part > 0).map(({ name, part }) => `${name} ${percent(part)}`).join(", ");
  return html`<div class="share-bar">
    <span class="caption">${label}</span>
    <div class="track" role="img" aria-label=${`${label}: ${told || none || "nobody"}`}>
      ${parts.map(({ hue, part, name }) => html`<span key=${name} data-hue=${hue} title=${`${name} ${percent(part)}`} style=${{ width: `${part * 100}%` }}></span>`)}
      ${!told && html`<em>${none || "Nobody answers"}</em>`}
    </div>
  </div>`;
}
