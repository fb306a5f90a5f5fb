"""Boards that are paired before they run; and where on flash files and records are."""

from collections.abc import Callable

import pytest
from stimbench.bench import Bench, provision
from stimbench.devices.emulated_device import EmulatedDevice
from stimbench.devices.repl import BoardTransport
from stimbench.emulator.board import EmulatedBoard
from stimbench.errors import BenchError
from stimfw.protocol import roles
from stimfw.storage import layout
from stimfw.storage.blocks import BLOCK_BYTES
from stimfw.storage.pairings import ACTIVE, PairingTable, RemotePairing, TableFullError
from stimfw.storage.record import Record
from support.calibrations import record

STORAGE_AT = 0xA0000
"""Where MicroPython's part of the flash begins: 2 MB - 1408 KB."""


def table(bench: Bench) -> PairingTable:
    return PairingTable(Record(provision.BlockView(bench.board("stimulator").flash), layout.PAIRINGS))


def test_both_boards_hold_the_same_key(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(with_parts=False)
    paired = provision.pair(bench)
    remote = RemotePairing(Record(provision.BlockView(bench.board("remote").flash), layout.PAIRINGS))
    found = table(bench).get(paired.slot)
    assert found is not None and found.state == ACTIVE
    assert (found.peer_id, found.role, found.key) == (paired.peer_id, roles.PATIENT, paired.key)
    assert (remote.own_id, remote.role, remote.key) == (paired.peer_id, roles.PATIENT, paired.key)
    assert (remote.base, remote.slot) == (table(bench).base, paired.slot) == (paired.base, 0)


def test_seeds_decide(make_bench: Callable[..., Bench]) -> None:
    def drawn(seed: int) -> provision.Provisioned:
        return provision.pair(make_bench(with_parts=False), seed)

    assert drawn(1) == drawn(1)
    one, other = drawn(1), drawn(2)
    assert one.base != other.base and one.key != other.key and one.peer_id != other.peer_id


def test_six_peers_fit(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(with_parts=False)
    peers = [provision.pair(bench), *(provision.add_peer(bench, roles.CLINICIAN, seed) for seed in range(5))]
    assert [peer.slot for peer in peers] == [0, 1, 2, 3, 4, 5] == table(bench).slots()
    assert len({peer.key for peer in peers}) == 6 and len({peer.base for peer in peers}) == 1
    with pytest.raises(TableFullError):
        provision.add_peer(bench, roles.CLINICIAN, 9)


def test_too_late_and_no_board(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(with_parts=False, boards=("stimulator",))
    with pytest.raises(BenchError, match="remote"):
        provision.pair(bench)
    bench.run_for(1)
    with pytest.raises(BenchError, match="before they run"):
        provision.add_peer(bench, roles.CLINICIAN, 1)


def test_the_view_is_a_block_device_of_nor_flash(bare: EmulatedBoard) -> None:
    view = provision.BlockView(bare.flash)
    assert (view.ioctl(4, 0), view.ioctl(5, 0)) == (352, 4096)
    view.writeblocks(1, b"\xf0" * 256, 512)
    view.writeblocks(1, b"\x0f" * 256, 512)
    assert bare.flash.read(STORAGE_AT + 4096 + 512, 256) == bytes(256)
    assert bare.flash.read(STORAGE_AT + 4096, 512) == b"\xff" * 512
    view.writeblocks(1, b"a" * 4096)
    read = bytearray(3)
    view.readblocks(1, read, 4093)
    assert read == b"aaa"
    view.ioctl(6, 1)
    assert bare.flash.read(STORAGE_AT + 4096, 4096) == b"\xff" * 4096
    for block, data, offset in (
        (352, bytes(256), 0),
        (-1, bytes(256), 0),
        (0, bytes(255), 0),
        (0, bytes(256), 1),
    ):
        with pytest.raises(ValueError):
            view.writeblocks(block, data, offset)
    assert not bare.flash.operations


@pytest.mark.emulated
def test_the_board_reads_what_was_put_there(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(boards=("stimulator",), with_parts=False)
    peer = provision.add_peer(bench, roles.CLINICIAN, 3)
    transport = at_repl(bench)
    transport.exec(
        "import rp2\nfrom stimfw.storage import layout, pairings, record\n"
        "table = pairings.PairingTable(record.Record(rp2.Flash(), layout.PAIRINGS))\nfound = table.get(0)"
    )
    told = transport.eval("(table.base, found.state, found.role, found.peer_id, found.key)")
    assert told == (peer.base, ACTIVE, peer.role, peer.peer_id, peer.key)


def at_repl(bench: Bench) -> BoardTransport:
    board = bench.board("stimulator")
    assert bench.run_until(lambda: board.usb_connected, 3_100_000_000)
    bench.run_for(500_000_000)
    return EmulatedDevice(bench, board.name).open().enter_repl()


BLOCKS_OF_FILES = "__import__('os').statvfs('/')[2]"


@pytest.mark.emulated
def test_files_end_where_records_begin(repl: tuple[Bench, EmulatedBoard, BoardTransport]) -> None:
    _, _, transport = repl
    assert transport.eval("__import__('os').statvfs('/')[:3]") == (4096, 4096, layout.FILESYSTEM_BLOCKS)
    assert layout.EPOCHS >= layout.FILESYSTEM_BLOCKS


@pytest.mark.emulated
def test_a_board_with_the_ports_own_partition_is_formatted_again(
    repl: tuple[Bench, EmulatedBoard, BoardTransport],
) -> None:
    bench, board, transport = repl
    transport.exec(
        "import rp2, vfs\nvfs.umount('/')\nflash = rp2.Flash()\nvfs.VfsLfs2.mkfs(flash, progsize=256)\n"
        f"for block in range({layout.FILESYSTEM_BLOCKS}, 352): flash.writeblocks(block, b'left' * 64)"
    )
    # The first time the supply fails while it is at it.
    board.reset()
    count = len(board.flash.operations)
    assert bench.run_until(lambda: len(board.flash.operations) == count + 5, 5_000_000_000)
    board.power_off()
    board.power_on()
    again = at_repl(bench)
    assert again.eval(BLOCKS_OF_FILES) == layout.FILESYSTEM_BLOCKS
    assert b"left" not in board.flash.read(STORAGE_AT, 352 * BLOCK_BYTES)
    again.exec("from stimfw.storage import epochs, layout\nimport rp2")
    assert again.eval("epochs.EpochLog(rp2.Flash(), layout.EPOCHS).advance(b'')[0]") == 2


@pytest.mark.emulated
def test_a_damaged_file_system_costs_no_epoch(repl: tuple[Bench, EmulatedBoard, BoardTransport]) -> None:
    bench, board, transport = repl
    transport.write_file("lost.txt", b"lost")
    board.power_off()
    board.flash.write(STORAGE_AT, bytes(2 * BLOCK_BYTES))
    board.power_on()
    again = at_repl(bench)
    again.exec("from stimfw.storage import epochs, layout\nimport rp2")
    assert again.eval("epochs.EpochLog(rp2.Flash(), layout.EPOCHS).advance(b'')[0]") == 3


@pytest.mark.emulated
def test_a_file_system_of_288_blocks_is_formatted_again_and_records_stay(
    repl: tuple[Bench, EmulatedBoard, BoardTransport],
) -> None:
    bench, board, transport = repl
    view = provision.BlockView(board.flash)
    kept = Record(view, layout.PAIRINGS).peek()
    former = layout.FORMER_FILESYSTEM_BLOCKS
    transport.exec(
        "import rp2, vfs\nvfs.umount('/')\n"
        f"flash = rp2.Flash(start=0, len={former} * 4096)\nvfs.VfsLfs2.mkfs(flash, progsize=256)\n"
        "vfs.mount(vfs.VfsLfs2(flash, progsize=256), '/')\n"
        f"for block in (286, 287): rp2.Flash().writeblocks(block, b'left' * 1024)"
    )
    board.reset()
    again = at_repl(bench)
    assert again.eval(BLOCKS_OF_FILES) == layout.FILESYSTEM_BLOCKS
    assert Record(view, layout.CALIBRATION).peek() is None, "nothing that looks like a damaged record"
    assert kept and Record(view, layout.PAIRINGS).peek() == kept


@pytest.mark.emulated
def test_a_damaged_file_system_costs_no_calibration(
    repl: tuple[Bench, EmulatedBoard, BoardTransport],
) -> None:
    bench, board, _ = repl
    view = provision.BlockView(board.flash)
    payload = record().pack()
    Record(view, layout.CALIBRATION).store(payload)
    for block in (0, 1):
        view.writeblocks(block, b"\xa5" * BLOCK_BYTES)
    board.reset()
    assert at_repl(bench).eval(BLOCKS_OF_FILES) == layout.FILESYSTEM_BLOCKS
    assert Record(view, layout.CALIBRATION).peek() == payload
