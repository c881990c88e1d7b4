// @ts-check
// The portal: which page belongs to which address.
import { useCell } from "./core/cell.js";
import { html, render, useEffect, useState } from "./core/html.js";
import { begin as beginLive } from "./core/live.js";
import { asProblem } from "./core/problem.js";
import { begin as beginRouting, currentPath, navigate } from "./core/router.js";
import { begin as beginSession, session } from "./core/session.js";
import { NodePage } from "./node/page.js";
import { Guarded } from "./parts/crash.js";
import { Loading } from "./parts/loading.js";
import { Shell } from "./parts/shell.js";
import { SignInPage } from "./parts/sign_in.js";
import { ProfilePage } from "./profile/page.js";
import { ProfilesPage } from "./profiles/page.js";
import { ServicesPage } from "./services/page.js";

function Portal() {
  const who = useCell(session);
  const [error, setError] = useState(/** @type {import("./core/problem.js").Problem | null} */ (null));
  const ask = () => {
    setError(null);
    beginSession().catch((thrown) => setError(asProblem(thrown)));
  };
  useEffect(ask, []);
  useEffect(() => {
    if (who) beginLive();
  }, [Boolean(who)]);
  if (who === undefined) return html`<main class="lonely"><${Loading} error=${error} onRetry=${ask} /></main>`;
  if (who === null) return html`<${SignInPage} />`;
  return html`<${Shell}><${Page} /><//>`;
}

function Page() {
  const [, place = "", name, tab] = useCell(currentPath).split("/").map(decodeURIComponent);
  useEffect(() => {
    if (place === "") navigate("/profiles", { replace: true });
  }, [place]);
  const page = {
    "": null,
    profiles: name ? html`<${ProfilePage} key=${name} name=${name} tab=${tab ?? ""} />` : html`<${ProfilesPage} />`,
    services: html`<${ServicesPage} />`,
    node: html`<${NodePage} />`,
  }[place];
  return html`<${Guarded} key=${place}>${page === undefined ? html`<${Missing} />` : page}<//>`;
}

function Missing() {
  return html`<div class="page"><h1>There is no such page</h1><p><a href="/profiles">All profiles</a></p></div>`;
}

beginRouting();
render(html`<${Portal} />`, /** @type {HTMLElement} */ (document.getElementById("portal")));
