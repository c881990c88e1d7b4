// @ts-check
// A state: a shape, a colour and a word, so that nobody needs the colour.
import { html } from "../core/html.js";
import { statusWord } from "../core/words.js";

/** @type {Record<string, string>} */
const SHAPES = {
  good: "M6 1a5 5 0 100 10A5 5 0 006 1z",
  bad: "M6 .8L11.4 11H.6z",
  some: "M6 .8L11.4 11H.6z",
  wait: "M6 1a5 5 0 100 10A5 5 0 006 1zm0 1.8a3.2 3.2 0 110 6.4 3.2 3.2 0 010-6.4z",
  off: "M1.5 5h9v2h-9z",
  plain: "M6 .6L11.4 6 6 11.4.6 6z",
};

/** @param {{ status: string | null | undefined, ofProfile?: boolean, isAllDown?: boolean, note?: string }} props `isAllDown`: of a profile without an endpoint that is up */
export function StatusMark({ status, ofProfile = false, isAllDown = false, note = "" }) {
  const { label, tone, says } = statusWord(status);
  // A profile is Degraded where only some of its endpoints are down.
  const isDegraded = ofProfile && status === "Degraded";
  const shown = isDegraded && !isAllDown ? "some" : tone;
  const title = isDegraded ? (isAllDown ? "Probes of every endpoint fail." : "Probes of at least one endpoint fail.") : says;
  return html`<span class="status" data-tone=${shown} title=${note || title}>
    <svg viewBox="0 0 12 12" aria-hidden="true"><path fill-rule="evenodd" d=${SHAPES[shown]} /></svg>${label}
  </span>`;
}
