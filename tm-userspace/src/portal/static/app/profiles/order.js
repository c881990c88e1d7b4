// @ts-check
// Which profiles are listed, and in which order.

/** @typedef {import("./store.js").Summary} Summary */
/** @typedef {"name" | "monitor_status" | "routing_method" | "dns_name" | "endpoints" | "rate"} Column */
/** @typedef {{ by: Column, down: boolean }} Order */

/** The worst first. @type {Record<string, number>} */
const URGENCY = { Degraded: 1, Inactive: 2, CheckingEndpoints: 3, Online: 4, Disabled: 5 };

/** @param {Summary[]} all @param {string} filter @param {string} status @returns {Summary[]} */
export function filtered(all, filter, status) {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  return all.filter((summary) => {
    const text = `${summary.name} ${summary.dns_name ?? ""} ${summary.resource_group}`.toLowerCase();
    return (!status || summary.monitor_status === status) && words.every((word) => text.includes(word));
  });
}

/** @param {Summary[]} list @param {Order} order @param {Map<string, number[]>} rates @returns {Summary[]} */
export function sorted(list, order, rates) {
  const value = keyOf(order.by, rates);
  const sign = order.down ? -1 : 1;
  return [...list].sort((a, b) => {
    const [one, two] = [value(a), value(b)];
    const by = one < two ? -1 : one > two ? 1 : 0;
    return by * sign || (a.name < b.name ? -1 : 1);
  });
}

/** @param {Column} by @param {Map<string, number[]>} rates @returns {(summary: Summary) => string | number} */
function keyOf(by, rates) {
  switch (by) {
    case "monitor_status": return (summary) => URGENCY[summary.monitor_status ?? ""] ?? 0;
    case "endpoints": return (summary) => summary.available;
    case "rate": return (summary) => rates.get(summary.name)?.at(-1) ?? 0;
    default: return (summary) => (summary[by] ?? "").toLowerCase();
  }
}
