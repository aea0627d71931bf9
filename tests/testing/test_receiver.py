"""A receiver gives each webhook once, verified, answers as planned, and passes webhooks to applications."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from flask import Flask, request
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from mockserver.testing import AttendeeCalendar, AttendeeProject, WebhookReceiver
from tests.clients import over_http

CHANGED, DISCONNECTED = "calendar.events_update", "calendar.state_change"
SECRET = "5iXV378/KoYsH0Zs0PSAwpkBxdHfo0WP+Tou6T4M0J0="


@pytest.fixture
def ada(attendee_project: AttendeeProject) -> AttendeeCalendar:
    attendee_project.clock.freeze()
    return attendee_project.calendar("ada")


def change(calendar: AttendeeCalendar) -> None:
    calendar.add_event("Planning")
    calendar.sync()


def failure(call: Any, *arguments: Any, **named: Any) -> list[str]:
    with pytest.raises(AssertionError) as raised:
        call(*arguments, **named)
    return str(raised.value).splitlines()


def test_each_webhook_is_given_once_and_verified(attendee_webhooks: WebhookReceiver, ada: AttendeeCalendar) -> None:
    change(ada)
    change(ada)
    first = attendee_webhooks.wait_for(CHANGED, calendar=ada)
    second = attendee_webhooks.wait_for(CHANGED, calendar="ada")
    assert first["idempotency_key"] != second["idempotency_key"]
    assert (first.trigger, first["calendar_id"], first.problem, first.answered) == (CHANGED, ada.id, None, 200)
    assert json.loads(first.body) == first
    attendee_webhooks.none_expected()


def test_several_webhooks_are_waited_for_together(attendee_webhooks: WebhookReceiver, ada: AttendeeCalendar) -> None:
    change(ada)
    ada.revoke()
    ada.sync()
    assert attendee_webhooks.wait_for(count=2).trigger == DISCONNECTED


def test_a_webhook_that_does_not_come_is_missed_with_the_reasons(
    attendee_webhooks: WebhookReceiver, ada: AttendeeCalendar
) -> None:
    ada.sync()
    lines = failure(attendee_webhooks.wait_for, CHANGED, calendar="ada", timeout=0)
    assert lines[0] == f"0 of 1 {CHANGED} for calendar ada came within 0 seconds"
    assert lines[1].startswith("  nothing changed: the latest sync changed no event in its window")
    change(ada)
    lines = failure(attendee_webhooks.wait_for, DISCONNECTED, calendar=ada, timeout=0)
    assert lines[1] == "What came and was not waited for yet:"
    assert lines[2].startswith(f"  {CHANGED} of ada (")
    assert lines[3] == f"  {CHANGED} was made for it: success"
    assert failure(attendee_webhooks.wait_for, DISCONNECTED, timeout=0)[-1].startswith("  the project has made no such")
    attendee_webhooks.wait_for(CHANGED)
    assert failure(attendee_webhooks.wait_for, CHANGED, timeout=0)[-1] == (
        "  1 such delivery has succeeded; wait_for gives each webhook only once"
    )
    assert "no calendar" in failure(attendee_webhooks.wait_for, CHANGED, calendar="bob", timeout=0)[-1]
    with pytest.raises(ValueError, match=r"trigger: 'events_update' is unknown; valid: calendar\."):
        attendee_webhooks.wait_for("events_update")


def test_a_webhook_that_nobody_waited_for_is_not_expected(
    attendee_webhooks: WebhookReceiver, ada: AttendeeCalendar
) -> None:
    change(ada)
    lines = failure(attendee_webhooks.none_expected)
    assert lines[0] == "no webhook was expected, but 1 webhook came:"
    attendee_webhooks.clear()
    attendee_webhooks.none_expected()


def test_a_delivery_that_failed_is_sent_again_when_the_clock_moves(
    attendee_project: AttendeeProject, attendee_webhooks: WebhookReceiver, ada: AttendeeCalendar
) -> None:
    attendee_webhooks.answer(503, times=3, body="overloaded")
    change(ada)
    attendee_project.clock.advance("10s")
    last = attendee_webhooks.wait_for(CHANGED, count=3)
    assert last.answered == 503
    assert len({one["idempotency_key"] for one in attendee_webhooks.received}) == 1
    (delivery,) = attendee_project.deliveries
    assert (delivery["state"], delivery["status"]) == ("failure", 503)
    assert [one["answer"] for one in attendee_project.deliveries.attempts(delivery["key"])] == ["overloaded"] * 3
    assert attendee_project.why_no_webhook(CHANGED)[0].endswith(f"to {attendee_webhooks.url}: failure, answered 503")


def test_answers_change_for_all_that_follow(attendee_webhooks: WebhookReceiver, ada: AttendeeCalendar) -> None:
    attendee_webhooks.answer(500)
    change(ada)
    assert attendee_webhooks.wait_for().answered == 500
    attendee_webhooks.answer(delay=0.001)
    change(ada)
    assert attendee_webhooks.received[-1].answered == 200


@pytest.mark.parametrize("kind", ["webhook-unsigned", "webhook-old-secret"])
def test_a_wrong_signature_is_an_error_unless_it_is_wanted(
    kind: str, attendee_project: AttendeeProject, attendee_webhooks: WebhookReceiver, ada: AttendeeCalendar
) -> None:
    attendee_project.faults.add(kind=kind)
    change(ada)
    change(ada)
    assert "has a wrong signature: " in failure(attendee_webhooks.wait_for)[0]
    assert attendee_webhooks.wait_for(verify=False).problem is not None


def wsgi_app() -> Any:
    app = Flask("receiver")

    @app.post("/hooks/<name>")
    def receive(name: str) -> tuple[str, int]:
        if request.args.get("fail"):
            raise RuntimeError("a bug of the app")
        content = request.get_json()
        signed = "X-Webhook-Signature" in request.headers and request.host == "testserver"
        return f"{name} {content['trigger']} {signed}", 202

    return app


async def asgi_receive(received: Request) -> JSONResponse:
    if "fail" in received.query_params:
        raise RuntimeError("a bug of the app")
    content = await received.json()
    signed = "x-webhook-signature" in received.headers
    return JSONResponse(f"{received.path_params['name']} {content['trigger']} {signed}", 202)


def asgi_app() -> Any:
    return Starlette(routes=[Route("/hooks/{name}", asgi_receive, methods=["POST"])])


@pytest.fixture(params=[wsgi_app, asgi_app], ids=["wsgi", "asgi"])
def app(request: pytest.FixtureRequest) -> Any:
    return request.param()


def test_webhooks_go_into_an_application_whose_answer_counts(
    app: Any, attendee_project: AttendeeProject, attendee_webhooks: WebhookReceiver, ada: AttendeeCalendar
) -> None:
    attendee_webhooks.deliver_to(app, "/hooks/one")
    change(ada)
    assert attendee_webhooks.wait_for(CHANGED).answered == 202
    (attempt,) = attendee_project.deliveries.attempts(attendee_project.deliveries[0]["key"])
    assert attempt["answer"].strip('"') == f"one {CHANGED} True"
    attendee_webhooks.answer(500, times=1)
    change(ada)
    assert attendee_webhooks.wait_for(CHANGED).answered == 500


def test_an_application_that_raises_is_answered_for_with_500(
    attendee_webhooks: WebhookReceiver, ada: AttendeeCalendar, caplog: pytest.LogCaptureFixture
) -> None:
    attendee_webhooks.deliver_to(asgi_app(), "/hooks/one?fail=1")
    change(ada)
    came = attendee_webhooks.wait_for(CHANGED)
    assert (came.answered, repr(came.error)) == (500, "RuntimeError('a bug of the app')")
    assert "the application raised" in caplog.text


def test_a_webhook_can_be_sent_to_an_application_in_the_tests_own_thread(
    app: Any, attendee_webhooks: WebhookReceiver, ada: AttendeeCalendar
) -> None:
    change(ada)
    came = attendee_webhooks.wait_for(CHANGED)
    response = came.send_to(app, "/hooks/two?x=1")
    assert (response.status, response.body.decode().strip('"')) == (202, f"two {CHANGED} True")
    assert dict((name.lower(), value) for name, value in response.headers)["content-length"]


def test_within_an_event_loop_a_webhook_is_awaited(attendee_webhooks: WebhookReceiver, ada: AttendeeCalendar) -> None:
    async def run() -> int:
        await asyncio.to_thread(change, ada)
        came = await attendee_webhooks.async_wait_for(CHANGED, calendar=ada)
        with pytest.raises(RuntimeError, match="await webhook.send_to_async"):
            came.send_to(asgi_app())
        return (await came.send_to_async(asgi_app(), "/hooks/three")).status

    assert asyncio.run(run()) == 202


def test_a_receiver_works_alone_and_only_takes_posts() -> None:
    with WebhookReceiver(SECRET) as receiver:
        base = receiver.url.removesuffix("/webhook")
        assert over_http(base)("GET", "/webhook", {}, None).status == 405
        assert over_http(base)("POST", "/webhook", {}, b"no JSON").status == 200
        came = receiver.wait_for(verify=False)
        assert (came, came.problem) == ({}, "there is no X-Webhook-Signature header")
        with pytest.raises(RuntimeError, match="this receiver knows no project"):
            receiver.none_expected()
    receiver.close()
    with pytest.raises(ValueError, match="the webhook secret is not base64"):
        WebhookReceiver("no base64!")


def test_a_receiver_is_an_async_context_manager() -> None:
    async def run() -> str:
        async with WebhookReceiver(SECRET) as receiver:
            return receiver.url

    assert asyncio.run(run()).startswith("http://127.0.0.1:")
