// @ts-check
// One profile: its menu at the left, as in the 2018 portal, and above on a narrow screen, as in that of 2015.
import { useCell } from "../core/cell.js";
import { html, useEffect, useRef, useState } from "../core/html.js";
import { navigate } from "../core/router.js";
import { mayWrite, session } from "../core/session.js";
import { methodLabel } from "../core/words.js";
import { Loading } from "../parts/loading.js";
import { Menu } from "../parts/menu.js";
import { Notice } from "../parts/notice.js";
import { StatusMark } from "../parts/status.js";
import { DeleteProfile, SwitchProfile, USELESS } from "../profiles/actions.js";
import { ActivityTab } from "./activity.js";
import { ConfigurationTab } from "./configuration.js";
import { EndpointsTab } from "./endpoints.js";
import { OverviewTab } from "./overview.js";
import { MeasurementsTab } from "./measurements.js";
import { useProfile } from "./store.js";
import { TestTab } from "./test.js";
import { TrafficTab } from "./traffic.js";

/** @type {{ path: string, label: string, view: (props: any) => any }[]} */
const TABS = [
  { path: "", label: "Overview", view: OverviewTab },
  { path: "endpoints", label: "Endpoints", view: EndpointsTab },
  { path: "configuration", label: "Configuration", view: ConfigurationTab },
  { path: "measurements", label: "Real user measurements", view: MeasurementsTab },
  { path: "traffic", label: "Traffic View", view: TrafficTab },
  { path: "test", label: "Test", view: TestTab },
  { path: "activity", label: "Activity", view: ActivityTab },
];

/** @param {{ name: string, tab: string }} props */
export function ProfilePage({ name, tab }) {
  const { profile, error, load } = useProfile(name);
  const shown = TABS.find((its) => its.path === tab) ?? TABS[0];
  const root = `/profiles/${encodeURIComponent(name)}`;
  if (!profile) {
    return html`<div class="page"><title>${name}</title><${Crumbs} name=${name} />
      ${error?.status === 404 ? html`<${Notice} tone="info">There is no profile “${name}”.<//>` : html`<${Loading} error=${error} onRetry=${load} />`}</div>`;
  }
  return html`<div class="page profile">
    <title>${`${name}, ${shown.label}`}</title>
    <${Crumbs} name=${name} />
    <${Head} profile=${profile} />
    <${Tabs} root=${root} shown=${shown} />
    <section class="tab" aria-label=${shown.label}>
      ${error?.status === 404 && html`<${Notice} tone="bad" title="This profile is gone.">Somebody deleted it while you looked at it.<//>`}
      <${Warnings} profile=${profile} />
      <${shown.view} key=${shown.path} profile=${profile} name=${profile.wanted.profile.name} onChanged=${load} />
    </section>
  </div>`;
}

/** @param {{ root: string, shown: { path: string, label: string } }} props */
function Tabs({ root, shown }) {
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  // On a narrow screen they are wider than it.
  useEffect(() => list.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" }), [shown]);
  return html`<nav class="tabs" aria-label="Profile" ref=${list}>
    ${TABS.map((its) => html`<a key=${its.path} href=${its.path ? `${root}/${its.path}` : root} aria-current=${its === shown ? "page" : undefined}>${its.label}</a>`)}
  </nav>`;
}

/** @param {{ name: string }} props */
function Crumbs({ name }) {
  return html`<nav class="crumbs" aria-label="Where you are"><a href="/profiles">Profiles</a> <span aria-hidden="true">/</span> <span>${name}</span></nav>`;
}

/** @param {{ profile: import("./store.js").Profile }} props */
function Head({ profile }) {
  const who = useCell(session);
  const [doing, setDoing] = useState("");
  const { wanted, tree } = profile;
  const { name } = wanted.profile;
  const isManaged = mayWrite(who) && wanted.managed_by === "api";
  const isEnabled = (wanted.profile.status ?? "enabled").toLowerCase() === "enabled";
  const stop = () => setDoing("");
  return html`<div class="page-head">
    <h1>${name}</h1>
    <${StatusMark} status=${wanted.monitor_status} ofProfile isAllDown=${isAllDown(tree[0])} />
    <span class="faint">${methodLabel(tree[0]?.routing_method)}</span>
    <div class="end">${isManaged && html`<${Menu} label="Actions" text="Actions" items=${[
      { label: isEnabled ? "Disable" : "Enable", icon: isEnabled ? "pause" : "play", onSelect: () => setDoing(isEnabled ? "disable" : "enable") },
      { label: "Delete", icon: "remove", danger: true, onSelect: () => setDoing("delete") },
    ]} />`}</div>
    ${doing === "delete" && html`<${DeleteProfile} name=${name} dnsName=${wanted.dns_name} onClose=${stop} onDone=${() => navigate("/profiles", { force: true })} />`}
    ${doing && doing !== "delete" && html`<${SwitchProfile} name=${name} dnsName=${wanted.dns_name} to=${doing} onClose=${stop} />`}
  </div>`;
}

/** What is hardly meant to be so. @param {{ profile: import("./store.js").Profile }} props */
function Warnings({ profile: { wanted, tree } }) {
  const state = tree[0];
  const enabled = state?.endpoints.filter((endpoint) => endpoint.status === "enabled") ?? [];
  const isFailover = state?.routing_method === "priority" && enabled.length > 1;
  const isUnwatched = isFailover && firstOf(wanted, enabled)?.monitor_status === "Unmonitored";
  return html`
    ${wanted.not_in_force && html`<${Notice} tone="bad" title="This profile is not answered.">${wanted.not_in_force}<//>`}
    ${wanted.managed_by === "file" && html`<${Notice} tone="info">Managed by a file: change it in <code>${wanted.file}</code>, line ${wanted.line}.<//>`}
    ${isUnwatched && html`<${Notice} tone="some" title="Without monitoring, failover is useless.">${USELESS}<//>`}
    ${isAllDown(state) && html`<${Notice} tone="bad" title="Every endpoint is down.">${isFailover ? "Traffic goes to the first one as if it were up." : "All are answered as if they were up."} If they do serve, the monitor looks in the wrong place: compare protocol, port and path under Configuration.<//>`}`;
}

/** @param {import("./store.js").State | undefined} state @returns {boolean} */
function isAllDown(state) {
  const enabled = state?.endpoints.filter((endpoint) => endpoint.status === "enabled") ?? [];
  return enabled.length > 0 && enabled.every((endpoint) => endpoint.monitor_status === "Degraded");
}

/** @param {import("./store.js").Wanted} wanted @param {import("./store.js").EndpointState[]} enabled */
function firstOf(wanted, enabled) {
  const priority = (/** @type {string} */ name) => wanted.profile.endpoint?.find((/** @type {any} */ its) => its.name === name)?.priority ?? 0;
  return [...enabled].sort((a, b) => priority(a.name) - priority(b.name))[0];
}
