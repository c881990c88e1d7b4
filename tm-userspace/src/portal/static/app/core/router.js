// @ts-check
// Which page is shown: each has an address of its own. Whoever has something unsaved is asked before a page is left.
import { cell } from "./cell.js";
import { useEffect } from "./html.js";

/** The path that is shown. */
export const currentPath = cell(location.pathname);

/** A page that is to be shown once it is settled what becomes of what is unsaved. @type {import("./cell.js").Cell<{ go: () => void } | null>} */
export const leaving = cell(/** @type {{ go: () => void } | null} */ (null));

/** @type {Set<() => boolean>} */
const guards = new Set();
let shown = location.href;

/** Shows another page. @param {string} to @param {{ replace?: boolean, force?: boolean }} [how] */
export function navigate(to, { replace = false, force = false } = {}) {
  const go = () => {
    history[replace ? "replaceState" : "pushState"](null, "", to);
    arrive();
    if (!replace) scrollTo(0, 0);
  };
  if (!force && isGuarded()) leaving.set({ go });
  else go();
}

/** Asks before the page is left while `isDirty`. @param {boolean} isDirty */
export function useUnsaved(isDirty) {
  useEffect(() => {
    if (!isDirty) return;
    const guard = () => true;
    guards.add(guard);
    return () => void guards.delete(guard);
  }, [isDirty]);
}

/** Follows links and the browser's own buttons. */
export function begin() {
  addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
    if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute("download")) return;
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!isPlain || event.defaultPrevented || link.origin !== location.origin || link.hash) return;
    event.preventDefault();
    if (link.href !== location.href) navigate(link.pathname + link.search);
  });
  addEventListener("popstate", () => {
    if (!isGuarded()) return arrive();
    const to = location.href;
    history.pushState(null, "", shown);
    leaving.set({ go: () => { history.replaceState(null, "", to); arrive(); } });
  });
  addEventListener("beforeunload", (event) => {
    if (isGuarded()) event.preventDefault();
  });
}

function arrive() {
  shown = location.href;
  currentPath.set(location.pathname);
}

function isGuarded() {
  return [...guards].some((guard) => guard());
}
