// @ts-check
// An operator's word goes before what the probes say, until it is taken back.
import { request } from "../core/api.js";
import { html, useState } from "../core/html.js";
import { say } from "../parts/announce.js";
import { Confirm } from "../parts/confirm.js";
import { Field } from "../parts/field.js";

const HOUR = 3_600_000;
const TIMES = [{ value: 1, label: "1 hour" }, { value: 2, label: "2 hours" }, { value: 8, label: "8 hours" }, { value: 24, label: "a day" }, { value: 0, label: "until it is ended" }];

/** @param {{ profile: string, endpoint: string, onDone: () => Promise<void>, onClose: () => void }} props */
export function ForceDialog({ profile, endpoint, onDone, onClose }) {
  const [state, setState] = useState("down");
  const [hours, setHours] = useState(2);
  const force = async () => {
    const until = hours ? new Date(Date.now() + hours * HOUR).toISOString() : null;
    const { data } = await request("POST", "/order", { body: { profile, endpoint, order: { force: { up: state === "up", until } } } });
    say(`${endpoint}: ${data.done}`);
    await onDone();
  };
  return html`<${Confirm} title=${`Force ${endpoint}`} action="Force" danger=${state === "down"} onDo=${force} onClose=${onClose}>
    <div class="grid two">
      <${Field} label="State"><select value=${state} onChange=${(/** @type {any} */ event) => setState(event.target.value)}>
        <option value="down">Down: it does not answer</option><option value="up">Up: it answers</option>
      </select><//>
      <${Field} label="For"><select value=${hours} onChange=${(/** @type {any} */ event) => setHours(Number(event.target.value))}>
        ${TIMES.map(({ value, label }) => html`<option value=${value} selected=${value === hours}>${label}</option>`)}
      </select><//>
    </div>
    <p class="faint">It is probed on, and its real state is shown.</p>
  <//>`;
}
