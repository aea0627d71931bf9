// The client that orval generates: it lists, creates, changes and deletes a calendar.
import {
  EventOrdering,
  createCalendar,
  deleteCalendar,
  listCalendarEvents,
  listCalendars,
  updateCalendar,
} from "./client.ts";

const [base, key] = process.argv.slice(2);
const plain = globalThis.fetch;
globalThis.fetch = (path, options) => plain(`${base}${path}`, options);
const options = { headers: { Authorization: `Token ${key}`, "Content-Type": "application/json" } };

const before = await listCalendars({}, options);
const made = await createCalendar(
  { platform: "google", client_id: "orval", client_secret: "secret", refresh_token: "token" },
  options,
);
if (made.status !== 201) throw new Error(`create was answered ${made.status}`);
const changed = await updateCalendar(made.data.id, { metadata: { language: "changed" } }, options);
if (changed.status !== 200) throw new Error(`update was answered ${changed.status}`);
const events = await listCalendarEvents({ ordering: EventOrdering.StartTimeDescending }, options);
if (events.status !== 200) throw new Error(`list was answered ${events.status}`);
const deleted = await deleteCalendar(made.data.id, options);
const after = await listCalendars({}, options);
if (before.status !== 200 || after.status !== 200) throw new Error("list was refused");
console.log(
  JSON.stringify({
    state: made.data.state,
    metadata: changed.data.metadata,
    same: deleted.status === 200 && before.data.results.length === after.data.results.length,
    events: events.data.results.length > 0,
  }),
);
