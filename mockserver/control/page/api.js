// Talks to the control API of the mock that served this page.

const TOKEN = "attendee-control-token";

/** Thrown for a request that was refused; `message` is the mock's own sentence. */
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

let busy = 0;
const watchers = new Set();

/** Calls `watcher(true)` when the first of several requests starts and `watcher(false)` when the last has ended. */
export function watchBusy(watcher) {
  watchers.add(watcher);
}

function count(by) {
  busy += by;
  for (const watcher of watchers) watcher(busy > 0);
}

export function setToken(token) {
  sessionStorage.setItem(TOKEN, token);
}

function headers(extra = {}) {
  const token = sessionStorage.getItem(TOKEN);
  return token ? { ...extra, "X-Control-Token": token } : extra;
}

/** The URL of a control path for a project, with the parameters that have a value. */
export function url(path, project, parameters = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...parameters, project })) {
    if (value !== undefined && value !== null && value !== "") query.set(name, value);
  }
  return `/__mock__/${path}${query.size ? `?${query}` : ""}`;
}

async function explained(response) {
  const text = await response.text();
  try {
    const body = JSON.parse(text);
    const first = body.errors ? body.errors[0] : body;
    const said = typeof first === "string" ? first : first.problem ?? first.error ?? first.detail ?? text;
    const about = first.field ? `${first.field}: ${said}` : said;
    return first.fix ? `${about} (${first.fix})` : about;
  } catch {
    return text || `The mock answered with status ${response.status}.`;
  }
}

/** Sends a control request and gives its JSON; raises Refused. */
export async function call(method, path, { project, body, parameters } = {}) {
  count(1);
  try {
    const response = await fetch(url(path, project, parameters), {
      method,
      headers: headers(body === undefined ? {} : { "Content-Type": "application/json" }),
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!response.ok) throw new Refused(response.status, await explained(response));
    return response.status === 204 ? null : await response.json();
  } finally {
    count(-1);
  }
}

/** Saves what a control path answers as a file. */
export async function download(path, name, options) {
  const content = await call("GET", path, options);
  save(name, JSON.stringify(content, null, 2), "application/json");
}

export function save(name, text, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/**
 * Follows the timeline of a project until `stop()` is called: one stream a tab, closed while the tab is hidden and
 * resumed after the last position. It is read with fetch, which unlike EventSource can send the control token.
 */
export function follow(project, { items, restart, state }) {
  let after = "0.0";
  let stopped = false;
  let open = null;

  async function read(controller) {
    const response = await fetch(url("timeline/stream", project, { after, wait: "300s" }), {
      headers: headers(),
      signal: controller.signal,
    });
    if (!response.ok) throw new Refused(response.status, await explained(response));
    state("live");
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      text += value;
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        event(text.slice(0, end));
        text = text.slice(end + 2);
      }
    }
  }

  function event(text) {
    const fields = {};
    for (const line of text.split("\n")) {
      const colon = line.indexOf(":");
      if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 1).trimStart();
    }
    if (fields.id) after = fields.id;
    if (fields.event === "restart") restart();
    if (fields.event === "items") items(JSON.parse(fields.data));
  }

  async function run() {
    let pause = 250;
    while (!stopped && !document.hidden && open === null) {
      open = new AbortController();
      try {
        await read(open);
        pause = 250;
      } catch (problem) {
        if (stopped || problem.name === "AbortError") break;
        state("lost", problem);
        if (problem instanceof Refused && problem.status < 500 && problem.status !== 429) break;
        await new Promise((resolve) => setTimeout(resolve, pause));
        pause = Math.min(pause * 2, 5000);
      } finally {
        open = null;
      }
    }
  }

  function visibility() {
    if (document.hidden) {
      open?.abort();
      state("hidden");
    } else {
      run();
    }
  }

  document.addEventListener("visibilitychange", visibility);
  run();
  return {
    stop() {
      stopped = true;
      open?.abort();
      document.removeEventListener("visibilitychange", visibility);
    },
  };
}
