// @ts-check
// What happens, as it happens: the stream of events, read by fetch so that an expired session is noticed, and taken up again where it broke off.
import { cell } from "./cell.js";
import { useEffect } from "./html.js";
import { session, signedInAgain } from "./session.js";

/** @typedef {{ id: number, at: string, kind: string, profile: string, endpoint: string | null, from: string | null, to: string | null, delays?: Delays }} Event */
/** @typedef {{ detect_ms: number, publish_us: number, drain_s: number }} Delays */
/** @typedef {{ at: string, profiles: Record<string, number>, endpoints: Record<string, number> }} Rates */
/** @typedef {{ event?: (event: Event) => void, rates?: (rates: Rates) => void, again?: () => void }} Listener */

const PATIENCE = [250, 500, 1000, 2000, 4000];

/** `live`, or `lost` while the daemon does not answer. */
export const connection = cell(/** @type {"connecting" | "live" | "lost"} */ ("connecting"));

/** @type {Set<Listener>} */
const listeners = new Set();
/** @type {AbortController | null} */
let running = null;
let wantedRates = "all";
let last = "";

/** Listens while a component is there. @param {Listener} listener @param {unknown[]} inputs */
export function useLive(listener, inputs) {
  useEffect(() => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, inputs);
}

/** Follows the rates of all profiles, or of one and its endpoints. @param {string} [profile] */
export function useRatesOf(profile = "all") {
  useEffect(() => {
    if (wantedRates === profile && running) return;
    wantedRates = profile;
    start();
  }, [profile]);
}

/** Begins, if it has not begun. */
export function begin() {
  if (!running) start();
}

function start() {
  running?.abort();
  running = new AbortController();
  void follow(running.signal);
}

/** @param {AbortSignal} signal */
async function follow(signal) {
  let failures = 0;
  while (!signal.aborted) {
    try {
      const headers = new Headers({ Accept: "text/event-stream" });
      if (last) headers.set("Last-Event-ID", last);
      const response = await fetch(`/api/v1/events?rates=${encodeURIComponent(wantedRates)}`, { headers, signal });
      if (response.status === 401) {
        if (session.get() === null) {
          running = null;
          return;
        }
        await signedInAgain();
        continue;
      }
      if (!response.ok || !response.body) throw new Error(`${response.status}`);
      const wasLost = connection.get() === "lost";
      connection.set("live");
      if (wasLost) listeners.forEach((listener) => listener.again?.());
      failures = 0;
      await read(response.body);
    } catch {
      if (signal.aborted) return;
    }
    if (signal.aborted) return;
    connection.set("lost");
    // A daemon that began anew counts its events anew.
    last = "";
    await new Promise((resolve) => setTimeout(resolve, PATIENCE[Math.min(failures++, PATIENCE.length - 1)]));
  }
}

/** @param {ReadableStream<Uint8Array>} body */
async function read(body) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  for (let rest = "";;) {
    const { done, value } = await reader.read();
    if (done) return;
    const messages = (rest + decoder.decode(value, { stream: true })).split("\n\n");
    rest = messages.pop() ?? "";
    messages.forEach(hand);
  }
}

/** Hands on one message. @param {string} message */
function hand(message) {
  /** @type {Record<string, string>} */
  const fields = {};
  for (const line of message.split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 1).trimStart();
  }
  if (!fields.data) return;
  if (fields.id) last = fields.id;
  const data = JSON.parse(fields.data);
  for (const listener of [...listeners]) {
    if (fields.event === "rates") listener.rates?.(data);
    else listener.event?.(data);
  }
}
