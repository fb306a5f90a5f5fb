"""A link to the console of an emulated board in this process. Waiting on it lets emulated time pass."""

from __future__ import annotations

from stimbench.bench import Bench

__all__ = ("EmulatedLink",)

_POLL_NS = 200_000


class EmulatedLink:
    """The console of one board of a bench; see stimbench.devices.link.Link. The bench stays its owner's."""

    def __init__(self, bench: Bench, board: str) -> None:
        """Use the console of `board`; BenchError if the bench has none of that name."""
        self._bench = bench
        self._console = bench.board(board).console
        self._name = f"the emulated {board}"

    def __repr__(self) -> str:
        return f"<EmulatedLink to {self._name}>"

    @property
    def name(self) -> str:
        """How messages name the far end."""
        return self._name

    def now_s(self) -> float:
        """Bench time."""
        return self._bench.now_ns / 1e9

    def wait(self, seconds: float) -> None:
        """Let bench time pass."""
        self._bench.run_for(round(seconds * 1e9))

    def write(self, data: bytes) -> None:
        """Send bytes to the board."""
        self._console.write(data)

    def read(self, deadline_s: float) -> bytes:
        """What the board sent, letting bench time pass until there is something or the deadline is there."""
        left_ns = max(0, round(deadline_s * 1e9) - self._bench.now_ns)
        self._bench.run_until(lambda: self._console.pending, left_ns, _POLL_NS)
        return self._console.read()

    def close(self) -> None:
        """Nothing to give back."""
