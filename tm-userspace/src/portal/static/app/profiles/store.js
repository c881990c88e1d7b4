// @ts-check
// Every profile in a line, kept as it is now: fetched once, then moved by what happens.
import { cell, useCell } from "../core/cell.js";
import { get, path } from "../core/api.js";
import { useEffect, useState } from "../core/html.js";
import { useLive } from "../core/live.js";
import { asProblem } from "../core/problem.js";

/**
 * @typedef {object} Summary
 * @property {string} name
 * @property {string} subscription
 * @property {string} resource_group
 * @property {"api" | "file"} managed_by
 * @property {string | null} dns_name
 * @property {string | null} routing_method
 * @property {"enabled" | "disabled" | null} status
 * @property {string | null} monitor_status
 * @property {number} endpoints
 * @property {number} available
 * @property {boolean} unwatched
 */
/** @typedef {{ zones: string[], subscription: string, resource_group: string, value: Summary[] }} Summaries */

/** The last list that was fetched, so that going back to it is at once. @type {import("../core/cell.js").Cell<Summaries | null>} */
export const summaries = cell(/** @type {Summaries | null} */ (null));

/** Those of the node, that of relative names first. @type {import("../core/cell.js").Cell<string[] | null>} */
const zones = cell(/** @type {string[] | null} */ (null));

/** Names that are fetched one by one; of more at once the whole list is. */
const ONE_BY_ONE = 10;
/** What happens within so many milliseconds is looked at together. */
const TOGETHER = 120;

/** Fetches the list, and keeps it true while a component is there. */
export function useSummaries() {
  const [list, setList] = useState(summaries.get());
  const [error, setError] = useState(/** @type {import("../core/problem.js").Problem | null} */ (null));
  useEffect(() => summaries.subscribe((next) => setList(next)), []);
  const load = () => refresh().then(() => setError(null), (thrown) => setError(asProblem(thrown)));
  useEffect(() => void load(), []);
  useLive({ event: touch, again: load }, []);
  return { list, error, load };
}

/** The zones of the node; null until they are known. @returns {string[] | null} */
export function useZones() {
  const known = useCell(zones);
  useEffect(() => {
    if (known) return;
    // Of no profile: what goes with them alone is wanted. Without an answer, the page says of itself that the daemon is away.
    get("/summaries?profile=").then((all) => zones.set(all.zones), () => {});
  }, [known]);
  return known;
}

/** Fetches the whole list. */
export async function refresh() {
  const all = /** @type {Summaries} */ (await get("/summaries"));
  zones.set(all.zones);
  summaries.set(all);
}

/** @type {Set<string>} */
const touched = new Set();
/** @type {ReturnType<typeof setTimeout> | undefined} */
let soon;

/** @param {import("../core/live.js").Event} event */
function touch(event) {
  touched.add(event.profile);
  soon ??= setTimeout(look, TOGETHER);
}

/** Looks at all that was touched; at what is touched meanwhile, afterwards. */
async function look() {
  const names = [...touched];
  touched.clear();
  try {
    await (names.length > ONE_BY_ONE ? refresh() : Promise.all(names.map(one)));
  } catch {
    // What is missed now comes with the next event, or when the daemon is back.
  }
  soon = touched.size ? setTimeout(look, TOGETHER) : undefined;
}

/** @param {string} name */
async function one(name) {
  const found = /** @type {Summaries} */ (await get(path`/summaries?profile=${name}`)).value[0];
  const list = summaries.get();
  if (!list) return;
  const at = list.value.findIndex((summary) => summary.name === name);
  const value = [...list.value];
  value.splice(at < 0 ? placeOf(name, value) : at, at < 0 ? 0 : 1, ...(found ? [found] : []));
  summaries.set({ ...list, value });
}

/** Where a name that is new would be in the API's order. @param {string} name @param {Summary[]} list @returns {number} */
function placeOf(name, list) {
  const key = name.toLowerCase();
  let [from, to] = [0, list.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (list[middle].name.toLowerCase() < key) from = middle + 1;
    else to = middle;
  }
  return from;
}
