// @ts-check
// Every profile in a line, kept as it is now: fetched once, then moved by what happens.
import { cell } from "../core/cell.js";
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
/** @typedef {{ zone: string, subscription: string, resource_group: string, value: Summary[] }} Summaries */

/** The last list that was fetched, so that going back to it is at once. @type {import("../core/cell.js").Cell<Summaries | null>} */
export const summaries = cell(/** @type {Summaries | null} */ (null));

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

/** Fetches the whole list. */
export async function refresh() {
  summaries.set(await get("/summaries"));
}

/** @type {Set<string>} */
const touched = new Set();
/** @type {ReturnType<typeof setTimeout> | undefined} */
let soon;

/** @param {import("../core/live.js").Event} event */
function touch(event) {
  touched.add(event.profile);
  soon ??= setTimeout(() => {
    soon = undefined;
    const names = [...touched];
    touched.clear();
    const done = names.length > ONE_BY_ONE ? refresh() : Promise.all(names.map(one));
    // What is missed now comes with the next event, or when the daemon is back.
    done.catch(() => {});
  }, TOGETHER);
}

/** @param {string} name */
async function one(name) {
  const found = /** @type {Summaries} */ (await get(path`/summaries?profile=${name}`)).value[0];
  const list = summaries.get();
  if (!list) return;
  const others = list.value.filter((summary) => summary.name !== name);
  summaries.set({ ...list, value: found ? [...others, found].sort(byName) : others });
}

/** As the API orders them. @param {Summary} a @param {Summary} b */
function byName(a, b) {
  const [one, two] = [a.name.toLowerCase(), b.name.toLowerCase()];
  return one < two ? -1 : one > two ? 1 : 0;
}
