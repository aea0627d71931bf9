// An entry of the journal as text to paste elsewhere: a curl line, a pytest function, a recording.

const MASK = /^\*+|^Token \*+|\*{3,}/;
const SKIPPED = new Set(["host", "content-length", "connection", "accept-encoding", "user-agent", "transfer-encoding"]);

const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
const target = (entry) => entry.path + (entry.query ? `?${entry.query}` : "");

/** A header as it has to be sent: a masked key becomes a variable that the reader's shell fills in. */
function header(name, value) {
  if (name.toLowerCase() === "authorization") return `-H "Authorization: Token $ATTENDEE_API_KEY"`;
  return `-H ${quoted(`${name}: ${value}`)}`;
}

function sentHeaders(entry) {
  const kept = entry.request.headers.filter(([name]) => !SKIPPED.has(name.toLowerCase()));
  // Without a key there was nothing to mask; what was no key at all is sent as it was.
  return kept.filter(([name, value]) => name.toLowerCase() !== "authorization" || MASK.test(value) || value);
}

/** One line for a shell; it needs ATTENDEE_API_KEY where the request had a key. */
export function asCurl(entry, origin) {
  if (entry.kind === "delivery") {
    const headers = entry.request.headers.filter(([name]) => !SKIPPED.has(name.toLowerCase()));
    return [
      `curl -i -X POST ${quoted(entry.url)}`,
      ...headers.map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`),
      ...(entry.request.body ? [`--data-binary ${quoted(entry.request.body)}`] : []),
    ].join(" ");
  }
  const parts = [`curl -i -X ${entry.method} ${quoted(origin + target(entry))}`];
  parts.push(...sentHeaders(entry).map(([name, value]) => header(name, value)));
  if (entry.request.body) parts.push(`--data-binary ${quoted(entry.request.body)}`);
  return parts.join(" ");
}

/** A value as Python writes it. */
function python(value, indent = "    ") {
  if (value === null || value === undefined) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return JSON.stringify(value);
  const inner = `${indent}    `;
  if (Array.isArray(value)) {
    return value.length ? `[\n${value.map((one) => `${inner}${python(one, inner)},`).join("\n")}\n${indent}]` : "[]";
  }
  const members = Object.entries(value);
  if (!members.length) return "{}";
  return `{\n${members.map(([name, one]) => `${inner}${JSON.stringify(name)}: ${python(one, inner)},`).join("\n")}\n${indent}}`;
}

const snake = (name) => (name ?? "request").replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** A test for the pytest plugin that sends the request and expects the same status. */
export function asPytest(entry) {
  if (entry.kind === "delivery") {
    return [
      `def test_${entry.trigger.replaceAll(".", "_")}_arrives(attendee_webhooks):`,
      `    body = attendee_webhooks.wait_for(${JSON.stringify(entry.trigger)})`,
      `    assert body["trigger"] == ${JSON.stringify(entry.trigger)}`,
      "",
    ].join("\n");
  }
  const hasKey = entry.request.headers.some(([name]) => name.toLowerCase() === "authorization");
  const body = entry.request.json !== undefined
    ? `,\n        json=${python(entry.request.json, "        ")}`
    : entry.request.body ? `,\n        data=${python(entry.request.body)}.encode()` : "";
  return [
    "import requests",
    "",
    "",
    `def test_${snake(entry.operation)}_answers_${entry.status}(attendee_project):`,
    "    response = requests.request(",
    `        ${JSON.stringify(entry.method)},`,
    `        attendee_project.base_url + ${JSON.stringify(target(entry))}${hasKey ? ",\n        headers=attendee_project.headers" : ""}${body},`,
    "        timeout=10,",
    "    )",
    `    assert response.status_code == ${entry.status}`,
    "",
  ].join("\n");
}

/** A scenario as in the mock's own recordings: one step with its request and response. */
export function asRecording(entry) {
  const message = (one) => one.json ?? one.body;
  const step = {
    request: {
      method: entry.method,
      path: entry.kind === "delivery" ? entry.url : target(entry),
      headers: Object.fromEntries(entry.request.headers),
      body: message(entry.request),
    },
    response: {
      status: entry.status,
      headers: Object.fromEntries(entry.response.headers),
      body: message(entry.response),
    },
  };
  const name = entry.kind === "delivery" ? entry.trigger : snake(entry.operation).replaceAll("_", "-");
  return `${JSON.stringify({ name: `${name}-${entry.id}`, about: `Entry ${entry.id} of the journal`, steps: [step] }, null, 1)}\n`;
}

/** The lines of two texts, each with "=" where both have it, "-" for the first alone and "+" for the second alone. */
export function compared(first, second) {
  const [a, b] = [first.split("\n"), second.split("\n")];
  const most = 2000;
  if (a.length > most || b.length > most) return [["-", `${a.length} lines`], ["+", `${b.length} lines: too long to compare`]];
  const longest = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      longest[i][j] = a[i] === b[j] ? longest[i + 1][j + 1] + 1 : Math.max(longest[i + 1][j], longest[i][j + 1]);
    }
  }
  const lines = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) lines.push(["=", a[i++], j++]);
    else if (j >= b.length || (i < a.length && longest[i + 1][j] >= longest[i][j + 1])) lines.push(["-", a[i++]]);
    else lines.push(["+", b[j++]]);
  }
  return lines;
}
