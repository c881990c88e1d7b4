// @ts-check
// What is being edited: a document, what was typed so far, and the API's faults beside their fields.
import { useMemo, useState } from "./html.js";
import { at, isSame, withAt } from "./document.js";
import { asProblem, byField, sentence } from "./problem.js";

/**
 * @typedef {object} Form
 * @property {any} value what it is now
 * @property {boolean} isDirty is it another than at first?
 * @property {boolean} isBusy is it being sent?
 * @property {(pointer: string) => any} get
 * @property {(pointer: string, value: any) => void} set undefined takes the key away
 * @property {(value: any) => void} replace
 * @property {(pointer: string) => string} error what is wrong with this field, if anything is
 * @property {string} summary what is wrong with none of the fields
 * @property {(action: () => Promise<void>) => Promise<boolean>} send runs it, and shows what it throws
 * @property {(problem: import("./problem.js").Problem | null) => void} show
 */

/** @param {any} initial @param {string[]} fields the pointers that the form has fields for @returns {Form} */
export function useForm(initial, fields) {
  const [value, setValue] = useState(initial);
  const [problem, setProblem] = useState(/** @type {import("./problem.js").Problem | null} */ (null));
  const [isBusy, setBusy] = useState(false);
  const faults = useMemo(() => byField(problem?.errors ?? [], fields), [problem]);
  const of = (/** @type {string} */ pointer) => (faults.get(pointer) ?? []).map(sentence).join(" ");
  return {
    value,
    isBusy,
    isDirty: useMemo(() => !isSame(value, initial), [value, initial]),
    get: (pointer) => at(value, pointer),
    set: (pointer, next) => setValue((/** @type {any} */ before) => withAt(before, pointer, next)),
    replace: setValue,
    error: of,
    summary: problem ? of("") || (problem.errors.length ? "" : problem.message) : "",
    show: setProblem,
    async send(action) {
      setBusy(true);
      setProblem(null);
      try {
        await action();
        return true;
      } catch (error) {
        setProblem(asProblem(error));
        // To where something is to be mended, once it is marked.
        requestAnimationFrame(() => /** @type {HTMLElement | null} */ (document.querySelector("[aria-invalid=true]"))?.focus());
        return false;
      } finally {
        setBusy(false);
      }
    },
  };
}
