// The panel on the right: everything about the opened entry.

import { call, Refused } from "./api.js";
import { asCurl, asPytest, asRecording, compared } from "./copy.js";
import { button, clockTime, duration, el, facts } from "./dom.js";

const pretty = (message) => {
  if (message.json !== undefined) return JSON.stringify(message.json, null, 2);
  return message.body ?? "";
};

function message(title, one) {
  const text = pretty(one);
  const size = `${one.bytes} bytes${one.cut ? ", cut" : ""}`;
  return el(
    "section",
    { class: "message" },
    el("h3", {}, title),
    el("details", { class: "headers" },
      el("summary", {}, `${one.headers.length} headers`),
      el("table", {}, el("tbody", {}, one.headers.map(([name, value]) => el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, value)))))),
    text
      ? el("pre", { tabindex: "0", "aria-label": `${title}: body, ${size}` }, text)
      : el("p", { class: "quiet" }, "No body"),
    text ? el("p", { class: "quiet" }, size) : null,
  );
}

export class Detail {
  /** `act(method, path, body)` sends a control request and reports what went wrong; `stories` has all items. */
  constructor(host, { act, say, stories, project, reveal }) {
    Object.assign(this, { host, act, say, stories, project, reveal });
    this.turn = 0;
  }

  close() {
    this.turn += 1;
    this.host.hidden = true;
    this.host.replaceChildren();
  }

  async open(item, { focus = false } = {}) {
    this.turn += 1;
    const turn = this.turn;
    this.host.hidden = false;
    let parts;
    try {
      parts = item.number === undefined ? this.note(item) : await this.entry(item);
    } catch (problem) {
      if (!(problem instanceof Refused)) throw problem;
      parts = [el("p", { class: "quiet" }, problem.message)];
    }
    // Another entry may have been opened while this one was read.
    if (turn !== this.turn) return;
    this.host.replaceChildren(this.head(item), ...parts);
    this.host.scrollTop = 0;
    if (focus) this.host.focus();
  }

  head(item) {
    const below = [...this.stories.items.values()].filter((one) => one.cause === item.id);
    const link = (one) => button(`${clockTime(one.time)} ${one.title}`, () => this.reveal(one.id), { class: "plain" });
    const cause = item.cause && this.stories.items.get(item.cause);
    return el(
      "header",
      {},
      el("div", { class: "bar" }, el("h2", {}, item.title), button("Close", () => this.close(), { class: "quiet" })),
      cause ? el("p", { class: "cause" }, "Caused by ", link(cause)) : null,
      below.length ? el("p", { class: "cause" }, "Caused ", below.slice(0, 8).map(link), below.length > 8 ? ` and ${below.length - 8} more` : "") : null,
    );
  }

  note(item) {
    const detail = Object.entries(item.detail ?? {}).map(([name, value]) => [name.replaceAll("_", " "), value === null ? null : String(value)]);
    return [facts([["Time", item.time], ["Calendar", item.calendar], ["Reason", item.why], ...detail])];
  }

  async entry(item) {
    const entry = await call("GET", `requests/${item.number}`);
    const explains = entry.kind === "exchange" && (entry.status >= 400 || entry.method !== "GET");
    const why = explains ? await this.explained(item.number) : [];
    return [
      facts([
        ["Status", entry.status || "no response"],
        ["Time", `${entry.time}, ${duration(entry.seconds)}`],
        ["Operation", entry.operation],
        ["Key", entry.key],
        ["Receiver", entry.url],
        ["Attempt", entry.attempt],
        ["Idempotency key", entry.idempotency_key],
        ["Reason", entry.reason],
        ["Fault", entry.fault && `${entry.fault.name} (${entry.fault.kind})`],
      ]),
      this.copies(entry),
      ...(entry.remarks?.length ? [el("section", { class: "remarks" }, el("h3", {}, "The contract says otherwise"), el("ul", {}, entry.remarks.map((one) => el("li", {}, one))))] : []),
      ...why,
      el("div", { class: "pair" },
        message(entry.kind === "delivery" ? "Webhook" : "Request", entry.request),
        message(entry.kind === "delivery" ? "Receiver's response" : "Response", entry.response)),
      ...(entry.kind === "delivery" ? [this.delivery(entry)] : []),
    ];
  }

  async explained(number) {
    const found = await call("GET", `explain/${number}`);
    const lines = [];
    const add = (term, value) => {
      if (value === null || value === undefined || (Array.isArray(value) && !value.length)) return;
      if (typeof value === "string" || typeof value === "number") lines.push([term, String(value)]);
      else lines.push([term, el("pre", { tabindex: "0", "aria-label": term }, JSON.stringify(value, null, 2))]);
    };
    for (const [name, value] of Object.entries(found)) {
      if (["id", "status", "operation", "method", "path", "time", "project", "kind"].includes(name)) continue;
      add(name.replaceAll("_", " "), value);
    }
    return lines.length ? [el("section", { class: "explanation" }, el("h3", {}, "Explanation"), facts(lines))] : [];
  }

  copies(entry) {
    const copy = (what, text) => button(`Copy as ${what}`, async () => {
      await navigator.clipboard.writeText(text());
      this.say(`Copied as ${what}.`);
    });
    return el("div", { class: "buttons" },
      copy("curl", () => asCurl(entry, location.origin)),
      copy("pytest", () => asPytest(entry)),
      copy("recording", () => asRecording(entry)));
  }

  delivery(entry) {
    const others = [...this.stories.items.values()].filter((one) => one.kind === "delivery" && one.number !== entry.id).slice(-50).reverse();
    const difference = el("div", { class: "difference", "aria-live": "polite" });
    const choice = el("select", {
      onchange: async () => {
        if (!choice.value) return difference.replaceChildren();
        const other = await call("GET", `requests/${choice.value}`);
        const text = (one) => [...one.request.headers.map((pair) => pair.join(": ")), "", pretty(one.request)].join("\n");
        const lines = compared(text(entry), text(other)).filter(([mark]) => mark !== "=");
        difference.replaceChildren(lines.length
          ? el("pre", { tabindex: "0", "aria-label": "Differences" }, lines.map(([mark, line]) => el("span", { class: mark === "+" ? "added" : "removed" }, `${mark} ${line}\n`)))
          : el("p", { class: "quiet" }, "The two are the same."));
        return undefined;
      },
    }, el("option", { value: "" }, "Another delivery…"), others.map((one) => el("option", { value: one.number }, `${clockTime(one.time)} ${one.title}, attempt ${one.attempt}`)));
    return el("section", {},
      el("div", { class: "buttons" }, button("Resend", () => this.act("POST", `deliveries/${entry.idempotency_key}/resend`), { class: "main" })),
      el("label", { class: "field" }, "Compare with ", choice), difference);
  }
}
