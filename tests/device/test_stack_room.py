"""Wherever a hard interrupt comes, its handler finds room: on C's stack, and on that of Python's frames.

One that finds none is taken away, and the board is deaf to its magnet or its radio
(docs/decisions/0065-room-for-interrupts.md). `support.stack_room` holds all other tests to the first.
"""

import struct
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from stimbench.bench import Bench, BenchConfig, provision
from stimfw.protocol import messages, requests, roles
from stimfw.therapy import program
from support import stack_room
from support.board import emulated_board
from support.scene import MS, Peer

pytestmark = pytest.mark.emulated

SRAM = 0x2000_0000
FRAMES_BYTES = 2560  # boards/stimbench_common.h
FRAMES_SPARE = 512
PATTERN = 0xA5
REST_MS = 1200  # longer than a stop refuses what follows
LONGEST_MS = 2000  # a measurement of all pairs
EDGE_NS = 100_000  # an interrupt's handler
ELF = Path(__file__).resolve().parents[2] / "build" / "firmware" / "stimulator" / "firmware.elf"
ASKED = {
    "STATUS": b"",
    "SET_WINDOW": struct.pack(requests.AMPLITUDE_WINDOW, 500, 1500, 0, 1000),
    "AMPLITUDE": struct.pack("<HH", 600, 0),
    "SET_PROGRAM": program.default().replaced({"rate_hz": 33, "width_us": 900}).pack(),
    "IMPEDANCE": b"",
    "IMPEDANCE_RESULTS": b"\0",
    "PULSES": bytes(4),
    "DETAILS": b"",
    "COUNTERS": b"",
    "LOG": bytes(4),
    "STRANGERS": bytes(4),
    "SET_TIME": struct.pack("<I", 1_700_000_000),
    "SELF_TEST": b"",
    "TEST_STIMULATION": b"\x05",
    "START": b"",
    "STOP": b"",
}


class Clinic:
    """A stimulator, and a clinician's transmitter with a connection."""

    def __init__(self):
        self.bench = Bench(BenchConfig(boards=("stimulator",)))
        self.peer = Peer(self.bench, provision.add_peer(self.bench, roles.CLINICIAN, 1))
        self.chip = self.bench.board("stimulator").mcu
        emulated_board(self.bench).wait_ready()

    def rest(self):
        """Until nothing is due, and the processor sleeps."""
        self.bench.run_for(REST_MS * MS)
        assert self.bench.run_until(lambda: self.chip.core.waiting, LONGEST_MS * MS)

    def ask(self, name):
        """A request by radio, and what follows it."""
        reply = self.peer.ask(messages.request(getattr(requests, name), ASKED[name]))
        assert reply is not None, name
        self.rest()


class Frames:
    """The stack of Python's frames, which grows up: what of it was used since paint()."""

    def __init__(self, chip):
        self.sram = chip.sram
        with ELF.open("rb") as file:
            symbols = ELFFile(file).get_section_by_name(".symtab").iter_symbols()
            found = [one.entry for one in symbols if one.name.split(".")[0] == "frames"]
        assert [entry.st_size for entry in found] == [FRAMES_BYTES]
        self.start = found[0].st_value
        ends = struct.pack("<II", self.start, self.start + FRAMES_BYTES)
        self._top_at = bytes(self.sram).index(ends) + len(ends)  # pystack_start, _end, _cur in py/mpstate.h

    def paint(self):
        """Above what the sleeping loop has there; how many bytes that is."""
        (top,) = struct.unpack_from("<I", self.sram, self._top_at)
        above = self.start + FRAMES_BYTES - top
        self.sram[top - SRAM : top - SRAM + above] = bytes((PATTERN,)) * above
        return top - self.start

    def most(self):
        """Bytes up to the last that was written since paint()."""
        held = bytes(self.sram[self.start - SRAM : self.start - SRAM + FRAMES_BYTES])
        return len(held.rstrip(bytes((PATTERN,))))


@pytest.fixture(scope="module")
def clinic():
    made = Clinic()
    with made.bench:
        made.rest()
        made.peer.join()
        yield made


@pytest.fixture(scope="module")
def frames(clinic):
    return Frames(clinic.chip)


@pytest.fixture(scope="module")
def handlers_frames(clinic, frames):
    """Bytes of Python's frames that the magnet's handler takes, the deepest of all."""
    clinic.rest()
    before = frames.paint()
    clinic.bench.magnet(True)
    clinic.bench.run_for(EDGE_NS)
    assert frames.most() > before, "it ran"
    taken = frames.most() - before
    clinic.bench.magnet(False)
    clinic.rest()
    clinic.peer.join()  # the magnet has ended the connection
    return taken


def test_the_firmware_lets_c_have_what_is_taken_for_granted_here(clinic):
    # stack_top and stack_limit in py/mpstate.h
    held = struct.pack("<II", stack_room.TOP, stack_room.STACK_BYTES)
    assert held in bytes(clinic.chip.sram)


@pytest.mark.control("C-04", "C-40")
@pytest.mark.parametrize("name", ASKED)
def test_a_request_by_radio_leaves_room_for_a_handler(clinic, frames, handlers_frames, name):
    clinic.rest()
    clinic.chip.core.watch_stack()
    before = frames.paint()
    clinic.ask(name)
    assert before + 300 < frames.most(), "the request was executed"
    assert frames.most() + handlers_frames <= FRAMES_BYTES - FRAMES_SPARE
    thread, handlers = stack_room.used(clinic.bench, "stimulator")
    assert thread > 3000 and handlers > 900, "and its frame told by an interrupt"
    stack_room.check(clinic.bench)


def test_a_stack_that_a_handler_would_overfill_is_told(clinic, monkeypatch):
    clinic.rest()
    clinic.chip.core.watch_stack()
    clinic.ask("STATUS")
    stack_room.check(clinic.bench)
    monkeypatch.setattr(stack_room, "STACK_BYTES", sum(stack_room.used(clinic.bench, "stimulator")))
    with pytest.raises(stack_room.StackRoomError, match=r"stimulator: C's stack had \d+ bytes"):
        stack_room.check(clinic.bench)
