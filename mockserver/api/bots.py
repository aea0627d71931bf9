"""One method for each operationId of bots.yaml, and readers for the bodies whose rules go beyond the contract."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from mockserver.api import errors
from mockserver.api.bodies import Body
from mockserver.api.handlers import Request, cursor_of, filter_of, page_response, time_of
from mockserver.api.multipart import Upload
from mockserver.api.rendered_records import RecordRenderer
from mockserver.api.request import parse_query
from mockserver.api.response import Response
from mockserver.api.validation import BodyRules, Demands, FieldErrors, python_text, wrong
from mockserver.domain.bot_service import BotChanges, BotQuery, BotService, NewBot
from mockserver.domain.meeting_urls import find_meeting, join_time_problem
from mockserver.domain.model import Micros
from mockserver.domain.store import Project
from mockserver.domain.timestamps import render

STATES = (
    "ready",
    "joining",
    "joined_not_recording",
    "joined_recording",
    "leaving",
    "post_processing",
    "fatal_error",
    "waiting_room",
    "ended",
    "data_deleted",
    "scheduled",
    "staged",
    "joined_recording_paused",
    "joining_breakout_room",
    "leaving_breakout_room",
    "joined_recording_permission_denied",
    "connecting",
    "connected",
    "disconnecting",
)
_NOON = "2024-01-18T12:34:56Z"
_PAST = "join_at cannot be in the past"
_FAR = "join_at cannot be more than 3 years in the future"
_HIGHEST_PLAIN = "\uffff"
"""The last character of Unicode's first plane; a bot's name has none beyond."""


class BotHandlers:
    """The operations of bots.yaml."""

    def __init__(self, bot_service: BotService, renderer: RecordRenderer) -> None:
        self._bot_service = bot_service
        self._renderer = renderer

    def list_bots(self, request: Request) -> Response:
        """GET /api/v1/bots; the error is about the first bad parameter in this order. An empty filter is none."""
        given = {name: value for name, value in request.query.items() if value}
        states = [value for name, value in parse_query(request.query_string.encode("latin-1")) if name == "states"]
        for state in states:
            if state not in STATES:
                raise errors.bad_state(state, STATES)
        query = BotQuery(
            states=frozenset(states) if states else None,
            join_at_after=time_of(given.get("join_at_after"), "join_at_after", _NOON),
            join_at_before=time_of(given.get("join_at_before"), "join_at_before", _NOON),
        )
        cursor = cursor_of(request)
        query = query._replace(
            meeting_url=filter_of(given, "meeting_url"), deduplication_key=filter_of(given, "deduplication_key")
        )
        page = self._bot_service.list_bots(request.project, query, cursor)
        return page_response(request, page, self._renderer.bots(page.rows))

    def create_bot(self, request: Request) -> Response:
        """POST /api/v1/bots"""
        if "join_at" not in request.fields:
            raise errors.not_imitated("bots that join at once: give a calendar_event_id or a join_at")
        bot = self._bot_service.create_bot(request.project, cast(NewBot, request.fields))
        return Response(201, self._renderer.bot(bot))

    def get_bot(self, request: Request) -> Response:
        """GET /api/v1/bots/{object_id}"""
        return Response(200, self._renderer.bot(self._bot_service.get_bot(request.project, request.object_id)))

    def update_bot(self, request: Request) -> Response:
        """PATCH /api/v1/bots/{object_id}"""
        changes = cast(BotChanges, request.fields)
        return Response(
            200, self._renderer.bot(self._bot_service.update_bot(request.project, request.object_id, changes))
        )

    def delete_bot(self, request: Request) -> Response:
        """DELETE /api/v1/bots/{object_id}"""
        self._bot_service.delete_bot(request.project, request.object_id)
        return Response(200, None)


class BotBodies:
    """Reads the bodies of bots: their links and times are judged, and an event gives what it decides."""

    def __init__(self, bot_service: BotService) -> None:
        self._bot_service = bot_service

    def read_new(self, project: Project, rules: BodyRules, body: Body) -> Mapping[str, Any]:
        """The fields of a new bot; those of its event are put in before any field is looked at (bot-event-id-types).

        Raises ApiError, EventNotFound, and ServerErrorPage for a form that names an event (bot-form-encoded).
        """
        data = body.data
        demands = Demands(frozenset({"meeting_url"}), _checks(project))
        # Anything that is true in Python is looked up as an event's id; what is not, only has to be a text.
        if not isinstance(data, dict) or not data.get("calendar_event_id"):
            return rules.apply(body, demands)
        event = self._bot_service.find_event(project, _event_id(data["calendar_event_id"]))
        if data.get("meeting_url"):
            raise errors.not_with_event("meeting_url", "meeting URL")
        if body.is_form and not any(isinstance(value, Upload) for value in data.values()):
            raise errors.ServerErrorPage("a form with a calendar_event_id: the service fails with a server error")
        if data.get("join_at"):
            raise errors.not_with_event("join_at", "join time")
        decided = {"meeting_url": event.meeting_url, "join_at": render(event.start_time)}
        return {**rules.apply(Body({**data, **decided}, body.is_form), demands), "event_id": event.id}

    def read_changes(self, project: Project, rules: BodyRules, body: Body) -> Mapping[str, Any]:
        """The changes to a bot; unknown fields are passed over.

        Raises ApiError.
        """
        return rules.apply(body, Demands(checks=_checks(project)))


def _event_id(value: Any) -> str:
    try:
        return python_text(value)
    except FieldErrors as found:
        raise errors.invalid_fields({"calendar_event_id": found.problems}) from None


def _checks(project: Project) -> Mapping[str, Any]:
    now = project.clock.now()

    def join_at(value: Micros) -> Micros:
        problem = join_time_problem(value, now)
        if problem is not None:
            raise wrong(_PAST, "past") if problem == "past" else wrong(_FAR, "too far ahead")
        return value

    return {"meeting_url": _meeting_url, "bot_name": _bot_name, "join_at": join_at}


def _meeting_url(value: str) -> str:
    meeting = find_meeting(value)
    if meeting is None:
        raise wrong("Invalid meeting URL", "not a link to a meeting")
    return meeting.url


def _bot_name(value: str) -> str:
    if max(value) > _HIGHEST_PLAIN:
        raise wrong("Bot name cannot contain emojis or rare script characters.", "a character beyond U+FFFF")
    return value
