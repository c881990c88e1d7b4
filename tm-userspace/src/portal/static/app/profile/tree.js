// @ts-check
// Nested profiles as a tree: health flows up, shares flow down.
import { html } from "../core/html.js";
import { methodLabel, percent, perSecond } from "../core/words.js";
import { Icon } from "../parts/icon.js";
import { StatusMark } from "../parts/status.js";
import { endpointRate } from "./rates.js";

/** @typedef {{ tree: import("./store.js").State[], rates: Map<string, number[]> }} Whole */

/** @param {Whole} props */
export function Tree({ tree, rates }) {
  return html`<p class="faint legend"><${Icon} name="up" />health goes up <${Icon} name="down" />shares go down</p>
    <ul class="tree" aria-label="Nested profiles"><${Node} tree=${tree} rates=${rates} name=${tree[0].name} share=${1} depth=${0} /></ul>`;
}

/** @param {Whole & { name: string, share: number | null, depth: number }} props */
function Node({ tree, rates, name, share, depth }) {
  const state = tree.find((its) => its.name === name);
  if (!state) return null;
  return html`<li>
    <div class="node profile-node">
      <span class="node-name">${depth ? html`<a href=${`/profiles/${encodeURIComponent(name)}`}>${name}</a>` : html`<strong>${name}</strong>`}</span>
      <span class="faint">${methodLabel(state.routing_method)}</span>
      <span class="end"><${StatusMark} status=${state.monitor_status} ofProfile /></span>
    </div>
    <ul>${state.endpoints.map((endpoint) => {
      const below = endpoint.share === null || share === null ? null : endpoint.share * share;
      return html`<${Branch} key=${endpoint.name} tree=${tree} rates=${rates} state=${state} endpoint=${endpoint} share=${below} depth=${depth} />`;
    })}</ul>
  </li>`;
}

/** @param {Whole & { state: import("./store.js").State, endpoint: import("./store.js").EndpointState, share: number | null, depth: number }} props */
function Branch({ tree, rates, state, endpoint, share, depth }) {
  const { child } = endpoint;
  const isOut = share === 0;
  return html`<li data-out=${String(isOut)}>
    <div class="node">
      <span class="flow down" title="Share of all answers to the profile at the top"><${Icon} name="down" />${share === null ? "by place" : percent(share)}</span>
      <span class="node-name">${endpoint.name}</span>
      <span class="faint long">${child ? `needs ${child.min_child_endpoints}, has ${child.available}` : endpoint.target}</span>
      <span class="number faint">${perSecond(endpointRate(tree, state.name, endpoint, rates))}/s</span>
      <span class="flow up" title="What its state counts as in the profile above"><${Icon} name="up" /><${StatusMark} status=${endpoint.monitor_status} note=${endpoint.last_reason ?? ""} /></span>
    </div>
    ${child && html`<ul><${Node} tree=${tree} rates=${rates} name=${child.profile} share=${share} depth=${depth + 1} /></ul>`}
  </li>`;
}
