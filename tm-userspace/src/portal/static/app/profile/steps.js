// @ts-check
// The way to an answer, drawn as steps: who asks, which profile chooses how, which endpoints may, what comes out.
import { html } from "../core/html.js";
import { methodLabel, percent } from "../core/words.js";
import { StatusMark } from "../parts/status.js";

/** @param {{ explained: any, outcome: any, before?: any }} props */
export function Steps({ explained, outcome, before }) {
  const by = explained.client.by === "ecs" ? "the network that the resolver names" : "who sends the query";
  return html`<ol class="steps">
    <li><div class="step"><span class="caption">Asked</span><code class="long">${explained.name} ${explained.kind}</code><span class="faint">by ${explained.client.address}, ${by}</span></div></li>
    <${ProfileStep} step=${outcome.profile} />
    <li><div class="step result" data-tone=${outcome.rcode === "NOERROR" && outcome.answers.some((/** @type {any} */ its) => its.records.length) ? "good" : "bad"}>
      <span class="caption">Answer</span>
      ${outcome.rcode !== "NOERROR" && html`<strong>${outcome.rcode}</strong>`}
      ${outcome.answers.map((/** @type {any} */ part) => html`<${Part} part=${part} isNew=${before && !before.answers.some((/** @type {any} */ its) => its.endpoint === part.endpoint && its.share === part.share)} />`)}
      <span class="faint">may be kept for ${outcome.ttl} s${outcome.scope === null ? "" : `, by everybody in the client's /${outcome.scope}`}</span>
    </div></li>
  </ol>`;
}

/** @param {{ step: any }} props */
function ProfileStep({ step }) {
  return html`<li><div class="step">
      <span class="caption">Profile</span>
      <span><strong class="long">${step.name}</strong> <span class="faint">${methodLabel(step.routing_method)}, TTL ${step.ttl}</span></span>
      <${StatusMark} status=${step.monitor_status} ofProfile />
      ${step.place && html`<span>${step.place}</span>`}
      ${step.nobody && html`<span class="error">${step.nobody}</span>`}
    </div>
    <ul class="candidates">${step.endpoints.map((/** @type {any} */ endpoint) => html`<li data-out=${String(endpoint.share === 0)}>
      <div class="candidate">
        <span class="number share">${endpoint.share > 0 ? percent(endpoint.share_of_all) : "–"}</span>
        <span class="long"><strong>${endpoint.name}</strong> <span class="faint">${endpoint.target}</span></span>
        <${StatusMark} status=${endpoint.monitor_status} />
        <span class="why">${endpoint.reason}</span>
      </div>
      ${endpoint.profile && endpoint.share > 0 && html`<ol class="steps inner"><${ProfileStep} step=${endpoint.profile} /></ol>`}
    </li>`)}</ul>
  </li>`;
}

/** @param {{ part: any, isNew: boolean }} props */
function Part({ part, isNew }) {
  return html`<div class="part" data-new=${String(Boolean(isNew))}>
    <span class="number share">${percent(part.share)}</span>
    <div>${part.records.length ? part.records.map((/** @type {string} */ record) => html`<code class="record">${record}</code>`) : html`<span>${part.reason ?? "no data"}</span>`}
    ${part.endpoint && html`<span class="faint">${part.endpoint}</span>`}</div>
  </div>`;
}
