// @ts-check
// The endpoints of a document, in the order in which they come first.

/** In the order of their priorities, where they have any. @param {any} document @returns {any[]} */
export function inOrder(document) {
  const list = document.endpoint ?? [];
  return list.every((/** @type {any} */ its) => its.priority === undefined) ? list : [...list].sort((a, b) => (a.priority ?? 0) - (b.priority ?? 0));
}

/** The document with its endpoints in this order; where they have priorities, each gets that of its new place. @param {any} document @param {any[]} list @returns {any} */
export function withOrder(document, list) {
  const priorities = list.map((its) => its.priority).filter((priority) => priority !== undefined).sort((a, b) => a - b);
  const hasAll = priorities.length === list.length;
  return { ...document, endpoint: hasAll ? list.map((its, index) => ({ ...its, priority: priorities[index] })) : list };
}

/** `external`, `azure` or `nested`. @param {any} endpoint @returns {string} */
export function kindOf(endpoint) {
  return (endpoint.type ?? (endpoint.target_profile ? "nested" : endpoint.target_service ? "azure" : "external")).toLowerCase();
}

/** @type {Record<string, string>} */
export const KINDS = { azure: "Azure endpoint", external: "External endpoint", nested: "Nested endpoint" };
