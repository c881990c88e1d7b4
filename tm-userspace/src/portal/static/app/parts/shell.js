// @ts-check
// What surrounds every page: where one is, whether what is shown is live, who one is.
import { useCell } from "../core/cell.js";
import { html } from "../core/html.js";
import { connection } from "../core/live.js";
import { currentPath, leaving } from "../core/router.js";
import { session, signInWanted, signOut } from "../core/session.js";
import { choose, theme } from "../core/theme.js";
import { Announcements } from "./announce.js";
import { Confirm } from "./confirm.js";
import { Menu } from "./menu.js";
import { SignInDialog } from "./sign_in.js";

const PLACES = [
  { path: "/profiles", label: "Profiles" },
  { path: "/services", label: "Services" },
  { path: "/node", label: "Node" },
];

/** @param {{ children?: any }} props */
export function Shell({ children }) {
  const path = useCell(currentPath);
  const isWanted = useCell(signInWanted);
  return html`<a class="skip" href="#content">Skip to the content</a>
    <header class="top">
      <a class="brand" href="/profiles"><img src="/icon.svg" alt="" width="24" height="24" /><span>Traffic Manager</span></a>
      <nav aria-label="Main">
        ${PLACES.map((place) => html`<a key=${place.path} href=${place.path} aria-current=${path.startsWith(place.path) ? "page" : undefined}>${place.label}</a>`)}
      </nav>
      <${Liveness} />
      <${ThemeMenu} />
      <${UserMenu} />
    </header>
    <${Lost} />
    <main id="content" tabindex="-1">${children}</main>
    <${Announcements} />
    <${Leaving} />
    ${isWanted && html`<${SignInDialog} />`}`;
}

function Liveness() {
  const state = useCell(connection);
  const label = { live: "Live", connecting: "Connecting", lost: "Reconnecting" }[state];
  return html`<span class="liveness" data-state=${state} title=${state === "live" ? "What is shown moves as it happens." : "What is shown may be old."}><span class="dot"></span><span class="label">${label}</span></span>`;
}

function Lost() {
  const state = useCell(connection);
  return html`<div class="banner" role="status">${state === "lost"
    ? "The daemon does not answer. It may be restarting; DNS goes on being answered by XDP. This page goes on by itself when it is back, and keeps what you typed."
    : ""}</div>`;
}

function ThemeMenu() {
  const chosen = useCell(theme);
  /** @type {{ value: import("../core/theme.js").Theme, label: string, icon: string }[]} */
  const all = [
    { value: "system", label: "As the system", icon: "system" },
    { value: "light", label: "Light", icon: "sun" },
    { value: "dark", label: "Dark", icon: "moon" },
  ];
  const now = all.find((item) => item.value === chosen) ?? all[0];
  return html`<${Menu} label=${`Colours: ${now.label}`} icon=${now.icon} items=${all.map((item) => ({ ...item, onSelect: () => choose(item.value) }))} />`;
}

function UserMenu() {
  const who = useCell(session);
  return html`<${Menu} label=${`Signed in as ${who?.name ?? ""}, ${who?.scope ?? ""}`} icon="user"
    items=${[{ label: `Sign out ${who?.name ?? ""}`, icon: "right", onSelect: signOut }]} />`;
}

function Leaving() {
  const where = useCell(leaving);
  if (!where) return null;
  return html`<${Confirm} title="Leave without saving?" action="Leave" onDo=${() => { leaving.set(null); where.go(); }} onClose=${() => leaving.set(null)}>
    <p>What you changed on this page is not saved.</p>
  <//>`;
}
