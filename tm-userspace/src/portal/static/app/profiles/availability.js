// @ts-check
// Is a DNS name free? Asked as it is typed.
import { get, path } from "../core/api.js";
import { useEffect, useState } from "../core/html.js";
import { asProblem } from "../core/problem.js";
import { soon } from "../core/soon.js";

/** @typedef {{ state: "none" | "asking" | "free" | "taken" | "wrong", text: string }} Availability */

/** @param {string} name in full; none is asked for where it is empty @returns {Availability} */
export function useAvailability(name) {
  const [known, setKnown] = useState(/** @type {Availability} */ ({ state: "none", text: "" }));
  useEffect(() => {
    if (!name) return setKnown({ state: "none", text: "" });
    setKnown({ state: "asking", text: "" });
    return soon(async (signal) => {
      try {
        const found = await get(path`/names/${`${name}.`}`, signal);
        const taken = found.profile ? `${found.dns_name} belongs to the profile ${found.profile}.` : `${found.dns_name} is taken.`;
        setKnown(found.available ? { state: "free", text: `${found.dns_name} is available.` } : { state: "taken", text: taken });
      } catch (thrown) {
        if (signal.aborted) return;
        const problem = asProblem(thrown);
        setKnown({ state: "wrong", text: problem.message });
      }
    });
  }, [name]);
  return known;
}
