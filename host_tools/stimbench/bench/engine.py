"""The bench: boards that run in step with each other, in emulated time only.

See docs/decisions/0002-stepping-boards.md for why it is done this way.
"""

from __future__ import annotations

import heapq
import itertools
import warnings
from collections.abc import Callable
from types import TracebackType

from stimbench.bench import provision, wiring
from stimbench.bench.config import BenchConfig
from stimbench.capture.recorder import Recorder
from stimbench.emulator.board import EmulatedBoard
from stimbench.emulator.nets import read_pins_csv
from stimbench.errors import BenchError, BenchWarning
from stimbench.parts.radio import AirChannel
from stimbench.project import pins_path

__all__ = ("Bench",)


class Bench:
    """Boards, the air between them, and the hands of whoever stands before them.

    Time only passes in `run_for`, `run_to` and `run_until`. Between these every board stands at `now_ns`, or
    at most one CPU instruction beyond it.
    """

    def __init__(self, config: BenchConfig | None = None) -> None:
        """Build the bench and switch the boards on.

        Raises:
            BenchError: a firmware file is missing or not whole, a board's name is unknown, or one of those
                that shall be paired is not on the bench.
        """
        self.config = config or BenchConfig()
        self.trace = Recorder()
        self.late_calls = 0
        """Calls that one board scheduled on another for a time that had passed there: 0 in an exact run."""
        self._now_ns = 0
        self._running = self._closed = False
        self._active: EmulatedBoard | None = None
        self._actions: list[tuple[int, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._boards = {name: self._make_board(name) for name in self.config.boards}
        self.air: AirChannel | None = None
        """The radio channel between the boards (parts.radio.AirChannel), if the parts are soldered on."""
        if self.config.with_parts:
            self.air = wiring.attach_parts(self._boards, self.config, self.trace)
        if self.config.paired:
            provision.pair(self, self.config.seed)
        for board in self._boards.values():
            board.console.set_dtr(self.config.usb_attached)
            board.power_on()

    def __repr__(self) -> str:
        boards = " and ".join(self._boards)
        return f"<Bench with {boards}, seed {self.config.seed}, at {self.now_ns / 1e9:.6f} s>"

    def __enter__(self) -> Bench:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the run: no more time passes. Traces and parts stay as they are, to be read."""
        self._closed = True

    def _make_board(self, name: str) -> EmulatedBoard:
        pins = read_pins_csv(pins_path(name).read_text(encoding="utf-8"))
        named = {signal: gpio for signal, gpio in pins.items() if not signal.startswith("GP")}
        seed = self.config.seed * 1000 + len(name)
        board = EmulatedBoard(name, named, seed, self.config.flash_timing, self.config.core, self.config.xip)
        board.checks_boot2 = True
        board.random_bit = self.config.random_bits.get(name, board.random_bit)
        if name in self.config.flash_images:
            board.flash.write(0, self.config.flash_images[name])
        else:
            board.load_image(self.config.firmware_image(name))
        if self.config.trace:
            for net in board.nets.values():
                self.trace.watch(name, net)
            for index in (0, 1):
                self.trace.watch_spi(name, board.spi(index))
        board.scheduler.on_outside_call = lambda time_ns: self._outside_call(board, time_ns)
        return board

    @property
    def now_ns(self) -> int:
        """Bench time in ns, 0 when it was switched on."""
        return self._active.now_ns if self._active else self._now_ns

    @property
    def boards(self) -> dict[str, EmulatedBoard]:
        """Every board by name."""
        return dict(self._boards)

    def board(self, name: str) -> EmulatedBoard:
        """A board by name.

        Raises:
            BenchError: the bench has none of that name.
        """
        try:
            return self._boards[name]
        except KeyError:
            raise BenchError(
                f"no board {name!r} on this bench; there are {', '.join(self._boards)}"
            ) from None

    def at(self, time_ns: int, action: Callable[[], None]) -> None:
        """Do something to the bench at a time: while running, every board is brought there first.

        Raises:
            BenchError: the time has passed.
        """
        if time_ns < self._now_ns:
            raise BenchError(f"{time_ns} ns has passed; it is {self._now_ns} ns")
        heapq.heappush(self._actions, (time_ns, next(self._order), action))

    def run_for(self, duration_ns: int) -> None:
        """Let `duration_ns` pass."""
        self.run_to(self._now_ns + duration_ns)

    def run_to(self, time_ns: int) -> None:
        """Let time pass until `time_ns`, doing the actions that fall due, those at `time_ns` included.

        Raises:
            BenchError: called from within a run, or the bench is closed.
        """
        if self._closed:
            raise BenchError("the bench is closed")
        if self._running:
            raise BenchError("the bench is running already: an action cannot make time pass")
        self._running = True
        try:
            while self._actions and self._actions[0][0] <= time_ns:
                due_ns, _, action = heapq.heappop(self._actions)
                self._advance(due_ns)
                action()
            self._advance(time_ns)
        finally:
            self._running = False

    def run_until(self, predicate: Callable[[], object], timeout_ns: int, poll_ns: int = 1_000_000) -> bool:
        """Let time pass until `predicate()` is true, looking every `poll_ns`.

        Returns:
            Whether it became true before `timeout_ns` had passed.
        """
        end_ns = self._now_ns + timeout_ns
        while not predicate():
            if self._now_ns >= end_ns:
                return False
            self.run_to(min(self._now_ns + poll_ns, end_ns))
        return True

    def _advance(self, target_ns: int) -> None:
        boards = list(self._boards.values())
        lookahead_ns = self.config.lookahead_ns
        while True:
            board = min(boards, key=_local_time)
            if board.runner.clock.nanos >= target_ns:
                break
            horizon_ns = float(target_ns)
            for other in boards:
                if other is not board:
                    horizon_ns = min(horizon_ns, other.runner.next_event_ns + lookahead_ns)
            self._active = board
            try:
                board.runner.run_to(horizon_ns)
            finally:
                self._active = None
        self._now_ns = max(self._now_ns, target_ns)
        self.trace.end_ns = self._now_ns

    def _outside_call(self, board: EmulatedBoard, time_ns: int) -> None:
        """A board that is not running is to do something at `time_ns`: the running one must not outrun it."""
        if self._active is None or self._active is board:
            return
        if time_ns < board.runner.clock.nanos:
            self.late_calls += 1
        self._active.runner.shorten(time_ns + self.config.lookahead_ns)

    def press(self, button: str, hold_ms: float = 100) -> None:
        """Press one of the remote's buttons now, and let go after `hold_ms`.

        Warns:
            BenchWarning: nothing can come of it: the remote is off, or has no pairing for START or STOP.

        Raises:
            BenchError: there is no remote, or no such button.
        """
        remote = self.board("remote")
        buttons = wiring.buttons(remote)
        if button not in buttons:
            raise BenchError(f"the remote has no button {button!r}; it has {', '.join(buttons)}")
        if not remote.powered:
            warnings.warn(f"{button} was pressed, but the remote has no power", BenchWarning, stacklevel=2)
        elif button in wiring.NEED_A_PAIRING and not provision.is_paired(remote.flash):
            advice = "BenchConfig(paired=True) pairs the boards before they start"
            warnings.warn(
                f"{button} was pressed, but the remote is not paired: {advice}", BenchWarning, stacklevel=2
            )
        buttons[button].press(hold_ms)

    def magnet(self, present: bool) -> None:
        """Hold a magnet to the stimulator's reed switch, or take it away."""
        contact = wiring.magnet_contact(self.board("stimulator"))
        if present:
            contact.close()
        else:
            contact.open()


def _local_time(board: EmulatedBoard) -> float:
    return board.runner.clock.nanos
