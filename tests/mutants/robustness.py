"""Mutants of robustness: what crashes on odd input, bends it, or lets it in."""

from __future__ import annotations

import base64
import binascii
import json
import re
import unicodedata
from collections.abc import Callable
from urllib.parse import parse_qs, unquote

from mockserver.api.request import App
from mockserver.app import Mock
from tests.mutants.mutant import Mutant
from tests.mutants.wrapped import EVENTS, LIST, ONE, Call, Reply, after, before, crash, renamed, said

_PAGES = {LIST: "GET, POST, HEAD, OPTIONS", EVENTS: "GET, HEAD, OPTIONS"}
_ONE_ALLOW = "GET, PATCH, DELETE, HEAD, OPTIONS"
_TIMES = ("updated_at_gte", "updated_after", "start_time_gte", "end_time_lte")


def _crash_if(test: Callable[[Call], bool]) -> Callable[[Mock], App]:
    def change(call: Call) -> Reply | None:
        return crash() if "authorization" in call.headers and test(call) else None

    return before(change)


def _tokens(call: Call) -> dict[str, list[str]]:
    try:
        plain = base64.b64decode(call.parameters.get("cursor", "")).decode("ascii")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return {}
    return parse_qs(plain, keep_blank_values=True)


def _position_is_odd(call: Call) -> bool:
    position = _tokens(call).get("p")
    return position is not None and re.match(r"\d{4}-\d\d-\d\d", position[0]) is None


def _offset_is_negative(call: Call) -> bool:
    return _tokens(call).get("o", ["0"])[0].startswith("-")


def _zone_is_far(call: Call) -> bool:
    zones = (re.search(r"[+-](\d\d):\d\d$", call.parameters.get(name, "")) for name in _TIMES)
    return any(zone is not None and 16 <= int(zone[1]) < 24 for zone in zones)


def _leaves_the_calendar(call: Call) -> bool:
    return any(re.match(r"0001.*\+0[1-9]|9999.*-0[1-9]", call.parameters.get(name, "")) for name in _TIMES)


def _depth(call: Call) -> int:
    return call.body.count(b"[") + call.body.count(b"{")


def _holds(call: Call, *texts: bytes) -> bool:
    return call.is_on(LIST, ONE, methods="POST PATCH") and any(text in call.body for text in texts)


def _empty_page(call: Call) -> Reply:
    return said(200, {"next": None, "previous": None, "results": []}, allow=_PAGES[call.path])


def _negative_is_first(call: Call) -> None:
    if call.is_on(LIST, EVENTS) and _offset_is_negative(call):
        call.query = "cursor="


def _odd_position_is_none(call: Call) -> None:
    if call.is_on(LIST, EVENTS) and _position_is_odd(call):
        call.query = "cursor="


def _strict_base64(call: Call) -> Reply | None:
    """Another spelling of the same cursor is not read."""
    cursor = call.parameters.get("cursor", "")
    written = base64.b64encode(base64.b64decode(cursor)).decode() if _tokens(call).get("p") else cursor
    if call.is_on(LIST, EVENTS, methods="GET") and cursor != written and not _position_is_odd(call):
        return said(404, {"detail": "Invalid cursor"}, allow=_PAGES[call.path])
    return None


def _deaf_after_depth(mock: Mock) -> App:
    """A worker that met a deep body does not come back."""
    gone: list[int] = []

    def change(call: Call) -> Reply | None:
        if call.method == "GET" and gone:
            gone.clear()
            return said(
                401, {"detail": "Invalid or disabled API key"}, allow=_PAGES[LIST], **{"www-authenticate": "Token"}
            )
        if _depth(call) > 10_000:
            gone.append(1)
        return None

    return before(change)(mock)


def _normalised(call: Call, reply: Reply) -> Reply | None:
    if call.is_on(LIST, methods="POST") and reply.status == 201:
        return reply.write(json.loads(unicodedata.normalize("NFC", json.dumps(reply.json, ensure_ascii=False))))
    return None


def _escaped(call: Call, reply: Reply) -> None:
    if call.is_on(LIST, methods="POST") and reply.status == 201:
        reply.body = reply.body.replace(b"<", b"&lt;").replace(b">", b"&gt;")


def _nul_kept(call: Call) -> None:
    if call.is_on(LIST, methods="POST"):
        call.body = re.sub(rb'("metadata": \{"\w": ?")\\u0000"', rb'\1\\u2400"', call.body)


def _surrogates_replaced(call: Call) -> None:
    if _holds(call, rb"\ud800", rb"\udc00", rb"\ud83d"):
        call.body = re.sub(rb"\\ud[89c][0-9a-f]{2}", rb"\\ufffd", call.body)


def _nan_is_null(call: Call) -> None:
    if call.method == "PATCH" and _holds(call, b"NaN"):
        call.body = b"{}"


def _infinite_is_text(call: Call) -> None:
    if _holds(call, b'"metadata": {"a":1E400}'):
        call.body = call.body.replace(b"1E400", b'"inf"')


def _many_fields_cut(call: Call) -> None:
    if call.is_on(LIST, methods="POST") and call.body.count(b'"k1') > 500 and b'"metadata": {"conf' in call.body:
        call.body = call.body.partition(b', "k0"')[0] + b"}"


def _any_charset(call: Call) -> Reply | None:
    if "charset=utf-16" in call.headers.get("content-type", "") and call.is_on(ONE, methods="PATCH"):
        call.headers["content-type"] = "application/json"
    return None


def _nul_event(call: Call) -> str:
    return call.query.replace("event_id", "event_jd") if "%00" in call.query else call.query


def _wrong_year(call: Call) -> Reply | None:
    if call.is_on(EVENTS) and any(call.parameters.get(name, "")[:5] == "10000" for name in _TIMES):
        return _empty_page(call) if "authorization" in call.headers else None
    return None


def _odd_id_found(mock: Mock) -> App:
    """A pattern in an id is looked for as a pattern."""

    def change(call: Call) -> None:
        project = mock.store.by_key.get(call.headers.get("authorization", "").rpartition(" ")[2])
        if project is not None and call.path == f"{ONE}%":
            call.path = ONE + next(iter(project.state.calendars)).id

    return before(change)(mock)


def _indent_refused(call: Call) -> None:
    if re.search(r"indent=(-|\d{5}|x)", call.headers.get("accept", "")):
        call.headers["accept"] = "image/png"


def _silent(call: Call) -> Reply | None:
    return Reply(0) if call.is_on(ONE) and len(call.path) > 1_000 and "authorization" in call.headers else None


def _mutant(slug: str, defect: str, apply: Callable[[Mock], App]) -> Mutant:
    return Mutant(slug, "robustness", defect, apply)


MUTANTS: tuple[Mutant, ...] = (
    _mutant("deep-nesting-crashes", "deep nesting crashes", _crash_if(lambda call: _depth(call) > 950)),
    _mutant(
        "number-of-5000-digits-crashes",
        "a number of 5000 digits crashes",
        _crash_if(lambda call: re.search(rb"\d{4300}", call.body) is not None),
    ),
    _mutant("lone-surrogate-crashes", "a lone surrogate crashes", _crash_if(lambda call: _holds(call, rb"\ud800"))),
    _mutant(
        "body-not-utf-8-crashes",
        "a body that is not UTF-8 crashes",
        _crash_if(lambda call: _holds(call, b"\xe9", b"\xc0", b"\xed\xa0")),
    ),
    _mutant("zone-of-16-hours-crashes", "a zone of 16 hours crashes", _crash_if(_zone_is_far)),
    _mutant(
        "cursor-with-invalid-position-crashes",
        "a cursor with a position that is none crashes",
        _crash_if(_position_is_odd),
    ),
    _mutant("nul-in-id-crashes", "a NUL in an id crashes", _crash_if(lambda call: "\0" in call.path)),
    _mutant(
        "id-of-2000-characters-crashes",
        "an id of 2000 characters crashes",
        _crash_if(lambda call: call.is_on(ONE) and len(call.path) > 1_500),
    ),
    _mutant(
        "399-parameters-crash", "399 parameters crash", _crash_if(lambda call: 300 < call.query.count("&") < 1_000)
    ),
    _mutant(
        "open-quote-in-accept-crashes",
        "a half-open quote in Accept crashes",
        _crash_if(lambda call: call.headers.get("accept", "").count('"') == 1),
    ),
    _mutant(
        "unknown-charset-crashes",
        "an unknown charset crashes",
        _crash_if(lambda call: "charset=xxx" in call.headers.get("content-type", "")),
    ),
    _mutant(
        "multipart-without-boundary-crashes",
        "multipart without boundary crashes",
        _crash_if(lambda call: call.headers.get("content-type") == "multipart/form-data"),
    ),
    _mutant("number-1e400-crashes", "1E400 crashes", _crash_if(lambda call: _holds(call, b"1E400"))),
    _mutant("nan-read-as-null", "NaN counts as null", before(_nan_is_null)),
    _mutant(
        "time-past-year-9999-crashes",
        "a time that leaves the year 9999 by its zone crashes",
        _crash_if(_leaves_the_calendar),
    ),
    _mutant(
        "negative-cursor-offset-crashes", "a cursor with a negative offset crashes", _crash_if(_offset_is_negative)
    ),
    _mutant("request-after-deep-body-crashes", "after a deep body the next request fails", _deaf_after_depth),
    _mutant("texts-normalised", "texts are normalised", after(_normalised)),
    _mutant(
        "non-ascii-cursor-crashes",
        "a cursor that is not ASCII crashes",
        _crash_if(lambda call: not unquote(call.parameters.get("cursor", "")).isascii()),
    ),
    _mutant(
        "broken-cookie-crashes",
        "a broken cookie crashes",
        _crash_if(lambda call: '="' in call.headers.get("cookie", "")),
    ),
    _mutant("angle-brackets-escaped", "angle brackets are escaped", after(_escaped)),
    _mutant(
        "nul-in-time-crashes",
        "a NUL in a time crashes",
        _crash_if(lambda call: any("\0" in call.parameters.get(n, "") for n in _TIMES)),
    ),
    _mutant(
        "emoji-in-filter-crashes",
        "an emoji in a filter crashes",
        _crash_if(lambda call: "%F0%9F" in call.query and call.is_on(EVENTS)),
    ),
    _mutant("negative-cursor-offset-is-first-page", "a negative offset is the first page", before(_negative_is_first)),
    _mutant("re-encoded-cursor-refused", "a cursor is read only as it was written", before(_strict_base64)),
    _mutant("nul-in-metadata-replaced", "a NUL in metadata is replaced", before(_nul_kept)),
    _mutant("lone-surrogates-replaced", "lone surrogates are replaced", before(_surrogates_replaced)),
    _mutant("infinite-number-stored-as-text", "an infinite number becomes a text", before(_infinite_is_text)),
    _mutant("2000-unknown-fields-ignored", "two thousand unknown fields are passed over", before(_many_fields_cut)),
    _mutant("charset-utf-16-ignored", "charset=utf-16 is not looked at", before(_any_charset)),
    _mutant(
        "nul-in-event-id-lists-everything",
        "a NUL in event_id finds everything",
        renamed(_nul_event, lambda body: body.replace(b"event_jd", b"event_id")),
    ),
    _mutant("year-10000-finds-nothing", "the year 10000 finds nothing", before(_wrong_year)),
    _mutant("percent-id-is-first-calendar", "% as an id is the first calendar", _odd_id_found),
    _mutant("odd-indent-answers-406", "an odd indent is a 406", before(_indent_refused)),
    _mutant(
        "invalid-cursor-position-is-first-page",
        "a position that is none is the first page",
        before(_odd_position_is_none),
    ),
    _mutant("very-long-id-never-answered", "a very long id is never answered", before(_silent)),
)
