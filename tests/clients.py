"""Ways to send a request to a mock: straight into its ASGI application, or over a socket."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Mapping, MutableMapping
from typing import Any
from urllib.parse import unquote, urlsplit

from mockserver.app import Mock
from tests.patience import HANGS
from tests.replayer import Reply, Send


def in_process(mock: Mock) -> Send:
    """Calls the mock's application as a server would, without one."""

    def send(method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        return asyncio.run(_call(mock, method, path, headers, body or b""))

    return send


async def _call(mock: Mock, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
    target, _, query = path.partition("?")
    given = {"host": "127.0.0.1:8000", **{name.lower(): value for name, value in headers.items()}}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(target),
        "raw_path": target.encode(),
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "headers": [(n.encode(), v.strip().encode("latin-1", "replace")) for n, v in given.items()],
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50000),
    }
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        for message in messages:
            return message
        # The client stays until it is answered.
        await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    await mock.asgi(scope, receive, send)
    answered = {name.decode(): value.decode("latin-1") for name, value in sent[0]["headers"]}
    return Reply(sent[0]["status"], answered, b"".join(message.get("body", b"") for message in sent[1:]))


def over_http(url: str) -> Send:
    """Opens a connection for each request, and sends nothing that was not given but Host and Content-Length."""
    address = urlsplit(url)

    def send(method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=HANGS)
        try:
            connection.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name, value.encode("latin-1", "replace"))
            if body is not None or method in ("POST", "PUT", "PATCH"):
                connection.putheader("Content-Length", str(len(body or b"")))
            connection.endheaders(body)
            response = connection.getresponse()
            answered = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, answered, response.read())
        finally:
            connection.close()

    return send


ACME = "acmezictyO3S8ktCJsCRGI4TPrXdUeV1"
GLOBEX = "glbxyqFqx8traHkQ0HL7TNn2Paq7Xq2S"
EMPTY = "emptCnuGc5vGeDoC30b0H8v6UvoPZONx"
TIES = "tiesKeTVImLlzXuXn5aKZ32I5lZximCc"
MAIN_CALENDAR = "cal_pYJh5jp0FRic6QYc"
NEW_CALENDAR = {
    "platform": "google",
    "client_id": "new.apps.googleusercontent.com",
    "client_secret": "GOCSPX-new",
    "refresh_token": "1//new",
}


class Answered:
    """A reply with its parts at hand."""

    def __init__(self, reply: Reply) -> None:
        self.status, self.headers, self.text = reply.status, reply.headers, reply.body.decode("utf-8")

    @property
    def body(self) -> Any:
        return json.loads(self.text)


class Client:
    """What an integrator's client is to the service, with the key of a recorded project."""

    def __init__(self, mock: Mock, key: str = ACME) -> None:
        self._send = in_process(mock)
        self._key = key

    def __call__(self, method: str, path: str, body: Any = None, **headers: str | None) -> Answered:
        """Sends a request under /api/v1; bytes are sent as they are, else JSON. None leaves a header out."""
        sent: dict[str, str | None] = {"authorization": f"Token {self._key}"}
        raw = body
        if body is not None and not isinstance(body, bytes):
            raw = json.dumps(body).encode()
        if raw is not None:
            sent["content-type"] = "application/json"
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        given = {name: value for name, value in sent.items() if value is not None}
        return Answered(self._send(method, f"/api/v1{path}", given, raw))
