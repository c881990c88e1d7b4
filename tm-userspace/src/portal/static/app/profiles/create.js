// @ts-check
// The dialog in which a profile comes into being, in the order of the old portal's: whose it is, how it chooses, among whom, how they are watched, what it is called.
import { path, request } from "../core/api.js";
import { useForm } from "../core/form.js";
import { html, useState } from "../core/html.js";
import { navigate } from "../core/router.js";
import { METHODS, methodOption } from "../core/words.js";
import { say } from "../parts/announce.js";
import { Dialog } from "../parts/dialog.js";
import { KnownField, NumberField, SelectField, TextField } from "../parts/field.js";
import { Notice } from "../parts/notice.js";
import { useAvailability } from "./availability.js";
import { DnsNameFields, inFull, written } from "./dns_name.js";
import { ServicePicker } from "./picker.js";

const FIELDS = ["/name", "/relative_name", "/dns_name", "/subscription", "/resource_group", "/routing_method", "/ttl", "/max_return", "/endpoint", "/monitor/protocol", "/monitor/port", "/monitor/path"];
const PROTOCOLS = [{ value: "http", label: "HTTP" }, { value: "https", label: "HTTPS" }, { value: "tcp", label: "TCP" }, { value: "none", label: "No monitoring" }];

/** @param {{ defaults: import("./store.js").Summaries, onClose: () => void }} props */
export function CreateDialog({ defaults, onClose }) {
  const [start] = useState({ subscription: defaults.subscription, resource_group: defaults.resource_group, routing_method: "priority", monitor: { protocol: "http", path: "/" } });
  const form = useForm(start, FIELDS);
  const [services, setServices] = useState(/** @type {import("./picker.js").Service[]} */ ([]));
  const [asked, setAsked] = useState(false);
  const { name = "", routing_method: method, monitor = {} } = form.value;
  const [typed, setTyped] = useState(/** @type {import("./dns_name.js").Name | null} */ (null));
  const dnsName = typed ?? { prefix: name.toLowerCase(), zone: defaults.zones[0] };
  const known = useAvailability(inFull(dnsName));
  const protocol = monitor.protocol ?? "http";
  const isWatched = protocol !== "none";
  const method_ = METHODS.find((its) => its.value === method);
  const close = () => (form.isDirty || typed || services.length) && !asked ? setAsked(true) : onClose();
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const isDone = await form.send(() => create(form.value, written(dnsName, defaults.zones), services).then(() => {}));
    if (!isDone) return;
    say(`${name} is created`);
    onClose();
    navigate(path`/profiles/${name}`);
  };
  return html`<${Dialog} title="Create Traffic Manager profile" wide onClose=${close}>
    <form onSubmit=${submit} novalidate>
      <div class="body">
        ${form.summary && html`<${Notice} tone="bad">${form.summary}<//>`}
        <div class="grid two">
          <${TextField} form=${form} at="/name" label="Name" hint="What it is called here. Letters, digits, hyphens." />
          <${SelectField} form=${form} at="/routing_method" label="Routing method" hint=${method_?.says} options=${METHODS.map((its) => ({ value: its.value, label: methodOption(its) }))} />
          <${KnownField} form=${form} at="/subscription" label="Subscription" options=${[...new Set([defaults.subscription, ...defaults.value.map((its) => its.subscription)])]} />
          <${KnownField} form=${form} at="/resource_group" label="Resource group" options=${[...new Set([defaults.resource_group, ...defaults.value.map((its) => its.resource_group)])]} />
        </div>
        <${ServicePicker} subscription=${form.value.subscription ?? ""} chosen=${services} onChange=${setServices} isOrdered=${method === "priority"} error=${form.error("/endpoint")} />
        <fieldset><legend>Monitoring</legend>
          <div class="grid three">
            <${SelectField} form=${form} at="/monitor/protocol" label="Protocol" options=${PROTOCOLS} value=${protocol} />
            ${isWatched && html`<${NumberField} form=${form} at="/monitor/port" label="Port" placeholder=${protocol === "https" ? "443" : "80"} />`}
            ${isWatched && protocol !== "tcp" && html`<${TextField} form=${form} at="/monitor/path" label="Path and file name" hint="Each service must answer 200 to it. “/” is a valid one." />`}
          </div>
          ${!isWatched && method === "priority" && html`<${Notice} tone="some" title="Failover without monitoring is useless.">All traffic goes to the first service, even when it is offline.<//>`}
          ${!isWatched && method !== "priority" && html`<${Notice} tone="info">Services that are offline are sent traffic like all others.<//>`}
        </fieldset>
        <fieldset><legend>DNS</legend>
          <div class="grid three">
            <${DnsNameFields} name=${dnsName} zones=${defaults.zones} known=${known} error=${form.error("/relative_name") || form.error("/dns_name")} onChange=${setTyped} />
            <${NumberField} form=${form} at="/ttl" label="DNS time to live (seconds)" placeholder="30" hint="How long resolvers may keep an answer: a failover is seen this much later at most." />
          </div>
        </fieldset>
      </div>
      ${asked && html`<${Notice} tone="some" title="Nothing is created yet.">Close again to drop what you typed.<//>`}
      <footer>
        <button type="button" onClick=${close}>Cancel</button>
        <button type="submit" class="primary" disabled=${form.isBusy || !name || known.state === "taken"}>Create</button>
      </footer>
    </form>
  <//>`;
}

/** @param {any} value @param {{ relative_name?: string, dns_name?: string }} name @param {import("./picker.js").Service[]} services */
function create(value, name, services) {
  const { protocol, ...monitor } = value.monitor ?? {};
  const isWatched = protocol !== "none";
  const isPerformance = value.routing_method === "performance";
  const names = new Set();
  const endpoint = services.map((service) => {
    let name = service.name;
    for (let number = 2; names.has(name.toLowerCase()); number++) name = `${service.name}-${number}`;
    names.add(name.toLowerCase());
    return {
      name, type: "azure", target_service: service.id,
      ...(isPerformance && service.location ? { endpoint_location: service.location } : {}),
      ...(isWatched ? {} : { always_serve: true }),
    };
  });
  if (protocol === "tcp") delete monitor.path;
  const body = { ...value, ...name, monitor: isWatched ? { protocol, ...monitor } : {}, endpoint };
  return request("PUT", path`/profiles/${value.name}`, { body, create: true });
}
