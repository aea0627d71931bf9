"""API keys: who is let in, who is not, and in which words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from mockserver.conformance.calendar_bodies import marked
from mockserver.conformance.checks import IF_SHORT, Steps, check
from mockserver.conformance.checks.cases import MISSING_KEY, NOBODY, NOT_FOUND, Bench, Case, Holding, header
from mockserver.conformance.exchange import Key
from mockserver.conformance.guard import CALENDARS, EVENTS
from mockserver.conformance.rules import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "key-required",
        "probes",
        "high",
        "Every operation rejects a request without a key.",
        "recordings: auth-missing-header",
    ),
    Rule("key-known", "probes", "high", "Every operation rejects an unknown key.", "recordings: auth-odd-headers"),
    Rule(
        "key-form",
        "probes",
        "medium",
        "An Authorization header other than `Token KEY` is rejected with the error text for it.",
        "recordings: auth-odd-headers, auth-bearer, auth-basic",
    ),
    Rule(
        "key-disabled",
        "probes",
        "high",
        "Every operation rejects a disabled key.",
        "recordings: auth-disabled-key",
        frozenset({"disabled-key", "read"}),
    ),
    Rule(
        "key-exact",
        "probes",
        "high",
        "A key must match exactly: case, length and every character.",
        "recordings: auth-odd-headers",
    ),
    Rule(
        "key-scheme",
        "probes",
        "medium",
        "The word Token is accepted in any case, with any number of spaces before the key.",
        "recordings: auth-scheme-lower, auth-odd-headers",
    ),
    Rule(
        "key-elsewhere",
        "probes",
        "high",
        "A key in the query or in another header is ignored.",
        "recordings: auth-elsewhere",
    ),
    Rule(
        "key-first",
        "probes",
        "medium",
        "A missing key is reported before every other error except Accept.",
        "recordings: auth-before-everything",
    ),
)

_BAD_FORM = {"detail": "Invalid Authorization header. Should have this format: Token <api_key>"}
_BAD_KEY = {"detail": "Invalid or disabled API key"}


_FORMS = (
    "Token",
    "Bearer abcdefghijklmnopqrstuvwxyz012345",
    "Basic dXNlcjpwYXNzd29yZA==",
    "abcdefghijklmnopqrstuvwxyz012345",
    "Token abcdefghijklmnopqrstuvwxyz012345 extra",
    "Token=abcdefghijklmnopqrstuvwxyz012345",
    "Token: abcdefghijklmnopqrstuvwxyz012345",
    "Tokens abcdefghijklmnopqrstuvwxyz012345",
)
_FIRST = 3
_NO_SUCH = f"{CALENDARS}/conformance-no-such-calendar"
_KEYS = ("Token abcdefghijklmnopqrstuvwxyz012345", "Token null", "Token undefined", "Token *", "Token %", "Token 0")


class _Door(NamedTuple):
    """One operation as it is knocked at."""

    operation: str
    method: str
    path: str
    json: Any = None


def _written(bench: Bench) -> Iterator[_Door]:
    """The operations that write, with what would be done if one let in who should not be."""
    yield _Door("createCalendar", "POST", CALENDARS, bench.fields())
    yield _Door("updateCalendar", "PATCH", bench.ours, marked(bench.target.tag()))
    yield _Door("deleteCalendar", "DELETE", bench.ours)


def _knock(bench: Bench, door: _Door, rule: str, body: Any, authorization: str | None, key: Key = None) -> bool:
    """Whether the door stayed shut."""
    headers = () if authorization is None else header("Authorization", authorization)
    case = Case(rule, door.operation, "Authorization", door.method, door.path, 401, body, headers, door.json)
    exchange = bench.ask(case._replace(key=key))
    bench.took(exchange)
    return exchange.status == 401


@check("key-required", "key-known", "key-form", "key-disabled", context=Bench, cost=12, least=4)
def doors(bench: Bench) -> Steps:
    """Every operation that reads, without a key and with keys that it must not take."""
    for path in bench.places():
        operation = bench.answers.place("GET", path).operation
        _try_door(bench, _Door(operation, "GET", path))
        yield IF_SHORT


@check("key-required", "key-known", "key-form", "key-disabled", context=Bench, cost=14, needs=("write",))
def doors_to_write(bench: Bench) -> None:
    """Every operation that writes, the same way."""
    if not bench.writes:
        return
    for door in _written(bench):
        _try_door(bench, door)
    bench.renew()


def _try_door(bench: Bench, door: _Door) -> None:
    # One that is open to anybody is open to all that follow.
    shut = _knock(bench, door, "key-required", MISSING_KEY, None)
    shut = shut and _knock(bench, door, "key-known", _BAD_KEY, _KEYS[0])
    shut = shut and _knock(bench, door, "key-form", _BAD_FORM, _FORMS[1])
    if shut and bench.target.disabled_key:
        _knock(bench, door, "key-disabled", _BAD_KEY, None, "disabled")


@check("key-required", "key-known", "key-form", context=Bench, cost=10, after=(doors,))
def shapes_of_keys(bench: Bench) -> Steps:
    """What is no header for a key and what is no key, and methods that are no operations."""
    door = _Door("listCalendars", "GET", CALENDARS)
    if _knock(bench, door, "key-form", _BAD_FORM, ""):
        for text in _FORMS:
            _knock(bench, door, "key-form", _BAD_FORM, text)
        yield
        for text in _KEYS[1:]:
            _knock(bench, door, "key-known", _BAD_KEY, text)
        yield
    for name in ("HEAD", "OPTIONS"):
        for path in (CALENDARS, EVENTS, NOBODY):
            operation = bench.answers.place("GET", path).operation
            case = Case("key-required", operation, name, name, path, 401, MISSING_KEY, key=None)
            bench.ask(case)
    yield
    yield from _shapes_elsewhere(bench)


def _shapes_elsewhere(bench: Bench) -> Steps:
    """The same for the other operations that read, and requests that are wrong in another way as well."""
    for path in (EVENTS, bench.calendar, NOBODY):
        door = _Door(bench.answers.place("GET", path).operation, "GET", path)
        for text in ("", *_FORMS[::2]):
            _knock(bench, door, "key-form", _BAD_FORM, text)
        for text in _KEYS[1:3]:
            _knock(bench, door, "key-known", _BAD_KEY, text)
        yield
    wrong = (f"{CALENDARS}?cursor=bad", *(f"{EVENTS}?{query}=bad" for query in ("ordering", "end_time_lte", "cursor")))
    for method, paths in (
        ("GET", (*wrong, NOBODY)),
        ("HEAD", (CALENDARS, EVENTS, NOBODY)),
        ("OPTIONS", (CALENDARS, EVENTS, NOBODY)),
    ):
        for path in paths:
            _try_refused(bench, _Door(bench.answers.place("GET", path).operation, method, path))
        yield


def _try_refused(bench: Bench, door: _Door) -> None:
    """Knocks with a header of another form, with an unknown key and with a disabled one."""
    shut = _knock(bench, door, "key-form", _BAD_FORM, _FORMS[0])
    shut = shut and _knock(bench, door, "key-known", _BAD_KEY, _KEYS[0])
    if shut and bench.target.disabled_key:
        _knock(bench, door, "key-disabled", _BAD_KEY, None, "disabled")


def _own_key(bench: Bench, rule: str) -> str | None:
    """The run's own key; None where the target does not tell it."""
    key = getattr(getattr(bench.target, "keys", None), "main", None)
    if not isinstance(key, str):
        bench.unobservable(rule, "the target keeps its key to itself")
        return None
    return key


@check("key-exact", context=Bench, cost=3, least=1, after=(doors,))
def spelt_keys(bench: Bench) -> Steps:
    """The run's own key, spelt in other ways."""
    key = _own_key(bench, "key-exact")
    if key is None:
        return
    door = _Door("listCalendars", "GET", CALENDARS)
    shut = not bench.is_broken("key-known", operation=door.operation)
    for number, text in enumerate(_respelt(bench, key), 1):
        shut = shut and _knock(bench, door, "key-exact", _BAD_KEY, f"Token {text}")
        if number == 1 or number % _FIRST == 0:
            yield IF_SHORT if number == 1 else None
    if not bench.is_broken("key-form", operation=door.operation):
        _knock(bench, door, "key-exact", _BAD_FORM, f"Token {key} {key}")
    yield
    for path in (EVENTS, bench.calendar):
        door = _Door(bench.answers.place("GET", path).operation, "GET", path)
        shut = not bench.is_broken("key-known", "key-exact")
        for text in _respelt(bench, key):
            shut = shut and _knock(bench, door, "key-exact", _BAD_KEY, f"Token {text}")
        for text in (key, f"Bearer {key}", f"Token: {key}", f"Token={key}", f"Token,{key}"):
            shut = shut and _knock(bench, door, "key-form", _BAD_FORM, text)
        yield


@check("key-elsewhere", context=Bench, cost=1, after=(doors,))
def keys_elsewhere(bench: Bench) -> Steps:
    """The run's own key in other places."""
    key = _own_key(bench, "key-elsewhere")
    if key is None:
        return
    for name, value in (("X-API-Key", key), ("X-Authorization", f"Token {key}"), ("Cookie", f"token={key}")):
        case = Case("key-elsewhere", "listCalendars", name, "GET", CALENDARS, 401, MISSING_KEY, header(name, value))
        bench.ask(case._replace(key=None, unless=("key-required",)))
        yield
    path = f"{EVENTS}?event_id=evt_nothing&api_key={key}&token={key}&key={key}"
    elsewhere = Case("key-elsewhere", "listCalendarEvents", "query", "GET", path, 401, MISSING_KEY, key=None)
    bench.ask(elsewhere._replace(unless=("key-required",)))
    yield
    for path in (EVENTS, bench.calendar):
        operation = bench.answers.place("GET", path).operation
        for name, value in (
            ("X-API-Key", key),
            ("Api-Key", key),
            ("X-Auth-Token", key),
            ("Proxy-Authorization", f"Token {key}"),
            ("Cookie", f"token={key}; Authorization=Token {key}"),
        ):
            case = Case("key-elsewhere", operation, name, "GET", path, 401, MISSING_KEY, header(name, value))
            bench.ask(case._replace(key=None, unless=("key-required",)))
        queried = case._replace(field="query", headers=(), key=None, path=f"{path}?Authorization=Token+{key}&key={key}")
        bench.ask(queried._replace(unless=("key-required",)))
        yield


@check("key-scheme", context=Bench, cost=3)
def schemes(bench: Bench) -> Steps:
    """The word before the run's own key, spelt in other ways."""
    key = _own_key(bench, "key-scheme")
    if key is None:
        return
    for number, way in enumerate(("token {}", "TOKEN {}", "ToKeN {}", "Token  {}", "Token\t{}")):
        # None that a door let somebody delete: an id that names nothing is told so to whoever is let in.
        _enter(bench, way.format(key), (CALENDARS, EVENTS, NOBODY) if number == 0 else (CALENDARS,))
        yield
    for way in ("TOKEN {}", "tOKEN   {}", "Token\t {}"):
        _enter(bench, way.format(key), (EVENTS, NOBODY))
        yield


def _respelt(bench: Bench, key: str) -> list[str]:
    """The key in other ways; a cut one is masked as the whole is."""
    masker = getattr(bench.target, "masker", None)
    cut = []
    if masker is not None and len(key) > 12:
        cut = [key[:-1], key[: len(key) // 2]]
        for text in cut:
            masker.add(kind="key", text=text)
    other = [text for text in (key.swapcase(), key.lower(), key.upper()) if text != key]
    return [*cut, *other, f"{key},", f'"{key}"', f"{key}x", f"<{key}>"]


def _enter(bench: Bench, authorization: str, paths: Sequence[str]) -> None:
    for path in paths:
        operation = bench.answers.place("GET", path).operation
        case = Case("key-scheme", operation, "Authorization", "GET", path, 200, Holding())
        if path == NOBODY:
            case = case._replace(status=404, body=NOT_FOUND)
        bench.ask(case._replace(headers=header("Authorization", authorization), key=None))


_KEYLESS = Case(
    "key-first",
    "listCalendars",
    "Authorization",
    "GET",
    CALENDARS,
    401,
    MISSING_KEY,
    key=None,
    unless=("key-required",),
)


@check("key-first", context=Bench, cost=5, after=(doors,))
def keys_before_all(bench: Bench) -> None:
    """Requests without a key that are wrong in another way too."""
    case = _KEYLESS
    bench.ask(case._replace(path=f"{CALENDARS}?cursor=bad"))
    bench.ask(case._replace(path=f"{CALENDARS}?deduplication_key=%00"))
    events = case._replace(operation="listCalendarEvents")
    bench.ask(events._replace(path=f"{EVENTS}?ordering=bad"))
    bench.ask(events._replace(path=f"{EVENTS}?start_time_gte=bad"))
    bench.ask(case._replace(operation="getCalendar", path=NOBODY))


@check("key-first", context=Bench, cost=6, needs=("write",), after=(doors_to_write,))
def keys_before_bodies(bench: Bench) -> Steps:
    """Requests without a key whose bodies are wrong as well."""
    if not bench.writes:
        return
    types = header("Content-Type", "application/json")
    create = _KEYLESS._replace(operation="createCalendar", method="POST", headers=types)
    bench.ask(create._replace(raw=b"{"))
    bench.ask(create._replace(raw=b"x", headers=header("Content-Type", "text/plain")))
    bench.ask(create._replace(json={"platform": "outlook"}, headers=()))
    update = _KEYLESS._replace(operation="updateCalendar", method="PATCH", path=bench.ours, headers=types)
    bench.ask(update._replace(raw=b'{"x": 1}'))
    undeclared = _KEYLESS._replace(operation="getCalendar", field="PUT", method="PUT", path=bench.ours)
    bench.ask(undeclared)
    yield
    for path in (bench.ours, _NO_SUCH):
        update = _KEYLESS._replace(operation="updateCalendar", method="PATCH", path=path)
        bench.ask(update._replace(raw=b"{", headers=types))
        bench.ask(update._replace(raw=b"x", headers=header("Content-Type", "text/plain")))
        bench.ask(update._replace(json={"metadata": None}, headers=()))
        bench.ask(_KEYLESS._replace(operation="deleteCalendar", method="DELETE", path=path))
        bench.ask(undeclared._replace(method="POST", field="POST", path=path))
        bench.renew()
        yield
