// @ts-check
// "Are you sure?", with what would happen; where it cannot be undone, by writing the name.
import { html, useState } from "../core/html.js";
import { asProblem } from "../core/problem.js";
import { Dialog } from "./dialog.js";
import { Field } from "./field.js";
import { Notice } from "./notice.js";

/**
 * @param {{ title: string, action: string, danger?: boolean, name?: string, onDo: () => Promise<void> | void, onClose: () => void, children?: any }} props
 */
export function Confirm({ title, action, danger = true, name, onDo, onClose, children }) {
  const [written, setWritten] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const isReady = !name || written === name;
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!isReady || isBusy) return;
    setBusy(true);
    try {
      await onDo();
      onClose();
    } catch (thrown) {
      setError(asProblem(thrown).message);
      setBusy(false);
    }
  };
  return html`<${Dialog} title=${title} onClose=${onClose}>
    <form onSubmit=${submit}>
      <div class="body">
        ${error && html`<${Notice} tone="bad">${error}<//>`}
        <div class="prose">${children}</div>
        ${name && html`<${Field} label=${`Write “${name}” to confirm`}>
          <input type="text" autocomplete="off" spellcheck=${false} value=${written} onInput=${(/** @type {any} */ event) => setWritten(event.target.value)} />
        <//>`}
      </div>
      <footer>
        <button type="button" onClick=${onClose}>Cancel</button>
        <button type="submit" class=${danger ? "danger" : "primary"} disabled=${!isReady || isBusy}>${action}</button>
      </footer>
    </form>
  <//>`;
}
