// @ts-check
// A list put in order: by arrows, by dragging, by Alt and the arrow keys.
import { html, useRef, useState } from "../core/html.js";
import { say } from "./announce.js";
import { Icon } from "./icon.js";

/**
 * @template T
 * @param {{ items: T[], label: string, nameOf: (item: T) => string, onOrder: (items: T[]) => void, isFixed?: boolean, children: (item: T, index: number) => any }} props
 */
export function OrderList({ items, label, nameOf, onOrder, isFixed = false, children }) {
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const [dragged, setDragged] = useState(-1);
  const [over, setOver] = useState(-1);
  const move = (/** @type {number} */ from, /** @type {number} */ to) => {
    if (to < 0 || to >= items.length || from === to) return;
    const next = [...items];
    next.splice(to, 0, ...next.splice(from, 1));
    onOrder(next);
    say(`${nameOf(items[from])} is now number ${to + 1} of ${items.length}`);
  };
  const key = (/** @type {number} */ index) => (/** @type {KeyboardEvent} */ event) => {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!event.altKey || !by || isFixed) return;
    event.preventDefault();
    move(index, index + by);
    // The row moves with its focus: rows are known by their names.
    requestAnimationFrame(() => /** @type {HTMLElement | null} */ (list.current?.querySelector(`[data-index="${index + by}"] .grip`))?.focus());
  };
  const drop = (/** @type {DragEvent} */ event) => {
    event.preventDefault();
    if (dragged >= 0 && over >= 0) move(dragged, over);
    setDragged(-1);
    setOver(-1);
  };
  return html`<ol class="order" aria-label=${label} ref=${list} onDrop=${drop} onDragOver=${(/** @type {DragEvent} */ event) => event.preventDefault()}>
    ${items.map((item, index) => html`<li key=${nameOf(item)} data-index=${index} data-over=${String(over === index && dragged !== index)} data-dragged=${String(dragged === index)}
        draggable=${!isFixed} onDragStart=${() => setDragged(index)} onDragEnter=${() => setOver(index)} onDragEnd=${() => setDragged(-1)} onKeyDown=${key(index)}>
      ${!isFixed && html`<span class="mover">
        <button type="button" class="quiet square grip" aria-label=${`${nameOf(item)}, number ${index + 1}: drag, or Alt and an arrow key`} title="Drag, or press Alt and an arrow key"><${Icon} name="grip" /></button>
        <button type="button" class="quiet square" aria-label=${`Move ${nameOf(item)} up`} title="Move up" disabled=${index === 0} onClick=${() => move(index, index - 1)}><${Icon} name="up" /></button>
        <button type="button" class="quiet square" aria-label=${`Move ${nameOf(item)} down`} title="Move down" disabled=${index === items.length - 1} onClick=${() => move(index, index + 1)}><${Icon} name="down" /></button>
      </span>`}
      ${children(item, index)}
    </li>`)}
  </ol>`;
}
