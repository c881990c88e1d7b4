// @ts-check
// Saves or drops what was changed on a page; there as long as there is something.
import { html } from "../core/html.js";
import { useUnsaved } from "../core/router.js";

/** @param {{ isDirty: boolean, isBusy: boolean, error?: string, onSave: () => void, onDiscard: () => void }} props */
export function SaveBar({ isDirty, isBusy, error, onSave, onDiscard }) {
  useUnsaved(isDirty);
  return html`<div class="save-bar" data-shown=${String(isDirty)}>
    <span class="says" role="status">${isDirty ? error || "Not saved yet" : ""}</span>
    <button type="button" disabled=${!isDirty || isBusy} onClick=${onDiscard}>Discard</button>
    <button type="button" class="primary" disabled=${!isDirty || isBusy} onClick=${onSave}>Save</button>
  </div>`;
}
