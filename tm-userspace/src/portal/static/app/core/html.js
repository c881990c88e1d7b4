// @ts-check
// The one door to the vendored view library: everything else imports from here.
export {
  h, html, render, createContext,
  useState, useReducer, useEffect, useLayoutEffect, useRef, useMemo, useCallback, useContext, useErrorBoundary,
} from "/vendor/preact-standalone.module.js";

import { useState } from "/vendor/preact-standalone.module.js";

let ids = 0;

/** An id for an element that others refer to; the same through the life of a component. @param {string} prefix @returns {string} */
export function useId(prefix) {
  return useState(() => `${prefix}-${++ids}`)[0];
}
