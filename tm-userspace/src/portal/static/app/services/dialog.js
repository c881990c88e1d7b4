// @ts-check
// A service is added to the inventory, or changed.
import { get, request } from "../core/api.js";
import { useForm } from "../core/form.js";
import { html, useEffect, useState } from "../core/html.js";
import { SERVICE_KINDS } from "../core/words.js";
import { say } from "../parts/announce.js";
import { Dialog } from "../parts/dialog.js";
import { SelectField, TextField } from "../parts/field.js";
import { Notice } from "../parts/notice.js";

/** What Azure's ids have for each kind. @type {Record<string, string>} */
const PROVIDERS = { public_ip: "Microsoft.Network/publicIPAddresses", web_app: "Microsoft.Web/sites", cloud_service: "Microsoft.ClassicCompute/domainNames", other: "TrafficManager/services" };

/** @param {{ service?: import("../profiles/picker.js").Service, onDone: () => Promise<void>, onClose: () => void }} props */
export function ServiceDialog({ service, onDone, onClose }) {
  const [start] = useState(service ?? { kind: "public_ip", state: "running" });
  const [scope, setScope] = useState({ subscription: "", resource_group: "" });
  const form = useForm(start, ["/name", "/kind", "/target", "/location", "/state", "/id"]);
  useEffect(() => void get("/summaries").then(setScope, () => {}), []);
  const { kind, name = "" } = form.value;
  const id = service?.id ?? `/subscriptions/${scope.subscription}/resourceGroups/${scope.resource_group}/providers/${PROVIDERS[kind]}/${name}`;
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const isDone = await form.send(async () => {
      await request("PUT", `/services${id.split("/").map(encodeURIComponent).join("/")}`, { body: { ...form.value, id } });
      await onDone();
    });
    if (!isDone) return;
    say(`${name} is saved`);
    onClose();
  };
  return html`<${Dialog} title=${service ? `Edit ${service.name}` : "Add service"} onClose=${onClose}>
    <form onSubmit=${submit} novalidate>
      <div class="body">
        ${form.summary && html`<${Notice} tone="bad">${form.summary}<//>`}
        <${SelectField} form=${form} at="/kind" label="Type" disabled=${Boolean(service)} options=${Object.entries(SERVICE_KINDS).map(([value, label]) => ({ value, label }))} />
        <${TextField} form=${form} at="/name" label="Name" disabled=${Boolean(service)} />
        <${TextField} form=${form} at="/target" label="Address or DNS name" placeholder="192.0.2.10" />
        <${TextField} form=${form} at="/location" label="Location" placeholder="West Europe" />
        <${SelectField} form=${form} at="/state" label="State" hint="Endpoints of a service that is stopped are Stopped: in no answer, and not probed." options=${[{ value: "running", label: "Running" }, { value: "stopped", label: "Stopped" }]} />
        <p class="faint long">${id}</p>
      </div>
      <footer><button type="button" onClick=${onClose}>Cancel</button><button type="submit" class="primary" disabled=${form.isBusy || !name}>Save</button></footer>
    </form>
  <//>`;
}
