"""A wired bench's process: its board over a serial port, its instruments' captures, the wall's clock.

It speaks to the server as web.stand does. Nothing here can be repeated, slowed down, or made to stand still.
"""

from __future__ import annotations

import random
import time
from contextlib import suppress
from typing import Any

from stimbench.bench.actions import ActionError
from stimbench.client.console import Console
from stimbench.client.stimulator import Stimulator
from stimbench.errors import StimbenchError
from stimbench.rig.file import BenchFile
from stimbench.rig.session import RigParts, WiredSession
from stimbench.web.capturing import CAPTURE_MS, Captures, NoCaptures
from stimbench.web.channel import MOST_UNSENT, BenchEnd, Kind
from stimbench.web.needs import ON_A_WIRED_BENCH, Need
from stimbench.web.polling import POLL_NUMBERS_FROM, TOLD_NOTHING, Poll
from stimbench.web.standing import Standing
from stimbench.web.wired_board import WallClock, WiredBoard

__all__ = ("WiredStand",)

_POLL_S = 0.5
"""As on the emulated bench. A board without a radio ends a session when it hears nothing for 2 s."""
_POLL_TIMEOUT_S = 0.3
_STATE_S = 0.1
_IDLE_S = 0.02
_LAST_STOP_TIMEOUT_S = 0.2
"""At the end nothing may take longer than the server waits: the STOP goes out three times at most."""
_NS_PER_S = 1_000_000_000


class WiredStand(Standing):
    """A wired bench and its client. See web.table.Stand."""

    def __init__(
        self,
        end: BenchEnd,
        file: BenchFile,
        parts: RigParts | None = None,
        captures: Captures | None = None,
        clock: WallClock | None = None,
        begin_s: float | None = None,
    ) -> None:
        """Nothing is opened yet.

        Args:
            end: to the server.
            file: what the bench is.
            parts: how it is reached.
            captures: of its instruments, which end with the stand; None for none.
            clock: the wall's.
            begin_s: where the page's time begins, on that clock; None for now.

        Raises:
            InputError: a source's settings make no instrument.
        """
        clock = clock or WallClock()
        super().__init__(end, 0, clock.now_s)
        self.random = random.SystemRandom()  # keys and ids of real devices
        self.file = file
        self._begin_s = clock.now_s() if begin_s is None else begin_s
        self._idle = clock.idle or end.wait
        self._session = WiredSession(file, parts or RigParts())
        self._board = WiredBoard(self._session, clock, self._meanwhile, self._on_port)
        self._captures = captures or NoCaptures()
        self._next_poll_s = self._state_s = clock.now_s()
        self._unsent_stop = False
        self._new_consoles()

    def _new_consoles(self) -> None:
        first = time.time_ns() >> 20 & 0x7F  # replies to an earlier process are told apart
        self._consoles = (
            Console(self._board, first),
            Console(self._board, POLL_NUMBERS_FROM, _POLL_TIMEOUT_S),
        )
        self._client = None
        self._poll = Poll(Stimulator(self._consoles[1]))

    # What views and actions use.

    @property
    def now_ns(self) -> int:
        """See table.Stand."""
        return round((self._clock_s() - self._begin_s) * _NS_PER_S)

    @property
    def bench(self) -> Any:  # type: ignore[override]
        """There is none."""
        raise ActionError(ON_A_WIRED_BENCH[Need.PARTS])

    @property
    def hands(self) -> Any:  # type: ignore[override]
        """There are none."""
        raise ActionError(ON_A_WIRED_BENCH[Need.HANDS])

    def lacks(self, need: Need) -> str:
        """See table.Stand."""
        return ON_A_WIRED_BENCH[need]

    def edges(self, signal: str, from_ns: int, to_ns: int) -> tuple[bool, list[int]]:
        """See table.Stand. The server has the captures, this process forgets them."""
        raise ActionError(f"{signal} is in the captures.")

    # How time passes.

    def step(self) -> None:
        """Do what is due, then wait until there is more, for a fiftieth of a second at most."""
        self._board.look()
        self._meanwhile()
        if self._clock_s() >= self._next_poll_s:
            self._next_poll_s = self._clock_s() + _POLL_S
            self._ask()
        self._do_queue()
        self._meanwhile()
        if not self._queue:
            self._idle(_IDLE_S)

    def _ask(self) -> None:
        if self._board.is_open:
            self._poll.ask()
        else:
            self._poll.told = TOLD_NOTHING | {"why": self._board.why}

    def _meanwhile(self) -> None:
        """What is done in the middle of a request, too."""
        self._listen()
        self._stop_if_alone()
        self._do_queue(instant_only=True)
        if self._end.unsent < MOST_UNSENT:  # else whoever records waits, and nothing fills the memory
            for kind, body in self._captures.news():
                self._end.send(kind, body)
        if self._clock_s() - self._state_s >= _STATE_S:
            self._state_s = self._clock_s()
            self._tell_state()

    def _on_port(self) -> None:
        if self._board.is_open:
            self._new_consoles()
            self._say(f"The stimulator is on {self._board.name}.")
            if self._unsent_stop:
                self._stop("it could not be sent before")
        else:
            self._say(f"The stimulator cannot be reached: {self._board.why}", error=True)
        self._next_poll_s = self._clock_s()

    # What is done.

    def _write(self, data: bytes) -> None:
        self._board.write(data)

    def _stop(self, why: str) -> None:
        """See Standing. A STOP that cannot be sent is told, and sent when the board is back."""
        super()._stop(why)
        self._unsent_stop = not self._board.is_open
        if self._unsent_stop:
            self._say(
                f"STOP could not be sent: {self._board.why} Use the magnet. It is sent when the board is "
                "back.",
                error=True,
            )

    def close(self) -> None:
        """Stop the output, end the captures, give back the port."""
        self._captures.begin_end()
        if self._board.is_open:
            with suppress(StimbenchError):
                self.send_stop()
                Stimulator(Console(self._board, 200, _LAST_STOP_TIMEOUT_S)).stop()
        self._board.close()
        self._session.__exit__()
        self._captures.end()

    # What is told.

    def _say(self, text: str, error: bool = False) -> None:
        self._end.send(Kind.SAID, {"text": text, "error": error})

    def _own_state(self) -> dict[str, Any]:
        return {
            "pace": {"factor": 1, "measured": None, "paused": False},
            "repeating": None,
            "wired": {"port": self._board.name, "there": self._board.is_open, "why": self._board.why,
                      "captures": self._captures.state(), "capture_ms": CAPTURE_MS},
        }  # fmt: skip
