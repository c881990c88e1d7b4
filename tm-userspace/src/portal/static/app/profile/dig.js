// @ts-check
// An answer as `dig` prints it.
import { html } from "../core/html.js";
import { Copy } from "../parts/copy.js";

/** @param {{ explained: any, answered: any, isPlaced: boolean }} props */
export function Dig({ explained, answered, isPlaced }) {
  // The daemon's own query goes without a client subnet: with one, the records that were explained are the ones.
  const records = isPlaced ? explained.now.answers[0]?.records ?? [] : answered.answers;
  const authorities = isPlaced ? explained.now.answers[0]?.authorities ?? [] : answered.authorities;
  const rcode = isPlaced ? explained.now.rcode : answered.rcode;
  const question = `;${explained.name}    IN    ${explained.kind}`;
  const text = [
    `;; ->>HEADER<<- opcode: QUERY, status: ${rcode}`,
    `;; flags: qr aa; QUERY: 1, ANSWER: ${records.length}, AUTHORITY: ${authorities.length}`,
    "", ";; QUESTION SECTION:", question,
    ...(records.length ? ["", ";; ANSWER SECTION:", ...records] : []),
    ...(authorities.length ? ["", ";; AUTHORITY SECTION:", ...authorities] : []),
  ].join("\n");
  const by = explained.check.by === "xdp" ? "answered by XDP, before the kernel's network stack" : `answered at the sockets${explained.check.reason ? `: ${explained.check.reason}` : ""}`;
  const command = `dig ${explained.name} ${explained.kind}${isPlaced ? ` +subnet=${explained.client.address}` : ""}`;
  return html`<div class="copied"><code>${command}</code><${Copy} text=${command} what="dig command" /></div>
    <pre class="dig" tabindex="0">${text}</pre>
    <p class="faint">${by}${isPlaced ? "" : `; ${answered.size} octets`}. Checked against the loaded program over ${explained.check.turns} ${explained.check.turns === 1 ? "turn" : "turns"}.</p>`;
}
