"""What openapi.yaml does not describe and the service answers all the same: OPTIONS, unknown paths, bots."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from mockserver.api import errors
from mockserver.api.bodies import Body

API = "/api/v1/"
BOTS = "/api/v1/bots"
UNKNOWN_PATH_ALLOW = "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS"
NOT_FOUND_PAGE = b"""<!doctype html>
<html lang="en">
<head><title>Not Found</title></head>
<body>
<h1>Not Found</h1><p>The requested resource was not found on this server.</p>
</body>
</html>
"""
BAD_REQUEST_PAGE = b"""<!doctype html>
<html lang="en">
<head><title>Bad Request (400)</title></head>
<body>
<h1>Bad Request (400)</h1><p></p>
</body>
</html>
"""

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
}
_HELP = {"deduplication_key": "Optional key for deduplicating calendars"}
_NAMES = {
    "/api/v1/calendars": "Calendar List Create",
    "/api/v1/calendars/{object_id}": "Calendar Detail Patch Delete",
    "/api/v1/calendar_events": "Calendar Event List",
}


def options_document(template: str, fields: Mapping[str, Any], *, creates: bool) -> dict[str, Any]:
    """The answer to OPTIONS on a path of the contract (methods-options-*).

    `fields` are the calendar's as the contract lists them; they are told where a POST `creates` one.
    """
    document = _description(_NAMES.get(template, template))
    if creates:
        document["actions"] = {"POST": {name: _field_description(name) for name in fields}}
    return document


def unknown_options_document() -> dict[str, Any]:
    """The answer to OPTIONS on an unknown path under /api/v1/ (path-unknown)."""
    return _description("Not Found")


def _description(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "description": "",
        "renders": ["application/json", "text/html"],
        "parses": ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"],
    }


def _field_description(name: str) -> dict[str, Any]:
    is_id = name == "id"
    described: dict[str, Any] = {
        "type": _KINDS.get(name, "string"),
        "required": is_id,
        "read_only": not is_id,
        "label": name.replace("_", " ").capitalize(),
    }
    if name in _HELP:
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


def check_bot_fields(body: Body) -> None:
    """Of a new bot only what has to be there is looked at.

    Raises ApiError with status 400.
    """
    if isinstance(body.data, dict):
        missing = [name for name in ("meeting_url", "bot_name") if name not in body.data]
        if missing:
            problem = errors.FieldError("This field is required.", "required")
            raise errors.invalid_fields({name: [problem] for name in missing})
