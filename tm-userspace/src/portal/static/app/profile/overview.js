// @ts-check
// A profile at a glance: the name to use, who answers it now and how much, and what lies below.
import { html, useState } from "../core/html.js";
import { counted } from "../core/words.js";
import { Copy } from "../parts/copy.js";
import { Time } from "../parts/time.js";
import { RateChart } from "./rate_chart.js";
import { useEndpointRates } from "./rates.js";
import { Shares } from "./shares.js";
import { Tree } from "./tree.js";

/** @param {{ profile: import("./store.js").Profile }} props */
export function OverviewTab({ profile }) {
  const { wanted, tree } = profile;
  const rates = useEndpointRates(wanted.profile.name);
  const state = tree[0];
  const isNested = tree.length > 1;
  return html`
    ${wanted.dns_name && html`<${Names} dnsName=${wanted.dns_name} />`}
    ${state && html`<div class="cards">
      <div class="card wide">
        <h2>Who answers now</h2>
        <${Shares} tree=${tree} rates=${rates} />
      </div>
      <div class="card">
        <h2>Queries a second</h2>
        <${RateChart} tree=${tree} rates=${rates} />
      </div>
    </div>`}
    ${isNested && html`<div class="card"><h2>Nested profiles</h2><${Tree} tree=${tree} rates=${rates} /></div>`}
    <div class="card"><h2>Essentials</h2><${Essentials} wanted=${wanted} state=${state} /></div>`;
}

/** The name, and the line that points one's own name to it. @param {{ dnsName: string }} props */
function Names({ dnsName }) {
  const [own, setOwn] = useState("www.contoso.com");
  const line = `${own} IN CNAME ${dnsName}`;
  return html`<div class="card names">
    <div>
      <div class="caption">DNS name</div>
      <div class="copied big"><code>${dnsName}</code><${Copy} text=${dnsName} what="DNS name" /></div>
    </div>
    <div>
      <div class="caption">At your own DNS host, point your name to it</div>
      <div class="copied"><code><input aria-label="Your own name" type="text" spellcheck=${false} size=${Math.max(8, own.length)} value=${own} onInput=${(/** @type {any} */ event) => setOwn(event.target.value.trim())} /> IN CNAME ${dnsName}</code><${Copy} text=${line} what="CNAME line" /></div>
    </div>
  </div>`;
}

/** @param {{ wanted: import("./store.js").Wanted, state: import("./store.js").State | undefined }} props */
function Essentials({ wanted, state }) {
  const { profile } = wanted;
  const monitor = profile.monitor ?? {};
  const protocol = (monitor.protocol ?? "http").toLowerCase();
  const port = monitor.port ?? (protocol === "https" ? 443 : 80);
  const facts = [
    ["Resource group", profile.resource_group],
    ["Subscription", profile.subscription],
    ["DNS time to live", `${state?.ttl ?? profile.ttl ?? 30} s`],
    ["Endpoints", counted(profile.endpoint?.length ?? 0, "endpoint")],
    ["Monitor", `${protocol.toUpperCase()} port ${port}${protocol === "tcp" ? "" : ` ${monitor.path ?? "/"}`}, every ${monitor.interval ?? "30s"}`],
    ["Managed by", wanted.managed_by === "file" ? `${wanted.file}:${wanted.line}` : "API and portal"],
    ["Created", wanted.created && html`<${Time} at=${wanted.created} day />`],
    ["Last changed", wanted.changed && html`<${Time} at=${wanted.changed} day />`],
  ].filter(([, value]) => value);
  return html`<dl class="facts">${facts.map(([term, value]) => html`<div><dt>${term}</dt><dd>${value}</dd></div>`)}</dl>`;
}
