// @ts-check
// A few things that can be done to one thing, behind one button; by the keyboard as menus go.
import { html, useEffect, useRef, useState } from "../core/html.js";
import { Icon } from "./icon.js";

/** @typedef {{ label: string, icon?: string, danger?: boolean, onSelect: () => void }} Item */

/** @param {{ label: string, items: (Item | null | undefined | false | "")[], icon?: string, text?: string }} props */
export function Menu({ label, items, icon = "more", text }) {
  const [isOpen, setOpen] = useState(false);
  const whole = useRef(/** @type {HTMLElement | null} */ (null));
  const shown = /** @type {Item[]} */ (items.filter(Boolean));
  useEffect(() => {
    if (!isOpen) return;
    const list = /** @type {HTMLElement | null} */ (whole.current?.querySelector("[role=menu]"));
    const button = whole.current?.getBoundingClientRect();
    if (list && button) {
      // Over everything, wherever the button's own box is cut off.
      list.showPopover?.();
      const height = list.offsetHeight;
      const below = button.bottom + 4 + height < innerHeight;
      list.style.top = `${below ? button.bottom + 4 : button.top - height - 4}px`;
      list.style.left = `${Math.max(8, button.right - list.offsetWidth)}px`;
    }
    /** @type {HTMLElement | null | undefined} */ (list?.querySelector("[role=menuitem]"))?.focus();
    const leave = (/** @type {Event} */ event) => {
      if (!(event.target instanceof Node) || !whole.current?.contains(event.target)) setOpen(false);
    };
    const close = () => setOpen(false);
    document.addEventListener("pointerdown", leave);
    addEventListener("scroll", close, true);
    return () => {
      document.removeEventListener("pointerdown", leave);
      removeEventListener("scroll", close, true);
    };
  }, [isOpen]);
  const move = (/** @type {KeyboardEvent} */ event) => {
    const all = /** @type {HTMLElement[]} */ ([...(whole.current?.querySelectorAll("[role=menuitem]") ?? [])]);
    const now = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const to = { ArrowDown: (now + 1) % all.length, ArrowUp: (now + all.length - 1) % all.length, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === "Escape" || event.key === "Tab") {
      setOpen(false);
      whole.current?.querySelector("button")?.focus();
    }
    if (event.key === "Escape" || to !== undefined) event.preventDefault();
    if (to !== undefined) all[to]?.focus();
  };
  const choose = (/** @type {() => void} */ go) => {
    setOpen(false);
    whole.current?.querySelector("button")?.focus();
    go();
  };
  return html`<div class="menu" ref=${whole}>
    <button type="button" class=${text ? "" : "quiet square"} aria-haspopup="menu" aria-expanded=${String(isOpen)} aria-label=${label} title=${label} onClick=${() => setOpen(!isOpen)}>
      <${Icon} name=${icon} />${text}
    </button>
    ${isOpen && html`<div role="menu" popover="manual" aria-label=${label} onKeyDown=${move}>
      ${shown.map((item) => html`<button type="button" role="menuitem" tabindex="-1" class=${item.danger ? "danger" : ""} onClick=${() => choose(item.onSelect)}>
        <${Icon} name=${item.icon ?? ""} />${item.label}
      </button>`)}
    </div>`}
  </div>`;
}
