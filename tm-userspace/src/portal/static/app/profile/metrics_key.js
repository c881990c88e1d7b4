// @ts-check
// The key of a subscription's real user measurements, and what is put on pages with it.
import { get, request } from "../core/api.js";
import { useCell } from "../core/cell.js";
import { html, useEffect, useState } from "../core/html.js";
import { asProblem } from "../core/problem.js";
import { mayWrite, session } from "../core/session.js";
import { say } from "../parts/announce.js";
import { Confirm } from "../parts/confirm.js";
import { Copy } from "../parts/copy.js";
import { Loading } from "../parts/loading.js";
import { Notice } from "../parts/notice.js";

/** @param {{ wanted: import("./store.js").Wanted }} props */
export function MetricsKey({ wanted }) {
  const who = useCell(session);
  const [known, setKnown] = useState(/** @type {{ key: string | null } | null} */ (null));
  const [error, setError] = useState(/** @type {import("../core/problem.js").Problem | null} */ (null));
  const [isEnding, setEnding] = useState(false);
  const at = `/user-metrics-key?${new URLSearchParams({ subscription: wanted.profile.subscription })}`;
  const take = (/** @type {Promise<any>} */ asked) => asked.then((found) => { setKnown(found); setError(null); }, (thrown) => setError(asProblem(thrown)));
  const load = () => void take(get(at));
  useEffect(load, [at]);
  const make = () => take(request("PUT", at).then(({ data }) => { say("A key is made"); return data; }));
  const end = () => request("DELETE", at).then(() => { setKnown({ key: null }); say("The key is deleted"); });
  if (!known) return html`<${Loading} error=${error} onRetry=${load} />`;
  const text = known.key && snippet(known.key, wanted.profile.endpoint ?? []);
  return html`<div class="card">
    <div class="toolbar"><h2>On your pages</h2>${mayWrite(who) && (text
      ? html`<button type="button" class="end" onClick=${() => setEnding(true)}>Delete the key</button>`
      : html`<button type="button" class="end primary" onClick=${make}>Make a key</button>`)}</div>
    ${error && html`<${Notice} tone="bad" title="Nothing was changed.">${error.message}<//>`}
    ${text
      ? html`<p>Put this on the pages of your site: what visitors' browsers measure counts for their networks. Each URL is to answer at once, with little, from its region; this daemon has to be reachable for visitors.</p>
        <div class="copied"><pre class="snippet">${text}</pre><${Copy} text=${text} what="snippet" /></div>`
      : html`<p>Visitors' browsers can measure how far they are. Whatever they tell bears the key of this profile's subscription: without one nothing is taken in.</p>`}
    ${isEnding && html`<${Confirm} title="Delete the key" action="Delete" onClose=${() => setEnding(false)} onDo=${end}><p>Pages that have it measure on, and are not listened to.</p><//>`}
  </div>`;
}

/** What a page is given: the regions are those of the endpoints. @param {string} key @param {any[]} endpoints */
function snippet(key, endpoints) {
  const placed = endpoints.filter((its) => its.endpoint_location && its.target).map((its) => [its.endpoint_location, `https://${its.target.includes(":") ? `[${its.target}]` : its.target}/`]);
  const regions = JSON.stringify(placed.length ? Object.fromEntries(placed) : { "West Europe": "https://eu.example.com/" });
  const value = regions.replaceAll("&", "&amp;").replaceAll("'", "&#39;");
  return `<script async src="${location.origin}/tm-rum.js" data-intake="${location.origin}/rum"\n        data-key="${key}"\n        data-regions='${value}'></script>`;
}
