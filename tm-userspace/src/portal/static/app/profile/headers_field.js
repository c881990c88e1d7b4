// @ts-check
// Headers that probes bear: a name and a value a line.
import { html, useState } from "../core/html.js";
import { Field } from "../parts/field.js";

/** @param {{ form: import("../core/form.js").Form }} props */
export function HeadersField({ form }) {
  const at = "/monitor/headers";
  const value = form.get(at) ?? {};
  const written = Object.entries(value).map(([name, its]) => `${name}: ${its}`).join("\n");
  const [typed, setTyped] = useState({ written, text: written });
  const change = (/** @type {any} */ event) => {
    const text = event.target.value;
    const pairs = text.split("\n").map((/** @type {string} */ line) => line.trim()).filter(Boolean).map((/** @type {string} */ line) => {
      const colon = line.indexOf(":");
      return colon < 0 ? [line, ""] : [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    });
    const next = Object.fromEntries(pairs);
    setTyped({ written: Object.entries(next).map(([name, its]) => `${name}: ${its}`).join("\n"), text });
    form.set(at, pairs.length ? next : undefined);
  };
  return html`<${Field} label="Headers" hint="One a line: Host: www.contoso.com. Host is also the name in TLS." error=${form.error(at)}>
    <textarea rows="3" spellcheck=${false} value=${typed.written === written ? typed.text : written} placeholder="none" onInput=${change}></textarea>
  <//>`;
}
