// @ts-check
// A label, the control that it names, and below it a hint and what is wrong.
import { h, html, useId } from "../core/html.js";

/**
 * @param {{ label: any, hint?: any, error?: string, wide?: boolean, children?: any }} props
 * The child is one control: input, select or textarea.
 */
export function Field({ label, hint, error, wide = false, children }) {
  const id = useId("field");
  const control = Array.isArray(children) ? children[0] : children;
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  const props = { ...control.props, id, "aria-describedby": described || undefined, "aria-invalid": error ? "true" : undefined };
  return html`<div class=${`field ${wide ? "wide" : ""}`}>
    <label for=${id}>${label}</label>
    ${h(control.type, props)}
    ${hint && html`<div class="hint" id=${`${id}-hint`}>${hint}</div>`}
    ${error && html`<div class="error" id=${`${id}-error`}>${error}</div>`}
  </div>`;
}

/** A text in a form's document; empty takes the key away. @param {{ form: import("../core/form.js").Form, at: string, label: string, hint?: any, placeholder?: string, wide?: boolean, disabled?: boolean }} props */
export function TextField({ form, at, label, hint, placeholder, wide, disabled }) {
  const change = (/** @type {any} */ event) => form.set(at, event.target.value || undefined);
  return html`<${Field} label=${label} hint=${hint} error=${form.error(at)} wide=${wide}>
    <input type="text" autocomplete="off" spellcheck=${false} value=${form.get(at) ?? ""} placeholder=${placeholder} disabled=${disabled} onInput=${change} />
  <//>`;
}

/** A text of which some are known; empty takes the key away. @param {{ form: import("../core/form.js").Form, at: string, label: string, hint?: any, placeholder?: string, options: string[] }} props */
export function KnownField({ form, at, label, hint, placeholder, options }) {
  const id = useId("known");
  const change = (/** @type {any} */ event) => form.set(at, event.target.value || undefined);
  return html`<div>
    <${Field} label=${label} hint=${hint} error=${form.error(at)}>
      <input type="text" list=${id} autocomplete="off" spellcheck=${false} value=${form.get(at) ?? ""} placeholder=${placeholder} onInput=${change} />
    <//>
    <datalist id=${id}>${options.map((option) => html`<option key=${option} value=${option} />`)}</datalist>
  </div>`;
}

/** A whole number; what is none is sent as it is, for the API to say what is wrong. @param {{ form: import("../core/form.js").Form, at: string, label: string, hint?: any, placeholder?: string, unit?: string, disabled?: boolean }} props */
export function NumberField({ form, at, label, hint, placeholder, disabled }) {
  const change = (/** @type {any} */ event) => {
    const text = event.target.value.trim();
    form.set(at, text === "" ? undefined : /^-?\d{1,15}$/.test(text) ? Number(text) : text);
  };
  return html`<${Field} label=${label} hint=${hint} error=${form.error(at)}>
    <input type="text" inputmode="numeric" autocomplete="off" value=${String(form.get(at) ?? "")} placeholder=${placeholder} disabled=${disabled} onInput=${change} />
  <//>`;
}

/** One of several. @param {{ form: import("../core/form.js").Form, at: string, label: string, hint?: any, options: { value: string, label: string }[], value?: string, disabled?: boolean }} props */
export function SelectField({ form, at, label, hint, options, value, disabled }) {
  const chosen = value ?? form.get(at) ?? "";
  return html`<${Field} label=${label} hint=${hint} error=${form.error(at)}>
    <select value=${chosen} disabled=${disabled} onChange=${(/** @type {any} */ event) => form.set(at, event.target.value || undefined)}>
      ${options.map((option) => html`<option key=${option.value} value=${option.value} selected=${option.value === chosen}>${option.label}</option>`)}
    </select>
  <//>`;
}

/** Yes or no. @param {{ form: import("../core/form.js").Form, at: string, label: string, hint?: any, disabled?: boolean }} props */
export function CheckField({ form, at, label, hint, disabled }) {
  const id = useId("check");
  const error = form.error(at);
  const change = (/** @type {any} */ event) => form.set(at, event.target.checked || undefined);
  return html`<div class="field check">
    <div class="line">
      <input type="checkbox" id=${id} checked=${Boolean(form.get(at))} disabled=${disabled} onChange=${change} aria-describedby=${hint ? `${id}-hint` : undefined} />
      <label for=${id}>${label}</label>
    </div>
    ${hint && html`<div class="hint" id=${`${id}-hint`}>${hint}</div>`}
    ${error && html`<div class="error">${error}</div>`}
  </div>`;
}
