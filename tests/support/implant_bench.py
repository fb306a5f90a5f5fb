"""An emulated bench whose stimulator is an implant: what tests of the therapy do with it."""

from __future__ import annotations

from collections.abc import Callable

from stimbench.bench import Bench, BenchConfig, provision, provision_implant
from stimfw.protocol import journal_entries, messages
from stimfw.storage import journal_format, layout
from stimfw.storage.blocks import BLOCK_BYTES
from stimfw.storage.journal import Journal
from stimfw.therapy.prescription import Prescription

from support.board import Board, emulated_board
from support.flash_fake import FlashFake

NOW_S = provision_implant.IMPLANTED_S + 1000
PLAN = provision_implant.SHORT_PLAN
S = 1_000_000_000
MS = 1_000_000
BRIDGES = ("L_CATH", "L_ANOD", "R_CATH", "R_ANOD")
POLL_S = 0.25
"""Between two questions about its state: each keeps its processor awake for some ms."""


class ImplantBench:
    """A stimulator that is one; switched on with `begin`."""

    def __init__(
        self, plan: Prescription | None = PLAN, paired: bool = False, wiring: dict | None = None, **given: int
    ) -> None:
        boards = ("stimulator", "remote") if paired else ("stimulator",)
        self.bench = Bench(BenchConfig(boards=boards, wiring=wiring or {}))
        if paired:
            provision.pair(self.bench)
        provision_implant.implant(self.bench, plan, **given)
        self.chip = self.bench.board("stimulator")
        self.view = provision.BlockView(self.chip.flash)
        self.board: Board = emulated_board(self.bench)

    def __enter__(self) -> ImplantBench:
        return self

    def __exit__(self, *_: object) -> None:
        self.bench.close()

    @property
    def client(self):
        return self.board.client

    def begin(self, time_s: int = NOW_S) -> ImplantBench:
        """Wait until it answers; time_s: what it is told; 0: nobody tells it the time."""
        self.board.wait_ready()
        if time_s:
            self.client.set_time(time_s)
            self.run_s(0.2)
        return self

    def run_s(self, seconds: float) -> None:
        self.bench.run_for(round(seconds * S))

    def power_cycle(self, time_s: int = 0, before: Callable[[], object] = lambda: None) -> None:
        """Cut the supply now, and boot; `before`: done while it is off."""
        self.chip.power_off()
        before()
        self.bench.run_for(50 * MS)
        self.chip.power_on()
        self.board = emulated_board(self.bench)
        self.begin(time_s)

    def state(self) -> str:
        return self.client.therapy().state_name

    def run_to(self, *names: str, timeout_s: float = 90) -> None:
        wanted = [messages.STATE_NAMES.index(name) for name in names]
        assert self.board.wait_for(lambda: self.board.state() in wanted, timeout_s, POLL_S), self.state()

    def entries(self, *kinds: int) -> list[tuple[int, dict]]:
        """Kind and fields of the journal's entries, as the host pulls them; their chain is verified."""
        slots: list[bytes] = []
        first = 0
        while page := self.client.journal(first).slots:
            slots += page
            first = journal_format.number_of(page[-1]) + 1
        walk = journal_format.verify(slots)
        assert not walk.faults, walk.faults
        found = [journal_format.fields(slot) for slot in slots]
        read = [(kind, journal_entries.unpack(kind, body)) for _, _, kind, _, body, _ in found]
        return [entry for entry in read if not kinds or entry[0] in kinds]

    def flash(self) -> FlashFake:
        """A copy of what is on flash, for the same code on the host to look at."""
        copy = FlashFake(layout.BLOCKS)
        self.view.readblocks(0, copy.memory, 0)
        return copy

    def journal_on_flash(self) -> Journal:
        return Journal(self.flash())

    def damage(self, block: int, count: int = 2) -> None:
        """Overwrite blocks with what is no record."""
        for each in range(block, block + count):
            self.view.ioctl(6, each)
            self.view.writeblocks(each, b"\x5a" * BLOCK_BYTES, 0)

    def rises(self, signal: str, from_ns: int) -> list[int]:
        """When a bridge's signal rose since then, in bench time."""
        edges = self.bench.trace.capture(from_ns).edges(f"stimulator.{signal}")
        return [int(time_ns) for time_ns in edges.rises_ns]

    def is_off(self) -> bool:
        """Whether no bridge drives and no electrode is joined."""
        masks = [self.chip.parts.matrix.mask(chip) for chip in range(2)]
        return not any(masks) and not any(self.chip.pin(signal).level for signal in BRIDGES)


__all__ = ("MS", "NOW_S", "PLAN", "ImplantBench")
