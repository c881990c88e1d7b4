// @ts-check
// A dialog over the page: the browser's own, so that the keyboard stays in it and Escape leaves it.
import { html, useEffect, useId, useRef } from "../core/html.js";
import { Icon } from "./icon.js";

/**
 * @param {{ title: string, onClose?: () => void, wide?: boolean, children?: any }} props
 * Without `onClose` it stays until its owner takes it away.
 */
export function Dialog({ title, onClose, wide = false, children }) {
  const element = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const id = useId("dialog");
  useEffect(() => {
    const before = document.activeElement;
    element.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  const cancel = (/** @type {Event} */ event) => {
    event.preventDefault();
    onClose?.();
  };
  return html`<dialog ref=${element} class=${wide ? "wide" : ""} aria-labelledby=${id} onCancel=${cancel}>
    <header>
      <h2 id=${id}>${title}</h2>
      ${onClose && html`<button type="button" class="quiet square" aria-label="Close" onClick=${onClose}><${Icon} name="close" /></button>`}
    </header>
    ${children}
  </dialog>`;
}
