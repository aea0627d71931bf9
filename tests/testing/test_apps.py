"""Applications are called in this process as a server would call them."""

from __future__ import annotations

import asyncio
import functools
from typing import Any

import pytest

from mockserver.testing.apps import call_asgi, call_wsgi, kind_of


class Closing:
    """A body that is closed, as WSGI wants it."""

    def __init__(self) -> None:
        self.closed = False

    def __iter__(self) -> Any:
        return iter([b"b", b"c"])

    def close(self) -> None:
        self.closed = True


def test_a_wsgi_application_gets_an_environment_and_its_body_is_closed() -> None:
    seen: dict[str, Any] = {}
    body = Closing()

    def app(environ: dict[str, Any], start: Any) -> Closing:
        seen.update(environ, read=environ["wsgi.input"].read())
        start("201 Created", [("X-A", "1")])(b"a")
        return body

    response = call_wsgi(app, "https://testserver/a%20b?x=1", {"content-type": "text/plain", "x-b": "2"}, b"body")
    assert response == (201, (("X-A", "1"),), b"abc")
    assert body.closed
    assert {name: seen[name] for name in ("PATH_INFO", "QUERY_STRING", "CONTENT_TYPE", "HTTP_X_B", "read")} == {
        "PATH_INFO": "/a b",
        "QUERY_STRING": "x=1",
        "CONTENT_TYPE": "text/plain",
        "HTTP_X_B": "2",
        "read": b"body",
    }


def test_an_asgi_application_gets_a_scope_and_may_send_its_body_in_parts() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        first, leaving = await receive(), asyncio.ensure_future(receive())
        assert (scope["path"], scope["raw_path"], scope["query_string"]) == ("/a b", b"/a%20b", b"x=1")
        assert dict(scope["headers"]) == {b"host": b"testserver", b"content-length": b"4", b"x-b": b"2"}
        assert first["body"] == b"body"
        await send({"type": "http.response.start", "status": 201, "headers": [(b"x-a", b"1")]})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        await asyncio.sleep(0)
        assert not leaving.done()
        await send({"type": "http.response.body", "body": b"b"})
        assert (await leaving)["type"] == "http.disconnect"

    response = asyncio.run(call_asgi(app, "http://testserver/a%20b?x=1", {"X-B": "2"}, b"body"))
    assert response == (201, (("x-a", "1"),), b"ab")


def test_an_asgi_application_without_a_response_is_an_error() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    with pytest.raises(RuntimeError, match="the application returned without a whole response"):
        asyncio.run(call_asgi(app, "http://testserver/", {}, b""))


class AsgiObject:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        raise NotImplementedError


class WsgiObject:
    def __call__(self, environ: Any, start: Any) -> Any:
        raise NotImplementedError


async def asgi_function(scope: Any, receive: Any, send: Any) -> None:
    raise NotImplementedError


@pytest.mark.parametrize(
    ("app", "kind"),
    [
        (AsgiObject(), "asgi"),
        (WsgiObject(), "wsgi"),
        (asgi_function, "asgi"),
        (functools.partial(asgi_function), "asgi"),
        (lambda environ, start: [], "wsgi"),
    ],
)
def test_the_kind_of_an_application_is_seen(app: Any, kind: str) -> None:
    assert kind_of(app) == kind
