"""Every exchange is recorded, checked against the contract, and printed in a line."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

from mockserver.drift.har import recorded
from mockserver.proxy import frames
from mockserver.proxy.frames import Frame
from mockserver.proxy.har import HarFile
from tests.proxy.pieces import CALENDAR, NEW, PATH, Watched, exchange, message, request, response

PAGE = {"next": None, "previous": None, "results": [CALENDAR]}


def listed(body: Any, **headers: str) -> bytes:
    return response(body, 200, "listCalendars", **headers)


@pytest.mark.parametrize(
    ("sent", "answered", "rules"),
    [
        (request(), response(), {}),
        (request("HEAD"), response(None, Content_Type="application/json"), {}),
        (request(target="/api/v1/calendars"), listed(PAGE), {}),
        (request(), response(CALENDAR | {"metadata": 5}), {"answer-schema": "error"}),
        (request(), response(CALENDAR | {"color": "red"}), {"answer-schema": "error"}),
        (request(), response(b"{", Content_Length="1"), {"answer-json": "error"}),
        (request(), response({"detail": "x"}, 500), {"no-server-error": "error"}),
        (request(), response({"detail": "x"}, 418), {"status-documented": "error"}),
        (request(), response(Vary=""), {"vary": "info"}),
        (request(), response(Allow="GET"), {"allow": "warning"}),
        (
            request("POST", "/api/v1/calendars", NEW),
            listed(CALENDAR | {"client_id": NEW["client_secret"]}).replace(b"200", b"201", 1),
            {"secrets-not-echoed": "error"},
        ),
        (
            request(target="/api/v1/calendars?deduplication_key=a"),
            listed(PAGE | {"next": "http://proxy.example/api/v1/calendars?cursor=b"}),
            {"links-preserve-query": "error"},
        ),
        (request(), response(gzip.compress(json.dumps(CALENDAR).encode()), Content_Encoding="gzip"), {}),
        (
            request("POST", "/api/v1/calendars", NEW | {"client_id": 5}),
            listed(CALENDAR).replace(b"200", b"201", 1),
            {"accepted-type": "info"},
        ),
        # A refused request is no finding, whatever it has.
        (
            request("POST", "/api/v1/calendars", NEW | {"client_id": 5, "color": "red"}),
            listed({"non_field_errors": ["Unexpected field(s): color."]}).replace(b"200", b"400", 1),
            {},
        ),
        (request("PUT"), response({"detail": 'Method "PUT" not allowed.'}, 405), {}),
        # Paths of other parts of the service are forwarded and not judged.
        (request(target="/api/v1/recordings"), response({"anything": 1}, 200), {}),
        (
            request(target="/api/v1/bots"),
            response({"anything": 1}, 200),
            {"allow": "warning", "answer-schema": "error"},
        ),
        (request(target="/health"), message("HTTP/1.1 500 No", {"Content-Length": "0"}), {}),
    ],
)
def test_what_breaks_a_rule_is_a_finding(sent: bytes, answered: bytes, rules: dict[str, str]) -> None:
    assert Watched(exchange(sent, answered)).rules == rules


def test_an_exchange_has_a_line_and_a_finding_has_the_payload_once() -> None:
    wrong = response(CALENDAR | {"metadata": 5})
    watched = Watched([*exchange(request(), response()), *exchange(request(), wrong), *exchange(request(), wrong)])
    first, second, finding, sent, answered, third, again = watched.lines
    assert first == f"00:01:40 #1 GET {PATH} 200 5.0ms getCalendar ok"
    assert second.endswith("getCalendar | 1 finding")
    assert finding.startswith("    error answer-schema getCalendar metadata: ")
    assert sent == "      request:  no body"
    assert '"metadata": 5' in answered
    assert third.endswith("| 1 finding")
    assert again.endswith("(again, first in #2)")


def test_control_characters_do_not_reach_the_terminal() -> None:
    lines = Watched(exchange(request(), response(CALENDAR | {"metadata": "\x1b[2J"}))).lines
    assert all(line.isprintable() for line in lines)


def test_what_is_too_late_is_recorded_and_not_checked(tmp_path: Path) -> None:
    har = HarFile(tmp_path / "a.har", "http://target.example")
    watched = Watched(exchange(request(), response(CALENDAR | {"metadata": 5})), har, now=200.0)
    har.close()
    assert not watched.rules
    assert (har.entries, watched.watch.counts.late) == (1, 1)
    assert "  1 not checked, because the checks were behind the traffic" in watched.watch.summary()


def test_what_was_not_observed_is_in_the_summary() -> None:
    lost = [Frame(frames.CLIENT, 2, 1.0, b"\x16\x03"), Frame(frames.CLIENT, 2, 1.0, b"no HTTP\r\n\r\n")]
    dropped = Frame(frames.DROPPED, 0, 1.0, b"7")
    watched = Watched([*lost, *exchange(request(), response()), Frame(frames.CLOSED, 2, 1.0), dropped])
    summary = "\n".join(watched.watch.summary())
    assert "1 exchange with http://target.example, 1 checked" in summary
    assert "7 more forwarded, but not observed" in summary
    assert "1 connection not observed to the end" in summary
    assert "connection 2 is forwarded and no longer observed" in watched.lines[0]


def test_after_a_gap_a_connection_is_observed_again() -> None:
    half = Frame(frames.CLIENT, 1, 1.0, request()[:20])
    watched = Watched([half, Frame(frames.GAP, 1, 2.0), *exchange(request(), response())])
    assert watched.watch.counts.checked == 1


def test_a_response_of_the_proxy_is_no_finding() -> None:
    reason = Frame(frames.PROXIED, 1, 101.0, b"cannot connect to http://target.example (refused)")
    watched = Watched([Frame(frames.CLIENT, 1, 100.0, request()), reason])
    assert watched.lines == [
        f"00:01:40 #1 GET {PATH} no response 1000.0ms getCalendar | cannot connect to http://target.example (refused)"
    ]
    assert not watched.rules


def test_the_summary_has_findings_and_coverage() -> None:
    calls = [
        *exchange(request(), response(CALENDAR | {"metadata": 5})),
        *exchange(request(target="/api/v1/calendars"), listed(PAGE)),
    ]
    summary = Watched(calls).watch.summary()
    assert "Findings: 1 error, 0 warnings, 0 info" in summary
    assert "  error   answer-schema getCalendar metadata: once in #1" in summary
    (coverage,) = [line for line in summary if line.startswith("Coverage: ")]
    assert coverage.startswith("Coverage: 2 of 6 operations, 2 of 41 statuses, ")
    (unseen,) = [line for line in summary if line.startswith("  operations not seen: ")]
    assert unseen.endswith("createCalendar, deleteCalendar, listCalendarEvents, updateCalendar")
    assert "  fields not seen: ConnectionFailure.error, ConnectionFailure.timestamp" in summary


def test_fields_are_missed_only_in_operations_that_succeeded() -> None:
    refused = [*exchange(request(), response({"error": "Calendar not found"}, 404))]
    empty = exchange(request(target="/api/v1/calendars"), listed(PAGE | {"results": []}))
    lines = [line for line in Watched([*refused, *empty]).watch.summary() if line.startswith("  fields not seen: ")]
    assert len(lines) == 1
    assert "Calendar.id" in lines[0]
    assert "CalendarPage.next" not in lines[0]
    assert not [line for line in Watched(refused).watch.summary() if line.startswith("  fields not seen: ")]


@pytest.mark.parametrize(("level", "failed"), [("error", False), ("warning", True), ("info", True), (None, False)])
def test_findings_of_the_chosen_level_fail_the_run(level: Any, failed: bool) -> None:
    watched = Watched(exchange(request(), response(Allow="GET")))
    assert watched.watch.has_failed(level) is failed


def test_frames_are_read_as_they_were_written() -> None:
    sent = [Frame(frames.CLIENT, 7, 1.5, b"abc"), Frame(frames.CLOSED, 7, 2.0)]
    data = b"".join(frames.written(frame) for frame in sent)
    assert list(frames.read(io.BytesIO(data))) == sent
    assert list(frames.read(io.BytesIO(data[:-1]))) == sent[:1]
    assert list(frames.read(io.BytesIO(data[:18]))) == []


NUMBER = (int, float)
TYPES: dict[str, Any] = {
    "url method httpVersion statusText redirectURL startedDateTime connection mimeType": str,
    "headersSize bodySize status size": int,
    "cookies headers queryString": list,
    "content request response cache timings": dict,
    "time send wait receive blocked dns connect ssl": NUMBER,
}
TYPE = {name: kind for names, kind in TYPES.items() for name in names.split()}
REQUEST = "method url httpVersion cookies headers queryString headersSize bodySize"
RESPONSE = "status statusText httpVersion cookies headers content redirectURL headersSize bodySize"
ENTRY = "startedDateTime time request response cache timings connection"


def has(found: dict[str, Any], wanted: str, *optional: str) -> None:
    """Every field that HAR demands is there and of its type, and no other that is not optional or our own."""
    for name in wanted.split():
        assert isinstance(found[name], TYPE[name]), name
    assert {name for name in found if not name.startswith("_")} - {*wanted.split()} <= {*optional}


def test_the_archive_is_valid_after_each_exchange_and_drift_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "traffic.har"
    har = HarFile(file, "http://target.example")
    assert json.loads(file.read_text("utf-8"))["log"]["entries"] == []
    calls = [
        exchange(request(target=f"{PATH}?a=b%20c"), response()),
        exchange(request("PATCH", PATH, {"metadata": {"a": "ü"}}), response(CALENDAR | {"metadata": {"a": "ü"}})),
        exchange(request(), response(b"\xff\xfe")),
        exchange(request(), response(b"x" * (2 << 20))),
        iter([Frame(frames.CLIENT, 1, 100.0, request()), Frame(frames.CLOSED, 1, 101.0)]),
    ]
    watched = Watched([], har)
    for number, pieces in enumerate(calls, 1):
        watched.watch.run(pieces)
        log = json.loads(file.read_text("utf-8"))["log"]
        assert len(log["entries"]) == number
    har.close()
    assert (log["version"], log["pages"]) == ("1.2", [])
    for entry in log["entries"]:
        has(entry, ENTRY)
        has(entry["request"], REQUEST, "postData")
        has(entry["response"], RESPONSE)
        has(entry["response"]["content"], "size mimeType", "text", "comment")
        has(entry["timings"], "send wait receive blocked dns connect ssl")
        assert all(value >= -1 for value in entry["timings"].values())
    first, patched, binary, large, failed = recorded(file, {"log": log})
    assert (first.path, first.query, first.response.json) == (PATH, [("a", "b c")], CALENDAR)
    assert patched.request.json == {"metadata": {"a": "ü"}}
    assert binary.response.text is None
    assert large.response.text is None
    assert failed.status == 0
