"""The socket of a bench that runs: one JSON object a line, in both directions.

A message is `{"token": ..., "action": ..., "arguments": {...}}`, with an action of stimbench.bench.actions.
The answer is `{"ok": true, "result": {...}}`, or `{"ok": false, "error": "one sentence"}`. Whoever sends
something else is told so and disconnected; the bench goes on.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import socket
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stimbench.bench.actions import ActionError
from stimbench.bench.hands import Hands, Later

__all__ = ("LONGEST_MESSAGE", "ControlServer", "Message")

LONGEST_MESSAGE = 64 * 1024
"""Bytes of one line."""
_MOST_CLIENTS = 16
_MOST_UNSENT = 1024 * 1024
_READ_SIZE = 64 * 1024


class Message(BaseModel):
    """What a client sends."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    token: str = Field(repr=False)
    action: str
    arguments: dict[str, str | int | float | bool | None] = {}


@dataclass
class _Client:
    socket: socket.socket
    received: bytes = b""
    unsent: bytes = b""
    waiting: Later | None = None
    closing: bool = False
    lines: list[bytes] = field(default_factory=list)


class ControlServer:
    """Answers at the socket of a bench. Nothing here waits: `poll` does what is due."""

    def __init__(self, listener: socket.socket, hands: Hands, token: str) -> None:
        """Serve.

        Args:
            listener: listens already and does not block; its owner closes it.
            hands: does the actions. The bench's time passes elsewhere, between two calls of `poll`.
            token: what each message must bring.
        """
        self._listener = listener
        self._hands = hands
        self._token = token.encode()
        self._clients: list[_Client] = []

    def poll(self) -> None:
        """Take new clients, answer what they asked, and send what waits."""
        self._accept()
        for client in list(self._clients):
            self._receive(client)
            self._serve(client)
            self._send(client)
            if client.closing and not client.unsent:
                self._drop(client)

    def close(self) -> None:
        """Drop all clients."""
        for client in list(self._clients):
            self._drop(client)

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:  # nobody waits; or one who was waiting has gone
                return
            accepted.setblocking(False)
            self._clients.append(_Client(accepted))
            if len(self._clients) > _MOST_CLIENTS:
                self._drop(self._clients[0])

    def _receive(self, client: _Client) -> None:
        if client.closing or client.lines:
            return
        try:
            data = client.socket.recv(_READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(client)
            return
        *lines, client.received = (client.received + data).split(b"\n")
        client.lines += lines
        if max(map(len, [*lines, client.received])) > LONGEST_MESSAGE:
            self._refuse(client, f"A message has at most {LONGEST_MESSAGE} bytes.")

    def _serve(self, client: _Client) -> None:
        """Answer one line after the other; one that waits holds up the next."""
        if client.waiting is not None:
            if self._hands.bench.now_ns < client.waiting.at_ns:
                return
            later, client.waiting = client.waiting, None
            self._answer(client, {"ok": True, "result": later.result()})
        while client.lines and client.waiting is None and not client.closing:
            self._serve_line(client, client.lines.pop(0))

    def _serve_line(self, client: _Client, line: bytes) -> None:
        try:
            message = Message.model_validate_json(line)
        except ValidationError:
            self._refuse(client, "This is no message to a bench, a line of JSON with token and action.")
            return
        if not hmac.compare_digest(message.token.encode(), self._token):
            self._refuse(client, "The token is wrong.")
            return
        try:
            done = self._hands.begin(message.action, message.arguments)
        except ActionError as error:
            self._answer(client, {"ok": False, "error": str(error)})
            return
        except Exception as error:  # a defect of ours must not take the user's bench down with it
            told = f"The bench failed to do it ({type(error).__name__}: {error})."
            self._answer(client, {"ok": False, "error": told})
            return
        if isinstance(done, Later):
            client.waiting = done
        else:
            self._answer(client, {"ok": True, "result": done})

    def _refuse(self, client: _Client, why: str) -> None:
        client.lines.clear()
        client.closing = True
        self._answer(client, {"ok": False, "error": why})

    def _answer(self, client: _Client, answer: dict[str, Any]) -> None:
        client.unsent += json.dumps(answer).encode() + b"\n"

    def _send(self, client: _Client) -> None:
        if not client.unsent or client not in self._clients:
            return
        try:
            sent = client.socket.send(client.unsent)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._drop(client)
            return
        client.unsent = client.unsent[sent:]
        if len(client.unsent) > _MOST_UNSENT:
            self._drop(client)

    def _drop(self, client: _Client) -> None:
        with contextlib.suppress(ValueError):
            self._clients.remove(client)
        client.socket.close()
