// @ts-check
// Answers a second of all profiles over the last two minutes.
import { get } from "../core/api.js";
import { useEffect, useState } from "../core/html.js";
import { useLive, useRatesOf } from "../core/live.js";

const KEPT = 60;

/** By profile, the oldest first; who is not there gave no answers. @returns {Map<string, number[]>} */
export function useRates() {
  const [rates, setRates] = useState(/** @type {Map<string, number[]>} */ (new Map()));
  const load = () => {
    get("/rates").then((all) => setRates(new Map(Object.entries(all.profiles))), () => {});
  };
  useRatesOf();
  useEffect(load, []);
  useLive({ rates: (now) => setRates((before) => moved(before, now.profiles)), again: load }, []);
  return rates;
}

/** One sample on. @param {Map<string, number[]>} before @param {Record<string, number>} now @returns {Map<string, number[]>} */
export function moved(before, now) {
  /** @type {Map<string, number[]>} */
  const after = new Map();
  for (const name of new Set([...before.keys(), ...Object.keys(now)])) {
    const series = [...(before.get(name) ?? Array(KEPT).fill(0)).slice(1), now[name] ?? 0];
    if (series.some((rate) => rate > 0)) after.set(name, series);
  }
  return after;
}
