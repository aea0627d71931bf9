"""One run of the proxy: listens, forwards until it is stopped, and ends with the verdict of the watching process."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from mockserver.proxy.tapping import Tapping
from mockserver.proxy.target import Target, connect, tls
from mockserver.proxy.tunnel import Tunnels

_READY: Final = b"ready"
_TOGETHER: Final = 0.02
"""For how many seconds copies are collected before they are written to the recording process."""
_MODULE: Final = "mockserver.proxy.watching"


class ProxyError(Exception):
    """The proxy cannot start; the text says why and what to do."""


class Options(NamedTuple):
    """What a run is told."""

    target: Target
    host: str
    port: int
    record: Path | None
    fail_on: str
    patience: float
    """How many seconds the target may be silent while a client waits."""
    set_host: bool = False
    """Whether requests get the target's Host header."""


def run(
    options: Options, ready: Callable[[str], None], stop: Callable[[Callable[[], None]], None] | None = None
) -> int:
    """Forwards until Ctrl-C or SIGTERM, and gives the exit status. `ready` gets the URL of the proxy.

    `stop` gets a function that ends the run, in tests. Raises ProxyError and TargetError.
    """
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_run(options, ready, stop))


async def _run(
    options: Options, ready: Callable[[str], None], stop: Callable[[Callable[[], None]], None] | None
) -> int:
    context = tls(options.target)
    probe = _Probe()
    await connect(options.target, probe, context)
    probe.close()
    with _listening(options.host, options.port) as listening:
        watcher = await _start_watching(options)
        assert watcher.stdin is not None
        loop = asyncio.get_running_loop()
        tapping = Tapping(watcher.stdin.transport, partial(loop.call_later, _TOGETHER))
        tunnels = Tunnels(options.target, context, tapping, options.patience, set_host=options.set_host)
        server = await loop.create_server(tunnels, sock=listening)
        stopped = asyncio.Event()
        with _signals(loop, stopped.set):
            if stop is not None:
                stop(partial(_set, loop, stopped))
            ready(_url(listening))
            await stopped.wait()
        server.close()
        tunnels.close()
        await server.wait_closed()
        # The connections' last callbacks write that they are closed.
        await asyncio.sleep(0)
        tapping.finish()
        return await _finished(watcher)


def _set(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    loop.call_soon_threadsafe(event.set)


class _Probe(asyncio.Protocol):
    """A connection that only shows whether the target can be reached."""

    transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the transport."""
        self.transport = transport

    def close(self) -> None:
        """Ends the connection."""
        if self.transport is not None:
            self.transport.close()


async def _start_watching(options: Options) -> asyncio.subprocess.Process:
    """Starts the process that reads, and waits until it does."""
    arguments = [options.target.url, "--fail-on", options.fail_on]
    if options.record is not None:
        arguments += ["--record", str(options.record)]
    watcher = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        _MODULE,
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert watcher.stderr is not None
    line = (await watcher.stderr.readline()).strip()
    if line != _READY:
        await watcher.communicate()
        raise ProxyError(line.decode("utf-8", "replace") or "the recording process did not start")
    return watcher


async def _finished(watcher: asyncio.subprocess.Process) -> int:
    """Lets the process read to the end; its exit status is that of the proxy."""
    assert watcher.stderr is not None
    assert watcher.stdin is not None
    watcher.stdin.close()
    failed = await watcher.stderr.read()
    status = await watcher.wait()
    if status not in (0, 1):
        lines = failed.decode("utf-8", "replace").strip().splitlines()
        raise ProxyError(f"the recording ended early ({lines[-1] if lines else f'exit status {status}'})")
    return status


def _listening(host: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(2048)
    except OSError as error:
        listening.close()
        reason = (error.strerror or str(error)).lower()
        raise ProxyError(f"cannot listen on {host}:{port} ({reason}); choose another --port") from None
    return listening


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextlib.contextmanager
def _signals(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the run in order, where the loop can catch them."""
    caught: list[signal.Signals] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, stop)
            caught.append(number)
    try:
        yield
    finally:
        for number in caught:
            loop.remove_signal_handler(number)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's event loop where there is one: not on Windows."""
    if sys.platform == "win32":
        return None
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
