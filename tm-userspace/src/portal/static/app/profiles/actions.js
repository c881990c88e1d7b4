// @ts-check
// What is done to a whole profile: switched on and off, deleted.
import { path, request } from "../core/api.js";
import { html } from "../core/html.js";
import { say } from "../parts/announce.js";
import { Confirm } from "../parts/confirm.js";

export const USELESS = "Failover without monitoring is useless: the first endpoint is always served, so the others never answer, whatever happens to it.";

/** @param {{ name: string, dnsName: string | null, onClose: () => void, onDone?: () => void }} props */
export function DeleteProfile({ name, dnsName, onClose, onDone }) {
  const remove = async () => {
    await request("DELETE", path`/profiles/${name}`);
    say(`${name} is deleted`);
    onDone?.();
  };
  return html`<${Confirm} title="Delete profile" action="Delete" name=${name} onDo=${remove} onClose=${onClose}>
    <p><strong>${dnsName ?? name}</strong> will not exist any more: whoever asks for it gets no answer (NXDOMAIN). Names that point to it by CNAME stop working. This cannot be undone.</p>
  <//>`;
}

/** @param {{ name: string, dnsName: string | null, to: "enable" | "disable", onClose: () => void }} props */
export function SwitchProfile({ name, dnsName, to, onClose }) {
  const change = async () => {
    await request("PATCH", path`/profiles/${name}`, { body: { status: `${to}d` } });
    say(`${name} is ${to}d`);
  };
  return html`<${Confirm} title=${to === "enable" ? "Enable profile" : "Disable profile"} action=${to === "enable" ? "Enable" : "Disable"} danger=${to === "disable"} onDo=${change} onClose=${onClose}>
    <p>${to === "enable"
      ? html`<strong>${dnsName ?? name}</strong> will be answered again, and its endpoints probed.`
      : html`<strong>${dnsName ?? name}</strong> will not exist any more until it is enabled again: whoever asks for it gets no answer (NXDOMAIN). Its endpoints are not probed.`}</p>
  <//>`;
}
