// @ts-check
// Answers a second of one profile's endpoints over the last two minutes, and the shares that they make.
import { get, path } from "../core/api.js";
import { useEffect, useState } from "../core/html.js";
import { useLive, useRatesOf } from "../core/live.js";
import { moved } from "../profiles/rates.js";

/** Samples that a measured share is of: ten seconds. */
const RECENT = 5;

/** By `profile/endpoint`; nested ones have none of their own. @param {string} name @returns {Map<string, number[]>} */
export function useEndpointRates(name) {
  const [rates, setRates] = useState(/** @type {Map<string, number[]>} */ (new Map()));
  const load = () => {
    get(path`/rates?profile=${name}`).then((all) => setRates(new Map(Object.entries(all.endpoints))), () => {});
  };
  useRatesOf(name);
  useEffect(load, [name]);
  useLive({ rates: (now) => setRates((before) => moved(before, now.endpoints)), again: load }, [name]);
  return rates;
}

/** Answers a second of late, of the profile called `name` and all that is nested in it. @param {import("./store.js").State[]} tree @param {string} name @param {Map<string, number[]>} rates @returns {number} */
export function rateOf(tree, name, rates) {
  const state = tree.find((its) => its.name === name);
  return (state?.endpoints ?? []).reduce((sum, endpoint) => sum + endpointRate(tree, name, endpoint, rates), 0);
}

/** The same of one endpoint. @param {import("./store.js").State[]} tree @param {string} profile @param {import("./store.js").EndpointState} endpoint @param {Map<string, number[]>} rates @returns {number} */
export function endpointRate(tree, profile, endpoint, rates) {
  if (endpoint.child) return rateOf(tree, endpoint.child.profile, rates);
  const series = rates.get(`${profile}/${endpoint.name}`)?.slice(-RECENT) ?? [];
  return series.reduce((sum, rate) => sum + rate, 0) / RECENT;
}
