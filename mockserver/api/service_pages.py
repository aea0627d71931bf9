"""Responses that no contract describes: to OPTIONS, on unknown paths, and the HTML pages of the framework."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from mockserver.api import errors

API = "/api/v1/"
SERVICE_HEALTH = "/health/"
"""Where the service itself says that it runs; without its last slash it is a redirect."""
UNKNOWN_PATH_ALLOW = "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS"
_PAGE = """
<!doctype html>
<html lang="en">
<head>
  <title>{title}</title>
</head>
<body>
  <h1>{title}</h1><p>{details}</p>
</body>
</html>
"""
"""The page of the service's framework, to the byte (bot-form-encoded)."""
NOT_FOUND_PAGE = _PAGE.format(
    title="Not Found", details="The requested resource was not found on this server."
).encode()
BAD_REQUEST_PAGE = _PAGE.format(title="Bad Request (400)", details="").encode()
SERVER_ERROR_PAGE = _PAGE.format(title="Server Error (500)", details="").encode()

_KINDS = {
    "id": "string",
    "platform": "choice",
    "state": "field",
    "metadata": "field",
    "connection_failure_data": "field",
    "created_at": "datetime",
    "updated_at": "datetime",
    "last_successful_sync_at": "datetime",
    "last_attempted_sync_at": "datetime",
    "events": "field",
    "transcription_state": "field",
    "recording_state": "field",
    "join_at": "datetime",
}
_BOTS = "/api/v1/bots"
_HELP = {"deduplication_key": "Optional key for deduplicating calendars"}
_NAMES = {
    "/api/v1/calendars": "Calendar List Create",
    "/api/v1/calendars/{object_id}": "Calendar Detail Patch Delete",
    "/api/v1/calendar_events": "Calendar Event List",
    _BOTS: "Bot List Create",
    "/api/v1/bots/{object_id}": "Bot Detail",
}


def options_document(template: str, created: Mapping[str, Any]) -> dict[str, Any]:
    """The response to OPTIONS on a path of a contract (methods-options-*).

    `created` are the fields of what a POST creates there, as the contract lists them; empty without a POST.
    """
    document = _description(_NAMES.get(template) or template.rpartition("/")[2].replace("_", " ").title())
    if created:
        # Of a bot three fields pass for writable, although only reading them is meant.
        writable = {"id", "join_at", "deduplication_key"} if template == _BOTS else {"id"}
        fields = {name: _field_description(name, name in writable) for name in created}
        document["actions"] = {"POST": fields}
    return document


def names_nothing(path: str) -> bool:
    """Whether a path under /api/v1/ is one that not even the service's answer to unknown paths is for.

    That answer wants at least one character behind the prefix, and no line feed among them.
    """
    return path == API or "\n" in path


def unknown_options_document() -> dict[str, Any]:
    """The response to OPTIONS on an unknown path under /api/v1/ (path-unknown)."""
    return _description("Not Found")


def _description(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "description": "",
        "renders": ["application/json", "text/html"],
        "parses": ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"],
    }


def _field_description(name: str, writable: bool) -> dict[str, Any]:
    described: dict[str, Any] = {
        "type": _KINDS.get(name, "string"),
        "required": writable,
        "read_only": not writable,
        "label": name.replace("_", " ").capitalize(),
    }
    if name in _HELP and not writable:
        described["help_text"] = _HELP[name]
    return described


def check_basic_credentials(header: str | None) -> None:
    """An unknown path looks at Basic credentials alone, and takes none (path-unknown).

    Raises ApiError with status 403.
    """
    parts = (header or "").encode("latin-1", "replace").split()
    if not parts or parts[0].lower() != b"basic":
        return
    if len(parts) == 1:
        raise errors.forbidden("Invalid basic header. No credentials provided.")
    if len(parts) > 2:
        raise errors.forbidden("Invalid basic header. Credentials string should not contain spaces.")
    try:
        credentials = base64.b64decode(parts[1])
    except binascii.Error:
        credentials = b""
    if b":" not in credentials:
        raise errors.forbidden("Invalid basic header. Credentials not correctly base64 encoded.")
    raise errors.forbidden("Invalid username/password.")
