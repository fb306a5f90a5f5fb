"""A pairing by radio on both boards: it succeeds, or something ends it and all is as before."""

import random
from itertools import pairwise

import pytest
from stimbench.attacks.air import RadioPeer
from stimbench.bench import provision
from stimbench.errors import WrongStateError
from stimfw.pairing import blink_code
from stimfw.pairing import exchange as pk
from stimfw.pairing.remote_end import PairingRequester
from stimfw.pairing.stimulator_end import PairingResponder
from stimfw.protocol import messages, requests, roles
from stimfw.telemetry import addresses, frames
from support import scene
from support.branches import branch
from support.pairing_bench import HELD_MS, MS, PAIRING, Middle, couple_at_rest
from support.pairing_harness import QuickCurve

ALIKE_NS = 40 * MS  # half a blink: an eye tells a light that is later
STOP_MS = 150  # from the button to the last edge of a bridge
LATE_MS = 19_000  # PAIR comes 22 s after the window has opened, so that the emulator has less to do
BLINK_NS = 250 * MS  # of the stimulator's LED while the window is open
PAIRING_DBM, FULL_DBM = -18, 0
ONCE, TWICE = 1, 2  # red and amber: nobody answers or silence; refused or somebody in between

pytestmark = [pytest.mark.emulated, pytest.mark.slow]


@pytest.fixture
def couple():
    return couple_at_rest()


def bits(edges, began_ns):
    """The code as a person reads it: the level in the middle of each bit."""
    code = 0
    for number in range(blink_code.BITS):
        middle_ms = blink_code.MARKER_MS + number * blink_code.BIT_MS + blink_code.BLINK_MS // 2
        middle_ns = began_ns + middle_ms * MS
        levels = [level for at, level in edges if at <= middle_ns]
        code = code << 1 | (levels[-1] if levels else 0)
    return code


def assert_as_before(couple, before):
    """Nothing new is stored, no window is open, and the remote's key works."""
    assert couple.stored() == before
    assert not couple.window()
    assert couple.works()
    assert couple.stored() == before


def refused_by_the_remote(couple):
    couple.begin()
    couple.compare()
    couple.bench.press("STOP", 80)
    assert couple.failed(stopped=True) == TWICE


def without_a_window(couple):
    """Nobody answers, not even with an acknowledgement."""
    couple.begin(magnet=False)
    assert couple.failed() == ONCE
    heard = couple.pairing_packets()
    assert len(heard) >= 20 and {packet.payload[:2] for packet in heard} == {b"\x35\x01"}


def joined_by_another_remote(couple):
    couple.begin()
    couple.wait(lambda: couple.said(frames.PAIR_REPLY, pk.COMMIT))
    other = PairingRequester(b"othr", lambda **_: None, random.Random(3).randbytes, QuickCurve())
    other.begin(0)
    while other.compute():
        pass
    couple.air.inject(
        couple.bench.now_ns + 100 * MS, addresses.PAIRING_CHANNEL, addresses.PAIRING_STIMULATOR, other.poll(0)
    )
    couple.run_ms(102)
    answered = len(couple.said(frames.PAIR_REPLY))
    assert answered >= 1
    couple.run_ms(300)
    assert len(couple.said(frames.PAIR_REPLY)) == answered
    couple.bench.press("STOP", 80)
    assert couple.failed(stopped=True) == TWICE


def without_the_persons_gesture(couple):
    """The person at the remote says yes, and nobody comes with the magnet until the window is over."""
    couple.bench.magnet(True)
    couple.run_ms(HELD_MS + 100)
    couple.bench.magnet(False)
    couple.run_ms(LATE_MS)
    couple.begin(magnet=False)
    couple.see()
    couple.accept()
    couple.wait(lambda: not couple.window(), poll_us=100_000)
    said = {packet.payload[2] for packet in couple.said(frames.PAIR_REPLY, pk.ACCEPT)}
    assert said == {pk.WAITS_FOR_MAGNET}
    couple.hold()  # too late
    couple.run_ms(1300)
    couple.bench.press("STOP", 80)
    assert couple.failed(stopped=True) == TWICE


def with_the_magnet_too_early(couple):
    """A code that nobody saw: what a magnet does until it was shown whole is no consent, nor is START."""
    couple.begin()
    began_ns = couple.compare()
    for away_ms, near_ms in ((35, 300), (1100, 1500)):
        couple.run_ms(away_ms)
        couple.hold(near_ms)
        couple.bench.press("START", 80)
        couple.run_ms(near_ms)
    assert couple.bench.now_ns < began_ns + blink_code.PASS_MS * MS
    assert not couple.said(frames.PAIR, pk.ACCEPT), "START was too early"
    couple.bench.run_to(began_ns + (blink_code.PASS_MS + 200) * MS)
    couple.accept()
    couple.run_ms(1500)
    assert not couple.said(frames.PAIR_REPLY, pk.ACCEPT, pk.STORED)
    couple.bench.press("STOP", 80)
    assert couple.failed(stopped=True) == TWICE


def with_a_magnet_left_lying(couple):
    couple.begin()
    couple.see()
    couple.accept()
    couple.run_ms(200)
    couple.bench.magnet(True)
    couple.run_ms(HELD_MS + 100)
    assert not couple.window()
    couple.bench.magnet(False)
    assert couple.failed() == ONCE


@pytest.mark.control("C-28")
@pytest.mark.parametrize(
    "ends",
    [
        without_a_window,
        refused_by_the_remote,
        joined_by_another_remote,
        without_the_persons_gesture,
        with_the_magnet_too_early,
        with_a_magnet_left_lying,
    ],
)
def test_what_does_not_end_in_a_pairing(couple, ends):
    def body():
        before = couple.stored()
        ends(couple)
        assert_as_before(couple, before)

    branch(body)


@pytest.mark.control("C-04")
def test_stop_in_a_pairing_stops_the_pulses(couple):
    branch(lambda: assert_stops(couple))


def assert_stops(couple):
    scene.pulse(couple.board)
    couple.begin(magnet=False)
    couple.bench.press("STOP", 80)
    couple.run_ms(STOP_MS)
    scene.assert_stays_off(couple.bench, couple.bench.now_ns, 100 * MS)
    assert couple.board.client.status().stop_cause == messages.STOPPED_REMOTE


@pytest.mark.control("C-28")
def test_a_man_in_the_middle_is_seen_and_gets_nothing_without_the_magnet(couple):
    before = couple.stored()
    man = Middle(couple)
    rng = random.Random(5)
    kept = []
    to_remote = PairingResponder(couple.old.base, lambda *_: 0, rng.randbytes, QuickCurve())
    to_stimulator = PairingRequester(
        couple.old.peer_id, lambda **new: kept.append(new), rng.randbytes, QuickCurve()
    )
    couple.begin()
    to_remote.open(couple.bench.now_ns // MS)
    to_stimulator.begin(couple.bench.now_ns // MS)

    def relay(for_ms):
        """He answers each side in the other's place, as quick as he can."""
        for _ in range(for_ms // 10):
            couple.run_ms(10)
            now_ms = couple.bench.now_ns // MS
            while to_remote.compute() or to_stimulator.compute():
                pass
            for address, frame in man.take():
                if address == addresses.PAIRING_STIMULATOR:
                    answer = to_remote.on_frame(frame, now_ms)
                    if answer is not None:
                        man.say(addresses.PAIRING_REMOTE, answer)
                else:
                    to_stimulator.on_frame(frame, now_ms)
            frame = to_stimulator.poll(now_ms)
            if frame is not None:
                man.say(addresses.PAIRING_STIMULATOR, frame)

    relay(1000)
    assert to_remote.outcome == to_remote.COMPARING and to_stimulator.state == to_stimulator.COMPARING
    said = couple.said(frames.PAIR_REPLY, pk.CONFIRM, pk.COMPARE)
    begun_ns = {
        "stimulator": next(packet for packet in said if packet.power_dbm == PAIRING_DBM).t_end_ns,
        "remote": next(packet for packet in said if packet.power_dbm != PAIRING_DBM).t_end_ns,
    }
    relay(blink_code.PASS_MS)
    codes = [
        bits(couple.code_edges(name, at_ns, blink_code.PASS_MS), at_ns) for name, at_ns in begun_ns.items()
    ]
    assert codes == [to_stimulator._keys.code, to_remote._keys.code] and codes[0] != codes[1]
    to_stimulator.accept(couple.bench.now_ns // MS)  # he has seen enough
    relay(1000)
    assert to_stimulator.state == to_stimulator.WAITING_MAGNET, "the stimulator waits for its person"
    couple.bench.press("STOP", 80)  # the remote's person has seen that the lights differ
    relay(1000)
    assert couple.stored() == before and not kept
    man.say(addresses.PAIRING_STIMULATOR, pk.pack(frames.PAIR, pk.BEGIN, bytes(30)))
    couple.run_ms(20)
    couple.hold()  # too late
    relay(1500)
    couple.air.drop = None
    couple.run_ms(2500)
    assert not kept and to_remote.outcome == to_remote.BROKEN
    assert_as_before(couple, before)


def assert_window_shuts_the_output(couple):
    """A session runs; the magnet ends it and, held, opens the window, in which nothing starts."""
    scene.pulse(couple.board)
    magnet_ns = couple.bench.now_ns
    couple.bench.magnet(True)
    couple.run_ms(HELD_MS - 50)
    assert not couple.window()
    couple.run_ms(100)
    couple.bench.magnet(False)
    assert couple.window()
    opened_ns = couple.bench.now_ns
    couple.run_ms(700)
    led = [at for at, _ in couple.bench.trace.edges("stimulator", "LED", opened_ns)]
    assert len(led) >= 2 and all(abs(b - a - BLINK_NS) < 5 * MS for a, b in pairwise(led))
    status = couple.board.client.status()
    assert (status.state, status.stop_cause) == (messages.READY, messages.STOPPED_MAGNET)
    with pytest.raises(WrongStateError) as refused:
        couple.board.client.start()
    assert refused.value.reason == messages.REASON_PAIRING
    couple.begin(magnet=False)
    return magnet_ns


def assert_same_light(couple, began_ns, for_ms):
    """Both lights show the same 20 bits at the same moments, as often as they fit."""
    # Without what was lit before and goes dark, and up to the end of the last bit: no edge is near that.
    first_ns, last_ns = began_ns + 100 * MS, began_ns + round((for_ms - blink_code.BLINK_MS / 2) * MS)
    here, there = (
        [edge for edge in couple.code_edges(name, began_ns, for_ms) if first_ns < edge[0] < last_ns]
        for name in ("stimulator", "remote")
    )
    assert [level for _, level in here] == [level for _, level in there] and len(here) >= 4
    assert max(abs(a - b) for (a, _), (b, _) in zip(here, there, strict=True)) <= ALIKE_NS


def test_a_pairing(couple):
    branch(lambda: assert_pairs(couple))


def assert_pairs(couple):
    magnet_ns = assert_window_shuts_the_output(couple)
    began_ns = couple.compare()
    couple.run_ms(2 * blink_code.PASS_MS)
    assert_same_light(couple, began_ns, 2 * blink_code.PASS_MS)
    couple.confirm()
    couple.wait(lambda: couple.lit("GREEN"))
    let_go_ns = couple.bench.now_ns
    new = couple.remotes()
    base, slot, role, key = new
    old = couple.old
    assert (base, role) == (old.base, roles.PATIENT) and slot != old.slot and key != old.key
    assert couple.stimulators() == {
        old.slot: (old.role, old.peer_id, old.key, False),
        slot: (roles.PATIENT, old.peer_id, key, True),
    }, "the old one stays until the new key was used"
    couple.wait(couple.one_key)
    assert couple.remotes() == new
    assert_shows_that_it_stored(couple, let_go_ns)
    assert {packet.power_dbm for packet in couple.pairing_packets()} == {PAIRING_DBM}
    others = [packet for packet in couple.packets() if packet.address not in PAIRING]
    assert {packet.power_dbm for packet in others if not packet.was_ack} == {FULL_DBM}
    assert all(key[:8] not in packet.payload for packet in couple.packets())
    assert couple.works()
    assert not scene.edges(couple.bench, magnet_ns + MS), "the output was off all along"
    assert_patient(couple, provision.Provisioned(base, slot, roles.PATIENT, key, old.peer_id))


def assert_shows_that_it_stored(couple, let_go_ns):
    """The stimulator's LED: 2 s of light, a short dark, 2 s of light."""
    couple.bench.run_to(max(couple.bench.now_ns, let_go_ns + 5000 * MS))
    shown = [(at, level) for at, level in couple.bench.trace.edges("stimulator", "LED", let_go_ns)]
    dark, light, end = shown[-3:]
    assert (dark[1], light[1], end[1]) == (False, True, False)
    assert abs(light[0] - dark[0] - 300 * MS) < 20 * MS and abs(end[0] - light[0] - 2000 * MS) < 20 * MS


def assert_patient(couple, pairing):
    """Whatever role a remote of the attacker's claims, its key is a patient's."""
    peer = RadioPeer(couple.bench, pairing, epoch=1000)
    reply = peer.ask(messages.request(requests.GET_PROGRAM))
    assert messages.parse_reply(requests.GET_PROGRAM, reply) == (messages.FORBIDDEN, b"")
