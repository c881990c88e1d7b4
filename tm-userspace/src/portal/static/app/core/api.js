// @ts-check
// Requests to /api/v1.
import { Problem } from "./problem.js";
import { session, signedInAgain } from "./session.js";

const ROOT = "/api/v1";

/**
 * @typedef {object} Options
 * @property {unknown} [body] sent as JSON
 * @property {string} [etag] the version that is to be changed: 412 where it is another one by now
 * @property {boolean} [create] it must not be there yet
 * @property {boolean} [dryRun] nothing is to change
 * @property {AbortSignal} [signal]
 */

/**
 * The answer's body, and the ETag it bears. Who is not signed in any more is asked to, and then the request is made again.
 * @param {string} method @param {string} path @param {Options} [options] @returns {Promise<{ data: any, etag: string | null }>}
 */
export async function request(method, path, options = {}) {
  for (;;) {
    const response = await send(method, path, options);
    if (response.status === 401 && session.get() !== null) {
      await signedInAgain();
      continue;
    }
    if (!response.ok) throw await Problem.of(response);
    const data = response.status === 204 ? null : await response.json();
    return { data, etag: response.headers.get("ETag") };
  }
}

/** @param {string} path @param {AbortSignal} [signal] @returns {Promise<any>} */
export async function get(path, signal) {
  return (await request("GET", path, { signal })).data;
}

/** A path with each part escaped. @param {TemplateStringsArray} strings @param {...string} parts @returns {string} */
export function path(strings, ...parts) {
  return strings.reduce((all, text, index) => all + encodeURIComponent(parts[index - 1] ?? "") + text);
}

/** @param {string} method @param {string} at @param {Options} options @returns {Promise<Response>} */
async function send(method, at, { body, etag, create, dryRun, signal }) {
  const headers = new Headers({ Accept: "application/json" });
  if (body !== undefined) headers.set("Content-Type", "application/json");
  if (etag) headers.set("If-Match", etag);
  if (create) headers.set("If-None-Match", "*");
  if (method !== "GET") headers.set("X-CSRF-Token", session.get()?.csrf ?? "");
  const url = `${ROOT}${at}${dryRun ? "?dryRun=true" : ""}`;
  try {
    return await fetch(url, { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0, "The daemon does not answer. Nothing was lost here: try again when it is back.");
  }
}
