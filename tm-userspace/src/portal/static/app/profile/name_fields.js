// @ts-check
// The name that a profile answers, in its document.
import { html, useState } from "../core/html.js";
import { isSame } from "../core/document.js";
import { Field } from "../parts/field.js";
import { useAvailability } from "../profiles/availability.js";
import { DnsNameFields, inFull, nameOf, written } from "../profiles/dns_name.js";
import { useZones } from "../profiles/store.js";

/** @param {{ form: import("../core/form.js").Form, own: string | null }} props `own`: the name that it answers now */
export function NameFields({ form, own }) {
  const zones = useZones();
  if (!zones) return html`<${Field} label="DNS prefix"><input type="text" disabled value=${own ?? ""} /><//>`;
  return html`<${Known} form=${form} own=${own} zones=${zones} />`;
}

/** @param {{ form: import("../core/form.js").Form, own: string | null, zones: string[] }} props */
function Known({ form, own, zones }) {
  const { relative_name, dns_name } = form.value;
  // A name in full may lie in a zone while it is typed.
  const [typed, setTyped] = useState(nameOf(form.value, zones));
  const name = isSame(written(typed, zones), defined({ relative_name, dns_name })) ? typed : nameOf(form.value, zones);
  const full = inFull(name);
  const known = useAvailability(full.toLowerCase() === own?.toLowerCase() ? "" : full);
  const change = (/** @type {import("../profiles/dns_name.js").Name} */ next) => {
    const document = written(next, zones);
    setTyped(next);
    form.set("/relative_name", document.relative_name);
    form.set("/dns_name", document.dns_name);
  };
  return html`<${DnsNameFields} name=${name} zones=${zones} known=${known} error=${form.error("/relative_name") || form.error("/dns_name")} onChange=${change} />`;
}

/** @param {Record<string, unknown>} object @returns {Record<string, unknown>} */
function defined(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
