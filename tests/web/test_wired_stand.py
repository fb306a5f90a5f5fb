"""The page's bench on a wired board: an emulated one behind a pty, found by its serial number."""

from __future__ import annotations

import numpy as np
import pytest
from stimbench.web.channel import Kind
from support.web_views import Refused
from support.wired_page import WiredDesk
from support.wired_rig import CHANNELS, CURRENTS, Plug, bench_toml, source_toml

pytestmark = pytest.mark.emulated

S = 1_000_000_000


@pytest.fixture(scope="module")
def served():
    plug = Plug()
    yield plug
    plug.close()


@pytest.fixture
def desk_of(served, tmp_path):
    """Makes a desk of a bench file."""
    made = []

    def make(text=""):
        if not served.ports:
            served.plug()
        served.do(lambda: served.hands.do("mend"))
        made.append(WiredDesk(served, tmp_path / "locks", text))
        return made[0]

    yield make
    if not served.ports:
        served.plug()
    for one in made:
        one.stand.close()


@pytest.fixture
def desk(desk_of):
    return desk_of()


def is_on(desk) -> bool:
    """Whether a switch moved in the last 200 ms."""
    now_ns = desk.plug.bench.now_ns
    edges = desk.plug.bench.trace.edges("stimulator", "L_CATH", now_ns - 200_000_000, now_ns)
    return bool(edges)


def test_the_board_is_found_and_says_its_state(desk):
    desk.until(lambda: desk.stand.told["answers"])
    desk.wait(0.2)
    assert desk.state["stimulator"]["state"] == "ready"
    assert desk.state["wired"]["there"] and desk.state["repeating"] is None
    assert any(text.startswith("The stimulator is on /dev/") for text in desk.said)


def test_a_session_is_started_from_the_form_and_stopped(desk):
    desk.begun()
    desk.wait(0.5)
    assert is_on(desk)
    desk.stop()
    desk.wait(0.5)
    assert not is_on(desk)
    assert desk.state["stimulator"]["stop_cause"] == "host"
    assert [name for _, name, _ in desk.end.acted] == ["clinician-program", "start", "stop"]


def test_stop_goes_out_in_the_middle_of_an_impedance_measurement(desk):
    desk.until(lambda: desk.stand.told["answers"])
    desk.ask("leads-impedance")
    sent = []
    write = desk.stand._write

    def noted(data):
        sent.append(desk.stand.now_ns)
        write(data)

    desk.stand._write = noted
    begun_ns = desk.stand.now_ns
    listen = desk.stand._listen

    def person():
        if desk.stand.now_ns - begun_ns > 500_000_000 and not sent and not desk.end.said:
            asked_ns.append(desk.stand.now_ns)
            desk.stop()
        listen()

    asked_ns: list[int] = []
    desk.stand._listen = person
    desk.until(lambda: desk.end.done)
    assert sent[0] - asked_ns[0] < 5_000_000
    desk.wait(0.6)
    assert desk.state["stimulator"]["state"] == "ready"


def test_the_bench_stops_by_itself_when_nobody_is_heard(desk):
    desk.begun()
    desk.end.said.append((Kind.HELD, None))
    desk.wait(4.5)
    assert is_on(desk)
    desk.wait(1.5)
    assert not is_on(desk)


def test_a_board_that_is_pulled_out_is_told_and_found_again_by_its_serial_number(desk):
    desk.begun()
    desk.wait(0.3)
    before = desk.plug.ports["stimulator"]
    desk.plug.pull()
    desk.wait(1.5)
    assert not desk.state["stimulator"]["answers"] and not desk.state["wired"]["there"]
    assert "is not plugged in" in desk.state["wired"]["why"]
    with pytest.raises(Refused, match="is not plugged in"):
        desk.do("start")
    desk.stop()
    desk.step()
    assert "STOP could not be sent" in desk.said[-1] and "Use the magnet" in desk.said[-1]
    desk.plug.plug()
    desk.until(lambda: desk.stand.told["answers"])
    desk.wait(0.2)
    assert desk.state["stimulator"]["state"] == "ready"
    assert desk.said[-1].startswith("The stimulator is on ") and before
    desk.begun()  # and it can be used


def test_at_the_end_the_output_is_off_and_the_port_is_free(desk, tmp_path):
    desk.begun()
    desk.wait(0.3)
    assert is_on(desk)
    desk.stand.close()
    desk.plug.wait(0.4)
    assert not is_on(desk) and desk.captures.ended
    other = WiredDesk(desk.plug, tmp_path / "locks")
    other.until(lambda: other.stand.told["answers"])
    other.stand.close()


def test_a_board_that_another_process_has_is_told(desk, served, tmp_path):
    desk.until(lambda: desk.stand.told["answers"])
    other = WiredDesk(served, tmp_path / "locks")
    other.wait(0.3)
    assert "claimed by another process" in other.state["wired"]["why"]
    other.stand.close()


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("magnet", {"state": "on"}, "in your own hands"),
        ("press", {"button": "START"}, "in your own hands"),
        ("boards-hold", {"button": "START"}, "in your own hands"),
        ("break", {"part": "left.0", "fault": "open"}, "are real"),
        ("faults-break", {"part": "left.0", "fault": "open"}, "are real"),
        ("jam", {"channel": "all"}, "are real"),
        ("power", {"state": "off", "board": "stimulator"}, "are real"),
        ("radio-send", {"channel": 1, "address": "010203", "payload": "00"}, "listens to the air"),
        ("lesson-open", {"number": 1}, "without --bench"),
        ("clinician-clock", {"time_s": 1_790_000_000}, "real dates"),
        ("clinician-implant", {"healing_days": 14}, "stimbench implant"),
    ],
)
def test_what_only_an_emulated_bench_has_is_refused_in_words(desk, name, arguments, says):
    with pytest.raises(Refused, match=says):
        desk.do(name, **arguments)
    assert not desk.end.acted


def test_no_view_fails_and_none_pretends(desk):
    desk.until(lambda: desk.stand.told["answers"])
    desk.do("get-program")
    desk.wait(0.2)
    views = desk.state["views"]
    assert {name for name, state in views.items() if "error" in state} == set()
    assert views["leads"]["electrodes"] is None and views["leads"]["joined"] is None
    assert views["boards"] == views["faults"] == views["lessons"] == {}
    assert views["leads"]["program"]["rate_hz"]


def test_impedance_is_what_the_board_measured(desk):
    desk.until(lambda: desk.stand.told["answers"])
    desk.plug.do(lambda: desk.plug.hands.do("break", {"part": "left.1", "fault": "open"}))
    desk.do("leads-impedance")
    desk.wait(0.2)
    pairs = desk.state["views"]["leads"]["impedance"]["pairs"]
    kinds = {(cathode, anode): kind for cathode, anode, kind, _, _ in pairs["left"]}
    assert kinds[1, 2] == "open" and kinds[2, 3] == "ok"


def test_the_record_has_the_pulses_that_the_instrument_saw(desk):
    desk.begun()
    desk.until(lambda: desk.captures.state()[0]["count"] >= 3)
    desk.stop()
    begun_ns, capture = desk.captures.raw[-1]
    begun_ns -= desk.captures.begin_ns
    for lead, amplitude_ua in (("left", 2000), ("right", 1000)):
        seen = capture.edges(f"stimulator.{lead[0].upper()}_CATH")
        last = desk.record.leads[lead].pulses_between(begun_ns, begun_ns + S)
        assert last["start_ns"].tolist() == (seen.rises_ns + begun_ns).tolist() and len(last) > 15
        assert last["cathodic_ns"].tolist() == (seen.falls_ns - seen.rises_ns).tolist()
        assert last["cathodic_ua"] == pytest.approx(amplitude_ua, rel=0.05)
        assert last["period_ns"][0] == 0 and set(last["period_ns"][1:]) != {0}
    pin = [at for at, level in desk.plug.bench.trace.edges("stimulator", "L_CATH") if level]
    first = desk.record.leads["left"].pulses["start_ns"][-1] + desk.captures.begin_ns
    assert min(abs(at - first) for at in pin) <= 250  # a sample of 4 MS/s
    state = desk.captures.state()[0]
    assert 0 < state["off_ns"] < 100_000_000


def test_between_two_captures_nothing_is_known(desk):
    desk.until(lambda: desk.captures.state()[0]["count"] >= 2)
    first, second = list(desk.record.captures)[-2:]
    assert second.begin_ns > first.end_ns
    line = desk.record.leads["left"].window("current", first.end_ns + 1, second.begin_ns - 1, 100)
    assert len(line.times_ns) and np.isnan(line.values).all()


def test_stop_does_not_wait_for_a_capture(desk):
    desk.begun()
    desk.until(lambda: desk.captures.state()[0]["count"] >= 1)
    desk.wait(0.5)  # in the middle of the next one
    count = desk.captures.state()[0]["count"]
    desk.stop()
    desk.step()
    desk.wait(0.2)
    assert not is_on(desk) or desk.stand.told["state"] == "ready"
    assert desk.captures.state()[0]["count"] == count


def test_a_capture_that_fails_is_told_once_and_the_next_ones_are_tried(desk):
    desk.captures.analysers[0].fails = "arm"
    desk.wait(1.5)
    told = [text for text in desk.said if "No capture of fx2lafw" in text]
    assert told == ["No capture of fx2lafw: The analyser is not there. It is tried again."]
    assert desk.state["wired"]["captures"][0]["error"] == "The analyser is not there."
    desk.begun()  # the bench goes on without it
    desk.captures.analysers[0].fails = ""
    desk.until(lambda: desk.captures.state()[0]["count"])
    assert desk.said[-1] == "fx2lafw records again."


def test_switches_alone_give_times_and_no_current(desk_of):
    desk = desk_of(bench_toml(source_toml(CHANNELS)))
    desk.begun()
    desk.until(lambda: desk.captures.state()[0]["count"] >= 3)
    pulses = desk.record.leads["left"].pulses
    assert np.isnan(pulses["cathodic_ua"]).all()
    assert set(pulses["cathodic_ns"][-15:]) <= {213_750, 214_000, 214_250}
    assert not len(desk.record.leads["left"].lines["current"])


def test_two_instruments_take_turns(desk_of):
    desk = desk_of(bench_toml(source_toml(CHANNELS), source_toml(CURRENTS, driver="demo:conn=2")))
    desk.captures.analysers[1].analog_hz = 1_000_000
    desk.begun()
    desk.until(lambda: all(one["count"] >= 2 for one in desk.captures.state()))
    sources = [one.source for one in desk.record.captures]
    assert sources[:4] == ["fx2lafw", "demo:conn=2"] * 2
    by_current = desk.record.captures[-1 if sources[-1].startswith("demo") else -2]
    assert by_current.leads["left"].pulses["cathodic_ua"] == pytest.approx(2000, rel=0.05)
