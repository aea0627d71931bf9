// A small program with the types of openapi-typescript: it lists, creates, changes and deletes a calendar.
import type { components, operations } from "./schema.ts";

type Calendar = components["schemas"]["Calendar"];
type CalendarPage = components["schemas"]["CalendarPage"];
type EventPage = operations["listCalendarEvents"]["responses"][200]["content"]["application/json"];
type Ordering = components["schemas"]["EventOrdering"];

const [base, key] = process.argv.slice(2);

async function call<T>(method: string, path: string, status: number, body?: unknown): Promise<T> {
  const answer = await fetch(`${base}${path}`, {
    method,
    headers: { Authorization: `Token ${key}`, "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (answer.status !== status) throw new Error(`${method} ${path} was answered ${answer.status}`);
  const text = await answer.text();
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

const create: components["schemas"]["CalendarCreate"] = {
  platform: "google",
  client_id: "typescript",
  client_secret: "secret",
  refresh_token: "token",
  metadata: { language: "typescript" },
};
const update: components["schemas"]["CalendarUpdate"] = { metadata: { language: "changed" } };
const ordering: Ordering = "-start_time";

const before = await call<CalendarPage>("GET", "/api/v1/calendars", 200);
const made = await call<Calendar>("POST", "/api/v1/calendars", 201, create);
const changed = await call<Calendar>("PATCH", `/api/v1/calendars/${made.id}`, 200, update);
const events = await call<EventPage>("GET", `/api/v1/calendar_events?ordering=${ordering}`, 200);
const addresses: (string | null)[] = (events.results[0]?.attendees ?? []).map((attendee) => attendee.email);
await call<undefined>("DELETE", `/api/v1/calendars/${made.id}`, 200);
const after = await call<CalendarPage>("GET", "/api/v1/calendars", 200);
console.log(
  JSON.stringify({
    state: made.state,
    metadata: changed.metadata,
    same: before.results.length === after.results.length,
    events: events.results.length > 0 && Array.isArray(addresses),
  }),
);
