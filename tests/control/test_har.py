"""The archive has every field that HAR 1.2 demands, each of its type."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from mockserver.app import Mock
from mockserver.control.entries import DeliveryEntry
from mockserver.control.har import har
from mockserver.control.journal import Filter
from mockserver.domain.timestamps import parse
from tests.clients import MAIN_CALENDAR, NEW_CALENDAR, Client

CALENDAR = f"/calendars/{MAIN_CALENDAR}"
TEXTS, NUMBER = [("name", str), ("value", str)], (int, float)
REQUEST = {
    "method": str,
    "url": str,
    "httpVersion": str,
    "cookies": list,
    "headers": list,
    "queryString": list,
    "headersSize": int,
    "bodySize": int,
}
RESPONSE = {
    "status": int,
    "statusText": str,
    "httpVersion": str,
    "cookies": list,
    "headers": list,
    "content": dict,
    "redirectURL": str,
    "headersSize": int,
    "bodySize": int,
}
ENTRY = {
    "startedDateTime": str,
    "time": NUMBER,
    "request": dict,
    "response": dict,
    "cache": dict,
    "timings": dict,
}


def check(found: dict[str, Any], wanted: dict[str, Any], *optional: str) -> None:
    """Every field that must be there is there and of its type, and no other that is not optional or our own."""
    for name, kind in wanted.items():
        assert isinstance(found[name], kind), name
    assert {name for name in found if not name.startswith("_")} - wanted.keys() <= set(optional)


@pytest.fixture
def archive(mock: Mock, client: Client) -> dict[str, Any]:
    client("GET", "/calendars?deduplication_key=a%20b&api_key=abcdefgh")
    client("POST", "/calendars", NEW_CALENDAR)
    client("PATCH", CALENDAR, b'{"metadata": ' + b'"x"' * 50_000)
    client("DELETE", CALENDAR)
    mock.faults.add("Acme", {"kind": "reset"})
    with pytest.raises(ConnectionResetError):
        client("GET", "/calendars")
    note = DeliveryEntry(
        "http://receiver/?a=b", "calendar.state_change", "key", 1, None, body=b"{}", project=mock.store.projects[0]
    )
    mock.journals.record(note)
    made: dict[str, Any] = json.loads(json.dumps(har(mock.journals.find("Acme", Filter()).entries)))
    return made


def test_the_log_is_an_archive(archive: dict[str, Any]) -> None:
    log = archive["log"]
    check(log, {"version": str, "creator": dict, "entries": list}, "pages", "browser", "comment")
    assert log["version"] == "1.2"
    check(log["creator"], {"name": str, "version": str})
    assert len(log["entries"]) == 6


def test_every_entry_has_what_har_demands(archive: dict[str, Any]) -> None:
    for entry in archive["log"]["entries"]:
        check(entry, ENTRY)
        assert parse(entry["startedDateTime"]) is not None
        check(entry["timings"], {"send": NUMBER, "wait": NUMBER, "receive": NUMBER})
        assert entry["time"] == sum(entry["timings"].values())
        check(entry["request"], REQUEST, "postData")
        assert urlsplit(entry["request"]["url"]).scheme == "http"
        check(entry["response"], RESPONSE)
        check(entry["response"]["content"], {"size": int, "mimeType": str}, "text")
        for message in (entry["request"], entry["response"]):
            for pair in (*message["headers"], *message.get("queryString", ())):
                check(pair, dict(TEXTS))
        if "postData" in entry["request"]:
            check(entry["request"]["postData"], {"mimeType": str, "text": str, "params": list}, "comment")


def test_what_was_asked_and_answered_is_in_it(archive: dict[str, Any]) -> None:
    listed, created, patched, deleted, lost, delivered = archive["log"]["entries"]
    assert listed["request"]["queryString"] == [
        {"name": "deduplication_key", "value": "a b"},
        {"name": "api_key", "value": "***"},
    ]
    assert listed["request"]["url"].startswith("http://127.0.0.1:8000/api/v1/calendars?deduplication_key=a%20b")
    assert (created["_operation"], created["response"]["status"]) == ("createCalendar", 201)
    assert created["response"]["statusText"] == "Created"
    assert json.loads(created["request"]["postData"]["text"])["client_secret"] == "***"
    assert patched["request"]["bodySize"] > len(patched["request"]["postData"]["text"])
    assert patched["request"]["postData"]["comment"] == "only its beginning"
    assert patched["_reason"] == "body: not JSON"
    assert "text" not in deleted["response"]["content"]
    assert (lost["response"]["status"], lost["_fault"]) == (0, {"name": "reset", "kind": "reset"})
    assert (delivered["_kind"], delivered["request"]["url"]) == ("delivery", "http://receiver/?a=b")
