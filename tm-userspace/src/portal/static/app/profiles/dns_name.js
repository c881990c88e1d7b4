// @ts-check
// The name that a profile answers: a prefix in one of the zones, or a name in full that lies outside them.
import { html } from "../core/html.js";
import { Field } from "../parts/field.js";

/** @typedef {{ prefix: string, zone: string }} Name `zone` is empty where `prefix` is a name in full; `@` is the zone itself */

/** What stands for a zone itself, as in zone files. */
const APEX = "@";

/** @param {Name} name @returns {string} */
export function inFull({ prefix, zone }) {
  if (!zone || !prefix) return prefix;
  return prefix === APEX ? zone : `${prefix}.${zone}`;
}

/** As a document has it. @param {Name} name @param {string[]} zones that of relative names first @returns {{ relative_name?: string, dns_name?: string }} */
export function written(name, zones) {
  const isRelative = name.zone === zones[0] && name.prefix !== APEX;
  return isRelative ? { relative_name: name.prefix } : { dns_name: inFull(name) };
}

/** A document's. @param {any} document @param {string[]} zones @returns {Name} */
export function nameOf({ name, relative_name, dns_name }, zones) {
  if (dns_name === undefined) return { prefix: relative_name ?? name ?? "", zone: zones[0] };
  const full = dns_name.replace(/\.$/, "");
  const within = zones.filter((zone) => `.${full.toLowerCase()}`.endsWith(`.${zone.toLowerCase()}`)).sort((a, b) => b.length - a.length)[0];
  if (!within) return { prefix: full, zone: "" };
  return { prefix: full.slice(0, -within.length - 1) || APEX, zone: within };
}

/** @param {{ name: Name, zones: string[], known: import("./availability.js").Availability, error: string, onChange: (name: Name) => void }} props */
export function DnsNameFields({ name, zones, known, error, onChange }) {
  const { prefix, zone } = name;
  const full = inFull(name);
  const label = zone ? html`DNS prefix <span class="faint">.${zone}</span>` : "DNS name";
  const placed = zone ? `Ends in .${zone}` : "In full, such as www.contoso.com";
  const hint = html`<span data-known=${known.state}>${known.state === "free" ? known.text : full || placed}${remark(name)}</span>`;
  return html`
    <${Field} label=${label} hint=${hint} error=${error || (known.state === "taken" || known.state === "wrong" ? known.text : "")}>
      <input type="text" autocomplete="off" spellcheck=${false} value=${prefix} onInput=${(/** @type {any} */ event) => onChange({ prefix: event.target.value.trim(), zone })} />
    <//>
    <${Field} label="Zone" hint=${zone ? `“${APEX}” as prefix is the zone itself, “*.shop” all names below shop.` : "Outside the zones: to be delegated to these servers."}>
      <select value=${zone} onChange=${(/** @type {any} */ event) => onChange(moved(name, event.target.value))}>
        ${zones.map((its) => html`<option key=${its} value=${its} selected=${its === zone}>${its}</option>`)}
        <option key="" value="" selected=${zone === ""}>None of them: a name in full</option>
      </select>
    <//>`;
}

/** The name in another zone, or in full. @param {Name} name @param {string} zone @returns {Name} */
function moved(name, zone) {
  if (!zone) return { prefix: inFull(name), zone };
  return name.zone ? { ...name, zone } : { prefix: name.prefix.split(".")[0], zone };
}

/** @param {Name} name @returns {string} */
function remark({ prefix }) {
  return prefix.startsWith("*.") || prefix === "*" ? " It stands for every name below that no other profile has." : "";
}
