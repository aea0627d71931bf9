"""Mutants of the lists of calendars and events that are wrong in one narrow way: for one value, parameter or page."""

from __future__ import annotations

import base64
from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode

from mockserver.api.request import App
from mockserver.app import Mock
from tests.clients import ACME
from tests.mutants.mutant import Mutant
from tests.mutants.wrapped import EVENTS, LIST, Call, Reply, after, before, quietly, refusal


def _pairs(call: Call) -> list[tuple[str, str]]:
    return parse_qsl(call.query, keep_blank_values=True)


def _no_key_for_token_alone(call: Call, reply: Reply) -> Reply | None:
    alone = call.is_on(EVENTS, methods="GET") and reply.status == 401 and call.headers.get("authorization") == "Token"
    return reply.write({"detail": "Missing Authorization header"}) if alone else None


def _ordering_before_disabled(call: Call) -> Reply | None:
    keyed = call.headers.get("authorization", "").startswith("Token ")
    if not call.is_on(EVENTS, methods="GET") or call.query != "ordering=bad" or not keyed:
        return None
    listed = "-updated_at, updated_at, start_time, -start_time, end_time, -end_time, created_at, -created_at"
    return refusal(call, 400, {"error": f"Invalid ordering. Allowed values: {listed}"})


def _bearer_taken(call: Call) -> None:
    if call.is_on(EVENTS) and call.headers.get("authorization") == f"Bearer {ACME}":
        call.headers["authorization"] = f"Token {ACME}"


def _first_counts(path: str, name: str) -> Callable[[Call], None]:
    def change(call: Call) -> None:
        pairs = _pairs(call)
        values = [text for one, text in pairs if one == name]
        if call.is_on(path, methods="GET") and len(values) > 1:
            call.query = urlencode([*((one, text) for one, text in pairs if one != name), (name, values[0])])

    return change


def _empty_ignored(name: str, beside: str) -> Callable[[Call], None]:
    def change(call: Call) -> None:
        given = call.parameters
        if call.is_on(EVENTS, methods="GET") and given.get(name) == "" and beside in given:
            call.query = urlencode([(one, text) for one, text in _pairs(call) if one != name])

    return change


def _end_time_first(call: Call, reply: Reply) -> Reply | None:
    two = set(call.parameters) == {"start_time_gte", "end_time_lte"} and call.parameters["end_time_lte"] == "bad"
    if not two or reply.status != 400 or b"start_time_gte" not in reply.body:
        return None
    return reply.write({"error": "Invalid end_time_lte format. Use ISO 8601 format (e.g., 2025-01-13T18:00:00Z)"})


def _key_of_calendars_counts(call: Call) -> None:
    if call.is_on(EVENTS, methods="GET"):
        call.query = (
            call.query.replace("deduplication_key=x", "calendar_deduplication_key=x") if _only_key(call) else call.query
        )


def _only_key(call: Call) -> bool:
    return set(call.parameters) == {"deduplication_key"}


def _oldest_first_if_asked(call: Call, reply: Reply) -> Reply | None:
    asked = call.is_on(LIST, methods="GET") and call.parameters.get("ordering") == "created_at" and reply.status == 200
    return reply.write({**reply.json, "results": reply.json["results"][::-1]}) if asked else None


def _half_hours_lost(call: Call) -> None:
    if call.is_on(EVENTS, methods="GET") and "cursor" not in call.query:
        call.query = call.query.replace("-03%3A30", "-04%3A30")


def _no_times_before_1970(call: Call) -> Reply | None:
    early = call.is_on(EVENTS, methods="GET") and call.parameters.get("end_time_lte", "").startswith("1969-")
    told = "Invalid end_time_lte format. Use ISO 8601 format (e.g., 2025-01-13T18:00:00Z)"
    return refusal(call, 400, {"error": told}) if early else None


def _full_page_goes_on(path: str, size: int, cursor: str) -> Callable[[Mock], App]:
    """A last page that is full has a next one."""

    def change(call: Call, reply: Reply) -> Reply | None:
        if not call.is_on(path, methods="GET") or reply.status != 200 or not reply.body.startswith(b"{"):
            return None
        body = reply.json
        if len(body["results"]) != size or body["next"] is not None or not _is_forward(call):
            return None
        pairs = [(name, text) for name, text in _pairs(call) if name != "cursor"]
        link = f"http://{call.headers['host']}{path}?{urlencode([*pairs, ('cursor', cursor)])}"
        return reply.write({**body, "next": link})

    return after(change)


def _is_forward(call: Call) -> bool:
    return "cj0x" not in call.parameters.get("cursor", "")


def _way_back_drops_unknown(call: Call, reply: Reply) -> Reply | None:
    if not call.is_on(LIST, EVENTS, methods="GET") or reply.status != 200 or not reply.body.startswith(b"{"):
        return None
    body = reply.json
    if body["previous"] is None or "x" not in call.parameters:
        return None
    address, _, query = body["previous"].partition("?")
    kept = [(name, text) for name, text in parse_qsl(query, keep_blank_values=True) if name != "x"]
    return reply.write({**body, "previous": f"{address}?{urlencode(kept)}"})


def _one_type_only(call: Call) -> Reply | None:
    accept = call.headers.get("accept", "")
    several = call.is_on(EVENTS, methods="GET") and ";q=" in accept and "," in accept and "*" not in accept
    return refusal(call, 406, {"detail": "Could not satisfy the request Accept header."}) if several else None


def _in_both_projects(mock: Mock) -> App:
    """The filter for a key that two projects have shows the calendars of both."""

    def change(call: Call, reply: Reply) -> Reply | None:
        key = call.parameters.get("deduplication_key") if call.is_on(LIST, methods="GET") else None
        body = reply.json if key and reply.status == 200 else {"results": []}
        if len(body.get("results", [])) != 1:
            return None
        own = body["results"][0]
        others = [
            calendar.id
            for project in mock.store.projects
            for calendar in project.state.calendars
            if calendar.deduplication_key == key and calendar.id != own["id"]
        ]
        return reply.write({**body, "results": [own, *({**own, "id": name} for name in others)]}) if others else None

    return after(change)(mock)


def _dropped(name: str, where: Callable[[dict[str, str]], bool]) -> Callable[[Mock], App]:
    """A filter of events that does not count for some requests."""

    def change(call: Call) -> None:
        if call.is_on(EVENTS, methods="GET") and where(call.parameters):
            call.query = urlencode([(one, text) for one, text in _pairs(call) if one != name])

    return quietly(change)


def _is_back(parameters: dict[str, str]) -> bool:
    try:
        return b"r=1" in base64.b64decode(parameters.get("cursor", ""))
    except ValueError:
        return False


def _deleted_not_found(call: Call, reply: Reply) -> Reply | None:
    if not call.is_on(EVENTS, methods="GET") or "event_id" not in call.parameters or reply.status != 200:
        return None
    body = reply.json
    gone = [row for row in body.get("results", []) if row["is_deleted"]]
    return reply.write({**body, "results": []}) if gone else None


def _old_name_in_local_time(call: Call) -> None:
    text = call.parameters.get("updated_after", "")
    if call.is_on(EVENTS, methods="GET") and "T" in text and text[-1] != "Z" and text[-6] not in "+- ":
        pairs = [(name, f"{value}-02:00" if name == "updated_after" else value) for name, value in _pairs(call)]
        call.query = urlencode(pairs)


def _two_digits_at_the_end(call: Call) -> None:
    def moved(text: str) -> str:
        whole, _, rest = text.partition(".")
        return f"{whole}.0000{rest}" if len(rest) == 3 and rest.endswith("Z") else text

    if call.is_on(EVENTS, methods="GET") and "cursor" not in call.parameters:
        pairs = [(name, moved(value) if name == "start_time_gte" else value) for name, value in _pairs(call)]
        call.query = urlencode(pairs)


def _sorted_rows_lack_uid(call: Call, reply: Reply) -> Reply | None:
    sorted_so = call.is_on(EVENTS, methods="GET") and call.parameters.get("ordering") == "-end_time"
    if not sorted_so or "end_time_lte" not in call.parameters or reply.status != 200:
        return None
    body = reply.json
    return reply.write({**body, "results": [{**row, "ical_uid": None} for row in body["results"]]})


def _calendar_without_events(mock: Mock) -> App:
    """The filter for a calendar that has no events does not count."""

    def change(call: Call) -> None:
        name = call.parameters.get("calendar_id", "")
        project = mock.store.by_key.get(call.headers.get("authorization", "").rpartition(" ")[2])
        there = project is not None and name in (calendar.id for calendar in project.state.calendars)
        busy = project is not None and any(event.calendar_id == name for event in project.state.events)
        if call.is_on(EVENTS, methods="GET") and there and not busy:
            call.query = urlencode([(one, text) for one, text in _pairs(call) if one != "calendar_id"])

    return quietly(change)(mock)


def _wide_space_stripped(call: Call) -> None:
    if call.is_on(LIST, methods="GET") and "\u3000" in call.parameters.get("deduplication_key", ""):
        call.query = urlencode([(name, text.strip("\u3000")) for name, text in _pairs(call)])


MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "events-token-alone-is-missing-key",
        "auth",
        "on events, `Token` alone is told as no header",
        after(_no_key_for_token_alone),
    ),
    Mutant(
        "events-ordering-before-unknown-key",
        "auth",
        "a bad ordering is told before an unknown key",
        before(_ordering_before_disabled),
    ),
    Mutant("events-take-bearer", "auth", "the events can be read with `Bearer KEY`", before(_bearer_taken)),
    Mutant(
        "first-event-id-counts",
        "filters",
        "of two event_id the first counts",
        quietly(_first_counts(EVENTS, "event_id")),
    ),
    Mutant(
        "first-dedup-key-counts",
        "filters",
        "of two deduplication_key the first counts",
        before(_first_counts(LIST, "deduplication_key")),
    ),
    Mutant(
        "first-end-time-counts",
        "filters",
        "of two end_time_lte the first counts",
        quietly(_first_counts(EVENTS, "end_time_lte")),
    ),
    Mutant(
        "empty-event-id-ignored-with-calendar-id",
        "filters",
        "an empty event_id is ignored beside calendar_id",
        quietly(_empty_ignored("event_id", "calendar_id")),
    ),
    Mutant(
        "end-time-told-before-start-time",
        "status",
        "of two bad times end_time_lte is told, if there are only these",
        after(_end_time_first),
    ),
    Mutant(
        "events-know-deduplication-key",
        "filters",
        "events are filtered by deduplication_key",
        before(_key_of_calendars_counts),
    ),
    Mutant(
        "calendars-know-ordering",
        "filters",
        "calendars are sorted by ordering=created_at",
        after(_oldest_first_if_asked),
    ),
    Mutant(
        "offset-of-minus-three-and-a-half-hours-wrong",
        "filters",
        "the offset -03:30 is read as -04:30",
        quietly(_half_hours_lost),
    ),
    Mutant(
        "end-time-before-1970-refused", "filters", "end_time_lte refuses times of 1969", before(_no_times_before_1970)
    ),
    Mutant(
        "filter-by-key-finds-both-projects",
        "tenants",
        "a key that two projects have finds both calendars",
        _in_both_projects,
    ),
    Mutant(
        "full-event-page-has-next",
        "pagination",
        "a last page of 100 events has a next one",
        _full_page_goes_on(EVENTS, 100, "bz0xMDAw"),
    ),
    Mutant(
        "full-calendar-page-has-next",
        "pagination",
        "a last page of 25 calendars has a next one",
        _full_page_goes_on(LIST, 25, "bz0xMDAw"),
    ),
    Mutant(
        "way-back-drops-unknown-parameter",
        "pagination",
        "`previous` drops a parameter that is not known",
        after(_way_back_drops_unknown),
    ),
    Mutant(
        "events-take-one-type", "headers", "events refuse an Accept with several types and q", before(_one_type_only)
    ),
    Mutant(
        "start-time-ignored-on-later-pages-by-end-time",
        "filters",
        "later pages by -end_time ignore start_time_gte",
        _dropped("start_time_gte", lambda p: "cursor" in p and p.get("ordering") == "-end_time"),
    ),
    Mutant(
        "end-time-ignored-on-way-back",
        "filters",
        "pages on the way back ignore end_time_lte",
        _dropped("end_time_lte", _is_back),
    ),
    Mutant(
        "deleted-event-not-found-by-id", "filters", "a deleted event is not found by its id", after(_deleted_not_found)
    ),
    Mutant(
        "updated-after-in-local-time",
        "filters",
        "updated_after without a zone is two hours off",
        quietly(_old_name_in_local_time),
    ),
    Mutant(
        "two-digits-read-as-microseconds",
        "filters",
        "a fraction of two digits is read as microseconds",
        quietly(_two_digits_at_the_end),
    ),
    Mutant(
        "rows-by-end-time-lack-ical-uid",
        "schema",
        "filtered and sorted by the end, events have no ical_uid",
        after(_sorted_rows_lack_uid),
    ),
    Mutant(
        "calendar-without-events-shows-all",
        "filters",
        "the filter for a calendar without events shows all",
        _calendar_without_events,
    ),
    Mutant(
        "key-filter-strips-wide-space", "filters", "the filter for a key strips U+3000", before(_wide_space_stripped)
    ),
)
