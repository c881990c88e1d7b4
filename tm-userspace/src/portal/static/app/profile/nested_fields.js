// @ts-check
// Which profile an endpoint stands for, found among thousands by a part of its name, and how many of that one's endpoints must be available.
import { get } from "../core/api.js";
import { html, useEffect, useState } from "../core/html.js";
import { soon } from "../core/soon.js";
import { KnownField, NumberField } from "../parts/field.js";

/** So many are offered. */
const OFFERED = 20;

/** @param {{ form: import("../core/form.js").Form, own: string }} props */
export function NestedFields({ form, own }) {
  const at = "/target_profile";
  const known = useProfiles(form.get(at) ?? "", own);
  return html`
    <${KnownField} form=${form} at=${at} label="Target profile" hint="Type a part of its name." placeholder="contoso-europe" options=${known} />
    <${NumberField} form=${form} at="/min_child_endpoints" label="Minimum child endpoints" placeholder="1" hint="So many of its endpoints must be available, or it counts as down." />
    <${NumberField} form=${form} at="/min_child_endpoints_ipv4" label="Of them, with IPv4 addresses" placeholder="any number" />
    <${NumberField} form=${form} at="/min_child_endpoints_ipv6" label="Of them, with IPv6 addresses" placeholder="any number" />`;
}

/** The first profiles with this in their names, but for `own`. @param {string} part @param {string} own @returns {string[]} */
function useProfiles(part, own) {
  const [names, setNames] = useState(/** @type {string[]} */ ([]));
  useEffect(() => soon((signal) => {
    const asked = new URLSearchParams({ limit: String(OFFERED + 1), ...(part && { name: part }) });
    get(`/profiles?${asked}`, signal).then(({ value }) => setNames(value.map((/** @type {any} */ its) => its.profile.name).filter((/** @type {string} */ its) => its !== own).slice(0, OFFERED)), () => {});
  }), [part, own]);
  return names;
}
