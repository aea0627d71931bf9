"""Fixture files that are wrong: each mistake has its line, its place and its fix, and no secret is shown."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.fixtures_io import FixtureError, load_fixtures
from tests.fixtures_io.files import ABSENT, CALENDAR, EVENT, NOW, Load, changed, good, problem

P, A_CALENDAR, AN_EVENT = "projects[0]", "projects[0].calendars[0]", "projects[0].calendars[0].events[0]"
PROJECT = ("projects", 0)
LONG = "x" * 1025
TIME = "must be a time such as 2026-05-01T09:00:00Z, now-90m, today+1d 09:30 or monday 09:00"
UNSTORABLE = "must be text without NUL and lone surrogates"
BLANK = "must be text that is not blank and does not begin or end with spaces"
HOOK = {"url": "https://example.com/a", "triggers": ["calendar.state_change"]}
FAILURE = {"error": "gone", "timestamp": "now"}
GONE = {"platform": "google", "state": "disconnected"}

BROKEN: list[tuple[tuple[str | int, ...], object, str]] = [
    # the file and its projects
    (("projects",), ABSENT, "the whole file: projects is missing; add it"),
    (("projects",), None, "projects: must be a list, not null"),
    (("projects",), {}, "projects: must be a list, not a mapping of 0"),
    (("projects",), [], "projects: must be a list of one or more, not a list of 0"),
    (("projects", 1), "B", "projects[1]: must be a mapping, not 'B'"),
    (("project",), [], "project: there is no such field; did you mean projects?"),
    ((*PROJECT, "name"), ABSENT, f"{P}: name is missing; add it"),
    ((*PROJECT, "name"), 5, f"{P}.name: must be text, not 5; quote it"),
    ((*PROJECT, "name"), " ", f"{P}.name: {BLANK}, not ' '"),
    (("projects", 1, "name"), "A", "projects[1].name: must be a name that no other project has, not 'A'"),
    ((*PROJECT, "calendar"), [], f"{P}.calendar: there is no such field; did you mean calendars?"),
    ((*PROJECT, "x\ny"), [], f"{P}.x…: there is no such field; the fields here are api_keys, calendars,"),
    (
        (*PROJECT, "second-key"),
        None,
        f"{P}: has a name without a value that is no field; the fields here are api_keys,",
    ),
    (
        (*PROJECT, "calendars"),
        ["client_secret:a"],
        "calendars[0]: must be a mapping, not a text that holds the name of a",
    ),
    # keys
    ((*PROJECT, "api_keys"), ABSENT, f"{P}: api_keys is missing; add it"),
    ((*PROJECT, "api_keys"), [], f"{P}.api_keys: must be a list of one or more"),
    ((*PROJECT, "api_keys"), "key", f"{P}.api_keys: must be a list"),
    ((*PROJECT, "api_keys"), [5], f"{P}.api_keys[0]: must be text; quote it"),
    ((*PROJECT, "api_keys"), ["a", ""], f"{P}.api_keys[1]: must be printable ASCII without spaces"),
    ((*PROJECT, "api_keys"), ["a b"], f"{P}.api_keys[0]: must be printable ASCII without spaces"),
    ((*PROJECT, "api_keys"), ["ü"], f"{P}.api_keys[0]: must be printable ASCII without spaces"),
    (
        (*PROJECT, "api_keys"),
        ["a", "a"],
        f"{P}.api_keys[1]: must be a key that appears only once in the file; it is also",
    ),
    ((*PROJECT, "disabled_api_keys"), ["key-a"], f"{P}.disabled_api_keys[0]: must be a key that appears only once"),
    (
        ("projects", 1, "api_keys"),
        ["old-a"],
        "projects[1].api_keys[0]: must be a key that appears only once in the file",
    ),
    (("projects", 1, "api_keys"), ["old-a"], f"it is also {P}.disabled_api_keys[0]"),
    # webhooks
    (
        (*PROJECT, "webhook_secret"),
        "c2hvcnQ=",
        f"{P}.webhook_secret: must be 32 bytes as base64; make one with: openssl",
    ),
    ((*PROJECT, "webhook_secret"), "no base64!", f"{P}.webhook_secret: must be 32 bytes as base64"),
    ((*PROJECT, "webhook_secret"), "ü", f"{P}.webhook_secret: must be 32 bytes as base64"),
    ((*PROJECT, "webhook_secret"), None, f"{P}.webhook_secret: must be text"),
    (
        (*PROJECT, "webhooks"),
        [{**HOOK, "url": f"https://x.de/{n}"} for n in "123"],
        "must be at most 2 webhooks, not 3",
    ),
    ((*PROJECT, "webhooks"), [HOOK, HOOK], f"{P}.webhooks[1].url: must be a URL that no other webhook"),
    (
        (*PROJECT, "webhooks"),
        [{"url": "http://x", "triggers": []}],
        f"{P}.webhooks[0].triggers: must be a list of one or more",
    ),
    ((*PROJECT, "webhooks"), [{}], f"{P}.webhooks[0]: url is missing"),
    (
        (*PROJECT, "webhooks"),
        [{**HOOK, "url": "ftp://x.de"}],
        f"{P}.webhooks[0].url: must be an http or https URL, not",
    ),
    ((*PROJECT, "webhooks"), [{**HOOK, "url": "https://"}], f"{P}.webhooks[0].url: must be an http or https URL, not"),
    ((*PROJECT, "webhooks"), [{**HOOK, "url": "http://[x"}], f"{P}.webhooks[0].url: must be an http or https URL, not"),
    (
        (*PROJECT, "webhooks"),
        [{**HOOK, "url": "http://a b"}],
        f"{P}.webhooks[0].url: must be an http or https URL, not",
    ),
    ((*PROJECT, "webhooks"), [{**HOOK, "triggers": ["x"]}], "must be calendar.events_update or calendar.state_change"),
    # calendars
    (CALENDAR, [], f"{A_CALENDAR}: must be a mapping, not a list of 0"),
    ((*CALENDAR, "platform"), ABSENT, f"{A_CALENDAR}: platform is missing; add it"),
    ((*CALENDAR, "platform"), "gogle", f"{A_CALENDAR}.platform: must be google or microsoft, not 'gogle'"),
    ((*CALENDAR, "platform"), ["google"], f"{A_CALENDAR}.platform: must be google or microsoft, not a list of 1"),
    ((*CALENDAR, "state"), "conected", f"{A_CALENDAR}.state: must be connected or disconnected, not 'conected'"),
    ((*CALENDAR, "state"), None, f"{A_CALENDAR}.state: must be connected or disconnected, not null"),
    ((*CALENDAR, "metdata"), {}, f"{A_CALENDAR}.metdata: there is no such field; did you mean metadata?"),
    ((*CALENDAR, "id"), "cal_short", f"{A_CALENDAR}.id: must be cal_ and 16 letters or digits, not 'cal_short'"),
    ((*CALENDAR, "id"), "evt_aaaaaaaaaaaaaaaa", f"{A_CALENDAR}.id: must be cal_ and 16 letters or digits"),
    ((*CALENDAR, "id"), "cal_aaaaaaaaaaaaaaa-", f"{A_CALENDAR}.id: must be cal_ and 16 letters or digits"),
    ((*CALENDAR, "id"), "cal_aaaaaaaaaaaaaaaa\n", f"{A_CALENDAR}.id: must be cal_ and 16 letters or digits"),
    ((*CALENDAR, "id"), None, f"{A_CALENDAR}.id: must be cal_ and 16 letters or digits, not null"),
    ((*CALENDAR, "id"), "cal_bbbbbbbbbbbbbbbb", "projects[0].calendars[1].id: must be an id that appears only once"),
    ((*CALENDAR, "client_id"), "x" * 256, f"{A_CALENDAR}.client_id: must be at most 255 characters, not 256"),
    ((*CALENDAR, "client_id"), None, f"{A_CALENDAR}.client_id: must be text, not null"),
    ((*CALENDAR, "client_id"), "a\0", f"{A_CALENDAR}.client_id: {UNSTORABLE}, not 'a\\x00'"),
    ((*CALENDAR, "client_id"), "\ud800", f"{A_CALENDAR}.client_id: {UNSTORABLE}, not '\\ud800'"),
    ((*CALENDAR, "client_id"), "a ", f"{A_CALENDAR}.client_id: {BLANK}, not 'a '"),
    ((*CALENDAR, "client_secret"), "", f"{A_CALENDAR}.client_secret: {BLANK}"),
    ((*CALENDAR, "refresh_token"), 5, f"{A_CALENDAR}.refresh_token: must be text; quote it"),
    ((*CALENDAR, "platform_uuid"), LONG, f"{A_CALENDAR}.platform_uuid: must be at most 1024 characters, not 1025"),
    ((*CALENDAR, "platform_uuid"), "", f"{A_CALENDAR}.platform_uuid: {BLANK}, not ''"),
    ((*CALENDAR, "deduplication_key"), LONG, f"{A_CALENDAR}.deduplication_key: must be at most 1024 characters"),
    ((*CALENDAR, "deduplication_key"), "\u3000", f"{A_CALENDAR}.deduplication_key: {BLANK}"),
    (
        ("projects", 0, "calendars", 1, "deduplication_key"),
        "one",
        "calendars[1].deduplication_key: must be a key that no other calendar of the project has, not 'one'; calen",
    ),
    ((*CALENDAR, "metadata"), {}, f"{A_CALENDAR}.metadata: must be a mapping with one or more entries"),
    ((*CALENDAR, "metadata"), [], f"{A_CALENDAR}.metadata: must be a mapping, not a list of 0"),
    ((*CALENDAR, "metadata"), {"a": 5}, f"{A_CALENDAR}.metadata.a: must be text, not 5; quote it"),
    ((*CALENDAR, "metadata"), {"a": None}, f"{A_CALENDAR}.metadata.a: must be text, not null"),
    ((*CALENDAR, "metadata"), {"a": "\0"}, f"{A_CALENDAR}.metadata.a: {UNSTORABLE}"),
    ((*CALENDAR, "metadata"), {"\0": "a"}, f"{A_CALENDAR}.metadata: must have keys that are text"),
    (
        (*CALENDAR, "metadata"),
        {"a": "ü" * 167},
        f"{A_CALENDAR}.metadata: must be at most 1000 characters of JSON, not 1011",
    ),
    (
        (*CALENDAR, "connection_failure_data"),
        FAILURE,
        f"{A_CALENDAR}.connection_failure_data: a connected calendar has",
    ),
    (CALENDAR, {**GONE, "connection_failure_data": {"error": "x"}}, "connection_failure_data: timestamp is missing"),
    (CALENDAR, {**GONE, "connection_failure_data": {"timestamp": "now"}}, "connection_failure_data: error is missing"),
    (CALENDAR, {**GONE, "connection_failure_data": {**FAILURE, "timestamp": "x"}}, f".timestamp: {TIME}, not 'x'"),
    (
        CALENDAR,
        {**GONE, "connection_failure_data": {**FAILURE, "error": 1}},
        "data.error: must be text, not 1; quote it",
    ),
    (CALENDAR, {**GONE, "connection_failure_data": {**FAILURE, "err": 1}}, "data.err: there is no such field; did you"),
    (CALENDAR, {**GONE, "connection_failure_data": "x"}, f"{A_CALENDAR}.connection_failure_data: must be a mapping"),
    ((*CALENDAR, "created_at"), None, f"{A_CALENDAR}.created_at: {TIME}, not null"),
    ((*CALENDAR, "last_successful_sync_at"), 5, f"{A_CALENDAR}.last_successful_sync_at: {TIME}, not 5"),
    (
        CALENDAR,
        {"platform": "google", "created_at": "now", "updated_at": "now-1s"},
        f"{A_CALENDAR}.updated_at: must not be before created_at",
    ),
    ((*CALENDAR, "events"), {}, f"{A_CALENDAR}.events: must be a list"),
    # events
    (EVENT, None, f"{AN_EVENT}: must be a mapping, not null"),
    ((*EVENT, "start_time"), ABSENT, f"{AN_EVENT}: start_time is missing; add it"),
    ((*EVENT, "end_time"), ABSENT, f"{AN_EVENT}: end_time is missing; add it"),
    ((*EVENT, "end_time"), "now-1s", f"{AN_EVENT}.end_time: must not be before start_time"),
    *(
        ((*EVENT, "start_time"), wrong, f"{AN_EVENT}.start_time: {TIME}, not {wrong!r}")
        for wrong in (
            *("", "soon", "now-90", "now+1y", "today 25:00", "today 9", "today+1h 09:00", "2026-02-30T00:00:00Z"),
            *("0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00", "now-999999999w", "now+999999w", "²"),
        )
    ),
    ((*EVENT, "updated_at"), "soon", f"{AN_EVENT}.updated_at: {TIME}, not 'soon'"),
    ((*EVENT, "id"), "evt_ü", f"{AN_EVENT}.id: must be evt_ and 16 letters or digits, not 'evt_ü'"),
    (
        (*EVENT, "id"),
        "evt_bbbbbbbbbbbbbbbb",
        "calendars[1].events[0].id: must be an id that appears only once in the file",
    ),
    ((*EVENT, "platform_uuid"), None, f"{AN_EVENT}.platform_uuid: must be text, not null"),
    ((*EVENT, "platform_uuid"), "", f"{AN_EVENT}.platform_uuid: must be text that is not empty, not ''"),
    ((*EVENT, "platform_uuid"), LONG, f"{AN_EVENT}.platform_uuid: must be at most 1024 characters"),
    ((*EVENT, "name"), 5, f"{AN_EVENT}.name: must be text, not 5; quote it"),
    ((*EVENT, "name"), "\0" * 99, f"{AN_EVENT}.name: {UNSTORABLE}, not '\\x00"),
    ((*EVENT, "meeting_url"), [], f"{AN_EVENT}.meeting_url: must be text, not a list of 0"),
    ((*EVENT, "ical_uid"), True, f"{AN_EVENT}.ical_uid: must be text, not true; quote it"),
    ((*EVENT, "is_deleted"), 1, f"{AN_EVENT}.is_deleted: must be true or false, not 1"),
    ((*EVENT, "attendees"), "a", f"{AN_EVENT}.attendees: must be a list, not 'a'"),
    ((*EVENT, "attendees"), ["a"], f"{AN_EVENT}.attendees[0]: must be a mapping, not 'a'"),
    ((*EVENT, "attendees"), [None], f"{AN_EVENT}.attendees[0]: must be a mapping, not null"),
    ((*EVENT, "attendees"), [{"email": 7}], f"{AN_EVENT}.attendees[0].email: must be text, not 7; quote it"),
    ((*EVENT, "attendees"), [{"email": []}], f"{AN_EVENT}.attendees[0].email: must be text, not a list"),
    ((*EVENT, "attendees"), [{"email": "a", "role": "x"}], f"{AN_EVENT}.attendees[0].role: there is no such field"),
    ((*EVENT, "raw"), None, f"{AN_EVENT}.raw: must be a mapping, not null"),
    ((*EVENT, "raw"), {"a": ["\0"]}, f"{AN_EVENT}.raw.a[0]: {UNSTORABLE}"),
    ((*EVENT, "raw"), {"a": float("nan")}, f"{AN_EVENT}.raw.a: must be JSON, not nan"),
    ((*EVENT, "raw"), json.loads('{"a":' * 101 + "1" + "}" * 101), "must not be nested deeper than 100 levels"),
    ((*EVENT, "bots"), {}, f"{AN_EVENT}.bots: must be a list"),
    ((*EVENT, "bots"), ["bot"], f"{AN_EVENT}.bots[0]: must be a mapping, not 'bot'"),
]


@pytest.mark.parametrize(("place", "value", "text"), BROKEN)
def test_every_broken_rule_is_said_with_place_value_and_fix(
    load: Load, tmp_path: Path, place: tuple[str | int, ...], value: object, text: str
) -> None:
    said = problem(load, changed(place, value))
    assert said.startswith(f"{tmp_path}/fixtures.json: ")
    assert text in said
    assert len(said) < 500


HEAD = "projects:\n  - name: A\n    api_keys: [a]\n"
TEXTS = [
    ("fixtures.yaml", "", ": the whole file: is empty; write `projects:`"),
    ("fixtures.yaml", "- a\n", ":1: the whole file: must be a mapping, not a list of 1"),
    ("fixtures.yaml", "projects:\n  - name: [\n", ":3:1: is not YAML: did not find expected node content"),
    ("fixtures.yaml", "projects:\n\t- name", ":2:1: is not YAML: found character that cannot start any token"),
    ("fixtures.yaml", "projects: \x01", ": is not YAML: control characters are not allowed"),
    ("fixtures.yaml", "a: 1\n---\nb: 2\n", ":2:1: is not YAML: but found another document"),
    ("fixtures.yaml", HEAD + "    name: B\n", ":4: projects[0].name: appears twice in one mapping; keep one of them"),
    ("fixtures.yaml", HEAD + "    nam: B\n", ":4: projects[0].nam: there is no such field; did you mean name?"),
    (
        "fixtures.yaml",
        HEAD + "    calendars:\n      - state: connected\n",
        ":5: projects[0].calendars[0]: platform is miss",
    ),
    (
        "fixtures.yaml",
        HEAD + "    calendars:\n      - platform: 1\n",
        ":5: projects[0].calendars[0].platform: must be goog",
    ),
    ("fixtures.yaml", HEAD + "  - B\n", ":4: projects[1]: must be a mapping, not 'B'"),
    ("fixtures.yaml", HEAD + "    1: B\n", ":4: projects[0].1: there is no such field"),
    ("fixtures.yaml", HEAD + "    ~: B\n", ":2: projects[0].None: there is no such field"),
    ("fixtures.yaml", "projects: " + "[" * 50_000 + "]" * 50_000, ": lists and mappings are nested too deeply"),
    ("fixtures.yaml", "projects: &a [*a]", ":1: projects[0]: must be a mapping, not a list of 1"),
    ("fixtures.yaml", "projects: !!int x", ": a value cannot be read (ValueError)"),
    ("fixtures.yaml", "projects: 0x" + "f" * 5000, ":1: projects: must be a list, not a very large number"),
    ("fixtures.json", "", ":1:1: is not JSON: Expecting value"),
    ("fixtures.json", '{\n"projects": [}', ":2:14: is not JSON: Expecting value"),
    (
        "fixtures.json",
        '{"projects": [{"name": "A", "name": "B"}]}',
        ": projects[0].name: appears twice in one mapping",
    ),
    (
        "fixtures.json",
        '{"projects": [{}, 5, {"x": {"y": 1, "y": 2}}]}',
        ": projects[2].x.y: appears twice",
    ),
    ("fixtures.json", '{"projects": ' + "[" * 200_000, ": lists and mappings are nested too deeply"),
    ("fixtures.json", '{"projects": ' + "1" * 5000 + "}", ": a value cannot be read (ValueError)"),
]


@pytest.mark.parametrize(("name", "text", "said"), TEXTS)
def test_a_file_that_cannot_be_read_is_said_with_its_line(load: Load, name: str, text: str, said: str) -> None:
    assert f"{name}{said}" in problem(load, text, name)


def test_only_a_mapping_of_yaml_can_have_keys_that_are_no_text(load: Load) -> None:
    event = "    calendars: [{platform: google, events: [{start_time: now, end_time: now, raw: {a: {1: 2}}}]}]\n"
    assert ":4: projects[0].calendars[0].events[0].raw.a: must have keys that are text" in problem(
        load, HEAD + event, "fixtures.yaml"
    )


def test_yaml_may_merge_mappings_over_each_other(load: Load) -> None:
    calendars = (
        "    calendars: [&a {platform: google, client_id: a}, &b {<<: *a, client_id: b}, {<<: *b, client_id: c}]\n"
    )
    (project,) = load(HEAD + calendars, "fixtures.yaml")
    assert [calendar.client_id for calendar in project.state.calendars] == ["a", "b", "c"]


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(FixtureError, match="nowhere.yaml: there is no such file; check the path"):
        load_fixtures(tmp_path / "nowhere.yaml", NOW)
    with pytest.raises(FixtureError, match=r"cannot be read \(Is a directory\)"):
        load_fixtures(tmp_path, NOW)


def test_a_file_that_is_not_utf_8_is_said_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"projects:\n  - name: \xfc\n")
    with pytest.raises(FixtureError, match=r"latin.yaml:2: is not UTF-8; save the file as UTF-8"):
        load_fixtures(tmp_path / "latin.yaml", NOW)


def loads_or_says_why(text: str, name: str) -> str:
    """What is said about a text, or nothing when it loads; any other error goes through."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_text(text, "utf-8")
        try:
            load_fixtures(path, NOW)
        except FixtureError as error:
            return str(error)
    return ""


CANARY = "canary7f3a"
SECRETS: list[tuple[str | int, ...]] = [
    (*PROJECT, "api_keys"),
    (*PROJECT, "disabled_api_keys"),
    (*PROJECT, "webhook_secret"),
    (*CALENDAR, "client_secret"),
    (*CALENDAR, "refresh_token"),
]
SHAPES = st.recursive(
    st.sampled_from([CANARY, f" {CANARY}", f"{CANARY} x", f"{CANARY}\0", f"!{CANARY}", f"*{CANARY}", CANARY * 50]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), inner.map(lambda one: [one, one]), st.dictionaries(st.just(CANARY), inner)
    ),
    max_leaves=4,
)
OTHERS = st.sampled_from(
    [(place, value) for place, value, _ in BROKEN if place[:1] == ("projects",) and len(place) > 3]
)
BREAKS = st.sampled_from(["", "[", "}", "\t", "\x01", "\n\t- :", "!", "*x", "'", '"', ": :"])


@settings(max_examples=300)
@given(
    place=st.sampled_from(SECRETS), shape=SHAPES, other=OTHERS, cut=st.floats(0, 1), junk=BREAKS, quoted=st.booleans()
)
def test_a_secret_is_never_part_of_an_error(
    place: tuple[str | int, ...], shape: object, other: tuple[Any, object], cut: float, junk: str, *, quoted: bool
) -> None:
    document = good()
    for where, value in (other, (place, shape)):
        inner: Any = document
        for part in where[:-1]:
            inner = inner.get(part, {}) if isinstance(inner, dict) else inner[int(part)]
        if value is not ABSENT and isinstance(inner, dict):
            inner[where[-1]] = value
    text = json.dumps(document)
    at = int(cut * len(text))
    for name in ("fixtures.json", "fixtures.yaml"):
        for spoilt in (text, text[:at] + junk + text[at:]):
            written = (
                spoilt if quoted else spoilt.replace('"' + CANARY + '"', CANARY).replace('"!', "!").replace('"*', "*")
            )
            assert CANARY not in loads_or_says_why(written, name)


ANYTHING = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.sampled_from(["now", "google", "{}"])
    ),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=5,
)
PLACES = st.sampled_from(sorted({place for place, _, _ in BROKEN}, key=str))


@settings(max_examples=300)
@given(place=PLACES, value=ANYTHING)
def test_anything_anywhere_loads_or_is_refused_with_a_line_for_each_problem(
    place: tuple[str | int, ...], value: object
) -> None:
    for name in ("fixtures.json", "fixtures.yaml"):
        first, *more = loads_or_says_why(json.dumps(changed(place, value)), name).splitlines() or [""]
        assert len(more) <= 21
        assert len(more) != 1
        assert first.endswith(" problems") is bool(more)


MANY = """
projects:
  - name: A
    api_keys: [key-planted, key planted]
    sync: automatic
    calendars:
      - platform: gogle
        state: lost
        events:
          - {start_time: now, end_time: soon, nam: x}
          - {start_time: now, end_time: now-1h, attendees: [{email: 1}, {name: x}]}
      - id: cal_aaaaaaaaaaaaaaaa
        upstream: {events: [{id: r, start: 5}, 7]}
      - id: cal_aaaaaaaaaaaaaaaa
        platform: microsoft
        metadata: {a: 1, b: 2}
  - api_keys: [key-planted]
    calendars: [{platform: google, deduplication_key: d}, {platform: google, deduplication_key: d}]
"""


def test_every_problem_of_a_file_is_said_at_once_with_line_place_and_fix(load: Load, tmp_path: Path) -> None:
    with pytest.raises(FixtureError) as caught:
        load(MANY, "many.yaml")
    first, *lines = str(caught.value).splitlines()
    said = [line.removeprefix(f"{tmp_path}/many.yaml:") for line in lines]
    assert first == f"{tmp_path}/many.yaml has {len(lines)} problems"
    starts = [
        "4: projects[0].api_keys[1]: must be printable ASCII without spaces",
        "5: projects[0].sync: must be auto or manual, not 'automatic'; did you mean auto?",
        "7: projects[0].calendars[0].platform: must be google or microsoft, not 'gogle'; did you mean google?",
        "8: projects[0].calendars[0].state: must be ",
        "10: projects[0].calendars[0].events[0].end_time: must be a time such as ",
        "10: projects[0].calendars[0].events[0].nam: there is no such field; did you mean name?",
        "11: projects[0].calendars[0].events[1].attendees[0].email: must be text, not 1; quote it",
        "11: projects[0].calendars[0].events[1].end_time: must not be before start_time; set it to a later time",
        "13: projects[0].calendars[1].upstream.events[1]: must be a mapping, not 7",
        "12: projects[0].calendars[1]: platform is missing; add it",
        "14: projects[0].calendars[2].id: must be an id that appears only once in the file",
        "16: projects[0].calendars[2].metadata.a: must be text, not 1; quote it",
        "16: projects[0].calendars[2].metadata.b: must be text, not 2; quote it",
        "17: projects[1]: name is missing; add it",
        "18: projects[1].calendars[1].deduplication_key: must be a key that no other calendar of the project has",
    ]
    missing = [start for start in starts if not any(line.startswith(start) for line in said)]
    assert not missing, "\n".join(said)
    assert len(said) == len(starts), "\n".join(said)
    assert "key-planted" not in str(caught.value)


def test_of_many_problems_the_first_twenty_are_listed_and_the_others_counted(load: Load) -> None:
    event = {"start_time": "now", "end_time": "never"}
    with pytest.raises(FixtureError) as caught:
        load(changed((*CALENDAR, "events"), [event] * 1000))
    first, *lines = str(caught.value).splitlines()
    assert first.endswith("has 1000 problems")
    assert len(lines) == 21
    assert lines[-1] == "and 980 more"


def test_every_repeated_name_is_said_at_once(load: Load) -> None:
    text = '{"projects": [{"name": "A", "name": "B"}, {"sync": "auto", "sync": "auto"}]}'
    for name in ("fixtures.json", "fixtures.yaml"):
        with pytest.raises(FixtureError) as caught:
            load(text, name)
        said = str(caught.value)
        assert "projects[0].name: appears twice" in said
        assert "projects[1].sync: appears twice" in said
