// @ts-check
// Services picked from the inventory: found by a filter box, moved by arrows, put in order by arrows.
import { html, useEffect, useId, useState } from "../core/html.js";
import { get } from "../core/api.js";
import { asProblem } from "../core/problem.js";
import { SERVICE_KINDS } from "../core/words.js";
import { Icon } from "../parts/icon.js";

/** @typedef {{ id: string, kind: string, name: string, target: string, location: string | null, state: string }} Service */

/**
 * @param {{ subscription: string, chosen: Service[], onChange: (chosen: Service[]) => void, isOrdered: boolean, error?: string }} props
 */
export function ServicePicker({ subscription, chosen, onChange, isOrdered, error }) {
  const [all, setAll] = useState(/** @type {Service[] | null} */ (null));
  const [trouble, setTrouble] = useState("");
  const [filter, setFilter] = useState("");
  const [left, setLeft] = useState(/** @type {string[]} */ ([]));
  const [right, setRight] = useState(/** @type {string[]} */ ([]));
  const id = useId("picker");
  useEffect(() => {
    get("/services").then((page) => setAll(page.value), (thrown) => setTrouble(asProblem(thrown).message));
  }, []);
  const inScope = (all ?? []).filter((service) => subscriptionOf(service.id) === subscription.toLowerCase());
  const text = filter.trim().toLowerCase();
  const free = inScope.filter((service) => !chosen.some((other) => other.id === service.id));
  const found = free.filter((service) => `${service.name} ${service.target} ${service.location ?? ""}`.toLowerCase().includes(text));
  const add = (/** @type {string[]} */ ids) => {
    onChange([...chosen, ...found.filter((service) => ids.includes(service.id))]);
    setLeft([]);
    setRight(ids);
  };
  const remove = (/** @type {string[]} */ ids) => {
    onChange(chosen.filter((service) => !ids.includes(service.id)));
    setRight([]);
  };
  const move = (/** @type {-1 | 1} */ by) => onChange(moved(chosen, (service) => right.includes(service.id), by));
  return html`<fieldset class="picker">
    <legend>Services</legend>
    <div class="column">
      <label for=${`${id}-filter`}>Filter</label>
      <input id=${`${id}-filter`} type="search" autocomplete="off" placeholder="Part of a name, an address or a region" value=${filter} onInput=${(/** @type {any} */ event) => setFilter(event.target.value)} />
      <label for=${`${id}-left`}>Available services</label>
      <select id=${`${id}-left`} multiple size="4" onChange=${(/** @type {any} */ event) => setLeft(picked(event))} onDblClick=${() => add(left)}>
        ${found.map((service) => option(service, left))}
      </select>
      <div class="hint" role="status">${trouble || (all === null ? "" : emptyText(inScope.length, found.length))}</div>
    </div>
    <div class="arrows">
      <button type="button" class="square" aria-label="Add to the list" title="Add" disabled=${!left.length} onClick=${() => add(left)}><${Icon} name="right" /></button>
      <button type="button" class="square" aria-label="Remove from the list" title="Remove" disabled=${!right.length} onClick=${() => remove(right)}><${Icon} name="left" /></button>
    </div>
    <div class="column">
      <label for=${`${id}-right`}>Selected DNS names</label>
      <select id=${`${id}-right`} multiple size="6" onChange=${(/** @type {any} */ event) => setRight(picked(event))} onDblClick=${() => remove(right)}>
        ${chosen.map((service, index) => option(service, right, isOrdered ? `${index + 1}. ` : ""))}
      </select>
      <div class="hint">${isOrdered ? "The primary is on top; the others are its backups, in this order." : "The order does not matter for this method."}</div>
      ${error && html`<div class="error" role="alert">${error}</div>`}
    </div>
    <div class="arrows">
      <button type="button" class="square" aria-label="Move up" title="Move up" disabled=${!right.length} onClick=${() => move(-1)}><${Icon} name="up" /></button>
      <button type="button" class="square" aria-label="Move down" title="Move down" disabled=${!right.length} onClick=${() => move(1)}><${Icon} name="down" /></button>
    </div>
  </fieldset>`;
}

/** A list in which those that `isMoved` go one place up or down, as far as there is room. @template T @param {T[]} list @param {(item: T) => boolean} isMoved @param {-1 | 1} by @returns {T[]} */
export function moved(list, isMoved, by) {
  const result = by < 0 ? [...list] : [...list].reverse();
  for (let index = 1; index < result.length; index++) {
    if (isMoved(result[index]) && !isMoved(result[index - 1])) [result[index - 1], result[index]] = [result[index], result[index - 1]];
  }
  return by < 0 ? result : result.reverse();
}

/** @param {string} id @returns {string} */
function subscriptionOf(id) {
  return id.toLowerCase().match(/^\/subscriptions\/([^/]+)\//)?.[1] ?? "";
}

/** @param {any} event @returns {string[]} */
function picked(event) {
  return [...event.target.selectedOptions].map((option) => option.value);
}

/** @param {Service} service @param {string[]} selected @param {string} [before] */
function option(service, selected, before = "") {
  const state = service.state === "stopped" ? ", stopped" : "";
  return html`<option key=${service.id} value=${service.id} selected=${selected.includes(service.id)} title=${`${SERVICE_KINDS[service.kind] ?? service.kind}, ${service.target}`}>
    ${before}${service.name} – ${service.target}${service.location ? ` (${service.location})` : ""}${state}
  </option>`;
}

/** @param {number} inScope @param {number} found @returns {string} */
function emptyText(inScope, found) {
  if (!inScope) return "There are no services in this subscription. Add some under Services, or add endpoints later.";
  return found ? "" : "No service fits the filter.";
}
