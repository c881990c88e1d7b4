// @ts-check
// What the API says is wrong (RFC 9457), and beside which field it belongs.

/** @typedef {{ pointer: string, message: string, help: string }} Fault */

/** A request that was not done. Status 0: nobody answered. */
export class Problem extends Error {
  /** @param {number} status @param {string} detail @param {Fault[]} [errors] */
  constructor(status, detail, errors = []) {
    super(detail);
    this.status = status;
    this.errors = errors;
  }

  /** @param {Response} response @returns {Promise<Problem>} */
  static async of(response) {
    const body = await response.json().catch(() => null);
    return new Problem(response.status, body?.detail ?? `${response.status} ${response.statusText}`, body?.errors ?? []);
  }
}

/** @param {unknown} error @returns {Problem} */
export function asProblem(error) {
  return error instanceof Problem ? error : new Problem(-1, error instanceof Error ? error.message : String(error));
}

/**
 * Faults by the field that shows them: the longest of `fields` (JSON pointers) that a fault lies at or below. Those of no field are under "".
 * @param {Fault[]} faults @param {string[]} fields @returns {Map<string, Fault[]>}
 */
export function byField(faults, fields) {
  const found = new Map();
  for (const fault of faults) {
    const at = fields
      .filter((field) => fault.pointer === field || fault.pointer.startsWith(`${field}/`))
      .sort((a, b) => b.length - a.length)[0] ?? "";
    found.set(at, [...(found.get(at) ?? []), fault]);
  }
  return found;
}

/** One sentence of a fault. @param {Fault} fault @returns {string} */
export function sentence(fault) {
  const start = fault.message.charAt(0).toUpperCase() + fault.message.slice(1);
  return fault.help ? `${start}: ${fault.help}.` : `${start}.`;
}
