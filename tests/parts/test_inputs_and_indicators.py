"""Buttons, the magnet, LEDs, the buzzer."""

import pytest
from stimbench.parts.indicators import Buzzer, Led
from stimbench.parts.switches import Contact
from support.parts_fakes import MS, US, FakeBoard

FREQUENCY_REL = 1e-3


def contact(bounce_ms=3.0, seed=0, pull_up=False):
    board = FakeBoard()
    pin = board.pin("START")
    if not pull_up:
        pin.pull_up()
    edges: list[tuple[int, bool]] = []
    part = Contact(board.clock, pin, bounce_ms=bounce_ms, seed=seed, pull_up=pull_up)
    pin.on_edge(lambda level, t: edges.append((t, level)))
    return board, pin, part, edges


@pytest.mark.parametrize("pull_up", [True, False])
def test_open_reads_high_and_closed_low(pull_up):
    _board, pin, part, _ = contact(bounce_ms=0, pull_up=pull_up)
    assert pin.level
    part.close()
    assert not pin.level and part.closed
    part.open()
    assert pin.level


def test_bounce_ends_in_the_right_state_within_its_time():
    for seed in range(20):
        board, pin, part, edges = contact(bounce_ms=3.0, seed=seed)
        part.close()
        board.clock.run_for(50 * MS)
        assert not pin.level
        assert 3 <= len(edges) <= 9 and len(edges) % 2 == 1
        assert edges[-1][0] < 3 * MS
        start = board.clock.now_ns
        part.open()
        board.clock.run_for(50 * MS)
        assert pin.level and edges[-1][0] < start + 3 * MS


def test_bounce_is_the_same_for_the_same_seed():
    def run(seed):
        board, _, part, edges = contact(seed=seed)
        part.press(80)
        board.clock.run_for(200 * MS)
        return edges

    assert run(4) == run(4) != run(5)
    assert run(4)[-1][0] == pytest.approx(80 * MS, abs=3 * MS)


def test_letting_go_during_the_bounce_leaves_it_open():
    for seed in range(20):
        board, pin, part, _ = contact(bounce_ms=5.0, seed=seed)
        part.close()
        board.clock.run_for(1 * MS)
        part.open()
        board.clock.run_for(50 * MS)
        assert pin.level


def test_closing_twice_is_once():
    _board, _, part, edges = contact(bounce_ms=0)
    part.close()
    part.close()
    assert len(edges) == 1


def test_led_log():
    board = FakeBoard()
    led = Led(board.pin("LED"))
    for _ in range(2):
        board.pin("LED").out(True)
        board.clock.run_for(5 * MS)
        board.pin("LED").out(False)
        board.clock.run_for(5 * MS)
    assert led.log == [(0, True), (5 * MS, False), (10 * MS, True), (15 * MS, False)]
    assert not led.on


def tone(board, hertz, span_ms, duty=0.5):
    period = round(1e9 / hertz)
    for _ in range(round(span_ms * MS / period)):
        board.pin("BUZZER").out(True)
        board.clock.run_for(round(period * duty))
        board.pin("BUZZER").out(False)
        board.clock.run_for(period - round(period * duty))


def test_buzzer_hears_frequency_and_length():
    board = FakeBoard()
    buzzer = Buzzer(board.pin("BUZZER"))
    board.clock.run_for(7 * MS)
    tone(board, 2000, 100, duty=0.1)
    board.clock.run_for(200 * MS)
    tone(board, 500, 60)
    first, second = buzzer.tones
    assert first.frequency_hz == pytest.approx(2000, rel=FREQUENCY_REL)
    assert first.start_ns == 7 * MS and first.end_ns == pytest.approx(107 * MS, abs=1 * US)
    assert second.frequency_hz == pytest.approx(500, rel=FREQUENCY_REL)
    assert (second.end_ns - second.start_ns) == pytest.approx(60 * MS, rel=1e-3)


def test_buzzer_tells_two_notes_without_a_pause_apart():
    board = FakeBoard()
    buzzer = Buzzer(board.pin("BUZZER"))
    tone(board, 1000, 50)
    tone(board, 1500, 50)
    assert [round(t.frequency_hz, -1) for t in buzzer.tones] == [1000, 1500]


def test_slow_clicks_are_no_tone():
    board = FakeBoard()
    buzzer = Buzzer(board.pin("BUZZER"))
    tone(board, 10, 1000)
    assert buzzer.tones == []


def test_a_click_is_no_tone():
    board = FakeBoard()
    buzzer = Buzzer(board.pin("BUZZER"))
    board.pin("BUZZER").out(True)
    board.clock.run_for(1 * MS)
    board.pin("BUZZER").out(False)
    assert buzzer.tones == []
