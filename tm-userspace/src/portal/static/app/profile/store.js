// @ts-check
// One profile, as it is wanted and as it is, kept true while its page is open.
import { get, path, request } from "../core/api.js";
import { useEffect, useRef, useState } from "../core/html.js";
import { useLive } from "../core/live.js";
import { asProblem } from "../core/problem.js";

/**
 * @typedef {object} Wanted what is written
 * @property {any} profile
 * @property {"api" | "file"} managed_by
 * @property {string} [file]
 * @property {number} [line]
 * @property {string} etag
 * @property {string} [created]
 * @property {string} [changed]
 * @property {string | null} dns_name
 * @property {string | null} monitor_status
 * @property {string} [not_in_force]
 * @property {string[]} [warnings]
 */
/**
 * @typedef {object} EndpointState
 * @property {string} name
 * @property {string} target
 * @property {string} status
 * @property {string} monitor_status
 * @property {string | null} forced
 * @property {string[]} notes
 * @property {number | null} share
 * @property {{ profile: string, monitor_status: string, available: number, min_child_endpoints: number } | null} child
 * @property {string | null} since
 * @property {boolean | null} last_ok
 * @property {string | null} last_reason
 * @property {string | null} last_at
 * @property {string | null} certificate_expires
 * @property {number} probes
 * @property {number} answers
 */
/** @typedef {{ name: string, dns_name: string, routing_method: string, ttl: number, status: string, monitor_status: string, endpoints: EndpointState[] }} State */
/** @typedef {{ wanted: Wanted, tree: State[] }} Profile `tree`: its own state first, then that of each nested below it; empty where it is not in force. */

/** Probes say something new without an event. */
const LOOK_AGAIN = 5000;
const TOGETHER = 100;

/** @param {string} name */
export function useProfile(name) {
  const [profile, setProfile] = useState(/** @type {Profile | null} */ (null));
  const [error, setError] = useState(/** @type {import("../core/problem.js").Problem | null} */ (null));
  const names = useRef(new Set([name]));
  const asked = useRef(0);
  const taken = useRef(0);
  const load = () => {
    const mine = ++asked.current;
    return fetchProfile(name).then((found) => take(found, mine), (thrown) => setError(asProblem(thrown)));
  };
  const take = (/** @type {Profile} */ found, /** @type {number} */ turn) => {
    // What was asked for before comes too late where something newer is here.
    if (turn < taken.current) return;
    taken.current = turn;
    names.current = new Set([name, ...found.tree.map((state) => state.name)]);
    setProfile(found);
    setError(null);
  };
  const soon = useRef(/** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined));
  const touch = () => {
    soon.current ??= setTimeout(() => {
      soon.current = undefined;
      void load();
    }, TOGETHER);
  };
  useEffect(() => {
    void load();
    const timer = setInterval(() => document.visibilityState === "visible" && touch(), LOOK_AGAIN);
    return () => {
      clearInterval(timer);
      clearTimeout(soon.current);
    };
  }, [name]);
  useLive({ event: (event) => names.current.has(event.profile) && touch(), again: touch }, [name]);
  return { profile, error, load };
}

/** @param {string} name @returns {Promise<Profile>} */
async function fetchProfile(name) {
  const [wanted, tree] = await Promise.all([get(path`/profiles/${name}`), get(path`/profiles/${name}/status`)]);
  return { wanted, tree };
}

/** Changes it, if it is still the version of `etag`. @param {string} name @param {string} etag @param {any} patch @returns {Promise<Wanted>} */
export async function patchProfile(name, etag, patch) {
  return (await request("PATCH", path`/profiles/${name}`, { body: patch, etag: `"${etag}"` })).data;
}
