// @ts-check
// What is asked while somebody types: once they rest for a moment, and no more when they type on.
const PAUSE = 200;

/** Gives what calls it off, as an effect has it. @param {(signal: AbortSignal) => void} ask @returns {() => void} */
export function soon(ask) {
  const abort = new AbortController();
  const timer = setTimeout(() => ask(abort.signal), PAUSE);
  return () => {
    clearTimeout(timer);
    abort.abort();
  };
}
