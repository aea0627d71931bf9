"""A fault changes how a response is sent, in process too, where there is no connection."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from mockserver.api.errors import ApiError
from mockserver.api.fault import InjectedFault
from mockserver.api.fault_injection import apply_fault, send_with_fault, with_error_page
from mockserver.api.request import Exchange
from mockserver.api.response import EncodedResponse
from mockserver.domain.store import Project

BODY = b"0123456789"
RESPONSE = EncodedResponse(200, [(b"content-type", b"application/json"), (b"content-length", b"10")], BODY)


class Source:
    """Gives every request the same fault."""

    def __init__(self, fault: InjectedFault | None) -> None:
        self.armed = fault is not None
        self.fault = fault

    def next(self, project: Project, operation: str, query: bytes) -> InjectedFault | None:
        return self.fault


def applied(fault: InjectedFault | None) -> tuple[Exchange, list[float], ApiError | None]:
    """The exchange to which a fault was applied, how long that waited, and what it raised."""
    exchange, waits = Exchange("GET", "/", operation="getCalendar", project=Project("A", ("key",))), []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    try:
        asyncio.run(apply_fault(Source(fault), exchange, sleep))
    except ApiError as error:
        return exchange, waits, error
    return exchange, waits, None


def sent(fault: InjectedFault, response: EncodedResponse = RESPONSE) -> tuple[dict[bytes, bytes], list[bytes], int]:
    """The headers and the pieces that are sent in process, and how often it waited between them."""
    messages: list[MutableMapping[str, Any]] = []
    waits = []

    async def send(message: MutableMapping[str, Any]) -> None:
        messages.append(message)

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.disconnect"}

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    asyncio.run(send_with_fault(fault, response, {"state": {}}, receive, send, sleep))
    assert messages[0]["status"] == response.status
    assert [message.get("more_body", False) for message in messages[1:]][-1] is False
    return dict(messages[0]["headers"]), [message["body"] for message in messages[1:]], len(waits)


def test_without_a_fault_nothing_happens() -> None:
    exchange, waits, error = applied(None)
    assert (exchange.fault, waits, error) == (None, [], None)


def test_a_slow_response_waits_before_the_operation() -> None:
    exchange, waits, error = applied(InjectedFault("f", "slow", 2.5))
    assert exchange.fault is not None
    assert (waits, error) == ([2.5], None)


def test_an_error_comes_before_the_operation_or_after_it() -> None:
    _, _, before = applied(InjectedFault("f", "error", status=503))
    exchange, _, after = applied(InjectedFault("f", "error", status=503, after=True))
    assert before is not None
    assert before.status == 503
    assert after is None
    assert exchange.fault is not None


def test_a_dribbled_response_waits_between_its_pieces_alone() -> None:
    assert applied(InjectedFault("f", "dribbled", 1.0))[1] == []
    headers, pieces, waits = sent(InjectedFault("f", "dribbled", 1.0, pieces=5))
    assert (pieces, waits) == ([b"01", b"23", b"45", b"67", b"89"], 4)
    assert headers[b"content-length"] == b"10"


@pytest.mark.parametrize("pieces", [1, 3, 10, 1000])
def test_a_dribbled_response_is_whole_in_the_end(pieces: int) -> None:
    fault = InjectedFault("f", "dribbled", pieces=pieces)
    assert b"".join(sent(fault)[1]) == BODY
    assert sent(fault, RESPONSE._replace(body=b""))[1] == [b""]


def test_a_truncated_response_has_half_its_body_under_the_length_of_all() -> None:
    headers, pieces, _ = sent(InjectedFault("f", "truncated"))
    assert (headers[b"content-length"], pieces) == (b"10", [b"01234"])


@pytest.mark.parametrize(("by", "length"), [(3, b"13"), (-4, b"6"), (-99, b"0")])
def test_a_wrong_length_is_off_by_as_much_as_was_asked_for(by: int, length: bytes) -> None:
    headers, pieces, _ = sent(InjectedFault("f", "wrong-length", by=by))
    assert (headers[b"content-length"], pieces) == (length, [BODY])


def test_a_reset_is_raised_where_there_is_no_connection() -> None:
    with pytest.raises(ConnectionResetError, match="fault mine: reset"):
        sent(InjectedFault("mine", "reset"))


def test_a_502_has_a_page_in_place_of_json_and_a_404_has_not() -> None:
    page = with_error_page(InjectedFault("f", "html-502", status=502), RESPONSE)
    assert (page.status, dict(page.headers)[b"content-type"]) == (502, b"text/html; charset=utf-8")
    assert dict(page.headers)[b"content-length"] == str(len(page.body)).encode()
    assert with_error_page(InjectedFault("f", "error", status=404), RESPONSE) is RESPONSE
