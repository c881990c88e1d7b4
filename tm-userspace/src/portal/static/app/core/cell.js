// @ts-check
// A value that many look at: who uses it is drawn again when it changes.
import { useEffect, useState } from "./html.js";

/**
 * @template T
 * @typedef {{ get(): T, set(value: T): void, subscribe(listener: (value: T) => void): () => void }} Cell
 */

/** @template T @param {T} initial @returns {Cell<T>} */
export function cell(initial) {
  let value = initial;
  /** @type {Set<(value: T) => void>} */
  const listeners = new Set();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener(value);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** @template T @param {Cell<T>} source @returns {T} */
export function useCell(source) {
  const [value, setValue] = useState(source.get());
  useEffect(() => {
    setValue(source.get());
    return source.subscribe((next) => setValue(() => next));
  }, [source]);
  return value;
}
