"""The supply fails while the real firmware writes flash: old or new, never half, and no epoch twice."""

import pytest
from stimbench.bench import Bench, BenchConfig, provision
from stimbench.emulator.flash import FlashTiming
from stimfw.protocol import roles
from stimfw.storage import layout
from stimfw.storage.blocks import BLOCK_BYTES
from stimfw.storage.epochs import PLACES, EpochLog
from stimfw.storage.pairings import PairingTable
from stimfw.storage.record import Record
from support.board import Board, emulated_board
from support.flash_fake import FlashFake

SHARES = (0.3, 0.8)  # in turn; every share of every operation is cut on the desk (tests/pure)
"""How much of an operation is done when the supply fails."""
READY_LIMIT_S = 1.0
SLOWEST = FlashTiming(sector_erase_ns=400_000_000, page_program_ns=3_000_000)
"""W25Q16JV datasheet 9.6, maxima."""
IMPORTS = (
    "import rp2\nfrom stimfw.storage import layout\nfrom stimfw.storage.epochs import EpochLog\n"
    "from stimfw.storage.pairings import PairingTable\nfrom stimfw.storage.record import Record\n"
)
MS = 1_000_000

pytestmark = [pytest.mark.emulated, pytest.mark.slow]


class Rig:
    """A stimulator whose flash is put back, and whose supply is cut, as a test asks."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.chip = bench.board("stimulator")
        self.view = provision.BlockView(self.chip.flash)

    def blocks(self) -> FlashFake:
        """A copy of what is on flash, for the same code on the host to look at."""
        copy = FlashFake(layout.BLOCKS)
        self.view.readblocks(0, copy.memory, 0)
        return copy

    def put(self, blocks: FlashFake, first: int, count: int) -> None:
        """Put blocks back as they were."""
        for block in range(first, first + count):
            self.view.ioctl(6, block)
            start = block * BLOCK_BYTES
            self.view.writeblocks(block, blocks.memory[start : start + BLOCK_BYTES], 0)

    def booted(self) -> Board:
        board = emulated_board(self.bench)
        board.wait_ready()
        return board

    def power_cycle(self) -> Board:
        self.chip.power_off()
        self.chip.power_on()
        return self.booted()

    def cut_in(self, number: int, share: float) -> None:
        """Cut the supply when so much of the number-th flash operation since the bench was made is done."""
        flash = self.chip.flash
        assert self.bench.run_until(lambda: len(flash.operations) > number, 5_000 * MS, poll_ns=50_000)
        operation = flash.operations[number]
        at_ns = operation.start_ns + round(share * (operation.end_ns - operation.start_ns))
        self.bench.run_to(max(at_ns, self.bench.now_ns))
        assert len(flash.operations) == number + 1 and flash.busy
        self.chip.power_off()

    def each_cut(self, code: str, first: int, count: int):
        """Run `code` on the board and cut its supply in each operation; gives the board after each, booted.

        First it runs whole. Blocks `first` to `first + count` are put back before each cut.
        """
        board = self.booted()
        board.exec(IMPORTS)
        start = self.blocks()
        before = len(self.chip.flash.operations)
        board.exec(code)
        operations = len(self.chip.flash.operations) - before
        assert operations
        yield board, None
        for index in range(operations):
            share = SHARES[index % 2]
            self.put(start, first, count)
            board.exec(IMPORTS)
            number = len(self.chip.flash.operations) + index
            board.repl().exec_raw_no_follow(code)
            self.cut_in(number, share)
            self.chip.power_on()
            board = self.booted()
            yield board, (index, share)


@pytest.fixture
def rig():
    with Bench(BenchConfig(boards=("stimulator",), with_parts=False, trace=False)) as bench:
        yield Rig(bench)


@pytest.mark.control("C-35")
def test_a_record_is_old_or_new(rig: Rig) -> None:
    record = Record(rig.view, layout.PRESCRIPTIONS)
    record.store(b"older")
    record.store(b"old " * 50)
    code = "Record(rp2.Flash(), layout.PRESCRIPTIONS).store(b'NEW!' * 50)"
    seen = []
    for board, cut in rig.each_cut(code, layout.PRESCRIPTIONS, 2):
        board.exec(IMPORTS)
        found = board.eval("Record(rp2.Flash(), layout.PRESCRIPTIONS).load()")
        assert found in (b"old " * 50, b"NEW!" * 50), cut
        raw = bytes(rig.blocks().memory[layout.PRESCRIPTIONS * BLOCK_BYTES :])
        assert (b"old " in raw) != (b"NEW!" in raw), cut
        seen.append(found[:4])
    assert len(seen) == 1 + 2 and set(seen) == {b"old ", b"NEW!"}


@pytest.mark.control("C-26")
@pytest.mark.parametrize("boots", [3, PLACES], ids=["in a block", "at a change of blocks"])
def test_epochs_rise(rig: Rig, boots: int) -> None:
    log = EpochLog(rig.view, layout.JOURNAL)
    told = [log.advance(b"same") for _ in range(boots)]
    code = "EpochLog(rp2.Flash(), layout.JOURNAL).advance(b'same')"
    for board, cut in rig.each_cut(code, layout.JOURNAL, 2):
        board.exec(IMPORTS)
        epoch, seed = board.eval(code)
        # A block that is erased by half may have held as many epochs as it has places.
        assert boots + 1 <= epoch <= boots + 2 + PLACES if cut else epoch == boots + 2, cut
        assert seed not in [earlier for _, earlier in told], cut


def test_a_pairing_is_there_or_not(rig: Rig) -> None:
    old = provision.add_peer(rig.bench, roles.PATIENT, 1)
    code = f"PairingTable(Record(rp2.Flash(), layout.PAIRINGS)).add({old.peer_id!r}, 1, b'n' * 32)"
    seen = set()
    for _, cut in rig.each_cut(code, layout.PAIRINGS, 2):
        table = PairingTable(Record(rig.blocks(), layout.PAIRINGS))
        first, second = table.get(old.slot), table.get(1)
        assert table.base == old.base and first is not None and first.key == old.key, cut
        assert second is None or (second.pending and second.key == b"n" * 32), cut
        seen.add(second is None)
    assert seen == {True, False}


@pytest.mark.control("C-35")
def test_a_board_outlives_a_cut_in_each_write_of_its_first_start() -> None:
    def switched_on() -> Rig:
        return Rig(Bench(BenchConfig(boards=("stimulator",), with_parts=False, trace=False)))

    whole = switched_on()
    whole.booted()
    operations = list(whole.chip.flash.operations)
    assert {operation.kind for operation in operations} == {"erase", "program"} and len(operations) >= 4
    for number in range(len(operations)):
        rig = switched_on()
        rig.cut_in(number, 0.5)
        rig.chip.power_on()
        board = rig.booted()
        told = rig.blocks()
        base = PairingTable(Record(told, layout.PAIRINGS)).base
        epoch, _ = EpochLog(told, layout.EPOCHS).advance(b"")
        assert len(base) == 4 and epoch in (2, 3), operations[number]  # one more than the second start's
        assert board.eval("__import__('os').statvfs('/')[2]") == layout.FILESYSTEM_BLOCKS


def test_the_slowest_flash_does_not_keep_a_start_waiting() -> None:
    config = BenchConfig(boards=("stimulator",), with_parts=False, trace=False, flash_timing=SLOWEST)
    with Bench(config) as bench:
        rig = Rig(bench)
        rig.booted()
        for boots in (2, PLACES):
            log = EpochLog(rig.view, layout.EPOCHS)
            while log.advance(b"")[0] < boots:
                pass
            before = len(rig.chip.flash.operations)
            board = rig.power_cycle()
            kinds = [operation.kind for operation in rig.chip.flash.operations[before:]]
            assert ("erase" in kinds) == (boots == PLACES)
            assert board.client.details().boot_us < READY_LIMIT_S * 1e6
