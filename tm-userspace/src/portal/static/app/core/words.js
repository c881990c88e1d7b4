// @ts-check
// Words for what the API has words for, as people know them.

/** @typedef {{ value: string, label: string, also: string, says: string }} Method */

/** @type {Method[]} */
export const METHODS = [
  { value: "priority", label: "Priority", also: "Failover", says: "The first endpoint that is up answers; the others are its backups, in order." },
  { value: "weighted", label: "Weighted", also: "Round Robin", says: "All that are up answer in turn, each in proportion to its weight." },
  { value: "performance", label: "Performance", also: "", says: "The endpoint in the region nearest to the client answers." },
  { value: "geographic", label: "Geographic", also: "", says: "The endpoint that the client's country or region is mapped to answers." },
  { value: "subnet", label: "Subnet", also: "", says: "The endpoint that the client's network is mapped to answers." },
  { value: "multivalue", label: "MultiValue", also: "", says: "Several addresses at once, of those that are up." },
];

/** @param {string | null | undefined} value @returns {string} */
export function methodLabel(value) {
  return METHODS.find((method) => method.value === value)?.label ?? value ?? "";
}

/** As the routing method is offered: with what it was called in 2012. @param {Method} method @returns {string} */
export function methodOption(method) {
  return method.also ? `${method.label} (${method.also})` : method.label;
}

/** A routing method of a document in the word of METHODS. @param {string | undefined} written @returns {string} */
export function methodOf(written) {
  const word = (written ?? "priority").toLowerCase();
  /** @type {Record<string, string>} */
  const others = { failover: "priority", round_robin: "weighted", roundrobin: "weighted", "round robin": "weighted", multi_value: "multivalue" };
  return others[word] ?? word;
}

/** @typedef {"good" | "bad" | "some" | "wait" | "off" | "plain"} Tone */

/** @type {Record<string, { label: string, tone: Tone, says: string }>} */
const STATUSES = {
  Online: { label: "Online", tone: "good", says: "The last probes succeeded." },
  Degraded: { label: "Degraded", tone: "bad", says: "Probes fail." },
  CheckingEndpoint: { label: "Checking", tone: "wait", says: "No verdict yet: it answers meanwhile." },
  CheckingEndpoints: { label: "Checking", tone: "wait", says: "No verdict on any endpoint yet." },
  Disabled: { label: "Disabled", tone: "off", says: "Switched off by an operator." },
  Inactive: { label: "Inactive", tone: "off", says: "There is no endpoint that could answer, or the profile is disabled." },
  Stopped: { label: "Stopped", tone: "off", says: "What it stands for is switched off." },
  Unmonitored: { label: "Unmonitored", tone: "plain", says: "Always served: nobody probes it." },
};

/** @param {string | null | undefined} status */
export function statusWord(status) {
  if (!status) return { label: "Not in force", tone: /** @type {Tone} */ ("bad"), says: "It does not fit with the other profiles and is not answered." };
  return STATUSES[status] ?? { label: status, tone: /** @type {Tone} */ ("plain"), says: "" };
}

/** Kinds of services, as the portal's users know them. @type {Record<string, string>} */
export const SERVICE_KINDS = { public_ip: "Public IP address", web_app: "App Service", cloud_service: "Cloud service", other: "Other" };

/** @param {number} count @param {string} one @param {string} [many] @returns {string} */
export function counted(count, one, many = `${one}s`) {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

/** A share as a percentage. @param {number | null | undefined} share @returns {string} */
export function percent(share) {
  if (share === null || share === undefined || Number.isNaN(share)) return "–";
  const value = share * 100;
  return `${value > 0 && value < 10 && value % 1 !== 0 ? value.toFixed(1) : Math.round(value)} %`;
}

/** A rate, short. @param {number | undefined} rate @returns {string} */
export function perSecond(rate) {
  const value = rate ?? 0;
  if (value === 0) return "0";
  if (value < 10) return value.toFixed(1);
  if (value < 10_000) return Math.round(value).toLocaleString("en");
  return value < 1_000_000 ? `${(value / 1_000).toFixed(1)} k` : `${(value / 1_000_000).toFixed(2)} M`;
}

/** Milliseconds in the unit that suits. @param {number} ms @returns {string} */
export function duration(ms) {
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  if (ms < 120_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
}
