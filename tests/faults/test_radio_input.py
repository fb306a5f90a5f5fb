"""Whatever comes over the air: no crash, no output, counted."""

import struct
from binascii import crc32
from itertools import pairwise

from stimfw.logic import messages, radio_frame
from support import scene
from support.board import Board
from support.scene import HOLD, MS, Attacker, noise

STOP_NS = 5 * MS
KEEPALIVE_NS = 100 * MS
ANSWERED_NS = 20 * MS  # six tries to send an answer that nobody acknowledges


def sealed(version, kind, number, message):
    body = struct.pack("<BBH", version, kind, number) + message
    return body + struct.pack("<I", crc32(body))


def send_all(bench, attacker, payloads, pause_ns=4 * MS):
    for payload in payloads:
        attacker.send(payload)
        bench.run_for(pause_ns)


def assert_untouched(board, bench):
    assert scene.edges(bench) == []
    status = board.client.status()
    assert (status.state, status.stop_cause) == (messages.READY, messages.STOPPED_NEVER_ON)
    assert len(bench.board("stimulator").resets) == 1


def test_noise_is_counted_and_does_nothing(board: Board, bench):
    board.set(**HOLD)
    send_all(bench, Attacker(bench), noise(3, 40))
    assert_untouched(board, bench)
    counters = board.client.counters()
    assert counters["radio_frames"] == counters["radio_bad"] == 40


def test_cut_damaged_and_foreign_frames_are_counted_and_do_nothing(board: Board, bench):
    board.set(**HOLD)
    good = sealed(1, radio_frame.REQUEST, 7, messages.request(messages.START))
    bad = [good[:length] for length in range(1, len(good))]
    bad += [good[:4] + bytes((good[4] ^ 0x10,)) + good[5:], good + b"\0"]
    bad += [sealed(v, radio_frame.REQUEST, 7, b"\x03") for v in (0, 2, 255)]
    bad += [sealed(1, kind, 7, b"\x03") for kind in (0, 5, 255)]
    bad += [sealed(1, radio_frame.REPLY, 7, b"\x83\x00"), sealed(1, radio_frame.REQUEST, 7, b"")]
    send_all(bench, Attacker(bench), bad)
    assert_untouched(board, bench)
    assert board.client.counters()["radio_bad"] == len(bad)


def test_requests_that_make_no_sense_are_refused(board: Board, bench):
    attacker = Attacker(bench).join()
    board.set(**HOLD)
    wrong = [b"\x00", b"\x7f", b"\x80", b"\xff", b"\x03\x00", b"\x06" + bytes(10), b"\x09", b"\x08\x07"]
    first = attacker.number + 1
    for number, message in enumerate(wrong, first):
        attacker.send(sealed(1, radio_frame.REQUEST, number & 0xFFFF, message))
        bench.run_for(ANSWERED_NS)
    assert_untouched(board, bench)
    assert board.client.counters()["refused"] == len(wrong)


def test_a_repeated_request_is_executed_once(board: Board, bench):
    board.set(**HOLD)
    attacker = Attacker(bench).join()
    due = attacker.number + 1 & 0xFFFF
    start = sealed(1, radio_frame.REQUEST, due, messages.request(messages.START))
    stop = sealed(1, radio_frame.REQUEST, due + 1 & 0xFFFF, messages.request(messages.STOP))
    send_all(bench, attacker, [start, start, start], ANSWERED_NS)
    board.wait_state(messages.HOLD)
    send_all(bench, attacker, [stop], ANSWERED_NS)
    stopped_ns = bench.now_ns
    send_all(bench, attacker, [start, stop, start], ANSWERED_NS)  # late repeats of what is over
    scene.assert_stays_off(bench, stopped_ns, 200 * MS)
    assert board.state() == messages.READY
    assert board.client.counters()["radio_duplicates"] == 3  # two of START, one of STOP


def test_a_flood_of_noise_while_pulsing_neither_stops_nor_resets_it(board: Board, bench):
    attacker = Attacker(bench).join()
    scene.pulse(board)
    start_ns = bench.now_ns
    gap_ns = 450_000  # a packet of 32 bytes takes 328 us: as dense as a transmitter can
    for k, payload in enumerate(noise(5, 500, 32)):
        attacker.send(payload, after_ns=MS + k * gap_ns, no_ack=True)
    bench.run_for(230 * MS)
    assert scene.cathodic_edges(bench, start_ns) >= 8
    assert scene.last_current_ns(bench) > bench.now_ns - 60 * MS, "the gate fell: KEEPALIVE starved"
    edges = [at for at, _ in bench.trace.edges("stimulator", "KEEPALIVE", start_ns)]
    pauses = [later - earlier for earlier, later in pairwise(edges)]
    assert max(pauses) < KEEPALIVE_NS
    heard_ns = attacker.request(messages.STOP, after_ns=5 * MS)
    bench.run_to(heard_ns + STOP_NS)
    scene.assert_stays_off(bench, heard_ns + STOP_NS, 60 * MS)


def test_stop_gets_through_a_flood(board: Board, bench):
    attacker = Attacker(bench).join()
    scene.pulse(board)
    for k, payload in enumerate(noise(6, 60, 32)):
        attacker.send(payload, after_ns=MS + k * 2 * MS, no_ack=True)
    heard_ns = attacker.request(messages.STOP, after_ns=60 * MS + 700_000)
    bench.run_to(heard_ns + STOP_NS)
    scene.assert_stays_off(bench, heard_ns + STOP_NS, 100 * MS)


def test_jamming_does_no_harm_and_the_link_comes_back(board: Board, bench):
    attacker = Attacker(bench).join()
    scene.pulse(board)
    bench.air.jam(None, bench.now_ns, bench.now_ns + 200 * MS)
    attacker.request(messages.STOP)
    bench.run_for(210 * MS)
    assert board.state() == messages.HOLD
    heard_ns = attacker.request(messages.STOP)
    bench.run_to(heard_ns + STOP_NS)
    scene.assert_stays_off(bench, heard_ns + STOP_NS, 60 * MS)
