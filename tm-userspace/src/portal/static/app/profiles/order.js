// @ts-check
// Which profiles are listed, and in which order.

/** @typedef {import("./store.js").Summary} Summary */
/** @typedef {import("./rates.js").Rates} Rates */
/** @typedef {"name" | "monitor_status" | "routing_method" | "dns_name" | "endpoints" | "rate"} Column */
/** @typedef {{ by: Column, down: boolean }} Order */

/** The worst first. @type {Record<string, number>} */
const URGENCY = { Degraded: 1, Inactive: 2, CheckingEndpoints: 3, Online: 4, Disabled: 5 };

/** What a filter looks through, of each summary that one has looked through. @type {WeakMap<Summary, string>} */
const texts = new WeakMap();

/** @param {Summary[]} all @param {string} filter @param {string} status @returns {Summary[]} */
export function filtered(all, filter, status) {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  return all.filter((summary) => (!status || summary.monitor_status === status) && words.every((word) => textOf(summary).includes(word)));
}

/** @param {Summary[]} list as the API orders them: by name @param {Order} order @param {Rates} rates @returns {Summary[]} */
export function sorted(list, order, rates) {
  if (order.by === "name") return order.down ? [...list].reverse() : list;
  const value = keyOf(order.by, rates);
  const sign = order.down ? -1 : 1;
  // Those alike stay by name.
  return list.map((summary) => ({ summary, key: value(summary) }))
    .sort((a, b) => (a.key < b.key ? -sign : a.key > b.key ? sign : 0))
    .map(({ summary }) => summary);
}

/** @param {Summary} summary @returns {string} */
function textOf(summary) {
  const known = texts.get(summary);
  if (known !== undefined) return known;
  const text = `${summary.name} ${summary.dns_name ?? ""} ${summary.resource_group}`.toLowerCase();
  texts.set(summary, text);
  return text;
}

/** @param {Column} by @param {Rates} rates @returns {(summary: Summary) => string | number} */
function keyOf(by, rates) {
  switch (by) {
    case "monitor_status": return (summary) => URGENCY[summary.monitor_status ?? ""] ?? 0;
    case "endpoints": return (summary) => summary.available;
    case "rate": return (summary) => rates.of(summary.name)?.at(-1) ?? 0;
    default: return (summary) => (summary[by] ?? "").toLowerCase();
  }
}
