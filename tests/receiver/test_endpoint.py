"""An audit sends webhooks as the service does, and reads answers of every kind."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from mockserver.receiver.deliveries import AuditDelivery
from mockserver.receiver.endpoint import Endpoint
from tests.patience import HANGS

SMALL = AuditDelivery(b"{}", (("X-Webhook-Signature", "x"),))
LARGE = AuditDelivery(b"x" * 5_000_000, ())


@contextmanager
def answering(behave: Callable[[socket.socket], None]) -> Iterator[str]:
    """The URL of a server that does this with one connection."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                behave(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/webhook?x=1"
        thread.join(HANGS)


def test_an_answer_that_comes_before_the_whole_body_was_read_counts() -> None:
    def refuse(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1_000_000):
            pass

    with answering(refuse) as url:
        answer = Endpoint(url, HANGS).post(LARGE)
    assert (answer.status, answer.accepted, answer.refused) == (413, False, True)


@pytest.mark.parametrize("sent", [b"", b"SMTP ready\r\n"])
def test_what_is_no_answer_is_a_problem(sent: bytes) -> None:
    def behave(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(sent)

    with answering(behave) as url:
        answer = Endpoint(url, HANGS).post(SMALL)
    assert answer.status is None
    assert str(answer).startswith("no valid answer (")


def test_a_receiver_that_hangs_is_late() -> None:
    ended = threading.Event()
    with answering(lambda _: (ended.wait(HANGS), None)[1]) as url:
        answer = Endpoint(url, HANGS).post(SMALL, 0.05)
        ended.set()
    assert str(answer) == "no answer within 0.05 s"
