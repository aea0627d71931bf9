"""HTTP on a connection: the fast parser, the patient one for what that does not know, and a hold on the connection."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mockserver.connection import CONNECTION, Connection


class PatientProtocol(HttpToolsProtocol):
    """httptools, which knows some 30 methods; a request that it refuses is read again by h11, which takes any.

    The service answers 405 to a method that nobody ever heard of (methods-calendars), and so has to see it.
    """

    _latest = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Gives the requests to come a hold on their connection; the state's copy is this connection's own."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, CONNECTION: Connection(transport)}

    def data_received(self, data: bytes) -> None:
        """Reads what came in."""
        self._latest = data
        super().data_received(data)

    def send_400_response(self, msg: str) -> None:
        """Hands the connection over to h11, unless a request or its answer is under way on it."""
        if self.cycle is not None and not self.cycle.response_complete:
            super().send_400_response(msg)
            return
        self.connections.discard(self)
        patient = H11Protocol(self.config, self.server_state, self.app_state, self.loop)
        patient.connection_made(self.transport)
        self.transport.set_protocol(patient)
        patient.data_received(self._latest)
