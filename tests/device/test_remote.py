"""The remote's firmware on its emulated board, with the stimulator's or alone: buttons, radio, lights."""

import struct

import pytest
from stimbench.bench import Bench, BenchConfig, provision
from stimbench.parts.wiring import RemoteWiring
from stimfw.protocol import asking, console_frame, messages, requests
from stimfw.storage import layout
from stimfw.storage.pairings import RemotePairing
from stimfw.storage.record import Record
from stimfw.telemetry import frames
from stimfw.telemetry.after_stop import HOLD_MS
from stimfw.telemetry.frames import CHALLENGE, HELLO, REQUEST
from stimfw.therapy import program
from support import stack_room

pytestmark = pytest.mark.emulated

# What is promised.
PRESS_TO_SENT_MS = 10  # from the press of STOP to the end of its packet; 4.5 of it for the radio's crystal
ANSWER_MS = 25  # from a press to the light that tells its fate, in an open connection
FRESH_MS = 40  # the same with a handshake before
STOP_MS = 5  # from the end of STOP's packet to the end of the output
IDLE_AWAKE = 0.002
GIVES_UP_MS = (3000, 3050)  # STOP, with nobody there

MS = 1_000_000
BETWEEN_COPIES_NS = 1 * MS
READY_MS = 600  # a stimulator that is switched on: 500 are promised, and its first look at the time
BOOT_MS = READY_MS + HOLD_MS  # what was pressed before that is not executed: a start counts as a stop


class Boards:
    """A bench and a person at it. Its remote is paired, unless a new one is asked for."""

    def __init__(self, *boards, paired=True, **remote):
        wiring = {"remote": RemoteWiring(**remote)} if remote else {}
        self.bench = Bench(BenchConfig(boards=boards, wiring=wiring))
        self.remote = self.bench.board("remote")
        if paired and "stimulator" in boards:
            provision.pair(self.bench)
        elif paired:
            provision.used_once(self.remote.flash)
            record = RemotePairing(Record(provision.BlockView(self.remote.flash), layout.PAIRINGS))
            record.store(b"rmte", b"base", 0, 1, bytes(32))
        self.start_ns = self.first = 0
        self.run_ms(BOOT_MS)

    def run_ms(self, span_ms):
        self.bench.run_for(round(span_ms * MS))

    def press(self, button, watch_ms, hold_ms=80.0):
        """Press a button and watch for a while."""
        self.start_ns, self.first = self.bench.now_ns, len(self.bench.air.tap)
        self.bench.press(button, hold_ms)
        self.run_ms(watch_ms)

    def after_ms(self, time_ns):
        return (time_ns - self.start_ns) / MS

    def lights(self):
        """(ms after the press, colour) each time an LED came on."""
        logs = self.remote.parts.leds.items()
        return sorted(
            (self.after_ms(t), c) for c, led in logs for t, on in led.log if on and t >= self.start_ns
        )

    def colours(self):
        return [colour for _, colour in self.lights()]

    def tones(self):
        """(Hz, ms) of each tone since the press."""
        tones = [tone for tone in self.remote.parts.buzzer.tones if tone.start_ns >= self.start_ns]
        return [(round(t.frequency_hz), round((t.end_ns - t.start_ns) / MS)) for t in tones]

    def packets(self, kind=REQUEST):
        """The first packets of bursts with frames of a kind since the press."""
        heard = sorted(self.bench.air.tap[self.first :], key=lambda packet: packet.t_start_ns)
        mine = [packet for packet in heard if frames.kind_of(packet.payload) == kind]
        return [
            packet
            for before, packet in zip([None, *mine], mine)  # noqa: B905
            if before is None
            or before.payload != packet.payload
            or packet.t_start_ns - before.t_end_ns > BETWEEN_COPIES_NS
        ]

    def ask(self, board, message):
        """A request to a board's service console; code and body of the reply."""
        console = self.bench.board(board).console
        console.read()
        console.write(console_frame.encode(1, message))
        self.run_ms(100)
        line = next(line for line in console.read().split(b"\n") if line.startswith(b"~"))
        return messages.parse_reply(message[0], console_frame.decode(line[1:])[1])

    def set_program(self):
        """Amplitudes, and no ramp up."""
        values = program.default().replaced(
            {"left.amplitude_ua": 2000, "right.amplitude_ua": 2000, "ramp_up_ms": 0}
        )
        for _ in range(2):  # electrodes that are moved zero theirs
            code, _ = self.ask("stimulator", messages.request(requests.SET_PROGRAM, values.pack()))
            assert code == messages.OK

    def repeats(self):
        """How many requests the stimulator took for repeats of the last one."""
        _, counters = self.ask("stimulator", messages.request(requests.COUNTERS))
        return counters[4 * messages.COUNTER_NAMES.index("radio_duplicates")]


@pytest.fixture(scope="module")
def both():
    """Both boards, booted; each test has a copy of its own."""
    boards = Boards("stimulator", "remote")
    with boards.bench:
        yield boards


@pytest.fixture(scope="module")
def alone():
    """The remote, booted, and nobody to answer it; each test has a copy of its own."""
    boards = Boards("remote")
    with boards.bench:
        yield boards


def test_status_of_a_ready_stimulator_is_one_green_light(both):
    both.press("STATUS", 1500)
    assert both.colours() == ["green"] and len(both.tones()) == 1


def test_a_refused_start_blinks_its_reason(both):
    """A new stimulator has no amplitude set."""
    both.press("START", 3000)
    assert both.colours() == ["amber"] * messages.REASON_NO_AMPLITUDE
    assert [hz for hz, _ in both.tones()] == [2000, 2000]


def test_start_and_stop(both):
    both.press("STATUS", 1500)  # opens the connection
    both.set_program()
    both.press("START", 1000)
    assert not both.packets(HELLO)
    assert both.lights()[0][0] < ANSWER_MS and both.colours() == ["green"]
    trace = both.bench.trace
    assert trace.edges("stimulator", "L_CATH", both.start_ns)
    both.press("STATUS", 1500)
    assert both.colours() == ["green"] * 4
    both.press("STOP", 1000)
    sent_ns = both.packets()[0].t_end_ns
    assert both.after_ms(sent_ns) < PRESS_TO_SENT_MS
    assert both.lights()[0][0] < ANSWER_MS and both.colours() == ["green"]
    for signal in ("L_CATH", "L_ANOD", "R_CATH", "R_ANOD"):
        assert not trace.edges("stimulator", signal, sent_ns + STOP_MS * MS), signal


def test_every_third_packet_lost(both):
    both.bench.air.loss = 0.33
    try:
        for _ in range(5):
            both.press("STOP", 700)
            assert both.colours() == ["green"]
    finally:
        both.bench.air.loss = 0.0


def test_jammed_for_300_ms(both):
    both.bench.air.jam(None, both.bench.now_ns, both.bench.now_ns + 300 * MS)
    both.press("STOP", 1000)
    assert both.colours() == ["green"] and 300 < both.lights()[0][0] < 400


def test_the_first_press_takes_a_handshake(both):
    both.remote.reset()
    both.run_ms(BOOT_MS)
    both.press("STOP", 1000)
    assert [len(both.packets(kind)) for kind in (HELLO, CHALLENGE, REQUEST)] == [1, 1, 1]
    assert both.colours() == ["green"] and both.lights()[0][0] < FRESH_MS


def test_a_stop_leaves_room_on_c_s_stack(both):
    """At the limit Python says "recursion", and the STOP would be lost."""
    both.press("STATUS", 1500)
    both.set_program()
    both.press("START", 500)
    both.bench.board("stimulator").mcu.core.watch_stack()
    both.press("STOP", 500)
    both.remote.reset()
    both.run_ms(BOOT_MS)
    both.press("STOP", 500)  # by a HELLO
    thread, handlers = stack_room.used(both.bench, "stimulator")
    assert thread > 3000 and handlers > 900, "and it was used"
    stack_room.check(both.bench)


@pytest.mark.control("C-04")
def test_stop_overtakes_a_start_that_finds_no_way(both):
    both.set_program()
    both.bench.air.jam(None, both.bench.now_ns, both.bench.now_ns + 300 * MS)
    both.press("START", 100, hold_ms=300)
    assert both.packets() or both.packets(HELLO)
    start_ns = both.start_ns
    both.press("STOP", 1000)
    assert both.colours() == ["green"]
    assert not both.bench.trace.edges("stimulator", "L_CATH", start_ns), "START was executed"


def test_a_host_that_does_not_read_delays_nothing(both):
    both.press("STATUS", 1500)  # opens the connection
    console = both.remote.console
    console.host_reads = False
    console.write(40 * console_frame.encode(7, messages.request(requests.COUNTERS)))
    both.run_ms(200)
    both.press("STOP", 700)
    assert both.colours() == ["green"] and both.lights()[0][0] < ANSWER_MS
    console.host_reads = True
    both.run_ms(300)


def test_the_first_request_after_a_restart_of_either_board_is_executed(both):
    for board in ("remote", "stimulator"):
        both.press("STOP", 700)
        both.bench.board(board).reset()
        both.run_ms(BOOT_MS)
        repeats = both.repeats()
        both.press("STOP", 700)
        assert both.colours() == ["green"], board
        assert both.repeats() == repeats, "not executed: the reply was a cached one"


@pytest.mark.control("C-11")
def test_a_button_held_through_a_restart_asks_nothing(both):
    both.remote.parts.start.close()
    both.start_ns, both.first = both.bench.now_ns, len(both.bench.air.tap)
    both.remote.reset()
    both.run_ms(BOOT_MS)
    both.remote.parts.start.open()
    both.run_ms(100)
    assert both.packets() == [] and both.colours() == []


@pytest.mark.control("C-46")
def test_a_short_tap_of_stop_with_nobody_there_is_red_and_a_low_beep(alone):
    alone.press("STOP", 4200, hold_ms=0.1)
    assert alone.packets(HELLO)
    (when_ms, colour), (hz, long_ms) = alone.lights()[0], alone.tones()[0]
    assert colour == "red" and GIVES_UP_MS[0] < when_ms < GIVES_UP_MS[1]
    assert hz == 400 and 990 < long_ms < 1010


def test_idle_is_asleep_and_off_the_air(alone):
    awake_ns, packets = alone.remote.cpu_awake_ns, len(alone.bench.air.tap)
    alone.run_ms(10_000)
    assert (alone.remote.cpu_awake_ns - awake_ns) / (10_000 * MS) < IDLE_AWAKE
    assert len(alone.bench.air.tap) == packets and alone.remote.parts.radio.mode.value == "power down"


def test_the_console_tells_who_it_is_and_how_it_fares(alone):
    _, identity = alone.ask("remote", messages.request(requests.IDENTIFY))
    assert identity.startswith(b"remote\0")
    _, status = alone.ask("remote", messages.request(requests.STATUS))
    assert abs(asking.unpack_status(status)["supply_mv"] - 5000) < 150
    code, _ = alone.ask("remote", messages.request(requests.START))
    assert code == messages.UNKNOWN_OPCODE


def test_both_boards_tell_for_how_long_they_have_been_running(both):
    for board in ("stimulator", "remote"):
        (before_ms,), (after_ms,) = [
            struct.unpack("<I", both.ask(board, messages.request(requests.UPTIME))[1]) for _ in range(2)
        ]
        assert 0 < before_ms <= both.bench.now_ns / MS
        assert after_ms - before_ms == pytest.approx(100, abs=2), "ask() takes so long"


def test_ctrl_c_gives_a_repl_that_stays_and_ctrl_d_the_application(alone):
    console, resets = alone.remote.console, len(alone.remote.resets)
    console.write(b"\x03")
    alone.run_ms(5000)
    console.read()
    console.write(b"40+2\r")
    alone.run_ms(100)
    assert b"42" in console.read() and len(alone.remote.resets) == resets
    console.write(b"\x04")
    alone.run_ms(BOOT_MS)
    _, identity = alone.ask("remote", messages.request(requests.IDENTIFY))
    assert identity.startswith(b"remote\0")


@pytest.mark.control("C-07")
def test_a_hung_remote_restarts(alone):
    resets = len(alone.remote.resets)
    alone.remote.hang()
    alone.run_ms(2100 + BOOT_MS)
    assert [cause.value for _, cause in alone.remote.resets[resets:]] == ["watchdog"]
    alone.press("STOP", 100)
    assert alone.packets(HELLO)


def test_a_new_remote_says_that_it_is_not_paired():
    boards = Boards("remote", paired=False)
    with boards.bench:
        boards.press("STOP", 2500)
        assert boards.colours() == ["red", "amber"] * 3 and not boards.packets(HELLO)
        _, status = boards.ask("remote", messages.request(requests.STATUS))
        assert asking.unpack_status(status)["flags"] == messages.FLAG_UNPAIRED


def test_a_remote_names_a_predecessor_of_its_radio_for_as_long_as_it_is_there():
    boards = Boards("remote", radio_module="nrf24l01")
    with boards.bench:
        for _ in range(3):
            boards.run_ms(1000)
            _, body = boards.ask("remote", messages.request(requests.STATUS))
            status = asking.unpack_status(body)
            assert status["failed_parts"] == messages.PART_RADIO
            assert status["flags"] == messages.FLAG_RADIO_NEEDS_ACTIVATE


def test_a_clone_and_an_original_understand_each_other():
    boards = Boards("stimulator", "remote", radio_module="si24r1")
    with boards.bench:
        boards.press("STATUS", 1500)
        assert boards.colours() == ["green"]


@pytest.mark.parametrize(
    ("parts", "colours"),
    [
        ({"absent": ("radio",)}, ["red"] * 3),
        ({"radio_module": "nrf24l01"}, ["red"] * 3),
        ({"vsys_v": 3.0}, None),
    ],
)
def test_what_a_remote_with_a_fault_shows(parts, colours):
    boards = Boards("remote", **parts)
    with boards.bench:
        boards.press("STATUS", 2500)
        if colours:
            assert boards.colours() == colours
        else:
            assert sorted(boards.colours()[-4:]) == ["amber", "amber", "red", "red"]
