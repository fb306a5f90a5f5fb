"""Runs the server until it is ended: its port, its secrets, its bench."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from dataclasses import dataclass

import uvicorn

from stimbench.errors import InputError, PortError
from stimbench.web.bench_link import StartedBench
from stimbench.web.hub import Hub
from stimbench.web.kept import Kept, keep, tidy
from stimbench.web.run_file import Run
from stimbench.web.security import ENTRY, Door
from stimbench.web.server import application
from stimbench.web.wire import LONGEST_MESSAGE

__all__ = ("Address", "listen", "serve")

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Address:
    """Where a server listens."""

    socket: socket.socket
    host: str
    port: int

    @property
    def names(self) -> list[str]:
        """What a browser may call it by."""
        hosts = [self.host] if self.host != LOOPBACK else [LOOPBACK, "localhost"]
        if self.host in ("0.0.0.0", "::"):
            hosts = [LOOPBACK, "localhost", socket.gethostname(), *_own_addresses()]
        return [f"{host}:{self.port}" for host in hosts]


def listen(host: str, port: int) -> Address:
    """Take a port.

    Args:
        host: an address of this machine.
        port: 0 for one that is free.

    Raises:
        InputError: it cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With its protocol named, asyncio sends each frame at once; else TCP holds small ones back for 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(64)
    except OSError as error:
        listener.close()
        raise InputError(f"Port {port} of {host} cannot be had: {error.strerror}.") from error
    return Address(listener, host, listener.getsockname()[1])


def serve(
    address: Address, started: StartedBench, run: Run, door: Door, on_ready: Callable[[str], None]
) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        address: from `listen`.
        started: the bench.
        run: what it was started with.
        door: who is let in.
        on_ready: told the address of the page, with a token that is good for once.

    Raises:
        PortError: the bench cannot be built, for example without a firmware image.
    """

    def invite() -> str:
        return f"http://{address.names[0]}{ENTRY}?token={door.new_token()}"

    def keep_on_disk(now: Run) -> None:
        # Without the disk the run goes on all the same.
        with contextlib.suppress(OSError, PortError):
            keep(Kept(port=address.port, cookie=door.cookie, run=now))

    with contextlib.suppress(OSError, PortError):
        tidy()

    def end_with(why: str) -> None:
        failed.append(why)
        server.should_exit = True

    failed: list[str] = []
    app = application(door, lambda: Hub(started, run, invite, keep_on_disk, end_with))
    config = uvicorn.Config(
        app, log_level="error", access_log=False, lifespan="on", ws_max_size=LONGEST_MESSAGE + 1,
        ws_per_message_deflate=False, server_header=False, date_header=False, timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = _Server(config, lambda: on_ready(invite()))
    asyncio.run(server.serve(sockets=[address.socket]))
    if failed:
        what = "wired bench cannot be served" if started.is_wired else "emulated bench cannot be built"
        raise PortError(f"The {what}: {failed[0].rstrip('.')}.")


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin, then say so."""
        await super().startup(sockets)
        self._on_ready()


def _own_addresses() -> list[str]:
    try:
        found = socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
    except OSError:
        return []
    return sorted({str(entry[4][0]) for entry in found})
