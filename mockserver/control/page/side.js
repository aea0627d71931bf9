// The panel on the left: the project's calendars with their events and upstreams, webhooks, faults, snapshots.

import { call } from "./api.js";
import { button, el } from "./dom.js";

const day = (text) => `${text.slice(5, 10)} ${text.slice(11, 16)}`;

export class Side {
  /** `act(method, path, body)` sends a control request, reports what went wrong, and shows the panel again. */
  constructor(host, { act, names, filterBy }) {
    Object.assign(this, { host, act, names, filterBy });
    this.chosen = null;
    this.turn = 0;
    this.opened = new Map();
    this.calendars = el("section", { "aria-label": "Calendars" });
    this.rest = el("section", { "aria-label": "Webhooks, faults and snapshots" });
    host.append(this.calendars, this.rest);
  }

  /** Reads everything again and shows it; what is being typed is kept. */
  async show(project) {
    if (project !== this.project) this.chosen = null;
    this.project = project;
    this.turn += 1;
    const turn = this.turn;
    const read = (path, parameters) => call("GET", path, { project, parameters });
    const [calendars, subscriptions, faults, snapshots] = await Promise.all([
      read("calendars", { limit: 200 }), read("subscriptions"), read("faults"), read("snapshots"),
    ]);
    const opened = calendars.calendars.find((one) => one.calendar === this.chosen);
    const [upstream, rows] = opened
      ? await Promise.all([read(`calendars/${opened.calendar}/upstream`, { limit: 50 }), read(`calendars/${opened.calendar}/events`, { limit: 50 })])
      : [null, null];
    if (turn !== this.turn) return;
    for (const one of calendars.calendars) this.names.set(one.calendar, one.deduplication_key ?? one.calendar);
    const typed = document.activeElement?.matches("input, select") ? document.activeElement : null;
    if (!typed || !this.calendars.contains(typed)) this.calendars.replaceChildren(...this.drawCalendars(calendars, opened, upstream, rows));
    if (!typed || !this.rest.contains(typed)) this.rest.replaceChildren(this.webhooks(subscriptions), this.faults(faults), this.snapshots(snapshots));
  }

  /** A part that folds; it stays as it was left when the panel is drawn again. */
  part(name, title, open, ...children) {
    if (!this.opened.has(name)) this.opened.set(name, open);
    const made = el("details", { open: this.opened.get(name), ontoggle: () => this.opened.set(name, made.open) }, el("summary", {}, title), ...children);
    return made;
  }

  drawCalendars(found, opened, upstream, rows) {
    return [
      el("h2", {}, "Calendars ", el("span", { class: "quiet" }, String(found.total))),
      el("ul", { class: "cards" }, found.calendars.map((one) => this.card(one, one === opened ? [upstream, rows] : null))),
      found.total > found.calendars.length ? el("p", { class: "quiet" }, `The first ${found.calendars.length} are shown.`) : null,
    ].filter(Boolean);
  }

  card(one, opened) {
    const path = `calendars/${one.calendar}`;
    const toggle = async () => {
      this.chosen = opened ? null : one.calendar;
      this.filterBy(this.chosen ?? "");
      await this.show(this.project);
    };
    const name = one.deduplication_key ?? one.calendar;
    return el("li", { class: `card ${one.state}` },
      el("button", { type: "button", class: "card-head", "aria-expanded": String(Boolean(opened)), onclick: toggle },
        el("span", { class: "name" }, name),
        el("span", { class: "quiet" }, `${one.platform}, ${one.events} events`),
        el("span", { class: `state ${one.state}` }, one.failure ? `${one.state}, upstream: ${one.failure.name}` : one.state)),
      opened ? el("div", { class: "card-body" },
        el("div", { class: "buttons" },
          button("Sync now", () => this.act("POST", `${path}/sync`)),
          one.failure
            ? button("Reconnect", () => this.act("POST", `${path}/reconnect`))
            : button("Revoke access", () => this.act("POST", `${path}/fail`, { failure: "revoked" }))),
        one.sync_due ? el("p", { class: "quiet" }, `Next sync: ${one.sync_due}`) : null,
        this.upstream(path, opened[0]),
        this.rows(opened[1])) : null);
  }

  upstream(path, found) {
    const form = el("form", { class: "inline", onsubmit: async (event) => {
      event.preventDefault();
      const data = new FormData(form);
      if (await this.act("POST", `${path}/upstream/events`, { title: data.get("title"), start: data.get("start") })) form.reset();
    } },
      el("label", {}, el("span", { class: "hidden" }, "Title"), el("input", { name: "title", required: true, placeholder: "Title", autocomplete: "off" })),
      el("label", {}, el("span", { class: "hidden" }, "Start"), el("input", { name: "start", required: true, placeholder: "Start: 2h", value: "2h", autocomplete: "off" })),
      el("button", { type: "submit", class: "main" }, "Add"));
    return el("div", {}, el("h3", {}, "Upstream events"), form,
      el("ul", { class: "events" }, found.events.map((event) => {
        const one = `${path}/upstream/events/${encodeURIComponent(event.id)}`;
        const start = event.start?.dateTime ?? event.start?.date ?? "";
        return el("li", {},
          el("span", { class: "event" }, event.summary ?? event.subject ?? "Untitled"),
          el("span", { class: "quiet" }, start ? day(`${start}`) : "no time"),
          el("span", { class: "buttons small" },
            button("Move 1 h", () => this.move(one, event), { "aria-label": `Move ${event.summary ?? event.subject ?? event.id} by one hour` }),
            button("Cancel", () => this.act("POST", `${one}/cancel`), { "aria-label": `Cancel ${event.summary ?? event.subject ?? event.id}` })));
      })),
      found.total > found.events.length ? el("p", { class: "quiet" }, `${found.events.length} of ${found.total} are shown.`) : null);
  }

  move(path, event) {
    const at = event.start?.dateTime;
    if (!at) return this.act("PATCH", path, { start: "1h" });
    const zoned = /(Z|[+-]\d\d:\d\d)$/.test(at) ? at : `${at.slice(0, 19)}Z`;
    const later = new Date(new Date(zoned).getTime() + 3600_000).toISOString().replace(/\.\d+Z$/, "Z");
    return this.act("PATCH", path, { start: later });
  }

  rows(found) {
    return this.part("rows", `Events in the service (${found.total})`, false,
      el("ul", { class: "events" }, found.events.map((event) => el("li", { class: event.is_deleted ? "deleted" : "" },
        el("span", { class: "event" }, event.name ?? "Untitled"),
        el("span", { class: "quiet" }, `${day(event.start_time)}${event.is_deleted ? ", deleted" : ""}`)))));
  }

  webhooks({ subscriptions }) {
    const form = el("form", { class: "inline", onsubmit: async (event) => {
      event.preventDefault();
      if (await this.act("POST", "subscriptions", { url: new FormData(form).get("url") })) form.reset();
    } },
      el("label", { class: "grow" }, el("span", { class: "hidden" }, "URL of a receiver"), el("input", { name: "url", type: "url", required: true, placeholder: "http://127.0.0.1:3000/webhook" })),
      el("button", { type: "submit" }, "Subscribe"));
    return this.part("webhooks", `Webhooks (${subscriptions.length})`, true, form,
      el("ul", { class: "events" }, subscriptions.map((one) => el("li", {},
        el("span", { class: "event" }, one.url), el("span", { class: "quiet" }, one.active ? "active" : "off"),
        el("span", { class: "buttons small" },
          button(one.active ? "Switch off" : "Switch on", () => this.act("PATCH", `subscriptions/${one.id}`, { active: !one.active })),
          button("Delete", () => this.act("DELETE", `subscriptions/${one.id}`)))))));
  }

  faults({ faults, kinds }) {
    const form = el("form", { class: "inline", onsubmit: async (event) => {
      event.preventDefault();
      const data = new FormData(form);
      await this.act("POST", "faults", { kind: data.get("kind"), first: Number(data.get("first")) });
    } },
      el("label", {}, el("span", { class: "hidden" }, "Kind of fault"), el("select", { name: "kind" }, Object.entries(kinds).map(([name, kind]) => el("option", { value: name, title: kind.meaning }, name)))),
      el("label", {}, "first ", el("input", { name: "first", type: "number", min: 1, max: 1000, value: 1, class: "number" })),
      el("button", { type: "submit" }, "Add fault"));
    return this.part("faults", `Faults (${faults.length})`, false, form,
      el("ul", { class: "events" }, faults.map((one) => el("li", {}, el("span", { class: "event" }, one.name), el("span", { class: "quiet" }, one.kind),
        el("span", { class: "buttons small" }, button("Remove", () => this.act("DELETE", `faults/${encodeURIComponent(one.name)}`)))))));
  }

  snapshots({ snapshots }) {
    return this.part("snapshots", `Snapshots (${snapshots.length})`, false,
      el("div", { class: "buttons" }, button("Take a snapshot", () => this.act("POST", "snapshots"))),
      el("ul", { class: "events" }, snapshots.map((one) => el("li", {}, el("span", { class: "event" }, one.id), el("span", { class: "quiet" }, day(one.now)),
        el("span", { class: "buttons small" }, button("Restore", () => this.act("POST", `snapshots/${one.id}/restore`)), button("Delete", () => this.act("DELETE", `snapshots/${one.id}`)))))));
  }
}
