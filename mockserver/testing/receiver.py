"""A receiver of webhooks on a port of its own: verifies them, answers as planned, waits for them without a sleep."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import ExitStack
from typing import Any, Final, NamedTuple, Protocol, Self

from mockserver.domain.subscriptions import TRIGGERS
from mockserver.http.connection import Limits
from mockserver.http.server import HttpServer
from mockserver.server import listen, url_of
from mockserver.testing.apps import App, AppKind, AppResponse, call_asgi, call_wsgi, kind_of
from mockserver.testing.calendars import AttendeeCalendar
from mockserver.testing.journal import counted
from mockserver.testing.signature import signature_header, signature_problem
from mockserver.testing.startable import Startable

__all__ = ["Answer", "ReceivedWebhook", "Sender", "WebhookReceiver"]

_LOG = logging.getLogger("mockserver.testing")
_LARGEST: Final = 10_000_000
"""The largest body that is read, in bytes."""
_MOST: Final = 10_000
"""How many webhooks are kept."""
_OWN: Final = frozenset({"host", "content-length", "connection", "accept-encoding"})
"""Headers of the connection to the receiver; an application gets them anew or not at all."""


class ReceivedWebhook(dict[str, Any]):
    """A webhook that arrived. As a mapping it is its parsed body; a body that is no JSON object is an empty one."""

    def __init__(self, body: bytes, headers: dict[str, str], secret: str | bytes) -> None:
        """`headers` have lower-case names."""
        try:
            content = json.loads(body)
        except (ValueError, RecursionError):
            content = {}
        super().__init__(content if isinstance(content, dict) else {})
        self.body = body
        """The bytes that were sent."""
        self.headers = headers
        self.problem = signature_problem(body, signature_header(headers), secret)
        """Why the signature is wrong; None for a genuine webhook."""
        self.answered: int | None = None
        """The status with which it was answered; None while it is handled."""
        self.error: BaseException | None = None
        """What the application raised, if it was passed to one."""

    @property
    def trigger(self) -> str:
        """calendar.events_update or calendar.state_change."""
        return str(self.get("trigger", ""))

    @property
    def line(self) -> str:
        """Trigger, calendar, idempotency key and answer in one line."""
        calendar = self.get("calendar_deduplication_key") or self.get("calendar_id") or "a deleted calendar"
        return f"{self.trigger} of {calendar} ({self.get('idempotency_key')}), answered {self.answered or 'not yet'}"

    def send_to(self, app: App, path: str = "/", *, kind: AppKind | None = None) -> AppResponse:
        """POSTs the webhook to an application in the calling thread, e.g. within a database transaction of the test.

        Raises RuntimeError for an ASGI application while an event loop runs: await `send_to_async` there.
        """
        url = _app_url(path)
        if (kind or kind_of(app)) == "wsgi":
            return call_wsgi(app, url, self._passed_on(), self.body)
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(call_asgi(app, url, self._passed_on(), self.body))
        raise RuntimeError("an event loop is running; write: await webhook.send_to_async(app, path)")

    async def send_to_async(self, app: App, path: str = "/") -> AppResponse:
        """POSTs the webhook to an ASGI application in the running event loop."""
        return await call_asgi(app, _app_url(path), self._passed_on(), self.body)

    def _passed_on(self) -> dict[str, str]:
        return {name: value for name, value in self.headers.items() if name not in _OWN}

    def concerns(self, calendar: str | None) -> bool:
        """Whether it is about the calendar with this id or deduplication key; None is any."""
        return calendar in (None, self.get("calendar_id"), self.get("calendar_deduplication_key"))


class Answer(NamedTuple):
    """How a webhook is answered."""

    status: int = 200
    delay: float = 0.0
    """Seconds."""
    body: str = ""


class Sender(Protocol):
    """Whoever sends to the receiver; an AttendeeProject is one."""

    def settle(self) -> Any:
        """Sends all that is due, and waits for it."""
        ...

    def why_no_webhook(self, trigger: str | None, calendar: str | None) -> list[str]:
        """Sentences that say why a webhook was not sent or did not arrive."""
        ...


class WebhookReceiver(Startable):
    """Receives webhooks at `url`, in a thread of its own, from `with` or `start` until `close`.

    `received` has all that arrived, in order; `wait_for` gives each of them once.
    """

    def __init__(self, secret: str | bytes, *, sender: Sender | None = None, host: str = "127.0.0.1", port: int = 0):
        """`secret` is the project's webhook secret, base64 or decoded; `port` 0 takes a free one.

        Without a `sender` the receiver cannot know whether more webhooks are on their way. Raises ValueError for a
        secret that is not base64.
        """
        signature_problem(b"{}", "none", secret)
        self._secret, self._sender, self._host, self._port = secret, sender, host, port
        self.url = ""
        """Where to send webhooks; empty until the receiver has started."""
        self.received: list[ReceivedWebhook] = []
        self._given: set[int] = set()
        """The webhooks that `wait_for` has returned, by their place in `received`."""
        self._arrived = threading.Condition()
        self._usual, self._next = Answer(), deque[Answer]()
        self._deliver: Callable[[ReceivedWebhook], Awaitable[AppResponse]] | None = None
        self._stack = ExitStack()

    def start(self) -> Self:
        """Starts to listen. Raises PortInUse."""
        listening = listen(self._host, self._port)
        self.url = f"{url_of(listening)}/webhook"
        server = HttpServer(self._app, Limits())
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True, name="webhook receiver")
        thread.start()
        self._stack.callback(listening.close)
        self._stack.callback(thread.join, 5)
        self._stack.callback(server.stop)
        return self

    def close(self) -> None:
        """Stops to listen; what was received stays. A second call does nothing."""
        self._stack.close()

    def answer(self, status: int = 200, *, delay: float = 0.0, times: int | None = None, body: str = "") -> None:
        """Answers the next `times` webhooks with this status after `delay` seconds, or all from now on.

        What was planned with `times` before comes first; without `times` the earlier plans end.
        """
        answer = Answer(status, delay, body)
        with self._arrived:
            if times is None:
                self._next.clear()
                self._usual = answer
            else:
                self._next.extend([answer] * times)

    def deliver_to(self, app: App, path: str = "/", *, kind: AppKind | None = None) -> None:
        """Passes each webhook that follows to an application in this process, and answers what the application answers.

        A WSGI application is called in a thread, an ASGI application in the receiver's event loop; its lifespan is not
        started. An application that raises is answered for with 500, and `error` of the webhook is the exception. What
        `answer` has planned comes before the application, which then sees nothing of that webhook.
        """
        url, chosen = _app_url(path), kind or kind_of(app)

        async def deliver(webhook: ReceivedWebhook) -> AppResponse:
            headers = webhook._passed_on()
            if chosen == "asgi":
                return await call_asgi(app, url, headers, webhook.body)
            return await asyncio.to_thread(call_wsgi, app, url, headers, webhook.body)

        self._deliver = deliver

    def wait_for(
        self,
        trigger: str | None = None,
        *,
        calendar: AttendeeCalendar | str | None = None,
        count: int = 1,
        timeout: float = 5.0,
        verify: bool = True,
    ) -> ReceivedWebhook:
        """Waits until `count` webhooks have come that no earlier call gave; gives the last of them, verified.

        `calendar` is an AttendeeCalendar, an id or a deduplication key; `timeout` is in seconds. Raises AssertionError
        when they do not come in time, with what came instead and why nothing was sent, and when a signature is wrong,
        unless `verify` is false. Raises ValueError for an unknown trigger.
        """
        __tracebackhide__ = True
        if trigger not in (None, *TRIGGERS):
            raise ValueError(f"trigger: {trigger!r} is unknown; valid: {', '.join(TRIGGERS)}")
        key = calendar.id if isinstance(calendar, AttendeeCalendar) else calendar
        with self._arrived:
            self._arrived.wait_for(lambda: len(self._matching(trigger, key)) >= count, timeout)
            found = self._matching(trigger, key)[:count]
            if len(found) == count:
                self._given.update(found)
        if len(found) < count:
            raise AssertionError(self._missing(trigger, key, len(found), count, timeout))
        for place in found:
            if verify and (problem := self.received[place].problem):
                raise AssertionError(f"the webhook {self.received[place].line} has a wrong signature: {problem}")
        return self.received[found[-1]]

    def _matching(self, trigger: str | None, calendar: str | None) -> list[int]:
        """The places of the webhooks that fit and that no call has returned."""
        return [
            place
            for place, one in enumerate(self.received)
            if place not in self._given and trigger in (None, one.trigger) and one.concerns(calendar)
        ]

    async def async_wait_for(
        self,
        trigger: str | None = None,
        *,
        calendar: AttendeeCalendar | str | None = None,
        count: int = 1,
        timeout: float = 5.0,  # noqa: ASYNC109
        verify: bool = True,
    ) -> ReceivedWebhook:
        """As `wait_for`, while the event loop goes on."""
        return await asyncio.to_thread(
            self.wait_for, trigger, calendar=calendar, count=count, timeout=timeout, verify=verify
        )

    def none_expected(self) -> None:
        """Sends all that is due, and raises AssertionError with what `wait_for` has not given until now.

        It does not sleep: the mock answers when nothing is left to do at the project's time. Raises RuntimeError for a
        receiver without a sender.
        """
        __tracebackhide__ = True
        if self._sender is None:
            raise RuntimeError("this receiver knows no project; take attendee_webhooks or project.receive_webhooks()")
        self._sender.settle()
        with self._arrived:
            left = [one.line for place, one in enumerate(self.received) if place not in self._given]
        if left:
            lines = [
                f"no webhook was expected, but {counted(len(left), 'webhook')} came:",
                *(f"  {line}" for line in left),
            ]
            raise AssertionError("\n".join(lines))

    def clear(self) -> None:
        """Forgets what was received until now."""
        with self._arrived:
            self.received.clear()
            self._given.clear()

    def _missing(self, trigger: str | None, calendar: str | None, came: int, count: int, timeout: float) -> str:
        what = f"{trigger or 'webhook'}{f' for calendar {calendar}' if calendar else ''}"
        lines = [f"{came} of {count} {what} came within {timeout:g} seconds"]
        others = [one.line for place, one in enumerate(self.received) if place not in self._given]
        if others:
            lines += ["What came and was not waited for yet:", *(f"  {line}" for line in others[-5:])]
        why = self._sender.why_no_webhook(trigger, calendar) if self._sender is not None else []
        return "\n".join([*lines, *(f"  {sentence}" for sentence in why)])

    async def _app(self, scope: MutableMapping[str, Any], receive: Callable[[], Awaitable[Any]], send: Any) -> None:
        """The receiver as an ASGI application."""
        if scope["type"] == "lifespan":
            for what in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{what}.complete"})
            return
        body = await _read(receive)
        if body is None or scope["method"] != "POST":
            await _send(send, AppResponse(405 if body is not None else 413, (), b""))
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        webhook = ReceivedWebhook(body, headers, self._secret)
        await _send(send, await self._answered(webhook))

    async def _answered(self, webhook: ReceivedWebhook) -> AppResponse:
        with self._arrived:
            planned = self._next.popleft() if self._next else None
        if planned is None and self._usual != Answer():
            planned = self._usual
        if planned is None and self._deliver is not None:
            response = await self._from_app(webhook, self._deliver)
        else:
            answer = planned or Answer()
            response = AppResponse(answer.status, (("content-type", "text/plain"),), answer.body.encode())
        webhook.answered = response.status
        with self._arrived:
            # Before the delay: a test that makes the receiver slow wants to see that the webhook came.
            if len(self.received) < _MOST:
                self.received.append(webhook)
            self._arrived.notify_all()
        if planned is not None and planned.delay:
            await asyncio.sleep(planned.delay)
        return response

    async def _from_app(
        self, webhook: ReceivedWebhook, deliver: Callable[[ReceivedWebhook], Awaitable[AppResponse]]
    ) -> AppResponse:
        # Gathered, not caught: whatever the application raises is its own bug, and a server would answer 500.
        (outcome,) = await asyncio.gather(deliver(webhook), return_exceptions=True)
        if not isinstance(outcome, BaseException):
            return outcome
        _LOG.error("the application raised while it handled %s", webhook.line, exc_info=outcome)
        webhook.error = outcome
        return AppResponse(500, (), b"")


def _app_url(path: str) -> str:
    return path if "://" in path else f"http://testserver/{path.removeprefix('/')}"


async def _read(receive: Callable[[], Awaitable[Any]]) -> bytes | None:
    """The body; None when it is too large."""
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            break
        size += len(message.get("body", b""))
        if size <= _LARGEST:
            parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts) if size <= _LARGEST else None


async def _send(send: Any, response: AppResponse) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    kept = [pair for pair in headers if pair[0] not in (b"content-length", b"transfer-encoding", b"connection")]
    kept.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": kept})
    await send({"type": "http.response.body", "body": response.body})
