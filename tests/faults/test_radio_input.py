"""Whatever comes over the air: no crash, no output, counted; and STOP still works."""

from itertools import pairwise

import pytest
from stimfw.protocol import messages, requests
from stimfw.telemetry import frames
from stimfw.telemetry.requester import STOP_LIMIT_MS
from support import scene
from support.board import Board
from support.scene import HOLD, MS, noise

STOP_NS = 5 * MS
KEEPALIVE_NS = 100 * MS
PAUSE_NS = 60 * MS  # between two bad frames: the rate limiter forgives each in 25 ms, so it never holds back
COSTLY = ("radio_forged", "radio_replayed", "radio_over_budget")
STOP = messages.request(requests.STOP)


def send_all(bench, peer, payloads, pause_ns=PAUSE_NS):
    for payload in payloads:
        peer.inject(payload)
        bench.run_for(pause_ns)


def counted(board, before):
    """By how much each counter has grown since `before`, those that did not left out."""
    now = board.client.counters()
    names = ("radio_bad", "radio_duplicates", *COSTLY, "refused")
    return {name: now[name] - before[name] for name in names if now[name] != before[name]}


def assert_untouched(board, bench):
    assert scene.edges(bench) == []
    status = board.client.status()
    assert (status.state, status.stop_cause) == (messages.READY, messages.STOPPED_NEVER_ON)
    assert len(bench.board("stimulator").resets) == 1


def assert_stops(board, bench, peer):
    """A session begins by radio, and ends by it in time."""
    assert peer.ask(messages.request(requests.START))[1] == messages.OK
    board.wait_state(messages.HOLD)
    heard_ns = peer.request(requests.STOP)
    bench.run_to(heard_ns + STOP_NS)
    scene.assert_stays_off(bench, heard_ns + STOP_NS, 60 * MS)
    assert board.client.status().stop_cause == messages.STOPPED_REMOTE


def test_noise_is_counted_and_does_nothing(board: Board, bench, peer):
    board.set(**HOLD)
    peer.join()
    before = board.client.counters()
    send_all(bench, peer, noise(3, 40, 32))
    assert_untouched(board, bench)
    assert counted(board, before) == {"radio_bad": 40}
    assert_stops(board, bench, peer)


def test_wrong_versions_kinds_and_slots_are_counted_and_do_nothing(board: Board, bench, peer):
    board.set(**HOLD)
    peer.join()
    good = peer.sent[-1][0]
    hello = next(frame for frame, _ in peer.sent if frames.kind_of(frame) == frames.HELLO)
    bad = [bytes((version << 4 | frames.REQUEST,)) + good[1:] for version in (0, 1, 2, 15)]
    kinds = (0, frames.CHALLENGE, frames.REPLY, frames.PAIR, frames.PAIR_REPLY, 7, 15)
    bad += [bytes((frames.first(kind),)) + good[1:] for kind in kinds]
    bad += [good[:1] + bytes((slot,)) + good[2:] for slot in (1, 5, 6, 255)]
    bad += [hello[:3] + b"\1" + hello[4:], hello[:12] + b"\2" + hello[13:]]
    before = board.client.counters()
    send_all(bench, peer, bad)
    assert_untouched(board, bench)
    assert counted(board, before) == {"radio_bad": len(bad)}
    assert_stops(board, bench, peer)


def test_what_the_radio_cannot_receive_is_not_even_counted(board: Board, bench, peer):
    """Other lengths, and the format with acknowledgements: nothing is sent in answer either."""
    peer.join()
    good = peer.sent[-1][0]
    before, said = board.client.counters()["radio_frames"], len(bench.air.tap)
    send_all(bench, peer, [good[:length] for length in (1, 2, 5, 26, 31)])
    start_ns = bench.now_ns + MS
    bench.air.inject(start_ns, peer.channel, peer._stimulator, good, enhanced=True)
    bench.run_for(PAUSE_NS)
    assert board.client.counters()["radio_frames"] == before and len(bench.air.tap) == said + 6


@pytest.mark.control("C-24")
@pytest.mark.parametrize("where", [-1, -8, 5, 20])
def test_a_forged_start_is_counted_and_does_nothing(board: Board, bench, peer, where):
    """A genuine START is kept back; what arrives differs from it in one bit."""
    board.set(**HOLD)
    peer.join()
    requester = peer.requester
    requester.begin(messages.request(requests.START), 1000, bench.now_ns // MS)
    start = bytearray(requester.poll(bench.now_ns // MS))
    start[where] ^= 1
    before = board.client.counters()
    send_all(bench, peer, [bytes(start)])
    assert_untouched(board, bench)
    assert counted(board, before) == {"radio_forged": 1}


def test_forged_hellos_cost_the_open_connection_nothing(board: Board, bench, peer):
    board.set(**HOLD)
    peer.join()
    hello = next(frame for frame, _ in peer.sent if frames.kind_of(frame) == frames.HELLO)
    newer = hello[:8] + b"\x09\0\0\0" + hello[12:]  # a higher count
    before = board.client.counters()
    send_all(bench, peer, [newer, hello, newer[:-1] + b"\0"])
    assert counted(board, before) == {"radio_forged": 2}, "the recorded one draws a CHALLENGE out of step"
    said = len(peer.sent)
    assert_stops(board, bench, peer)
    assert {frames.kind_of(frame) for frame, _ in peer.sent[said:]} == {frames.REQUEST}, "no new handshake"


@pytest.mark.control("C-10")
def test_a_request_that_comes_again_is_answered_again_and_executed_once(board: Board, bench, peer):
    board.set(**HOLD)
    peer.join()
    assert peer.ask(messages.request(requests.START))[1] == messages.OK
    start = peer.sent[-1][0]
    board.wait_state(messages.HOLD)
    heard_ns = peer.request(requests.STOP)
    bench.run_to(heard_ns + STOP_NS)
    peer.finish()
    before = board.client.counters()
    stop, heard = peer.sent[-1][0], len(peer.heard)
    send_all(bench, peer, [start, stop, start])
    scene.assert_stays_off(bench, heard_ns + STOP_NS, 200 * MS)
    assert board.state() == messages.READY
    assert counted(board, before) == {"radio_replayed": 2}
    assert len(peer.heard) == heard + 1  # STOP's reply


@pytest.mark.control("C-10", "C-24")
def test_what_was_recorded_is_dead_after_a_restart_of_either_side(board: Board, bench, peer):
    board.set(**HOLD)
    peer.join()
    assert peer.ask(messages.request(requests.START))[1] == messages.OK
    recorded = [frame for frame, _ in peer.sent]
    assert peer.ask(STOP)[1] == messages.OK
    peer.restart()
    peer.join()
    stopped_ns = bench.now_ns
    send_all(bench, peer, recorded)
    scene.assert_stays_off(bench, stopped_ns, 100 * MS)
    board.reset()
    board.set(**HOLD)
    stopped_ns = bench.now_ns
    send_all(bench, peer, recorded)
    scene.assert_stays_off(bench, stopped_ns, 100 * MS)
    assert board.state() == messages.READY


def test_requests_that_make_no_sense_are_refused(board: Board, bench, peer):
    board.set(**HOLD)
    peer.join()
    wrong = [b"\x00", b"\x7f", b"\x80", b"\xff", b"\x03\x00", b"\x06" + bytes(10), b"\x0d\x01", b"\x08\x07"]
    before = board.client.counters()
    for message in wrong:
        assert peer.ask(message)[1] != messages.OK
    assert_untouched(board, bench)
    assert counted(board, before) == {"refused": len(wrong)}


@pytest.mark.control("C-21")
def test_a_flood_of_noise_while_pulsing_neither_stops_nor_resets_it(board: Board, bench, peer):
    peer.join()
    scene.pulse(board)
    start_ns = bench.now_ns
    gap_ns = 450_000  # a packet takes 320 us: as dense as a transmitter can
    peer.flood(noise(5, 500, 32), gap_ns)
    bench.run_for(230 * MS)
    assert scene.cathodic_edges(bench, start_ns) >= 8
    assert scene.last_current_ns(bench) > bench.now_ns - 60 * MS, "the gate fell: KEEPALIVE starved"
    edges = [at for at, _ in bench.trace.edges("stimulator", "KEEPALIVE", start_ns)]
    pauses = [later - earlier for earlier, later in pairwise(edges)]
    assert max(pauses) < KEEPALIVE_NS


@pytest.mark.control("C-02")
@pytest.mark.parametrize("gap_ns", [2 * MS, 600_000, 450_000])
def test_stop_gets_through_a_flood(board: Board, bench, peer, gap_ns):
    """The peer sends again what the radio had no room for, as a remote does."""
    peer.join()
    scene.pulse(board)
    peer.flood(noise(6, 300 * MS // gap_ns, 32), gap_ns)
    bench.run_for(60 * MS)
    pressed_ns = bench.now_ns
    assert peer.ask(STOP, STOP_LIMIT_MS)[1] == messages.OK
    bench.run_for(STOP_NS)
    scene.assert_stays_off(bench, bench.now_ns, 100 * MS)
    assert scene.last_edge_ns(bench) < pressed_ns + 400 * MS


@pytest.mark.control("C-02")
def test_stop_gets_through_a_flood_of_forgeries(board: Board, bench, peer):
    """HELLOs of the right epoch, with counts to come: each costs a block of AES."""
    peer.join()
    scene.pulse(board)
    hello = next(frame for frame, _ in peer.sent if frames.kind_of(frame) == frames.HELLO)
    forged = [
        hello[:8] + (9 + number).to_bytes(4, "little") + hello[12:13] + tail
        for number, tail in enumerate(noise(7, 300, 19, 19))
    ]
    before = board.client.counters()
    peer.flood(forged, 2 * MS)
    bench.run_for(300 * MS)
    pressed_ns = bench.now_ns
    assert peer.ask(STOP, STOP_LIMIT_MS)[1] == messages.OK
    bench.run_for(STOP_NS)
    scene.assert_stays_off(bench, bench.now_ns, 300 * MS)
    assert scene.last_edge_ns(bench) < pressed_ns + 400 * MS
    found = counted(board, before)
    assert found["radio_forged"] > 100 and set(found) <= set(COSTLY)


def test_jamming_does_no_harm_and_the_link_comes_back(board: Board, bench, peer):
    peer.join()
    scene.pulse(board)
    bench.air.jam(None, bench.now_ns, bench.now_ns + 200 * MS)
    peer.request(requests.STOP, limit_ms=STOP_LIMIT_MS)
    bench.run_for(150 * MS)
    assert board.state() == messages.HOLD
    clear_ns = bench.now_ns + 50 * MS
    assert peer.finish()[1] == messages.OK  # it repeats what had no answer
    late_ns = clear_ns + 30 * MS
    bench.run_to(max(bench.now_ns, late_ns))
    scene.assert_stays_off(bench, late_ns, 60 * MS)
