// @ts-check
// One profile in the list, and the heads of the columns.
import { useCell } from "../core/cell.js";
import { html, useState } from "../core/html.js";
import { navigate } from "../core/router.js";
import { mayWrite, session } from "../core/session.js";
import { methodLabel, perSecond } from "../core/words.js";
import { Copy } from "../parts/copy.js";
import { Icon } from "../parts/icon.js";
import { Menu } from "../parts/menu.js";
import { Sparkline } from "../parts/sparkline.js";
import { StatusMark } from "../parts/status.js";
import { DeleteProfile, SwitchProfile, USELESS } from "./actions.js";

/** @type {{ by: import("./order.js").Column, label: string, cell: string, title?: string }[]} */
const COLUMNS = [
  { by: "name", label: "Name", cell: "name" },
  { by: "monitor_status", label: "Status", cell: "state" },
  { by: "routing_method", label: "Method", cell: "method" },
  { by: "dns_name", label: "DNS name", cell: "dns" },
  { by: "endpoints", label: "Up", cell: "up", title: "Endpoints that are available, of all" },
  { by: "rate", label: "Queries/s", cell: "rate", title: "Answers a second, those by profiles nested in it included" },
];

/** @param {{ order: import("./order.js").Order, onOrder: (order: import("./order.js").Order) => void }} props */
export function Head({ order, onOrder }) {
  return html`<div role="row" class="row" aria-rowindex="1">
    ${COLUMNS.map(({ by, label, cell, title }) => {
      const isBy = order.by === by;
      const next = { by, down: isBy ? !order.down : by === "rate" };
      return html`<div role="columnheader" class=${cell} key=${by} aria-sort=${isBy ? (order.down ? "descending" : "ascending") : "none"}>
        <button type="button" class="sort" title=${title} onClick=${() => onOrder(next)}>${label}${isBy && html`<${Icon} name=${order.down ? "down" : "up"} />`}</button>
      </div>`;
    })}
    <div role="columnheader" class="do"><span class="hidden">Actions</span></div>
  </div>`;
}

/** @param {{ summary: import("./store.js").Summary, series: number[] | undefined }} props */
export function Row({ summary, series }) {
  const who = useCell(session);
  const [doing, setDoing] = useState("");
  const isManaged = mayWrite(who) && summary.managed_by === "api";
  const { name, dns_name } = summary;
  const stop = () => setDoing("");
  return html`
    <div role="cell" class="name"><a href=${`/profiles/${encodeURIComponent(name)}`} title=${name}>${name}</a>
      ${summary.unwatched && html`<span class="mark" title=${USELESS}><${Icon} name="warning" /><span class="hidden">${USELESS}</span></span>`}
      ${summary.managed_by === "file" && html`<span class="tag" title="Managed by a file of conf.d">file</span>`}
    </div>
    <div role="cell" class="state"><${StatusMark} status=${summary.monitor_status} ofProfile isAllDown=${summary.available === 0} /></div>
    <div role="cell" class="method">${methodLabel(summary.routing_method)}</div>
    <div role="cell" class="dns">${dns_name && html`<code title=${dns_name}>${dns_name}</code><${Copy} text=${dns_name} what=${dns_name} />`}</div>
    <div role="cell" class="up"><span class="hidden">Available: </span>${summary.available}<span class="faint"> / ${summary.endpoints}</span></div>
    <div role="cell" class="rate"><${Sparkline} series=${series} /><span class="number">${perSecond(series?.at(-1))}</span></div>
    <div role="cell" class="do">
      <${Menu} label=${`Actions for ${name}`} items=${[
        dns_name && { label: "Test", icon: "play", onSelect: () => navigate(`/profiles/${encodeURIComponent(name)}/test`) },
        isManaged && summary.status === "enabled" && { label: "Disable", icon: "pause", onSelect: () => setDoing("disable") },
        isManaged && summary.status === "disabled" && { label: "Enable", icon: "play", onSelect: () => setDoing("enable") },
        isManaged && { label: "Delete", icon: "remove", danger: true, onSelect: () => setDoing("delete") },
      ]} />
      ${doing === "delete" && html`<${DeleteProfile} name=${name} dnsName=${dns_name} onClose=${stop} />`}
      ${(doing === "enable" || doing === "disable") && html`<${SwitchProfile} name=${name} dnsName=${dns_name} to=${doing} onClose=${stop} />`}
    </div>`;
}
