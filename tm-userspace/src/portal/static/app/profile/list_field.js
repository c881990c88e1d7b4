// @ts-check
// A list of short texts, one a line.
import { html, useState } from "../core/html.js";
import { Field } from "../parts/field.js";

/** @param {{ form: import("../core/form.js").Form, at: string, label: string, hint?: string, placeholder?: string, disabled?: boolean }} props */
export function ListField({ form, at, label, hint, placeholder, disabled }) {
  const value = form.get(at) ?? [];
  // What is typed has empty lines and blanks on the way; the list has none.
  const [typed, setTyped] = useState({ list: value, text: value.join("\n") });
  const isOwn = typed.list === value || (typed.list.length === 0 && value.length === 0);
  const change = (/** @type {any} */ event) => {
    const text = event.target.value;
    const list = text.split(/[\n,]/).map((/** @type {string} */ line) => line.trim()).filter(Boolean);
    setTyped({ list, text });
    form.set(at, list.length ? list : undefined);
  };
  return html`<${Field} label=${label} hint=${hint} error=${form.error(at)}>
    <textarea rows="3" spellcheck=${false} value=${isOwn ? typed.text : value.join("\n")} placeholder=${placeholder} disabled=${disabled} onInput=${change}></textarea>
  <//>`;
}
