"""Events of the recorded data, and requests for bots that join them."""

from __future__ import annotations

from typing import Any

from tests.clients import Answered, Client

MEET, NO_LINK, CANCELLED = "evt_zOZtrgM3BGbaQmJq", "evt_27InCUY28aKaDaAg", "evt_IoZZq0Fc6eRQqH8G"
ZOOM, NO_MEETING, TEAMS = "evt_6R6kHF8quNn2phwi", "evt_n4zdj4rKttG8QOfc", "evt_qYJZoLkhVCN4p0Ni"
FAR, PAST = "evt_Vs1FEHyqZJdzsmFK", "evt_HDgaumQDKkWHi0Zg"
LINK = "https://meet.google.com/abc-defg-hij"
AT = "2028-01-01T10:00:00Z"
FOR_LINK = {"bot_name": "Notes", "meeting_url": LINK, "join_at": AT}
FORM = "application/x-www-form-urlencoded"
WRONG_TIME = (
    "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
)
REQUIRED = "This field is required."
DICTIONARY = "Invalid data. Expected a dictionary, but got"
NO_TIME = {"join_at": [WRONG_TIME]}


def for_event(event_id: Any, **fields: Any) -> dict[str, Any]:
    return {"bot_name": "Notes", "calendar_event_id": event_id, **fields}


def post(client: Client, **fields: Any) -> Answered:
    return client("POST", "/bots", {**FOR_LINK, **fields})


def bots_of(client: Client, event_id: str) -> list[dict[str, Any]]:
    (event,) = client("GET", f"/calendar_events?event_id={event_id}").body["results"]
    bots: list[dict[str, Any]] = event["bots"]
    return bots
