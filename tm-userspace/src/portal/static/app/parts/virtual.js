// @ts-check
// A list of which only the rows in sight exist, so that ten thousand scroll as ten do; and the row that has the focus, for the keyboard to go on from it.
import { html, useEffect, useLayoutEffect, useRef, useState } from "../core/html.js";

const BEYOND = 8;

/**
 * @template T
 * @param {{ items: T[], height: number, label: string, head: any, row: (item: T, index: number) => any, keyOf: (item: T) => string, empty?: any }} props
 * `height` of a row in pixels. Rows are elements with role `row`.
 */
export function VirtualTable({ items, height, label, head, row, keyOf, empty }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const [sight, setSight] = useState({ first: 0, count: 40 });
  const [focused, setFocused] = useState("");
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const look = () => {
      const first = Math.max(0, Math.floor(element.scrollTop / height) - BEYOND);
      const count = Math.ceil(element.clientHeight / height) + 2 * BEYOND;
      setSight((before) => (before.first === first && before.count === count ? before : { first, count }));
    };
    look();
    element.addEventListener("scroll", look, { passive: true });
    const sizes = new ResizeObserver(look);
    sizes.observe(element);
    return () => {
      element.removeEventListener("scroll", look);
      sizes.disconnect();
    };
  }, [height]);
  // To draw may move rows to other places among their siblings, and what is moved loses the focus: it gets it back, and has never left.
  const drawing = useRef(false);
  drawing.current = true;
  const active = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => {
    drawing.current = false;
    const lost = document.activeElement === document.body ? active.current : null;
    if (lost?.isConnected) lost.focus({ preventScroll: true });
  });
  const enter = (/** @type {any} */ event) => {
    active.current = event.target;
    setFocused(event.target.closest("[data-key]")?.dataset.key ?? "");
  };
  // A window that loses the focus keeps for itself which element had it; and what goes on to another row does not leave, or that would be gone before it comes there.
  const leave = (/** @type {any} */ event) => {
    const rows = event.currentTarget;
    if (drawing.current || rows.contains(document.activeElement) || rows.contains(event.relatedTarget)) return;
    active.current = null;
    setFocused("");
  };
  const kept = focused ? items.findIndex((item) => keyOf(item) === focused) : -1;
  return html`<div class="table" role="table" aria-label=${label} aria-rowcount=${items.length + 1} ref=${box} tabindex="0">
    <div role="rowgroup" class="head">${head}</div>
    <div role="rowgroup" class="rows" style=${{ height: `${items.length * height}px` }} onfocusin=${enter} onfocusout=${leave}>
      ${indexes(sight, kept, items.length).map((index) => html`<div role="row" class="row" key=${keyOf(items[index])} data-key=${keyOf(items[index])} aria-rowindex=${index + 2}
        style=${{ transform: `translateY(${index * height}px)` }}>${row(items[index], index)}</div>`)}
    </div>
    ${items.length === 0 && empty}
  </div>`;
}

/**
 * The rows that are to be: those in sight, and the one that is kept with its neighbours, to which the keyboard goes next.
 * @param {{ first: number, count: number }} sight @param {number} kept -1 where none is @param {number} length @returns {number[]}
 */
function indexes({ first, count }, kept, length) {
  const start = Math.min(first, Math.max(0, length - count));
  const end = Math.min(length, start + count);
  const shown = Array.from({ length: end - start }, (_, index) => start + index);
  const more = kept < 0 ? [] : [kept - 1, kept, kept + 1].filter((index) => index >= 0 && index < length && (index < start || index >= end));
  return [...more.filter((index) => index < start), ...shown, ...more.filter((index) => index >= end)];
}
