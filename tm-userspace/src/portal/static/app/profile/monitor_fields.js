// @ts-check
// How a profile's endpoints are probed.
import { html } from "../core/html.js";
import { CheckField, NumberField, SelectField, TextField } from "../parts/field.js";
import { Notice } from "../parts/notice.js";
import { HeadersField } from "./headers_field.js";
import { ListField } from "./list_field.js";

export const MONITOR_FIELDS = ["protocol", "port", "path", "interval", "timeout", "tolerated_failures", "successes_to_recover", "expected_status", "headers", "verify_certificate", "body_contains", "certificate_warning_days", "source"].map((key) => `/monitor/${key}`);

const PROTOCOLS = [{ value: "http", label: "HTTP" }, { value: "https", label: "HTTPS" }, { value: "tcp", label: "TCP" }];

/** @param {{ form: import("../core/form.js").Form }} props */
export function MonitorFields({ form }) {
  const protocol = (form.get("/monitor/protocol") ?? "http").toLowerCase();
  const isHttp = protocol !== "tcp";
  const isAllServed = form.value.endpoint?.length > 0 && form.value.endpoint.every((/** @type {any} */ its) => its.always_serve);
  return html`
    ${isAllServed && html`<${Notice} tone="some" title="Nobody is probed.">Every endpoint is always served: edit them under Endpoints to have them watched.<//>`}
    <div class="grid three">
      <${SelectField} form=${form} at="/monitor/protocol" label="Protocol" value=${protocol} options=${PROTOCOLS} />
      <${NumberField} form=${form} at="/monitor/port" label="Port" placeholder=${protocol === "https" ? "443" : "80"} />
      ${isHttp && html`<${TextField} form=${form} at="/monitor/path" label="Path" placeholder="/" hint="Path and file name. “/” is a valid one." />`}
      <${TextField} form=${form} at="/monitor/interval" label="Probing interval" placeholder="30s" hint="With its unit: 30s, 200ms." />
      <${TextField} form=${form} at="/monitor/timeout" label="Probe timeout" placeholder="by the interval" hint="10s, or less than the interval where that is short." />
      <${NumberField} form=${form} at="/monitor/tolerated_failures" label="Tolerated number of failures" placeholder="3" hint="0 to 9. One more in a row and it is down." />
      <${NumberField} form=${form} at="/monitor/successes_to_recover" label="Successes to recover" placeholder="1" />
      ${isHttp && html`<${ListField} form=${form} at="/monitor/expected_status" label="Expected status codes" placeholder="200" hint="One a line, or ranges: 200-299." />`}
      ${isHttp && html`<${TextField} form=${form} at="/monitor/body_contains" label="Body contains" placeholder="anything" />`}
      ${isHttp && html`<${HeadersField} form=${form} />`}
      ${protocol === "https" && html`<${CheckField} form=${form} at="/monitor/verify_certificate" label="Verify the certificate" hint="As Azure, a certificate that is not valid is taken unless this is set." />`}
      ${protocol === "https" && html`<${NumberField} form=${form} at="/monitor/certificate_warning_days" label="Warn before the certificate expires, days" placeholder="never" />`}
      <${TextField} form=${form} at="/monitor/source" label="Source address" placeholder="as the routes have it" hint="The address that probes come from." />
    </div>
    <p class="faint">${detection(form)}</p>`;
}

/** How long a failure stays unseen, in words. @param {import("../core/form.js").Form} form @returns {string} */
function detection(form) {
  const interval = seconds(form.get("/monitor/interval") ?? "30s");
  const tolerated = Number(form.get("/monitor/tolerated_failures") ?? 3);
  if (interval === null || !Number.isFinite(tolerated)) return "";
  const timeout = seconds(form.get("/monitor/timeout") ?? "") ?? (interval > 10 ? 10 : Math.min(9, interval * 0.9));
  const ttl = Number(form.value.ttl ?? 30);
  const most = interval * (tolerated + 1) + timeout;
  const round = (/** @type {number} */ value) => (value < 10 ? value.toFixed(1) : String(Math.round(value)));
  return `An endpoint that fails is noticed after ${round(interval * tolerated)} to ${round(most)} s; resolvers keep the old answer for up to ${ttl} s more.`;
}

/** @param {string} text @returns {number | null} */
function seconds(text) {
  const found = /^(\d+)(ms|s|m|h)$/.exec(text.trim());
  return found ? Number(found[1]) * { ms: 0.001, s: 1, m: 60, h: 3600 }[/** @type {"s"} */ (found[2])] : null;
}
