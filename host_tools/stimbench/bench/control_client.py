"""Reaches a bench that runs in another process, through its socket."""

from __future__ import annotations

import json
import socket
from typing import Any

from stimbench.bench.actions import ACTIONS, ActionError
from stimbench.bench.running import BenchRecord
from stimbench.errors import PortError

__all__ = ("RunningBench",)

_CONNECT_S = 5.0


class RunningBench:
    """The hands at a bench of another process."""

    def __init__(self, record: BenchRecord) -> None:
        """Args: record: of stimbench.bench.running.find."""
        self._record = record

    def do(self, name: str, /, **arguments: Any) -> dict[str, Any]:
        """Do an action of the table, and wait until it is done.

        Returns:
            Plain data: `action`, `time_s` (of the bench), `told`, and what the action adds.

        Raises:
            ActionError: the arguments are wrong, or the bench refused; one sentence says why.
            PortError: the bench went away.
        """
        if name in ACTIONS:
            ACTIONS[name].parse(arguments)  # said here, without a bench
        message = {"token": self._record.token, "action": name, "arguments": arguments}
        answer = self._exchange(json.dumps(message).encode() + b"\n")
        if not answer.get("ok"):
            raise ActionError(str(answer.get("error", "the bench gave no reason.")))
        result: dict[str, Any] = answer["result"]
        return result

    def _exchange(self, line: bytes) -> dict[str, Any]:
        gone = PortError(f"The bench {self._record.name!r} went away.")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
            link.settimeout(_CONNECT_S)
            try:
                link.connect(self._record.socket)
                link.sendall(line)
                link.settimeout(None)  # it answers when the bench's time has come; Ctrl-C ends this
                received = bytearray()
                while not received.endswith(b"\n"):
                    data = link.recv(65536)
                    if not data:
                        raise gone
                    received += data
            except OSError as error:
                raise gone from error
        found: dict[str, Any] = json.loads(received)
        return found
