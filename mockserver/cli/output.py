"""Answers of the control API as lines of text: the data, and apart from it what a person may want to know."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class Shown(NamedTuple):
    """What is printed of an answer."""

    lines: list[str]
    """The data, for standard output."""
    notes: list[str] = []  # noqa: RUF012 -- never changed
    """What it means or what to do next, for standard error."""


def rows(name: str, row: Callable[[Mapping[str, Any]], str], none: str) -> Callable[[Any], Shown]:
    """A function that prints the list of this name, a row a line; `none` is the note where the list is empty."""

    def show(answer: Any) -> Shown:
        found = answer.get(name) or []
        return Shown([row(one) for one in found], [] if found else [none])

    return show


def cells(*names: str) -> Callable[[Mapping[str, Any]], str]:
    """A function that prints these members of a row, two blanks apart; those without a value are left out."""

    def row(one: Mapping[str, Any]) -> str:
        return "  ".join(cell(one[name]) for name in names if one.get(name) not in (None, ""))

    return row


def cell(value: Any) -> str:
    """A value in one line."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def fields(answer: Any) -> Shown:
    """The members of an object, a line each."""
    return Shown([f"{name}: {cell(value)}" for name, value in answer.items()])


def done(note: str) -> Callable[[Any], Shown]:
    """A function that prints no data, only this note."""
    return lambda answer: Shown([], [note])


def document(answer: Any) -> Shown:
    """An answer that is a document: JSON in either format."""
    return Shown([json.dumps(answer, indent=2, ensure_ascii=False)])


def written(answer: Any) -> Shown:
    """A document, or the name of the file that it went to."""
    return Shown([], [f"wrote {answer['written']}"]) if answer.keys() == {"written"} else document(answer)


def happening(one: Mapping[str, Any]) -> str:
    """Something that happened in a project: when, what, to what, with which outcome."""
    if one["what"] == "scheduler":
        due = one["detail"].get("enqueued", 0)
        calendars = "1 calendar is" if due == 1 else f"{due} calendars are"
        return f"{one['at']}  scheduler: {calendars} due for the daily sync"
    detail = " ".join(f"{name}={cell(value)}" for name, value in one["detail"].items() if value not in (None, 0))
    return f"{one['at']}  {one['what']} {one['subject']}: {one['outcome']}  {detail}".rstrip()


def _time(value: Any) -> str:
    """When an object begins or ends, in the shape of either platform."""
    return str(value.get("dateTime") or value.get("date")) if isinstance(value, dict) else "-"


def _object(one: Mapping[str, Any]) -> str:
    gone = one.get("status") == "cancelled" or one.get("isCancelled")
    title = one.get("summary") or one.get("subject") or "(no title)"
    shown = f"{one.get('id')}  {_time(one.get('start'))} to {_time(one.get('end'))}  {title}"
    return f"{shown}  cancelled" if gone else shown


def _due(answer: Mapping[str, Any]) -> str:
    due = answer.get("sync_due")
    if due:
        return f"the service sees it with the sync at {due}; attendee-mock sync CALENDAR syncs now"
    return "the service sees it with the next sync, and none is due; attendee-mock sync CALENDAR syncs now"


def upstream(answer: Any) -> Shown:
    """What is in a calendar, an object a line."""
    failure, events = answer.get("failure"), answer["events"]
    notes = [] if events else ["no events"]
    return Shown([_object(one) for one in events], notes + ([f"its syncs fail: {failure['name']}"] if failure else []))


def edit(answer: Any) -> Shown:
    """The objects as an edit left them; the note says when the service will see it."""
    events = answer.get("events") or []
    lines = [_object(one) for one in events] or [str(answer["id"])]
    return Shown(lines, [_due(answer)])


def connection(answer: Any) -> Shown:
    """How a calendar is, and how its syncs fail."""
    failure = answer.get("failure")
    shown = f"{answer['calendar']}  {answer['state']}"
    return Shown([f"{shown}  its syncs fail: {failure['name']}" if failure else shown], [_due(answer)])


def sync(answer: Any) -> Shown:
    """What came of a sync."""
    return Shown([happening(answer)])


def clock(answer: Any) -> Shown:
    """What happened, then the time and whether the clock runs."""
    state = "frozen" if answer["frozen"] else "running"
    return Shown([*map(happening, answer.get("happened", [])), f"{answer['now']}  clock {state}"])


def _delivery(one: Mapping[str, Any]) -> str:
    return cells("key", "trigger", "calendar", "state", "status", "error")(one)


def deliveries(answer: Any) -> Shown:
    """Deliveries, one a line."""
    found = answer.get("deliveries", [])
    notes = [] if found else ["no deliveries"]
    if answer.get("holding"):
        notes.append("deliveries are on hold; attendee-mock deliveries release sends them")
    return Shown([_delivery(one) for one in found], notes)


def delivery(answer: Any) -> Shown:
    """A delivery, and an attempt a line."""
    return Shown([_delivery(answer), *map(_attempt, answer.get("attempts", []))])


def _attempt(one: Mapping[str, Any]) -> str:
    came = one["status"] or one.get("error_message") or "no answer"
    return f"  attempt {one['number']} at {one['at']}: {came}  {one['body']}"


def held(answer: Any) -> Shown:
    """Whether deliveries are on hold and how many wait, or the one delivery that it was about."""
    if "key" in answer:
        return Shown([_delivery(answer)])
    return Shown([f"deliveries {'on hold' if answer['holding'] else 'not on hold'}, {answer['held']} waiting"])


def explanation(answer: Any) -> Shown:
    """Why, in sentences: the status of an exchange, the webhooks of it or of a calendar, and what would be accepted."""
    if "request" not in answer:
        return Shown(_webhooks(answer))
    lines = [f"{answer['request']}: {answer['status']}", *(f"  {sentence}" for sentence in answer.get("why", []))]
    lines += [f"  {cell(field)}" for field in answer.get("fields", [])]
    lines += [f"  evidence {row['row']} ({row['kind']}): {row['says']}" for row in answer.get("evidence", [])]
    lines += _webhooks(answer["webhooks"]) if answer.get("webhooks") else []
    return Shown([*lines, f"  try: {answer['curl']}"] if answer.get("curl") else lines)


def _webhooks(answer: Mapping[str, Any]) -> list[str]:
    made = [_delivery(one) for one in answer.get("made", [])]
    return made or [f"no {answer['trigger']}: {reason['text']}" for reason in answer.get("why_none", [])]


def project(one: Mapping[str, Any]) -> str:
    """A project: its name, size, clock and webhooks."""
    clock_state = "frozen" if one["clock"]["frozen"] else "running"
    shown = f"{one['name']}  {one['calendars']} calendars  {one['events']} events  sync {one['sync']}"
    kind = "  throw-away" if one["throwaway"] else ""
    return f"{shown}  clock {clock_state} at {one['clock']['now']}  {len(one['webhooks'])} webhooks{kind}"


def one_project(answer: Any) -> Shown:
    """One project in a line."""
    return Shown([project(answer)])


def new_project(answer: Any) -> Shown:
    """The lines for a shell that make a new project the chosen one."""
    lines = [f"export ATTENDEE_API_KEY={answer['api_key']}"]
    lines.append(f"export ATTENDEE_WEBHOOK_SECRET={answer['webhook_secret']}")
    return Shown(lines, [f"made the project {answer['name']}; its key and secret are shown only here"])


def subscription(one: Mapping[str, Any]) -> str:
    """A webhook subscription in a line."""
    return f"{one['id']}  {one['url']}  {','.join(one['triggers'])}  {'active' if one['active'] else 'switched off'}"


def one_subscription(answer: Any) -> Shown:
    """One webhook subscription in a line."""
    return Shown([subscription(answer)])


def fault(one: Mapping[str, Any]) -> str:
    """A fault: its name, what sets it off, and how often it did."""
    usual = {"name": None, "kind": one["name"], "first": None, "from": 1, "seen": None, "hits": None}
    options = [f"{name}={cell(value)}" for name, value in one.items() if name not in usual or usual[name] != value]
    shown = [option for option in options if not option.startswith(("name=", "seen=", "hits="))]
    return f"{one['name']}  {' '.join(shown)}  applied to {one['hits']} of {one['seen']}"


def one_fault(answer: Any) -> Shown:
    """One fault in a line."""
    return Shown([fault(answer)])


def kinds(answer: Any) -> Shown:
    """The kinds of fault, with the fields of each and their defaults."""
    return Shown([_kind(name, kind) for name, kind in answer["kinds"].items()])


def _kind(name: str, kind: Mapping[str, Any]) -> str:
    options = " ".join(f"{field}={cell(usual)}" for field, usual in kind["fields"].items())
    return f"{name:20} {kind['meaning']}  ({options})"


def request(one: Mapping[str, Any]) -> str:
    """An entry of the journal in a line."""
    where = one["path"] + (f"?{one['query']}" if one.get("query") else "") if "path" in one else one["url"]
    shown = f"{one['id']}  {one['time']}  {one['method']} {where}  {one['status']}"
    more = [one.get("operation") or one.get("trigger") or "-", *([one["reason"]] if one.get("reason") else [])]
    return "  ".join([shown, *more])


def misses(answer: Any) -> Shown:
    """What came nearest to what was looked for, each with what was different."""
    found = answer.get("near_misses") or []
    lines = [f"{one['id']}  {one['line']}  {'; '.join(one['why']) or 'no difference'}" for one in found]
    return Shown(lines, [] if found else ["no requests"])


def stored_event(one: Mapping[str, Any]) -> str:
    """An event as the latest sync stored it, in a line."""
    return cells("id", "start_time", "name", "meeting_url")(one) + ("  deleted" if one["is_deleted"] else "")


def timeline(answer: Any) -> Shown:
    """The items of a timeline, a line each; what an item caused is indented."""
    found, levels, lines = answer.get("items") or [], dict[str | None, int](), []
    for one in found:
        level = levels[one["id"]] = levels.get(one["cause"], -1) + 1
        status = f"  {one['status']}" if one.get("status") else ""
        lines.append(f"{one['time']}  {'  ' * level}{one['kind']}  {one['title']}{status}")
    more = f"there are more: attendee-mock timeline --after {answer['next']}"
    return Shown(lines, [more] if answer.get("more") else [] if found else ["nothing has happened yet"])
