"""A board's console whose waiting lets the bench's time pass in steps that others have a say in."""

from __future__ import annotations

from collections.abc import Callable

from stimbench.bench import Bench

__all__ = ("PassingLink",)

_POLL_NS = 1_000_000


class PassingLink:
    """As devices.emulated_link.EmulatedLink, but time passes through `let_pass`.

    It looks for an answer at times that do not depend on how often time was interrupted in between: so a
    repeated run finds it at the same time.
    """

    def __init__(self, bench: Bench, board: str, let_pass: Callable[[int], None]) -> None:
        """Use the console of `board`.

        Args:
            bench: the bench.
            board: its name; BenchError if the bench has none of it.
            let_pass: lets time pass towards a time, at most until then; it may stop anywhere before.
        """
        self._bench = bench
        self._console = bench.board(board).console
        self._name = f"the emulated {board}"
        self._let_pass = let_pass

    @property
    def name(self) -> str:
        """How messages name the far end."""
        return self._name

    def now_s(self) -> float:
        """Bench time."""
        return self._bench.now_ns / 1e9

    def wait(self, seconds: float) -> None:
        """Let bench time pass."""
        self._until(self._bench.now_ns + round(seconds * 1e9))

    def write(self, data: bytes) -> None:
        """Send bytes to the board."""
        self._console.write(data)

    def read(self, deadline_s: float) -> bytes:
        """What the board sent, letting bench time pass until there is something or the deadline is there."""
        deadline_ns = round(deadline_s * 1e9)
        while not self._console.pending and self._bench.now_ns < deadline_ns:
            self._until(min(self._bench.now_ns + _POLL_NS, deadline_ns))
        return self._console.read()

    def close(self) -> None:
        """Nothing to give back."""

    def _until(self, time_ns: int) -> None:
        while self._bench.now_ns < time_ns:
            self._let_pass(time_ns)
