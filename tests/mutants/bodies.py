"""Ways to change the bodies of requests before the mock reads them; what a mutant of status lets in."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.mutants.wrapped import LIST, ONE, Before, Call, Reply


def fields(change: Callable[[dict[str, Any]], None], *paths: str) -> Before:
    """Changes the fields of a JSON body before they are looked at."""

    def changed(call: Call) -> None:
        fields = call.json if call.is_on(*paths, methods="POST PATCH") and not is_repeated(call) else None
        if isinstance(fields, dict):
            written = json.dumps(fields)
            change(fields)
            if json.dumps(fields) != written:
                call.body = json.dumps(fields).encode()

    return changed


def is_repeated(call: Call) -> bool:
    return call.body.count(b'"platform"') > 1 or not call.body.startswith(b"{")


def without_unknown(fields: dict[str, Any]) -> None:
    known = {"client_id", "client_secret", "deduplication_key", "metadata", "platform", "platform_uuid"}
    for name in set(fields) - known - {"refresh_token"}:
        del fields[name]


def without_null(fields: dict[str, Any]) -> None:
    for name in [name for name, value in fields.items() if value is None]:
        del fields[name]


def cut(name: str, length: int) -> Callable[[dict[str, Any]], None]:
    def change(fields: dict[str, Any]) -> None:
        if isinstance(fields.get(name), str):
            fields[name] = fields[name].strip()[:length]

    return change


def cut_metadata(fields: dict[str, Any]) -> None:
    metadata = fields.get("metadata")
    if (
        isinstance(metadata, dict)
        and len(json.dumps(metadata)) > 1000
        and all(isinstance(v, str) for v in metadata.values())
    ):
        fields["metadata"] = {name[:20]: value[:50] for name, value in list(metadata.items())[:5]}


def texts_in_metadata(fields: dict[str, Any]) -> None:
    if isinstance(fields.get("metadata"), dict):
        fields["metadata"] = {
            name: v if isinstance(v, str) else json.dumps(v) for name, v in fields["metadata"].items()
        }


def true_as_text(fields: dict[str, Any]) -> None:
    for name in ("client_id", "platform_uuid", "client_secret", "refresh_token"):
        if isinstance(fields.get(name), bool):
            fields[name] = str(fields[name])


def blank_as_given(fields: dict[str, Any]) -> None:
    for name in ("client_id", "client_secret"):
        if isinstance(fields.get(name), str) and not fields[name].strip():
            fields[name] = "-"


def lower_platform(fields: dict[str, Any]) -> None:
    if isinstance(fields.get("platform"), str):
        fields["platform"] = fields["platform"].lower()


def keeps_blanks(call: Call, reply: Reply) -> Reply | None:
    fields = call.json if call.is_on(LIST, methods="POST") and reply.status == 201 else None
    if isinstance(fields, dict) and isinstance(fields.get("client_id"), str):
        return reply.write({**reply.json, "client_id": fields["client_id"]})
    return None


def first_name_wins(call: Call) -> None:
    def keep(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for name, value in pairs:
            kept.setdefault(name, value)
        return kept

    if call.is_on(LIST, methods="POST") and isinstance(call.json, dict):
        call.body = json.dumps(json.loads(call.body, object_pairs_hook=keep)).encode()


def cut_nul(fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        if isinstance(value, str):
            fields[name] = value.replace("\0", "")


def empty_create(call: Call) -> None:
    if call.is_on(LIST, methods="POST") and not call.body and call.headers.get("content-type") == "application/json":
        call.body = b" "


def text_as_object(call: Call) -> None:
    if call.is_on(LIST, ONE, methods="POST PATCH") and isinstance(call.json, str):
        call.body = b"{}"


def no_empty_metadata(fields: dict[str, Any]) -> None:
    if fields.get("metadata") == {}:
        fields["metadata"] = {"": ""}


def xml_is_json(call: Call) -> None:
    if call.headers.get("content-type") == "application/xml":
        call.headers["content-type"] = "application/json"


def no_bom(call: Call) -> None:
    call.body = call.body.removeprefix(b"\xef\xbb\xbf")


def no_comma(call: Call) -> None:
    call.body = call.body.replace(b",}", b"}")


def default_token(fields: dict[str, Any]) -> None:
    if fields.get("client_id") == "conformance.invalid":
        fields.setdefault("refresh_token", "-")
