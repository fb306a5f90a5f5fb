"""Cases on a wired bench: what the board does wrong fails, and what the rig does wrong never does."""

from __future__ import annotations

from dataclasses import replace

import pytest
from stimbench.checks.outcome import Outcome
from stimbench.client.stimulator import Stimulator
from stimbench.devices.claims import TargetPool
from stimbench.devices.targets import Target
from stimbench.errors import WrongStateError
from support.wired_rig import CHANNELS, CURRENTS, MS, SERIAL, Hand, bench_toml, case_of, source_toml

pytestmark = [pytest.mark.emulated, pytest.mark.tools]

STOPPED_MS = 80
"""How far the moment of STOP may be off: what the host knows of it."""
MAGNET_MS = 0.01
KEEPALIVE_MS = 60
AT_MS = 1120
"""From arming on: in the hold of the first contraction."""


def of(result, name: str):
    return [each for each in result.measurements if each.name == name]


def is_off(wired) -> bool:
    """Nothing moves in the next 300 ms."""
    bench = wired.plug.bench
    begin_ns = bench.now_ns
    wired.plug.wait(0.3)
    return not wired.plug.do(lambda: len(bench.trace.capture(begin_ns).edges("stimulator.KEEPALIVE")))


def test_a_good_board_passes_and_the_result_says_by_what_it_was_measured(wired):
    rig = wired()
    result = rig.run(case_of())
    assert (result.outcome, result.reason) == (Outcome.PASS, "")
    assert result.device == SERIAL["stimulator"]
    assert (result.instrument["instrument"], result.instrument["calibration"]) == ("Saleae Test 8", "C-17")
    assert result.firmware["stimulator"].startswith("0.")
    assert {each.lead for each in of(result, "amplitude_percent")} == {"left", "right"}
    assert is_off(rig)


def test_what_a_logic_analyser_alone_cannot_measure_is_named_and_not_judged(wired):
    result = wired(bench_toml(source_toml(CHANNELS))).run(case_of())
    assert result.outcome is Outcome.PASS
    (amplitude,) = of(result, "amplitude_percent")
    assert amplitude.outcome is None
    assert amplitude.note == "not measured: the rig records no current"
    assert all(each.outcome is Outcome.PASS for each in of(result, "width_ns"))


def test_two_instruments_give_one_verdict_each_by_what_it_can_tell(wired):
    rig = wired(bench_toml(source_toml(CHANNELS), source_toml(CURRENTS, driver="demo:conn=2")))
    rig.analysers[1].analog_hz = 2_000_000
    result = rig.run(case_of("ramp_up_ms = 500"))  # its first pulses are too small to be seen in a current
    assert (result.outcome, result.reason) == (Outcome.PASS, "")
    assert len(of(result, "width_ns")) == 2  # of the switches: not once more, by the coarse currents
    assert len(of(result, "charge_percent")) == 2
    assert len(result.instrument["beside"]) == 1


def test_a_wire_that_breaks_fails_because_the_board_itself_measures_no_current(wired):
    rig = wired()
    rig.plug.do(lambda: rig.plug.hands.do("break", {"part": "left.1", "fault": "open"}))
    result = rig.run(case_of())
    assert result.outcome is Outcome.FAIL
    assert "left amplitude" in result.reason and "right amplitude" not in result.reason


@pytest.mark.parametrize(
    ("fails", "says"),
    [
        ("arm", "The analyser is not there."),
        ("unplugged", "The analyser went away while it recorded."),
        ("stops", "ended before its time, after 1100 ms: its buffer was full"),
    ],
)
def test_an_instrument_that_fails_is_an_error_and_the_output_goes_off(wired, fails, says):
    rig = wired()
    rig.analyser.fails = fails
    result = rig.run(case_of())
    assert result.outcome is Outcome.ERROR
    assert says in result.reason
    assert is_off(rig)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"dead": ("stimulator.L_CATH",)}, "saw 0 pulses on stimulator.L_CATH, and the board gave"),
        ({"dead": ("stimulator.KEEPALIVE",)}, "saw no edge of stimulator.KEEPALIVE while the board pulsed"),
        ({"dead": ("I_LEFT",)}, "saw at most 0 uA on I_LEFT, and the board measured 20"),
        ({"swapped": {"stimulator.R_CATH": "stimulator.KEEPALIVE"}}, "the same edges on stimulator.R_CATH"),
        ({"swapped": {"stimulator.R_CATH": "stimulator.RADIO_CSN"}}, "pulses on stimulator.R_CATH, and the"),
    ],
)
def test_a_probe_on_the_wrong_wire_is_an_error_of_the_rig(wired, change, says):
    rig = wired()
    for name, value in change.items():
        setattr(rig.analyser, name, value)
    result = rig.run(case_of("width_us = 100\nrate_hz = 100"))
    assert result.outcome is Outcome.ERROR
    assert result.reason.startswith("The capture cannot be judged")
    assert says in result.reason


def test_a_board_that_is_pulled_out_is_lost_and_the_next_case_finds_it_again(wired):
    rig = wired()
    rig.analyser.meanwhile = [(AT_MS, rig.plug.pull)]
    lost = rig.run(case_of())
    assert lost.outcome is Outcome.ERROR
    assert lost.reason.startswith("board lost: ")
    assert rig.run(case_of()).reason == (
        f"board lost: The board with the serial number {SERIAL['stimulator']} is not plugged in."
    )
    rig.plug.plug()
    rig.analyser.meanwhile = []
    assert rig.run(case_of()).outcome is Outcome.PASS


def test_a_board_that_restarts_by_itself_fails(wired):
    rig = wired()
    rig.analyser.meanwhile = [(AT_MS, rig.plug.bench.board("stimulator").hang)]
    result = rig.run(case_of("cycles = 2"))
    assert (result.outcome, result.reason) == (
        Outcome.FAIL, "The stimulator restarted by itself: watchdog.",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("supply", "outcome", "says"),
    [(True, Outcome.ERROR, "board lost: "), (False, Outcome.FAIL, "restarted by itself: watchdog.")],
)
def test_a_port_that_goes_away_is_asked_why_when_it_is_back(wired, supply, outcome, says):
    """USB goes away with the cable, and also when the watchdog resets the board."""
    rig = wired()

    def goes_away():
        rig.plug.bench.board("stimulator").hang()
        rig.plug.pull(supply)

    def comes_back(seconds):
        if not rig.plug.ports:
            rig.plug.bench.run_for(3_000 * MS)
            rig.plug.plug()

    rig.analyser.meanwhile, rig.wait = [(AT_MS, goes_away)], comes_back
    result = rig.run(case_of())
    assert result.outcome is outcome
    assert says in result.reason


def test_the_board_is_off_before_an_instrument_hands_over_what_it_has(wired, monkeypatch):
    rig, seen = wired(), []
    result = rig.analyser._result
    monkeypatch.setattr(rig.analyser, "_result", lambda *words: seen.append(is_off(rig)) or result(*words))
    assert rig.run(case_of()).outcome is Outcome.PASS
    assert seen == [True]


def test_a_board_whose_supply_failed_is_lost(wired):
    rig = wired()
    board = rig.plug.bench.board("stimulator")
    rig.analyser.meanwhile = [(AT_MS, board.power_off), (AT_MS + 100, board.power_on)]
    result = rig.run(case_of("cycles = 2"))
    assert result.outcome is Outcome.ERROR
    assert result.reason.startswith("board lost: The stimulator lost its supply")


def test_a_start_that_is_refused_fails(wired, monkeypatch):
    def refuse(self):
        raise WrongStateError("The board refused: it is in the state 'fault'.", 1, 6, 0)

    monkeypatch.setattr(Stimulator, "start", refuse)
    result = wired().run(case_of())
    assert result.outcome is Outcome.FAIL
    assert result.reason == "The stimulator refused: The board refused: it is in the state 'fault'."


def test_a_magnet_that_somebody_forgot_is_an_error(wired):
    rig = wired()
    rig.plug.do(lambda: rig.plug.bench.magnet(True))
    rig.plug.wait(0.1)
    result = rig.run(case_of())
    assert (result.outcome, result.reason) == (
        Outcome.ERROR, "A magnet is at the stimulator: it would refuse to start.",
    )  # fmt: skip


def test_other_firmware_is_an_error_and_nothing_is_started(wired):
    rig = wired(bench_toml(firmware="0123456789ab"))
    result = rig.run(case_of())
    assert result.outcome is Outcome.ERROR
    assert "and the case is for 0123456789ab: `stimbench flash`" in result.reason
    assert rig.analyser.recorded == 0


def test_a_board_that_another_process_uses_is_an_error(wired):
    rig = wired()
    other = TargetPool([Target("other", stimulator=SERIAL["stimulator"])], rig.plug.list_ports, rig.locks)
    other.claim()
    assert "claimed by another process" in rig.run(case_of()).reason
    other.release()
    assert rig.run(case_of()).outcome is Outcome.PASS


def test_ctrl_c_turns_the_output_off(wired, monkeypatch):
    rig = wired()
    started = []

    def interrupt(seconds):
        if seconds > 1:
            started.append(seconds)
            raise KeyboardInterrupt
        return wait(seconds)

    wait = rig.plug.wait
    monkeypatch.setattr(rig.plug, "wait", interrupt)
    with pytest.raises(KeyboardInterrupt):
        rig.run(case_of())
    monkeypatch.undo()
    assert started and is_off(rig)


@pytest.mark.parametrize("lacks", ["", "D4"])
def test_stop_is_timed_by_the_hosts_clock_with_what_that_may_be_off(wired, lacks):
    """Without KEEPALIVE the first that an instrument sees is behind the self-test of the gate."""
    channels = {name: use for name, use in (CHANNELS | CURRENTS).items() if name != lacks}
    result = wired(bench_toml(source_toml(channels))).run(case_of('fault = "stop"'))
    assert result.outcome is Outcome.MARGINAL
    (off,) = of(result, "off_after_ms")
    assert off.outcome is Outcome.MARGINAL
    assert off.value <= off.uncertainty <= STOPPED_MS


def test_a_magnet_is_asked_for_and_its_own_signal_says_when_it_came(wired, plug):
    person = Hand(plug, {"Take the magnet": lambda: plug.bench.magnet(False)})
    rig = wired(bench_toml(has="magnet"), person)
    rig.analyser.meanwhile = [(AT_MS + 200, lambda: plug.bench.magnet(True))]
    result = rig.run(case_of('fault = "magnet"'))
    assert (result.outcome, result.reason) == (Outcome.PASS, "")
    assert of(result, "off_after_ms")[0].uncertainty < MAGNET_MS
    rig.analyser.meanwhile = []
    assert rig.run(case_of()).outcome is Outcome.PASS  # it waits for the pairing window
    assert [told.split(".")[0] for told in person.asked] == [
        "Hold the magnet to the stimulator, and leave it there", "Take the magnet away",
    ]  # fmt: skip


def test_a_pairing_window_that_stays_open_is_an_error(wired, monkeypatch):
    status = Stimulator.status
    monkeypatch.setattr(Stimulator, "status", lambda self: replace(status(self), pairing_window=True))
    result = wired().run(case_of())
    assert (result.outcome, result.reason) == (
        Outcome.ERROR, "The stimulator's pairing window stays open: it would refuse to start.",
    )  # fmt: skip


def test_a_person_who_does_not_do_it_in_time_is_an_error(wired, plug):
    person = Hand(plug)
    result = wired(bench_toml(has="magnet"), person).run(case_of('fault = "magnet"'))
    assert result.outcome is Outcome.ERROR
    assert result.reason == "No capture tells when the fault came: magnet. Was it done in time?"


def test_a_wire_is_broken_and_mended_by_a_person(wired, plug):
    def broken():
        plug.hands.do("break", {"part": "left.1", "fault": "open"})

    person = Hand(plug, {"Break the wire of electrode left.1": broken, "Mend": lambda: plug.hands.do("mend")})
    result = wired(bench_toml(by_hand=True), person).run(case_of('fault = "open left.1"'))
    assert (result.outcome, result.reason) == (Outcome.PASS, "")
    assert person.asked[0] == "Wire the load '500 ohm' (500 ohm) to both leads."
    assert person.asked[-1] == "Mend the wire of electrode left.1."


def test_a_supply_that_is_cut_turns_the_output_off_and_comes_back(wired):
    rig = wired(bench_toml(power="1-1:2"))
    result = rig.run(case_of('fault = "power off"'))
    (off,) = of(result, "off_after_ms")
    assert result.outcome is off.outcome is Outcome.MARGINAL  # KEEPALIVE tells it to its own period
    assert off.value <= off.uncertainty <= KEEPALIVE_MS
    assert rig.switch.is_on
