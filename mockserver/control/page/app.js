// Puts the page together: chooses a project, follows its timeline, and sends what the buttons ask for.

import { call, download, follow, Refused, setToken, watchBusy } from "./api.js";
import { Detail } from "./detail.js";
import { button, el } from "./dom.js";
import { List } from "./list.js";
import { Side } from "./side.js";
import { isFiltering, Stories } from "./stories.js";

const byId = (id) => document.getElementById(id);
const form = byId("filters");
const stories = new Stories();
let project;
let stream;
let clock;
let due = false;
let refresh;

const filters = () => Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.trim()]));

function say(text, { problem = false } = {}) {
  const notice = byId("notice");
  notice.textContent = text;
  notice.classList.toggle("problem", problem);
  notice.hidden = !text;
  clearTimeout(say.timer);
  if (text && !problem) say.timer = setTimeout(() => say(""), 4000);
}

/** Sends a control request; whether it was accepted. */
async function act(method, path, body, parameters) {
  try {
    await call(method, path, { project, body, parameters });
    say("");
    return true;
  } catch (problem) {
    if (!(problem instanceof Refused)) throw problem;
    say(problem.message, { problem: true });
    return false;
  } finally {
    later();
  }
}

/** Reads the panels again, once for all that happens within a moment. */
function later() {
  clearTimeout(refresh);
  refresh = setTimeout(async () => {
    try {
      await Promise.all([side.show(project), showClock()]);
      soon();
    } catch (problem) {
      if (!(problem instanceof Refused)) throw problem;
      say(problem.message, { problem: true });
    }
  }, 120);
}

const detail = new Detail(byId("detail"), { act, say, stories, project: () => project, reveal });
const list = new List(byId("timeline"), {
  onopen: (item, options) => detail.open(item, options),
  onfold: (story, folded) => {
    stories.fold(story, folded);
    draw();
  },
});
const side = new Side(byId("side"), {
  act,
  names: list.names,
  filterBy: (calendar) => {
    options(form.elements.calendar, calendar ? [calendar, ...stories.calendars] : stories.calendars, (id) => list.names.get(id) ?? id);
    form.elements.calendar.value = calendar;
    draw();
  },
});

function reveal(id) {
  const item = stories.items.get(id);
  if (!item) return;
  if (!list.rows.some((one) => one.item.id === id)) {
    stories.fold(item.story, false);
    form.reset();
    draw();
  }
  list.select(id);
}

function draw() {
  const chosen = filters();
  const rows = stories.rows(chosen);
  list.show(rows);
  const shown = isFiltering(chosen) ? rows.filter((one) => !one.muted).length : stories.items.size;
  byId("count").textContent = isFiltering(chosen) ? `${shown} of ${stories.items.size}` : `${shown} entries`;
  const empty = byId("empty");
  empty.hidden = rows.length > 0;
  empty.textContent = stories.items.size
    ? "No entry passes the filters."
    : `Nothing has happened yet. Send a request to ${location.origin}/api/v1/calendars with the project's key, or add an event to a calendar on the left.`;
}

function soon() {
  if (due) return;
  due = true;
  requestAnimationFrame(() => {
    due = false;
    options(form.elements.operation, stories.operations);
    options(form.elements.calendar, stories.calendars, (id) => list.names.get(id) ?? id);
    draw();
  });
}

/** Adds options that are not there yet, and brings the texts of the others up to date. */
function options(select, values, text = (value) => value) {
  const there = new Map([...select.options].map((option) => [option.value, option]));
  for (const value of values) {
    const option = there.get(value);
    if (option) option.textContent = text(value);
    else select.append(el("option", { value }, text(value)));
    there.set(value, option ?? select.lastElementChild);
  }
}

async function showClock() {
  const one = await call("GET", "project", { project });
  clock = one.clock;
  const span = byId("span") ?? el("input", { id: "span", value: "1h", size: 5, "aria-label": "Advance the clock by", autocomplete: "off" });
  byId("clock").replaceChildren(
    el("time", { datetime: clock.now }, clock.now.replace("T", " ").slice(0, 19)),
    el("span", { class: `badge ${clock.frozen ? "frozen" : ""}` }, clock.frozen ? "frozen" : "running"),
    button(clock.frozen ? "Run" : "Freeze", () => act("POST", clock.frozen ? "clock/run" : "clock/freeze")),
    span,
    button("Advance", () => act("POST", "clock/advance", { by: span.value })),
  );
}

async function clear() {
  if (await act("DELETE", "requests")) {
    stories.clear();
    detail.close();
    draw();
  }
}

function tools() {
  byId("tools").replaceChildren(
    button("Fold all", () => {
      stories.foldAll(stories.folded.size === 0);
      draw();
    }),
    button("Clear", clear),
    button("Export HAR", () => download("requests.har", `${project}.har`, { project, parameters: { limit: 1000, kind: "any" } })),
    button("Snapshot", () => act("POST", "snapshots")),
    button("Reset", () => act("POST", "project/reset")),
  );
}

function choose(name) {
  stream?.stop();
  project = name;
  history.replaceState(null, "", `#${encodeURIComponent(name)}`);
  stories.clear();
  detail.close();
  list.selected = null;
  form.reset();
  draw();
  later();
  stream = follow(project, {
    items: (items) => {
      stories.add(items);
      soon();
      if (items.some((item) => item.kind !== "exchange" || item.operation?.match(/^(create|update|delete)/))) later();
    },
    restart: () => {
      stories.clear();
      soon();
    },
    state: (state, problem) => {
      const texts = { live: "Live", hidden: "Paused", lost: "The mock does not answer; trying again…" };
      byId("link").textContent = problem instanceof Refused ? problem.message : texts[state];
      byId("link").dataset.state = state;
    },
  });
}

/** Asks for the control token, which a mock that others can reach wants from everybody. */
function askToken(message) {
  const entry = el("form", { class: "token", onsubmit: (event) => {
    event.preventDefault();
    setToken(new FormData(entry).get("token"));
    entry.remove();
    start();
  } },
    el("h2", {}, "Control token"), el("p", {}, message),
    el("label", { class: "field" }, "Token ", el("input", { name: "token", type: "password", required: true, autocomplete: "off" })),
    el("button", { type: "submit", class: "main" }, "Continue"));
  document.querySelector("main").prepend(entry);
  entry.querySelector("input").focus();
}

async function start() {
  let found;
  try {
    found = await call("GET", "projects");
  } catch (problem) {
    if (!(problem instanceof Refused)) {
      byId("link").textContent = "The mock does not answer. Is it still running? Reload the page to try again.";
    } else if (problem.status === 401) askToken(problem.message);
    else say(problem.message, { problem: true });
    return;
  }
  const select = byId("project");
  select.replaceChildren(...found.projects.map((one) => el("option", { value: one.name }, one.name)));
  const wanted = decodeURIComponent(location.hash.slice(1));
  const names = found.projects.map((one) => one.name);
  select.value = names.includes(wanted) ? wanted : names[0];
  tools();
  choose(select.value);
}

byId("project").addEventListener("change", (event) => choose(event.target.value));
form.addEventListener("input", draw);
form.addEventListener("submit", (event) => event.preventDefault());
watchBusy((busy) => document.documentElement.classList.toggle("busy", busy));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !byId("detail").hidden) {
    detail.close();
    byId("timeline").focus();
  }
  if (event.key === "/" && !event.target.closest("input, select, textarea")) {
    event.preventDefault();
    form.elements.text.focus();
  }
});
start();
