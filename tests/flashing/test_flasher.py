"""A board gets another firmware, on the emulated bench: the whole path, and what can go wrong on it."""

from __future__ import annotations

import pytest
from stimbench.client.remote import connect_remote
from stimbench.client.stimulator import connect
from stimbench.errors import InputError
from stimbench.firmware_build.uf2 import Uf2Image
from stimbench.flashing import flasher
from stimbench.flashing.errors import FlashError
from stimbench.flashing.state import Doing, look
from stimfw.protocol import messages
from support.flashing import OTHER_BUILD, built, relabelled

pytestmark = pytest.mark.emulated

IMAGE = built()
OTHER = relabelled(IMAGE)
FLASH_START = 0x10000000
FIRMWARE_END = 640 * 1024
WAIT_FOR_EVER = bytes.fromhex("30bffde7")
"""WFI, and back to it."""
CUT_AT_BLOCK = 600
BLOCKS = len(OTHER.payload) // 256


class Enough(Exception):
    """Blocks arrive: the rest of the path is another test's."""


def enough(_done, _total):
    raise Enough


def runs(flash_bench, name="stimulator"):
    with flash_bench.device(name) as device:
        client = connect if name == "stimulator" else connect_remote
        return client(device.console).identity.build


def test_a_running_board_gets_another_image_and_tells_it(flash_bench):
    blocks = []
    done = flash_bench.flasher(OTHER, lambda *counts: blocks.append(counts)).flash(flash_bench.target)
    assert done.after.endswith(OTHER_BUILD) and IMAGE.identity.build in done.before and done.removed == ()
    assert runs(flash_bench) == OTHER_BUILD
    assert blocks[-1][0] == blocks[-1][1] == len(OTHER.payload) // 256 + 1
    told = " ".join(flash_bench.said)
    assert "The output is off" in told and "the same version, other sources" in told
    assert not any(flash_bench.target._disk.path.parent.iterdir()), "the disk has gone"


def test_a_session_is_stopped_first(flash_bench):
    with flash_bench.device() as device:
        stimulator = connect(device.console)
        wanted = {"left.amplitude_ua": 2000, "right.amplitude_ua": 2000, "ramp_up_ms": 0}
        stimulator.set_program(stimulator.program().replaced(wanted))
        stimulator.set_program(stimulator.program().replaced(wanted))
        stimulator.start()
        flash_bench.bench.run_for(500_000_000)
        assert stimulator.status().state == messages.HOLD
    with pytest.raises(Enough):
        flash_bench.flasher(IMAGE, enough).flash(flash_bench.target)
    assert any("The output is off" in text and "'ready'" in text for text in flash_bench.said)


def test_keys_records_and_files_stay(make):
    flash_bench = make(boards=("stimulator", "remote"), paired=True)
    board = flash_bench.board()
    with flash_bench.device() as device:
        before = connect(device.console).pairings()
        device.enter_repl().write_file("/note.txt", b"calibrated by hand")
        device.reset()
    assert before.pairings
    stored = board.flash.read(FIRMWARE_END, len(board.flash.memory) - FIRMWARE_END)
    done = len(board.flash.operations)
    flash_bench.flasher(OTHER).flash(flash_bench.target)
    with flash_bench.device() as device:
        assert connect(device.console).pairings() == before
        assert device.enter_repl().read_file("/note.txt") == b"calibrated by hand"
        device.reset()
    written = [one for one in board.flash.operations[done:] if one.address < FIRMWARE_END]
    assert written and stored.count(b"\xff") < len(stored)
    flash_bench.bench.run_for(1_000_000_000)
    flash_bench.bench.press("START")
    flash_bench.bench.run_for(1_500_000_000)
    with flash_bench.device() as device:
        refused = connect(device.console).log()
    assert any(event.event == "connected" for event in refused), "the remote's key still opens the radio"


def pulled_at(flash_bench, block):
    """A flasher whose cable is pulled after some blocks."""

    def progress(done, _total):
        if done >= block:
            flash_bench.board().power_off()

    return flash_bench.flasher(OTHER, progress)


def test_a_pulled_cable_is_told_and_the_board_waits_in_its_boot_rom(flash_bench):
    with pytest.raises(FlashError, match=r"went away after \d+ of \d+ blocks: is the cable in\?"):
        pulled_at(flash_bench, CUT_AT_BLOCK).flash(flash_bench.target)
    assert look(flash_bench.target).doing is Doing.ABSENT
    flash_bench.board().power_on()
    assert look(flash_bench.target).doing is Doing.BOOTSEL, "boot2 goes last: half an image is not started"
    with pytest.raises(Enough):
        flash_bench.flasher(IMAGE, enough).flash(flash_bench.target)
    assert "BOOTSEL" in flash_bench.said[-2], "it can be flashed again, as after Ctrl-C"


@pytest.mark.parametrize(
    ("block", "told"),
    [(1, "went away after 16 "), (BLOCKS, r"does not come back on USB\. The last block was not confirmed")],
)
def test_wherever_it_is_pulled(flash_bench, block, told):
    with pytest.raises(FlashError, match=told):
        pulled_at(flash_bench, block).flash(flash_bench.target)
    flash_bench.board().power_on()
    assert look(flash_bench.target).doing is Doing.BOOTSEL


def test_ctrl_c_leaves_a_board_that_can_be_flashed_with_another_image_of_as_many_blocks(flash_bench):
    def interrupt(done, _total):
        if done >= CUT_AT_BLOCK:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as interruption:
        flash_bench.flasher(OTHER, interrupt).flash(flash_bench.target)
    assert "waits in its boot ROM" in " ".join(interruption.value.__notes__)
    done = flash_bench.flasher(IMAGE).flash(flash_bench.target)
    assert "BOOTSEL" in done.before and runs(flash_bench) == IMAGE.identity.build
    assert flash_bench.board().flash.read(0, len(IMAGE.payload)) == IMAGE.payload, "no block of the first one"


@pytest.mark.control("C-41")
def test_a_page_that_does_not_hold_what_was_written_is_found(flash_bench, monkeypatch):
    flash = flash_bench.board().flash
    # A byte of a text that no start needs.
    page, offset = divmod(IMAGE.payload.index(b"stimbench image:"), 256)
    program = flash._program

    def spoil(address, data):
        changed = bytearray(data)
        changed[offset] = 0
        program(address, bytes(changed) if address == page * 256 else data)

    monkeypatch.setattr(flash, "_program", spoil)
    with pytest.raises(FlashError, match=r"What lies on the flash .* is not all of .*: a half-written image"):
        flash_bench.flasher(IMAGE).flash(flash_bench.target)


def test_an_image_that_does_not_start_is_told(flash_bench):
    asleep = bytearray(IMAGE.payload)
    start = int.from_bytes(asleep[0x104:0x108], "little") & ~1  # the vectors lie after boot2
    asleep[start - FLASH_START : start - FLASH_START + 4] = WAIT_FOR_EVER
    with pytest.raises(FlashError, match=r"does not come back on USB.*hold BOOTSEL"):
        flash_bench.flasher(Uf2Image("asleep.uf2", bytes(asleep))).flash(flash_bench.target)
    flash_bench.in_boot_rom()
    assert look(flash_bench.target).doing is Doing.BOOTSEL


def test_an_application_that_does_not_start_is_told(flash_bench):
    with flash_bench.device() as device:
        device.enter_repl().write_file("/boot.py", b"raise ValueError('mine')")
        device.reset()
    with pytest.raises(FlashError, match=r"was written, but it is at the MicroPython prompt.*flashed again"):
        flash_bench.flasher(IMAGE).flash(flash_bench.target)
    assert any("/boot.py that is not from `stimbench deploy`" in text for text in flash_bench.said)


@pytest.mark.control("C-41")
def test_a_board_that_tells_another_firmware_than_was_written_is_named(flash_bench):
    with flash_bench.device() as device:
        lie = f"import stimfw_build\nstimfw_build.SOURCE_HASH = '{OTHER_BUILD}'\n"
        device.enter_repl().write_file("/boot.py", lie.encode())
        device.reset()
    told = rf"runs stimulator .*{OTHER_BUILD}, and not what was written: stimulator .*{IMAGE.identity.build}"
    with pytest.raises(FlashError, match=told):
        flash_bench.flasher(IMAGE).flash(flash_bench.target)


def test_a_board_that_cannot_go_into_its_boot_rom_says_why(flash_bench, monkeypatch):
    monkeypatch.setattr(flasher, "_TO_BOOTLOADER", "raise ImportError('no module named machine')")
    with pytest.raises(FlashError, match="could not go into its boot ROM: ImportError: no module"):
        flash_bench.flasher(IMAGE).flash(flash_bench.target)


def test_a_board_at_the_prompt_is_flashed(flash_bench):
    with flash_bench.device() as device:
        device.enter_repl()
        device.leave_repl()
    with pytest.raises(Enough):
        flash_bench.flasher(IMAGE, enough).flash(flash_bench.target)
    assert "prompt" in flash_bench.said[0] and IMAGE.identity.build in flash_bench.said[0]


def test_a_hung_board_needs_a_hand(flash_bench):
    flash_bench.board().hang()
    flash_bench.bench.run_for(10_000_000)
    board = flash_bench.board()
    board.mcu.watchdog.timer.enable = False  # one that hangs with its watchdog fed, say
    with pytest.raises(FlashError, match=r"does not appear.*hold BOOTSEL"):
        flash_bench.flasher(IMAGE).flash(flash_bench.target)
    assert any("answers nothing" in text and "hold BOOTSEL" in text for text in flash_bench.said)
    flash_bench.bench.at(flash_bench.bench.now_ns + 20_000_000_000, flash_bench.in_boot_rom)
    done = flash_bench.flasher(IMAGE, by_hand_s=30.0).flash(flash_bench.target)
    assert "answers nothing" in done.before


@pytest.mark.control("C-41")
def test_the_other_boards_image_is_refused_unless_it_is_meant(make):
    flash_bench = make(boards=("remote",))
    target = flash_bench.targets["remote"]
    with pytest.raises(InputError, match=r"is a remote, and .* is the firmware of a stimulator"):
        flash_bench.flasher(IMAGE).flash(target)
    assert not flash_bench.board("remote").bootsel and not flash_bench.said

    asked = []
    done = flash_bench.flasher(IMAGE, confirm_other=asked.append).flash(target)
    assert "is a remote" in asked[0] and done.role == "stimulator"
    with flash_bench.device("remote") as device:
        assert connect(device.console).identity == flash_bench.flasher(IMAGE).identity


def test_two_boards_at_once_each_get_their_own(make):
    flash_bench = make(boards=("stimulator", "remote"))
    flash_bench.in_boot_rom("stimulator")
    flash_bench.in_boot_rom("remote")
    for target in flash_bench.targets.values():
        assert look(target).doing is Doing.BOOTSEL
    flash_bench.flasher(built("remote")).flash(flash_bench.targets["remote"])
    assert look(flash_bench.target).doing is Doing.BOOTSEL, "the other one still waits"
    flash_bench.flasher(IMAGE).flash(flash_bench.target)
    assert runs(flash_bench) == IMAGE.identity.build
    assert runs(flash_bench, "remote") == built("remote").identity.build


def test_a_board_that_is_not_there(flash_bench):
    flash_bench.board().power_off()
    with pytest.raises(FlashError, match="is not there"):
        flash_bench.flasher(IMAGE).flash(flash_bench.target)


def test_an_image_of_nobody_is_no_image():
    with pytest.raises(InputError, match="no firmware of stimbench"):
        flasher.Flasher(Uf2Image("x.uf2", bytes(256)))
