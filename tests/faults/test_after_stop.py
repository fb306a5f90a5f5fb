"""A START that was on its way, or kept back, when somebody stopped: it begins nothing, whatever the route."""

import pytest
from stimfw.protocol import messages, requests
from support import scene
from support.board import Board
from support.scene import HOLD, MS, S

START = messages.request(requests.START)
SLOT = 0
KEPT_BACK_NS = 3 * S  # longer than START is refused to others after a stop
HELD_BACK_NS = 1150 * MS


def magnet(board, bench):
    bench.magnet(True)
    bench.run_for(50 * MS)
    bench.magnet(False)


def usb(board, bench):
    board.client.stop()


def end_by_itself(board, bench):
    board.client.test_stimulation(1)
    bench.run_for(1500 * MS)
    assert board.state() == messages.READY


ROUTES = {"magnet": magnet, "USB": usb, "end by itself": end_by_itself}


def kept_back(bench, peer):
    """The frame of a START in an open connection, which somebody jammed and has recorded."""
    peer.requester.begin(START, 1000, bench.now_ns // MS)
    frame = peer.requester.poll(bench.now_ns // MS)
    assert frame is not None
    return frame


def test_a_frame_that_is_only_late_begins_a_session(board: Board, bench, peer):
    """What the others show means something: without a stop it does."""
    board.set(**HOLD)
    frame = kept_back(bench, peer.join())
    bench.run_for(KEPT_BACK_NS)
    peer.inject(frame)
    board.wait_state(messages.HOLD)


@pytest.mark.control("C-09")
@pytest.mark.parametrize("route", list(ROUTES))
@pytest.mark.parametrize("pulsing", [False, True])
def test_a_start_that_was_kept_back_survives_no_stop(board: Board, bench, peer, route, pulsing):
    board.set(**HOLD)
    peer.join()
    if pulsing and route != "end by itself":
        board.client.start()
        board.wait_state(messages.HOLD)
    frame = kept_back(bench, peer)
    ROUTES[route](board, bench)
    stopped_ns = bench.now_ns
    bench.run_for(KEPT_BACK_NS)
    for _ in range(3):
        peer.inject(frame)
        bench.run_for(20 * MS)
    scene.assert_stays_off(bench, stopped_ns, 200 * MS)
    assert board.state() == messages.READY


@pytest.mark.control("C-09")
@pytest.mark.parametrize("route", list(ROUTES))
def test_a_press_right_after_the_stop_is_refused_and_says_why(board: Board, bench, peer, route):
    board.set(**HOLD)
    peer.join()
    ROUTES[route](board, bench)
    stopped_ns = bench.now_ns
    refused = messages.reply(
        requests.START, messages.WRONG_STATE, bytes((messages.READY, messages.REASON_JUST_STOPPED))
    )
    if route != "end by itself":  # it was over a little earlier
        assert peer.ask(START) == refused
    board.client.stop()
    assert peer.ask(START) == refused
    bench.run_to(max(bench.now_ns, stopped_ns + 2 * HELD_BACK_NS))
    assert peer.ask(START) == messages.reply(requests.START, messages.OK)
    board.wait_state(messages.HOLD)
    stop = messages.request(requests.STOP)
    assert peer.ask(stop) == messages.reply(requests.STOP, messages.OK)
    assert peer.ask(START) == messages.reply(requests.START, messages.OK), "who stopped may go on"
