// @ts-check
// A list of which only the rows in sight exist, so that ten thousand scroll as ten do.
import { html, useEffect, useRef, useState } from "../core/html.js";

const BEYOND = 8;

/**
 * @template T
 * @param {{ items: T[], height: number, label: string, head: any, row: (item: T, index: number) => any, keyOf: (item: T) => string, empty?: any }} props
 * `height` of a row in pixels. Rows are elements with role `row`.
 */
export function VirtualTable({ items, height, label, head, row, keyOf, empty }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const [window_, setWindow] = useState({ first: 0, count: 40 });
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const look = () => {
      const first = Math.max(0, Math.floor(element.scrollTop / height) - BEYOND);
      const count = Math.ceil(element.clientHeight / height) + 2 * BEYOND;
      setWindow((before) => (before.first === first && before.count === count ? before : { first, count }));
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
  const first = Math.min(window_.first, Math.max(0, items.length - window_.count));
  const shown = items.slice(first, first + window_.count);
  return html`<div class="table" role="table" aria-label=${label} aria-rowcount=${items.length + 1} ref=${box} tabindex="0">
    <div role="rowgroup" class="head">${head}</div>
    <div role="rowgroup" class="rows" style=${{ height: `${items.length * height}px` }}>
      <div style=${{ transform: `translateY(${first * height}px)` }} role="presentation">
        ${shown.map((item, index) => html`<div role="row" class="row" key=${keyOf(item)} aria-rowindex=${first + index + 2}>${row(item, first + index)}</div>`)}
      </div>
    </div>
    ${items.length === 0 && empty}
  </div>`;
}
