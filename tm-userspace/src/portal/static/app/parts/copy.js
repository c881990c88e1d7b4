// @ts-check
// A text to take along.
import { html, useState } from "../core/html.js";
import { say } from "./announce.js";
import { Icon } from "./icon.js";

/** @param {{ text: string, what: string }} props */
export function Copy({ text, what }) {
  const [isDone, setDone] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    say(`${what} copied`);
    setDone(true);
    setTimeout(() => setDone(false), 1500);
  };
  return html`<button type="button" class="quiet square" onClick=${copy} aria-label=${`Copy ${what}`} title=${`Copy ${what}`}>
    <${Icon} name=${isDone ? "check" : "copy"} />
  </button>`;
}
