"""A link that is lost while a session runs: what the stimulator does, and what both sides tell."""

from itertools import pairwise

import pytest
from stimfw.protocol import messages
from stimfw.ui import feedback
from support import scene
from support.board import Board
from support.scene import MS, S

# Each of them speaks by radio: compared with an idle board that has one connection.
pytestmark = pytest.mark.usefixtures("heap_in_contact")

both = pytest.mark.bench(boards=("stimulator", "remote"))

# What docs/firmware.md and docs/remote.md promise.
LATE_MS = 100  # and one period
LINK_LOST_S = 15 + 1  # noticed by the stimulator, which looks once a second
TOLD_S = 18  # and by the remote
AGAIN_MS = (4900, 5600)
AWAKE, RADIO_ON = 0.008, 0.006  # of the time, while the answers come
STOP_MS = 60  # from the press to off; a look under way may be on the air

BOOT_NS = 1000 * MS
PERIOD_MS = 100
WIDTH_NS = 214_000
USUAL = {
    "left__amplitude_ua": 2000,
    "right__amplitude_ua": 3000,
    "rate_hz": 1000 // PERIOD_MS,
    "ramp_up_ms": 0,
    "ramp_down_ms": 2000,
    "on_ms": 60_000,
    "off_ms": 60_000,
    "session_s": 600,
}
MOMENTS = {  # that a session of these programmes has come to after 20 s
    "ramp up": (
        {"ramp_up_ms": 10_000, "on_ms": 1000, "ramp_down_ms": 1000, "off_ms": 3000},
        messages.RAMP_UP,
    ),
    "hold": ({}, messages.HOLD),
    "ramp down": ({"on_ms": 15_000, "ramp_down_ms": 10_000}, messages.RAMP_DOWN),
    "rest": ({"on_ms": 1000}, messages.REST),
}
CONTACT_S = 20


def start_by_remote(board, bench, **changes):
    """A session that the remote began; when it was green."""
    bench.run_to(BOOT_NS)
    board.set(**{**USUAL, **changes})
    pressed_ns = bench.now_ns
    bench.press("START")
    assert bench.run_until(lambda: lit(bench, "GREEN", pressed_ns), 500 * MS)
    bench.run_for(600 * MS)
    return bench.now_ns


def lit(bench, colour, since_ns):
    """When a light of the remote came on."""
    return [at for at, level in bench.trace.edges("remote", f"LED_{colour}", since_ns) if level]


def noted(board, *kinds):
    """Kind and sender of each event of these kinds."""
    return [(event.kind, event.sender) for event in board.client.log() if event.kind in kinds]


def widths(bench, signal, start_ns):
    edges = bench.trace.edges("stimulator", signal, start_ns)
    if edges and not edges[0][1]:
        edges = edges[1:]
    return [fell - rose for (rose, _), (fell, _) in zip(edges[::2], edges[1::2], strict=True)]


def heights_ua(bench, start_ns):
    """The largest current of each pulse of the left lead, cathodic and anodic alike, in order."""
    trace = bench.trace.currents["I_LEFT"]
    found = []
    for t0, _, i0, i1 in trace.segments:
        height_ua = max(abs(i0), abs(i1))
        if t0 >= start_ns and height_ua > 50:
            if found and t0 - found[-1][0] < PERIOD_MS * MS // 2:
                found[-1][1] = max(found[-1][1], height_ua)
            else:
                found.append([t0, height_ua])
    return found


def assert_ended_by_contact(board, bench):
    status = board.client.status()
    assert (status.state, status.stop_cause) == (messages.READY, messages.STOPPED_CONTACT)
    assert noted(board, messages.EVENT_CONTACT_LOST) == [(messages.EVENT_CONTACT_LOST, messages.FROM_NOBODY)]
    assert scene.bridges_low(bench)
    matrix = bench.board("stimulator").parts.matrix
    assert [matrix.mask(chip) for chip in (0, 1)] == [0, 0], "electrodes open"


@pytest.mark.control("C-23")
@both
@pytest.mark.parametrize("moment", list(MOMENTS))
def test_without_its_remote_a_session_ramps_down_in_time(board: Board, bench, moment):
    changes, state = MOMENTS[moment]
    start_by_remote(board, bench, contact_s=CONTACT_S, **changes)
    off_ns = bench.now_ns
    bench.board("remote").power_off()
    # Heard last between the press and now, so it is due in between, too.
    bench.run_to(off_ns + (CONTACT_S * 1000 - 1000) * MS)
    assert board.state() == state and noted(board, messages.EVENT_CONTACT_LOST) == []
    bench.run_to(off_ns + (CONTACT_S * 1000 + LATE_MS + PERIOD_MS) * MS)
    late = board.state()
    assert late in (messages.RAMP_DOWN, messages.READY)
    assert noted(board, messages.EVENT_CONTACT_LOST)
    if moment == "hold":
        assert late == messages.RAMP_DOWN
    bench.run_for((10_000 if moment == "ramp down" else 2000 + PERIOD_MS + LATE_MS) * MS)
    assert_ended_by_contact(board, bench)
    lost = [(messages.EVENT_LINK_LOST, 0)]
    assert noted(board, messages.EVENT_LINK_LOST, messages.EVENT_LINK_BACK) == lost
    scene.assert_stays_off(bench, bench.now_ns, 3000 * MS)
    for signal in scene.DRIVE:
        assert set(widths(bench, signal, off_ns)) <= {WIDTH_NS}, f"{signal}: a pulse that was cut"
    for cathodic, anodic in (scene.DRIVE[:2], scene.DRIVE[2:]):
        # From a pulse's start on: the remote may have been switched off between two phases.
        start_ns = next(at for at, level in bench.trace.edges("stimulator", cathodic, off_ns) if level)
        assert len(widths(bench, cathodic, start_ns)) == len(widths(bench, anodic, start_ns)), "both phases"
    heights = [height for _, height in heights_ua(bench, off_ns + (CONTACT_S - 1) * S)]
    assert (heights == []) == (moment == "rest")
    falling = heights[heights.index(max(heights)) :] if heights else []
    assert all(after <= before * 1.01 for before, after in pairwise(falling))


@both
def test_a_remote_that_watches_keeps_the_session_going(board: Board, bench):
    start_by_remote(board, bench, contact_s=CONTACT_S)
    bench.run_for((CONTACT_S + 12) * S)
    assert board.state() == messages.HOLD
    assert noted(board, messages.EVENT_CONTACT_LOST, messages.EVENT_LINK_LOST) == []


@both
def test_with_zero_it_goes_on_without_its_remote(board: Board, bench):
    start_by_remote(board, bench, contact_s=0)
    bench.board("remote").power_off()
    bench.run_for(40 * S)
    assert board.state() == messages.HOLD
    assert scene.cathodic_edges(bench, bench.now_ns - S) >= 2 * 1000 // PERIOD_MS - 2


@pytest.mark.control("C-23")
def test_a_session_from_usb_ramps_down_with_exact_pulses(board: Board, bench):
    """What the console asks for is no contact."""
    board.set(**{**USUAL, "contact_s": CONTACT_S})
    board.client.start()
    started_ns = bench.now_ns
    while bench.now_ns < started_ns + (CONTACT_S * 1000 - 200) * MS:
        board.client.status()
        bench.run_for(1900 * MS if bench.now_ns < started_ns + (CONTACT_S - 3) * S else 100 * MS)
    due_ns = started_ns + CONTACT_S * S
    assert board.state() == messages.HOLD
    bench.run_to(due_ns + 3 * S)
    assert_ended_by_contact(board, bench)
    rises = [at for at, level in bench.trace.edges("stimulator", "L_CATH", started_ns + S) if level]
    assert {after - before for before, after in pairwise(rises)} == {PERIOD_MS * MS}
    pulses = heights_ua(bench, due_ns - S)
    hold_ua = pulses[0][1]
    lower = [at for at, height in pulses if height < 0.99 * hold_ua]
    assert due_ns <= lower[0] <= due_ns + (LATE_MS + PERIOD_MS + 20) * MS
    assert len(lower) == 2000 // PERIOD_MS
    steps = [height for at, height in pulses if at >= lower[0]]
    wanted = [hold_ua * (len(steps) - k) / (len(steps) + 1) for k in range(len(steps))]
    assert all(abs(a - b) < 0.03 * hold_ua for a, b in zip(steps, wanted, strict=True))


@pytest.mark.control("C-47")
@both
def test_a_stimulator_that_is_switched_off_is_a_lost_link_at_the_remote(board: Board, bench):
    start_by_remote(board, bench)
    bench.run_for(7 * S)
    assert lit(bench, "RED", 0) == []
    off_ns = bench.now_ns
    bench.board("stimulator").power_off()
    bench.run_for((TOLD_S + 6) * S)
    red, green = lit(bench, "RED", off_ns), lit(bench, "GREEN", off_ns)
    times = len(feedback.LINK_LOST) // 2
    assert len(red) == 2 * times == len(green) and red[0] - off_ns <= TOLD_S * S
    assert AGAIN_MS[0] * MS <= red[times] - red[0] <= AGAIN_MS[1] * MS
    tones = [tone for tone in bench.board("remote").parts.buzzer.tones if tone.start_ns > off_ns]
    assert {round(tone.frequency_hz, -2) for tone in tones} == {feedback.HIGH_HZ, feedback.LOW_HZ}


@both
def test_a_link_that_was_jammed_for_20_seconds_is_lost_and_back_on_both_sides(board: Board, bench):
    start_by_remote(board, bench)
    began_ns = bench.now_ns + 3 * S
    bench.air.jam(None, began_ns, began_ns + 20 * S)
    bench.run_to(began_ns + 20 * S)
    assert len(lit(bench, "RED", began_ns)) >= 3
    assert noted(board, messages.EVENT_LINK_LOST, messages.EVENT_LINK_BACK) == [(messages.EVENT_LINK_LOST, 0)]
    over_ns = bench.now_ns
    bench.run_for(7 * S)
    assert lit(bench, "RED", over_ns) == [] and len(lit(bench, "GREEN", over_ns)) == 1
    assert noted(board, messages.EVENT_LINK_LOST, messages.EVENT_LINK_BACK) == [
        (messages.EVENT_LINK_LOST, 0), (messages.EVENT_LINK_BACK, 0)
    ]  # fmt: skip
    assert board.state() == messages.HOLD, "no time of contact was asked for"
    quiet_ns = bench.now_ns
    bench.run_for(12 * S)
    assert lit(bench, "RED", quiet_ns) == [] and lit(bench, "GREEN", quiet_ns) == []


@pytest.mark.control("C-47")
@both
def test_the_end_of_a_session_that_somebody_else_stopped_is_shown(board: Board, bench):
    start_by_remote(board, bench)
    stopped_ns = bench.now_ns
    board.client.stop()
    bench.run_for(6500 * MS)
    assert len(lit(bench, "GREEN", stopped_ns)) == 1 == len(lit(bench, "AMBER", stopped_ns))
    assert lit(bench, "RED", stopped_ns) == []
    told_ns, said = bench.now_ns, len(bench.air.tap)
    bench.run_for(12 * S)
    assert len(bench.air.tap) == said and lit(bench, "GREEN", told_ns) == [], (
        "once, and then it is off the air"
    )


@both
def test_stop_comes_through_at_any_moment_of_a_look(board: Board, bench):
    """From the first bit of the look's burst on, in steps of 2 ms."""
    start_by_remote(board, bench)
    for after_ms in range(0, 24, 3):
        said = len(bench.air.tap)
        assert bench.run_until(lambda said=said: len(bench.air.tap) > said, 6000 * MS, 100_000)
        bench.run_for(after_ms * MS)
        assert board.state() == messages.HOLD
        pressed_ns = bench.now_ns
        bench.press("STOP")
        bench.run_for(STOP_MS * MS)
        scene.assert_stays_off(bench, pressed_ns + STOP_MS * MS, 300 * MS)
        bench.press("START")
        bench.run_for(1000 * MS)
        assert board.state() == messages.HOLD


@both
def test_what_a_look_costs(board: Board, bench):
    start_by_remote(board, bench)
    remote = bench.board("remote")
    awake_ns, began_ns, said, on_ms = remote.cpu_awake_ns, bench.now_ns, len(bench.air.tap), 0
    for _ in range(21_000):
        bench.run_for(MS)
        on_ms += remote.parts.radio.mode.value != "power down"
    assert len(bench.air.tap) - said >= 3 * 6, "three looks, of two pieces each"
    assert (remote.cpu_awake_ns - awake_ns) / (bench.now_ns - began_ns) < AWAKE
    assert on_ms / 21_000 < RADIO_ON
