// @ts-check
// Who is signed in. A request that finds that nobody is waits here until somebody is, and then goes on: nothing that was typed is lost.
import { cell } from "./cell.js";
import { Problem } from "./problem.js";
import { navigate } from "./router.js";

/** @typedef {{ name: string, scope: "read" | "write" | "admin", csrf: string }} Session */

const URL = "/api/v1/session";

/** Undefined until it is known, null where nobody is signed in. @type {import("./cell.js").Cell<Session | null | undefined>} */
export const session = cell(/** @type {Session | null | undefined} */ (undefined));

/** Does a request wait for somebody to sign in? */
export const signInWanted = cell(false);

/** @type {(() => void)[]} */
let waiting = [];

/** Why a link that was to sign in did not. */
export const linkFailed = cell("");

/** What a link that is good once has behind its address. */
const ONCE = "#once=";

/** Finds out who is signed in, by the link that was followed or by the session that there is. @returns {Promise<void>} */
export async function begin() {
  const { hash } = location;
  if (!hash.startsWith(ONCE)) return restore();
  try {
    await exchange({ once: hash.slice(ONCE.length) });
  } catch (thrown) {
    linkFailed.set(thrown instanceof Problem ? thrown.message : String(thrown));
  }
  // It is good for nothing from now on; until now, a page that is loaded again could still follow it.
  navigate("/profiles", { replace: true, force: true });
  await restore();
}

/** @returns {Promise<void>} */
async function restore() {
  const response = await fetch(URL, { headers: { Accept: "application/json" } });
  if (response.ok) session.set(await response.json());
  else if (response.status === 401) session.set(null);
  else throw await Problem.of(response);
}

/** @param {{ token: string } | { user: string, password: string } | { once: string }} credentials @returns {Promise<void>} */
export async function signIn(credentials) {
  await exchange(credentials);
  await restore();
  signInWanted.set(false);
  for (const go of waiting.splice(0)) go();
}

/** For the cookie of a session. @param {{ token: string } | { user: string, password: string } | { once: string }} credentials @returns {Promise<void>} */
async function exchange(credentials) {
  const response = await fetch(URL, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(credentials),
  });
  if (!response.ok) throw await Problem.of(response);
}

/** @returns {Promise<void>} */
export async function signOut() {
  await fetch(URL, { method: "DELETE", headers: { "X-CSRF-Token": session.get()?.csrf ?? "" } });
  session.set(null);
}

/** Over when somebody has signed in again. @returns {Promise<void>} */
export function signedInAgain() {
  signInWanted.set(true);
  return new Promise((resolve) => waiting.push(resolve));
}

/** May they change anything? @param {Session | null | undefined} who @returns {boolean} */
export function mayWrite(who) {
  return who?.scope === "write" || who?.scope === "admin";
}
