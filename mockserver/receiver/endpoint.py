"""Sends webhooks to a receiver and reads its answers."""

from __future__ import annotations

import contextlib
import http.client
import time
from collections.abc import Callable
from typing import Final, NamedTuple
from urllib.parse import SplitResult, urlsplit

from mockserver.receiver.deliveries import AuditDelivery

_MOST_READ: Final = 65_536
TIMEOUT: Final = 10.0


class ReceiverAnswer(NamedTuple):
    """What a receiver answered."""

    status: int | None
    """None where no answer came."""
    seconds: float
    problem: str = ""
    """Why no answer came."""
    closes: bool = True
    """Whether the receiver closes the connection."""

    @property
    def accepted(self) -> bool:
        """Whether the service takes the webhook for delivered."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def refused(self) -> bool:
        """Whether the receiver refused the webhook on purpose."""
        return self.status is not None and 400 <= self.status < 500

    def __str__(self) -> str:
        return self.problem or f"{self.status} after {self.seconds:.2f} s"


class Endpoint:
    """The URL of a receiver."""

    def __init__(self, url: str, timeout: float = TIMEOUT, clock: Callable[[], float] = time.monotonic) -> None:
        """`timeout` is how many seconds an answer may take. Raises ValueError for what is no http or https URL."""
        try:
            parts: SplitResult = urlsplit(url)
            self._port = parts.port
        except ValueError:
            parts = SplitResult("", "", "", "", "")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("it is not the URL of a receiver; write it as http://127.0.0.1:3000/webhook")
        self._tls, self._host = parts.scheme == "https", parts.hostname
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._timeout, self._clock = timeout, clock

    def post(self, delivery: AuditDelivery, timeout: float | None = None) -> ReceiverAnswer:
        """Sends a webhook on a connection of its own."""
        (answer,) = self.post_all([delivery], timeout)
        return answer

    def post_all(self, several: list[AuditDelivery], timeout: float | None = None) -> list[ReceiverAnswer]:
        """Sends webhooks one after the other on one connection; a new one where the receiver closes it."""
        connect = http.client.HTTPSConnection if self._tls else http.client.HTTPConnection
        connection = connect(self._host, self._port, timeout=timeout or self._timeout)
        try:
            return [self._exchange(connection, one, timeout or self._timeout) for one in several]
        finally:
            connection.close()

    def _exchange(
        self, connection: http.client.HTTPConnection, delivery: AuditDelivery, timeout: float
    ) -> ReceiverAnswer:
        started = self._clock()
        try:
            connection.putrequest("POST", self._target, skip_accept_encoding=True)
            for name, value in (*delivery.headers, ("Content-Length", str(len(delivery.body)))):
                connection.putheader(name, value)
            # A receiver may answer before it has read everything, and close: the answer is there nevertheless.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.endheaders(delivery.body)
            response = connection.getresponse()
            response.read(_MOST_READ)
        except TimeoutError:
            return ReceiverAnswer(None, self._clock() - started, f"no answer within {timeout:g} s")
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            connection.close()
            return ReceiverAnswer(None, self._clock() - started, f"no valid answer ({reason.lower()})")
        closes = response.will_close
        if closes or not response.isclosed():
            connection.close()
        return ReceiverAnswer(response.status, self._clock() - started, closes=closes)
