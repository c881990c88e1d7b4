// @ts-check
// What happened: failovers and how long each part of them took, and who changed what.
import { get, path } from "../core/api.js";
import { useCell } from "../core/cell.js";
import { html, useEffect, useState } from "../core/html.js";
import { useLive } from "../core/live.js";
import { asProblem } from "../core/problem.js";
import { session } from "../core/session.js";
import { statusWord } from "../core/words.js";
import { differences } from "../core/document.js";
import { StatusMark } from "../parts/status.js";
import { Time } from "../parts/time.js";
import { text } from "./stale.js";
import { Timeline } from "./timeline.js";

const KEPT = 200;

/** @param {{ profile: import("./store.js").Profile, name: string }} props */
export function ActivityTab({ profile, name }) {
  const [events, setEvents] = useState(/** @type {import("../core/live.js").Event[] | null} */ (null));
  const names = profile.tree.map((state) => state.name);
  const load = () => {
    Promise.all((names.length ? names : [name]).map((its) => get(path`/history?profile=${its}`))).then((all) => {
      setEvents(all.flatMap((history) => history.value).sort((a, b) => b.id - a.id).slice(0, KEPT));
    }, () => {});
  };
  useEffect(load, [name, names.join()]);
  useLive({ event: (event) => names.includes(event.profile) && setEvents((before) => [event, ...(before ?? [])].slice(0, KEPT)), again: load }, [names.join()]);
  const flips = (events ?? []).filter((event) => event.kind === "endpoint_status" && event.delays && event.from !== "CheckingEndpoint");
  return html`
    <div class="card"><h2>Failovers</h2><${Timeline} flips=${flips} own=${name} /></div>
    <div class="cards even">
      <div class="card"><h2>What happened</h2><${Happened} events=${events} own=${name} /></div>
      <div class="card"><h2>Who changed what</h2><${Audit} name=${name} etag=${profile.wanted.etag} /></div>
    </div>`;
}

/** @param {{ events: import("../core/live.js").Event[] | null, own: string }} props */
function Happened({ events, own }) {
  if (events?.length === 0) return html`<p class="faint">Nothing since the daemon began.</p>`;
  return html`<ol class="log">${events?.map((event) => html`<li key=${event.id}>
    <${Time} at=${event.at} />
    <span class="long">${describe(event, own)} ${event.to && event.kind.endsWith("_status") && html`<${StatusMark} status=${event.to} ofProfile=${event.kind === "profile_status"} />`}</span>
  </li>`)}</ol>`;
}

/** @param {import("../core/live.js").Event} event @param {string} own */
function describe(event, own) {
  const of = event.profile === own ? "" : `${event.profile} `;
  const from = event.from ? `, was ${statusWord(event.from).label}` : "";
  switch (event.kind) {
    case "endpoint_status": return html`<strong>${of && `${event.profile}/`}${event.endpoint}</strong>${from}`;
    case "profile_status": return html`${of || "the profile"}${from}`;
    case "profile_added": return `${of || "the profile "}came into force`;
    case "profile_removed": return `${of || "the profile "}was removed`;
    default: return `${of || "the profile "}was changed`;
  }
}

/** @param {{ name: string, etag: string }} props */
function Audit({ name, etag }) {
  const who = useCell(session);
  const [rows, setRows] = useState(/** @type {any[] | null} */ (null));
  const [error, setError] = useState("");
  useEffect(() => {
    if (who?.scope !== "admin") return;
    get(path`/audit?object=${`profile ${name}`}&limit=100`).then((page) => setRows(page.value), (thrown) => setError(asProblem(thrown).message));
  }, [name, etag, who?.scope]);
  if (who?.scope !== "admin") return html`<p class="faint">The audit log is for those who are signed in with the scope admin.</p>`;
  if (error) return html`<p class="error">${error}</p>`;
  if (rows?.length === 0) return html`<p class="faint">Nobody changed it through the API.</p>`;
  return html`<ol class="log">${rows?.map((row) => html`<li key=${row.id}>
    <${Time} at=${row.at} />
    <div class="long"><strong>${row.action}</strong> by ${row.who} <span class="faint">from ${row.source}</span>
      ${row.result !== "done" && html`<div class="error">${row.result}</div>`}
      <${Changes} before=${row.before} after=${row.after} />
    </div>
  </li>`)}</ol>`;
}

/** @param {{ before: any, after: any }} props */
function Changes({ before, after }) {
  if (!before || !after) return null;
  const all = differences(before, after);
  return html`<ul class="changes">${all.slice(0, 8).map(({ where, from, to }) => html`<li>${where}: <del>${text(from)}</del> <ins>${text(to)}</ins></li>`)}${all.length > 8 && html`<li>and ${all.length - 8} more</li>`}</ul>`;
}
