"""Mutants of keys and credentials: who is let in, and what is given away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mockserver.api.request import App
from mockserver.app import Mock
from mockserver.domain.store import Project
from tests.clients import ACME
from tests.mutants.mutant import Mutant
from tests.mutants.wrapped import EVENTS, LIST, ONE, Call, Reply, after, before, said

_MAIN = f"Token {ACME}"
_ALLOW = {LIST: "GET, POST, HEAD, OPTIONS", EVENTS: "GET, HEAD, OPTIONS", ONE: "GET, PATCH, DELETE, HEAD, OPTIONS"}


def _let_in(test: Callable[[Call], bool]) -> Callable[[Mock], App]:
    """Requests that pass the test are the main project's, whatever key they have."""

    def change(call: Call) -> None:
        if test(call):
            call.headers["authorization"] = _MAIN

    return before(change)


def _keyless(call: Call) -> bool:
    return "authorization" not in call.headers


def _words(call: Call) -> list[str]:
    return call.headers.get("authorization", "").split()


def _disabled(mock: Mock) -> App:
    for project in mock.store.projects:
        for key in project.disabled_api_keys:
            mock.store.by_key[key] = project
    return mock.asgi


def _spelt(test: Callable[[str, str], bool]) -> Callable[[Mock], App]:
    """Keys are compared by the test instead of exactly."""

    def apply(mock: Mock) -> App:
        def change(call: Call) -> None:
            words = _words(call)
            if len(words) == 2 and words[1] not in mock.store.by_key:
                known = [key for key in mock.store.by_key if test(key, words[1])]
                if known:
                    call.headers["authorization"] = f"{words[0]} {known[0]}"

        return before(change)(mock)

    return apply


def _lower_refused(call: Call) -> Reply | None:
    words = _words(call)
    if len(words) == 2 and words[0] != "Token" and words[0].lower() == "token":
        return _refused(call, "Invalid Authorization header. Should have this format: Token <api_key>")
    return None


def _tab_refused(call: Call) -> Reply | None:
    text = call.headers.get("authorization", "")
    return _refused(call, "Invalid or disabled API key") if "\t" in text or "  " in text else None


def _refused(call: Call, text: str) -> Reply | None:
    for path, allow in _ALLOW.items():
        if call.is_on(path):
            return said(401, {"detail": text}, allow=allow, **{"www-authenticate": "Token"})
    return None


def _key_in_query(call: Call) -> None:
    key = call.parameters.get("api_key") or call.headers.get("x-api-key")
    if key and _keyless(call):
        call.headers["authorization"] = f"Token {key}"


def _bearer(call: Call) -> None:
    words = _words(call)
    if len(words) == 2 and words[0].lower() == "bearer":
        call.headers["authorization"] = f"Token {words[1]}"


def _extra_word(call: Call) -> None:
    words = _words(call)
    if len(words) > 2:
        call.headers["authorization"] = " ".join(words[:2])


def _id_before_key(call: Call) -> Reply | None:
    if _keyless(call) and call.is_on(ONE, methods="GET") and "000000" in call.path:
        return said(404, {"error": "Calendar not found"}, allow=_ALLOW[ONE])
    return None


def _body_before_key(call: Call) -> Reply | None:
    if _keyless(call) and call.is_on(LIST, methods="POST") and call.json is None and call.body:
        told = {"detail": "JSON parse error - Expecting value: line 1 column 1 (char 0)"}
        return said(400, told, allow=_ALLOW[LIST])
    return None


def _secrets(mock: Mock, call: Call) -> Any:
    name = call.path.rpartition("/")[2]
    project = mock.store.by_key.get(call.headers.get("authorization", "").rpartition(" ")[2])
    calendar = project.state.calendars.get(name) if isinstance(project, Project) else None
    return None if calendar is None else calendar.credentials


def _token_in_metadata(mock: Mock) -> App:
    def change(call: Call, reply: Reply) -> Reply | None:
        shown = call.is_on(ONE, methods="GET") and reply.status == 200 and reply.body.startswith(b"{")
        credentials = _secrets(mock, call) if shown else None
        if credentials is None:
            return None
        body = reply.json
        return reply.write(
            {**body, "metadata": {**(body["metadata"] or {}), "refresh_token": credentials.refresh_token}}
        )

    return after(change)(mock)


def _secret_in_answer(call: Call, reply: Reply) -> Reply | None:
    if call.is_on(LIST, methods="POST") and reply.status == 201 and isinstance(call.json, dict):
        return reply.write({**reply.json, "client_secret": call.json["client_secret"]})
    return None


def _secret_in_error(call: Call, reply: Reply) -> Reply | None:
    fields = call.json
    if (
        call.is_on(LIST, methods="POST")
        and reply.status == 400
        and isinstance(fields, dict)
        and "client_secret" in fields
    ):
        told = {name: [*texts, f"Sent: {fields}"] for name, texts in reply.json.items() if isinstance(texts, list)}
        return reply.write(told) if told else None
    return None


def _key_in_error(call: Call, reply: Reply) -> Reply | None:
    words = _words(call)
    if reply.status == 404 and call.is_on(ONE) and len(words) == 2:
        reply.headers["x-debug-key"] = words[1]
    return None


def _secret_in_header(mock: Mock) -> App:
    def change(call: Call, reply: Reply) -> None:
        credentials = _secrets(mock, call) if call.is_on(ONE, methods="PATCH") else None
        if credentials is not None:
            reply.headers["x-trace"] = f"client_secret={credentials.client_secret}"

    return after(change)(mock)


def _mutant(slug: str, defect: str, apply: Callable[[Mock], App]) -> Mutant:
    return Mutant(slug, "auth", defect, apply)


MUTANTS: tuple[Mutant, ...] = (
    _mutant(
        "get-needs-no-key",
        "GET of a calendar needs no key",
        _let_in(lambda call: _keyless(call) and call.is_on(ONE, methods="GET")),
    ),
    _mutant("disabled-key-works", "a disabled key still works", _disabled),
    _mutant("scheme-in-lower-case-refused", "'token' in lower case refused", before(_lower_refused)),
    _mutant("metadata-shows-refresh-token", "refresh_token leaks inside metadata", _token_in_metadata),
    _mutant("create-error-echoes-client-secret", "client_secret echoed in a 400", after(_secret_in_error)),
    _mutant(
        "any-token-accepted",
        "'Token anything' is accepted",
        _let_in(lambda call: len(_words(call)) == 2 and _words(call)[0] == "Token"),
    ),
    _mutant(
        "key-prefix-accepted",
        "the beginning of a key is enough",
        _spelt(lambda key, sent: len(sent) > 8 and key.startswith(sent)),
    ),
    _mutant("key-ignores-case", "keys in any case", _spelt(lambda key, sent: key.lower() == sent.lower())),
    _mutant("key-in-query-or-x-api-key-accepted", "a key in the query or in X-API-Key is taken", before(_key_in_query)),
    _mutant("bearer-accepted", "Bearer is taken as well", before(_bearer)),
    _mutant("unknown-id-checked-before-key", "an id that names nothing is told before the key", before(_id_before_key)),
    _mutant(
        "malformed-body-checked-before-key",
        "a body that cannot be read is told before the key",
        before(_body_before_key),
    ),
    _mutant("create-returns-client-secret", "client_secret is given back by create", after(_secret_in_answer)),
    _mutant("error-header-shows-api-key", "the API key stands in a header of errors", after(_key_in_error)),
    _mutant("head-needs-no-key", "HEAD needs no key", _let_in(lambda call: _keyless(call) and call.method == "HEAD")),
    _mutant("third-word-of-authorization-ignored", "a third word is passed over", before(_extra_word)),
    _mutant(
        "delete-needs-no-key",
        "DELETE needs no key",
        _let_in(lambda call: _keyless(call) and call.is_on(ONE, methods="DELETE")),
    ),
    _mutant("patch-header-shows-client-secret", "client_secret stands in a header of PATCH", _secret_in_header),
    _mutant(
        "tab-or-two-spaces-before-key-refused", "a tab or two blanks before the key are refused", before(_tab_refused)
    ),
    _mutant(
        "listing-events-needs-no-key",
        "listing events needs no key",
        _let_in(lambda call: _keyless(call) and call.is_on(EVENTS, methods="GET")),
    ),
    _mutant(
        "unknown-key-lists-events",
        "an unknown key reads events",
        _let_in(lambda call: len(_words(call)) == 2 and call.is_on(EVENTS)),
    ),
    _mutant(
        "quotes-around-key-ignored",
        "quotes around a key are passed over",
        _spelt(lambda key, sent: key == sent.strip('"')),
    ),
)
