// @ts-check
// Answers a second of all profiles over the last two minutes.
import { get } from "../core/api.js";
import { useEffect, useState } from "../core/html.js";
import { useLive, useRatesOf } from "../core/live.js";

const KEPT = 60;

/** What was fetched, and the samples since: a row is put together when it is looked at, so that a sample of ten thousand profiles costs nothing. */
export class Rates {
  /** @param {Map<string, number[]>} [fetched] by profile, the oldest first @param {Map<string, number>[]} [since] */
  constructor(fetched = new Map(), since = []) {
    this.fetched = fetched;
    this.since = since;
  }

  /** One sample on. @param {Record<string, number>} now @returns {Rates} */
  with(now) {
    return new Rates(this.fetched, [...this.since, new Map(Object.entries(now))].slice(-KEPT));
  }

  /** The samples of one, the oldest first; nothing where it gave no answers. @param {string} name @returns {number[] | undefined} */
  of(name) {
    const before = (this.fetched.get(name) ?? Array(KEPT).fill(0)).slice(this.since.length);
    const series = [...before, ...this.since.map((sample) => sample.get(name) ?? 0)];
    return series.some((rate) => rate > 0) ? series : undefined;
  }
}

/** Those of all profiles. @returns {Rates} */
export function useRates() {
  const [rates, setRates] = useState(new Rates());
  const load = () => {
    get("/rates").then((all) => setRates(new Rates(new Map(Object.entries(all.profiles)))), () => {});
  };
  useRatesOf();
  useEffect(load, []);
  useLive({ rates: (now) => setRates((before) => before.with(now.profiles)), again: load }, []);
  return rates;
}

/** A map of series, one sample on. @param {Map<string, number[]>} before @param {Record<string, number>} now @returns {Map<string, number[]>} */
export function moved(before, now) {
  /** @type {Map<string, number[]>} */
  const after = new Map();
  for (const name of new Set([...before.keys(), ...Object.keys(now)])) {
    const series = [...(before.get(name) ?? Array(KEPT).fill(0)).slice(1), now[name] ?? 0];
    if (series.some((rate) => rate > 0)) after.set(name, series);
  }
  return after;
}
