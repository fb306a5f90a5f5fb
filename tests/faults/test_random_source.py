"""Both boards when the ring oscillator gives no random bits: they name it, pair nobody, let nobody new in.

STOP works all the same, and USB and the magnet do. A nonce stays new: the epoch on flash sees to that.
"""

import pytest
from stimbench.bench import Bench, BenchConfig, provision
from stimbench.client import connect, connect_remote
from stimbench.devices.emulated_link import EmulatedLink
from stimbench.emulator.rosc import RandomBit
from stimbench.errors import WrongStateError
from stimfw.protocol import messages, requests, roles
from stimfw.telemetry import frames
from support import scene

pytestmark = [pytest.mark.emulated, pytest.mark.slow]

SOURCES = {
    "stuck at 0": RandomBit(ones=0),
    "stuck at 1": RandomBit(ones=1),
    "nine ones of ten": RandomBit(ones=0.9),
    "nine zeros of ten": RandomBit(ones=0.1),
    "each bit 64 times": RandomBit(repeats=64),
}
BOOT_NS = 500_000_000
PRESS_NS = 3_600_000_000
WINDOW_NS = 3_500_000_000
FASTER_MS = 20  # what the test of a start may take
DRAW_US = 1000  # what a draw for a handshake may take more
MS = 1_000_000
STATUS = messages.request(requests.STATUS)
STOP = messages.request(requests.STOP)


def boards(bench):
    return (
        connect(EmulatedLink(bench, "stimulator"), first_number=0),
        connect_remote(EmulatedLink(bench, "remote"), first_number=0),
    )


def lit(bench, colour, since_ns):
    return len([1 for _, level in bench.trace.edges("remote", f"LED_{colour}", since_ns) if level])


def kinds(bench, since):
    return [frames.kind_of(packet.payload) for packet in bench.air.tap[since:]]


def failures(stimulator):
    """What the log says of failed parts."""
    return [one.detail_text for one in stimulator.log() if one.kind == messages.EVENT_PART_FAILED]


def refused(action, reason):
    with pytest.raises(WrongStateError) as error:
        action()
    assert error.value.reason == reason


def switched_on(source):
    faults = dict.fromkeys(("stimulator", "remote"), source)
    bench = Bench(BenchConfig(paired=True, random_bits=faults))
    bench.run_for(BOOT_NS)
    return bench, *boards(bench)


@pytest.mark.control("C-32")
@pytest.mark.parametrize("name", SOURCES)
def test_a_source_that_fails_at_the_start_is_named_and_pairs_nobody(name):
    _, stimulator, remote = switched_on(SOURCES[name])
    assert stimulator.status().failed_parts == ("random",)
    assert remote.status().failed_parts == ("random",) and remote.status().paired
    assert failures(stimulator) == ["random"]
    refused(stimulator.start, messages.REASON_SELF_TEST)
    refused(lambda: stimulator.pair(b"peer", roles.PATIENT, bytes(32)), messages.REASON_RANDOM)
    refused(lambda: remote.pair(b"base", 1, roles.PATIENT, bytes(32)), messages.REASON_RANDOM)
    assert stimulator.pairings().pairings, "the old pairing is there"


@pytest.mark.control("C-32")
def test_without_randomness_no_window_opens_and_nobody_is_let_in():
    bench, stimulator, _ = switched_on(SOURCES["stuck at 1"])
    bench.magnet(True)
    bench.run_for(WINDOW_NS)
    status = stimulator.status()
    assert status.magnet and not status.pairing_window
    assert bench.trace.edges("stimulator", "LED", bench.now_ns - WINDOW_NS), "the LED shows a fault"
    bench.magnet(False)

    since, pressed_ns = len(bench.air.tap), bench.now_ns
    bench.press("START")
    bench.run_for(PRESS_NS // 3)
    assert len(bench.air.tap) == since and lit(bench, "AMBER", pressed_ns) == 3
    for _ in range(2):
        bench.press("STOP")
        bench.run_for(PRESS_NS)
    assert set(kinds(bench, since)) == {frames.HELLO}, "STOP is tried, and nobody is let in"
    hellos = {packet.payload for packet in bench.air.tap[since:]}
    assert len({frame[4:12] for frame in hellos}) == len(hellos) == 2, "epoch and count are new each time"
    assert lit(bench, "RED", pressed_ns) and not lit(bench, "GREEN", pressed_ns)
    assert scene.edges(bench) == []


@pytest.fixture
def couple():
    """A stimulator that pulses, a peer with an open connection, and a remote that has none."""
    with Bench(BenchConfig()) as bench:
        provision.pair(bench)
        pairing = provision.add_peer(bench, roles.PATIENT, seed=5)
        bench.run_for(BOOT_NS)
        stimulator = boards(bench)[0]
        peer = scene.Peer(bench, pairing).join()
        changed = {"left.amplitude_ua": 1000, "ramp_up_ms": 0, "on_ms": 20_000, "off_ms": 1000}
        stimulator.set_program(stimulator.program().replaced(changed))
        yield bench, stimulator, peer


def test_a_source_that_fails_while_it_is_drawn_from(couple):
    bench, stimulator, peer = couple
    stimulator.start()
    bench.run_for(300 * MS)
    assert scene.cathodic_edges(bench)
    bench.board("stimulator").random_bit = RandomBit(ones=1)
    bench.run_for(300 * MS)
    assert stimulator.status().failed_parts == (), "nothing was drawn yet"

    since, pressed_ns = len(bench.air.tap), bench.now_ns
    bench.press("STATUS")  # the remote has no connection: the stimulator draws for it
    bench.run_for(PRESS_NS)
    assert frames.HELLO in kinds(bench, since) and frames.CHALLENGE not in kinds(bench, since)
    assert lit(bench, "RED", pressed_ns) and not lit(bench, "GREEN", pressed_ns)
    assert stimulator.status().failed_parts == ("random",) and failures(stimulator) == ["random"]
    assert scene.cathodic_edges(bench, pressed_ns + PRESS_NS // 2), "what runs goes on"

    assert peer.ask(STATUS) is not None, "so does an open connection"
    bench.run_for(20 * MS)
    assert peer.ask(STOP) == messages.reply(requests.STOP, messages.OK)
    scene.assert_stays_off(bench, bench.now_ns)
    assert stimulator.status().state == messages.FAULT
    refused(stimulator.start, messages.REASON_SELF_TEST)
    peer.restart()
    assert peer.ask(STATUS) is None, "no new one begins"

    bench.board("stimulator").random_bit = RandomBit()
    bench.run_for(300 * MS)
    refused(lambda: stimulator.pair(b"peer", roles.PATIENT, bytes(32)), messages.REASON_RANDOM)
    bench.board("stimulator").reset()
    bench.run_for(2 * BOOT_NS)
    assert boards(bench)[0].status().failed_parts == (), "the test of a start is what takes it back"


@pytest.mark.control("C-05")
def test_stop_without_a_connection_needs_no_randomness(couple):
    """A peer that was connected since the stimulator's start, and has lost its connection."""
    bench, stimulator, peer = couple
    stimulator.start()
    bench.run_for(300 * MS)
    bench.board("stimulator").random_bit = RandomBit(ones=0)
    peer.restart()
    since, asked_ns = len(bench.air.tap), bench.now_ns
    peer.ask(STOP)
    assert frames.CHALLENGE not in kinds(bench, since)
    status = stimulator.status()
    assert status.state in (messages.READY, messages.FAULT) and status.stop_cause == messages.STOPPED_REMOTE
    assert scene.last_edge_ns(bench) < asked_ns + 100 * MS


def test_what_it_costs(couple):
    """The start and a draw, on the board's own clock."""
    from support.board import emulated_board

    board = emulated_board(couple[0])
    board.exec(
        "from time import ticks_us, ticks_diff\n"
        "from stimfw.drivers import entropy\n"
        "from stimfw.crypto.health import CheckedBits\n"
        "from stimfw.crypto.drbg import Drbg, KeyRandom\n"
        "bits = CheckedBits(entropy.oscillator())\n"
        "keys = KeyRandom(Drbg(bytes(32)), bits, entropy.EdgeTimes())\n"
        "def us(what, n=8):\n"
        "    at = ticks_us()\n"
        "    for _ in range(n): what()\n"
        "    return ticks_diff(ticks_us(), at) // n\n"
    )
    assert board.eval("us(bits.start, 1)") < FASTER_MS * 1000
    plain, tested = board.eval("us(lambda: keys.take(3))"), board.eval("us(lambda: keys.take(8))")
    assert tested - plain < DRAW_US
    assert board.eval("keys.failed") is False


def test_an_interrupts_time_is_kept_and_takes_no_heap(couple):
    from support.board import emulated_board

    board = emulated_board(couple[0])
    board.exec(
        "import micropython, time\n"
        "from stimfw.drivers import entropy\n"
        "from stimfw.drivers.wake import Wake\n"
        "edges = entropy.EdgeTimes()\n"
        "wake = Wake(edges.note)\n"
        "seen = []\n"
        "for _ in range(20):\n"
        "    micropython.heap_lock()\n"  # from here on an allocation is a MemoryError
        "    wake.set()\n"
        "    micropython.heap_unlock()\n"
        "    seen.append(bytes(edges.low))\n"
        "    time.sleep_us(1237)\n"
    )
    assert board.eval("len(set(seen))") >= 18, "each edge leaves something, unless its time was 0 of 256"
    assert board.eval("wake.pending") is True
