"""The fields of projects, calendars and events in a fixture file, and the rules of each of them."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from mockserver.domain.model import PLATFORMS, STATES, Json, Micros
from mockserver.domain.secret_urls import shown_url
from mockserver.domain.subscriptions import MOST_SUBSCRIPTIONS, TRIGGERS, Subscription, is_web_url
from mockserver.domain.timestamps import render_offset
from mockserver.fixtures_io.problem import Broken, Problems
from mockserver.fixtures_io.rules import (
    Reader,
    as_written,
    choice,
    fields,
    flag,
    identifier,
    items,
    json_object,
    label,
    mapping,
    moment,
    optional,
    some,
    some_text,
    storable,
    text,
)
from mockserver.fixtures_io.upstreams import upstream
from mockserver.settings import SYNCS

_API_KEY = re.compile(r"[!-~]+")


def _metadata(value: Any) -> dict[str, str]:
    """A calendar's metadata, by the service's own rules."""
    if not mapping(value):
        raise Broken("must be a mapping with one or more entries", value)
    storable(value)
    fields(value, dict.fromkeys(value, text))
    length = len(json.dumps(value))
    if length > 1000:
        raise Broken("must be at most 1000 characters of JSON", length)
    return dict(value)


def _failure(value: Any, now: Micros) -> dict[str, str]:
    """Why a calendar was disconnected, with the time as the service writes it when it is a relative one."""

    def timestamp(written: Any) -> str:
        instant = moment(written, now)
        return str(written) if written[0].isdigit() else render_offset(instant)

    return fields(value, {"error": text, "timestamp": timestamp}, ("error", "timestamp"))


def _api_key(value: Any) -> str:
    """A key that can be sent in a header."""
    if not _API_KEY.fullmatch(text(value)):
        raise Broken("must be printable ASCII without spaces", value)
    return str(value)


def _webhook_secret(value: Any) -> bytes:
    """The 32 bytes that are written as base64."""
    try:
        secret = base64.b64decode(text(value), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) != 32:
        raise Broken("must be 32 bytes as base64", value, fix="make one with: openssl rand -base64 32")
    return secret


def _url(value: Any) -> str:
    """An http or https URL."""
    if not is_web_url(text(value)):
        raise Broken("must be an http or https URL", shown_url(value))
    return str(value)


def _webhooks(value: Any) -> list[Subscription]:
    """At most two subscriptions, each with a URL of its own; their ids are given later."""
    found: dict[str, Subscription] = {}
    problems = Problems()
    for at, given in enumerate(items(value, partial(fields, readers=_WEBHOOK, required=("url",)))):
        if given["url"] in found:
            rule = "must be a URL that no other webhook of the project has"
            problems.add(Broken(rule, shown_url(given["url"]), fix="remove one of them", place=(at, "url")))
        found[given["url"]] = Subscription("", given["url"], tuple(dict.fromkeys(given.get("triggers", TRIGGERS))))
    if len(found) > MOST_SUBSCRIPTIONS:
        problems.add(Broken(f"must be at most {MOST_SUBSCRIPTIONS} webhooks", len(found)))
    problems.check()
    return list(found.values())


def _attendee(value: Any) -> dict[str, Json]:
    """One attendee, both of whose fields are then there."""
    given = fields(value, _ATTENDEE)
    return {"email": given.get("email"), "name": given.get("name")}


_ATTENDEE: Mapping[str, Reader] = {name: partial(optional, read=text) for name in ("email", "name")}
_WEBHOOK: Mapping[str, Reader] = {"url": _url, "triggers": partial(some, read=partial(choice, allowed=TRIGGERS))}
PROJECT: Mapping[str, Reader] = {
    "name": label,
    "api_keys": partial(some, read=_api_key),
    "disabled_api_keys": partial(items, read=_api_key),
    "webhook_secret": _webhook_secret,
    "webhooks": _webhooks,
    "sync": partial(choice, allowed=SYNCS),
    "zoom_credentials": flag,
    "calendars": partial(items, read=as_written),
}


def calendar_readers(now: Micros) -> Mapping[str, Reader]:
    """The fields of a calendar; relative times are relative to `now`."""
    time = partial(moment, now=now)
    return {
        "id": partial(identifier, prefix="cal_"),
        "platform": partial(choice, allowed=PLATFORMS),
        "client_id": partial(label, longest=255),
        "client_secret": label,
        "refresh_token": label,
        "platform_uuid": partial(optional, read=partial(label, longest=1024)),
        "state": partial(choice, allowed=STATES),
        "metadata": partial(optional, read=_metadata),
        "deduplication_key": partial(optional, read=partial(label, longest=1024)),
        "connection_failure_data": partial(optional, read=partial(_failure, now=now)),
        "created_at": time,
        "updated_at": time,
        "last_successful_sync_at": partial(optional, read=time),
        "last_attempted_sync_at": partial(optional, read=time),
        "events": partial(items, read=as_written),
        "upstream": upstream,
    }


def event_readers(now: Micros) -> Mapping[str, Reader]:
    """The fields of an event; relative times are relative to `now`."""
    time = partial(moment, now=now)
    return {
        "id": partial(identifier, prefix="evt_"),
        "platform_uuid": partial(some_text, longest=1024),
        "meeting_url": partial(optional, read=text),
        "start_time": time,
        "end_time": time,
        "is_deleted": flag,
        "attendees": partial(optional, read=partial(items, read=_attendee)),
        "ical_uid": partial(optional, read=text),
        "name": partial(optional, read=text),
        "raw": json_object,
        "bots": partial(items, read=json_object),
        "created_at": time,
        "updated_at": time,
    }
