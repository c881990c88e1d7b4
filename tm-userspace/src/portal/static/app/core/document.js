// @ts-check
// Documents: looked into and changed by JSON pointer, compared, and what differs as a merge patch (RFC 7396).

/** @param {string} pointer @returns {string[]} */
function steps(pointer) {
  return pointer.split("/").slice(1).map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** @param {any} value @param {string} pointer @returns {any} */
export function at(value, pointer) {
  return steps(pointer).reduce((inner, step) => inner?.[step], value);
}

/** A copy in which `pointer` has this value; undefined takes it away. @param {any} value @param {string} pointer @param {any} next @returns {any} */
export function withAt(value, pointer, next) {
  const [step, ...rest] = steps(pointer);
  if (step === undefined) return next;
  const inner = rest.length ? withAt(value?.[step] ?? {}, `/${rest.join("/")}`, next) : next;
  const copy = Array.isArray(value) ? [...value] : { ...value };
  if (inner === undefined || (rest.length && isEmpty(inner))) delete (/** @type {any} */ (copy))[step];
  else (/** @type {any} */ (copy))[step] = inner;
  return copy;
}

/** @param {any} a @param {any} b @returns {boolean} */
export function isSame(a, b) {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || !a || !b || Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => isSame(a[key], b[key]));
}

/** What makes `to` of `from`. @param {any} from @param {any} to @returns {any} */
export function mergePatch(from, to) {
  /** @type {Record<string, any>} */
  const patch = {};
  for (const key of new Set([...Object.keys(from), ...Object.keys(to)])) {
    if (isSame(from[key], to[key])) continue;
    const areObjects = [from[key], to[key]].every((value) => value && typeof value === "object" && !Array.isArray(value));
    patch[key] = areObjects ? mergePatch(from[key], to[key]) : to[key] ?? null;
  }
  return patch;
}

/** `base` after a merge patch. @param {any} base @param {any} patch @returns {any} */
export function merged(base, patch) {
  if (!patch || typeof patch !== "object" || Array.isArray(patch)) return patch;
  const result = base && typeof base === "object" && !Array.isArray(base) ? { ...base } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}

/**
 * Where two documents differ, a line each; endpoints by their names.
 * @param {any} from @param {any} to @param {string} [where] @returns {{ where: string, from: any, to: any }[]}
 */
export function differences(from, to, where = "") {
  if (isSame(from, to)) return [];
  const lists = Array.isArray(from) && Array.isArray(to) && [...from, ...to].every((item) => item?.name);
  if (lists) {
    const names = (/** @type {any[]} */ list) => list.map((item) => item.name);
    const named = (/** @type {any[]} */ list) => Object.fromEntries(list.map((item) => [item.name, item]));
    const inside = differences(named(from), named(to), where);
    const kept = (/** @type {any[]} */ list, /** @type {any[]} */ other) => names(list).filter((name) => names(other).includes(name));
    return isSame(kept(from, to), kept(to, from)) ? inside : [...inside, { where: `${where} order`, from: names(from).join(", "), to: names(to).join(", ") }];
  }
  const objects = [from, to].every((value) => value && typeof value === "object" && !Array.isArray(value));
  if (!objects) return [{ where, from, to }];
  const keys = new Set([...Object.keys(from), ...Object.keys(to)]);
  return [...keys].flatMap((key) => differences(from[key], to[key], where ? `${where} › ${key}` : key));
}

/** @param {any} value @returns {boolean} */
function isEmpty(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
}
