"""The table of actions, done to a bench in this process: what changes, what is refused, what is seen."""

from __future__ import annotations

import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stimbench.bench import stimulator_faults
from stimbench.bench.actions import ACTIONS, ActionError
from stimbench.bench.hands import _ELECTRODE_FAULTS, Hands, Later
from stimbench.bench.pace import Pace
from stimbench.parts.wiring import StimulatorWiring
from support.lead_rig import make

MS = 1_000_000


@pytest.fixture
def hands(make_bench):
    bench = make_bench()
    pace = Pace(lambda: bench.now_ns, 1.0, clock_s=lambda: 0.0, sleep=lambda seconds: None)
    return Hands(bench, pace, {"bench": "b"})


@pytest.fixture
def bare_hands(make_bench):
    """A bench on which only a stimulator without parts stands."""
    return Hands(make_bench(boards=("stimulator",), with_parts=False))


def refused(hands, told, name, **arguments):
    before = hands.do("status")
    with pytest.raises(ActionError, match=told) as caught:
        hands.do(name, arguments)
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)
    assert hands.do("status") == before, "and nothing changed"


# The table.


def test_every_action_has_a_method_and_texts_for_a_person():
    for name, action in ACTIONS.items():
        assert callable(getattr(Hands, action.method)) and action.name == name
        assert action.summary.endswith(".") and len(action.summary) < 80
        for argument in action.arguments.model_fields:
            assert action.text(argument).endswith(".")
        assert json.dumps(action.schema())


@given(st.dictionaries(st.text(max_size=8), st.one_of(st.none(), st.integers(), st.floats(), st.text())))
def test_whatever_an_action_is_given_it_is_parsed_or_one_sentence(given_arguments):
    for action in ACTIONS.values():
        try:
            parsed = action.parse(given_arguments)
        except ActionError as error:
            assert str(error).startswith(f"{action.name}: ")
        else:
            assert set(given_arguments) <= set(type(parsed).model_fields)


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("press", {}, "press: button is missing"),
        ("press", {"button": "GO"}, "press: button = 'GO': allowed is 'START', 'STOP' or 'STATUS'"),
        ("press", {"button": "START", "hold_ms": 0}, "hold_ms = 0: allowed is greater than or equal to 1"),
        ("press", {"button": "START", "hold_ms": "1"}, "hold_ms = '1': allowed is a valid number"),
        ("press", {"button": "START", "how": 1}, "press: it has no argument 'how'"),
        ("wait", {"seconds": float("nan")}, "wait: seconds = nan"),
        ("wait", {"seconds": True}, "wait: seconds = True"),
        ("jam", {"channel": "some"}, "jam: channel = 'some'"),
    ],
)
def test_wrong_arguments_are_said(name, arguments, told):
    with pytest.raises(ActionError, match=told):
        ACTIONS[name].parse(arguments)


# What is done.


@pytest.mark.emulated
def test_a_button_is_pressed_and_let_go(hands):
    contact = hands.bench.board("remote").parts.start
    told = hands.do("press", {"button": "START", "hold_ms": 250})
    assert told["told"] == "START is pressed, for 250 ms." and told["time_s"] == 0
    refused(hands, "START is held down already", "press", button="START")
    hands.bench.run_for(249 * MS)
    assert contact.closed and hands.do("status")["buttons"] == ["START"]
    hands.bench.run_for(2 * MS)
    assert not contact.closed and hands.do("status")["buttons"] == []
    hands.do("power", {"state": "off", "board": "remote"})
    assert "has no power, so nothing comes of it" in hands.do("press", {"button": "STOP"})["told"]


@pytest.mark.emulated
def test_magnet_power_and_hung_boards(hands):
    bench = hands.bench
    assert hands.do("magnet", {"state": "on"})["magnet"] is True
    assert bench.board("stimulator").parts.magnet.closed and hands.do("status")["magnet"] is True
    hands.do("magnet", {"state": "off"})
    assert not bench.board("stimulator").parts.magnet.closed
    for state in ("off", "off", "on"):
        assert hands.do("power", {"state": state, "board": "stimulator"})["power"] is (state == "on")
        assert bench.board("stimulator").powered is (state == "on")
    refused(hands, "allowed is 'stimulator' or 'remote'", "power", state="off", board="toaster")
    assert hands.do("break", {"part": "remote", "fault": "hung"})["broken"] == ["remote hung"]
    assert bench.board("remote").hung
    assert hands.do("mend", {"part": "remote"})["broken"] == [] and not bench.board("remote").hung


@pytest.mark.emulated
def test_electrodes_break_in_every_way_and_are_mended(hands):
    left = hands.bench.board("stimulator").parts.leads["left"].electrodes
    for part, fault, value in (
        ("left.0", "open", None), ("left.1", "loose", 100), ("left.2", "short", "left.3"),
        ("right.0", "resistance", "1000"),
    ):  # fmt: skip
        hands.do("break", {"part": part, "fault": fault, "value": value})
    assert left[0].is_open and left[1].is_loose and left[2].touching == {3}
    seen = hands.do("status")
    assert seen["leads"]["left"] == ["open", "loose", "short to left.3", "short to left.2"]
    assert seen["leads"]["right"] == ["1000 ohm in series", "ok", "ok", "ok"]
    assert seen["broken"][0] == "left.0 open" and len(seen["broken"]) == 5
    assert hands.do("mend", {"part": "left.0"})["broken"][0] == "left.1 loose"
    assert hands.do("mend", {"part": "left"})["broken"] == ["right.0 1000 ohm in series"]
    assert not left[1].is_loose and not left[2].touching and not left[3].touching
    assert hands.do("mend")["told"] == "All is mended." and hands.do("status")["broken"] == []


def test_the_table_and_the_parts_know_the_same_faults():
    told = get_args(ACTIONS["break"].arguments.model_fields["fault"].annotation)
    assert set(told) == {*_ELECTRODE_FAULTS, *stimulator_faults.FAULTS, "hung", "loss"} and len(told) == 20


@pytest.mark.emulated
def test_a_supply_that_was_chosen_is_not_broken_and_comes_back(make_bench):
    wiring = {"stimulator": StimulatorWiring(vsys_v=4.4)}
    hands = Hands(make_bench(boards=("stimulator",), wiring=wiring))
    assert hands.do("status")["broken"] == []
    assert hands.do("break", {"part": "supply", "fault": "low", "value": 3})["broken"] == ["supply at 3 V"]
    assert hands.do("mend")["broken"] == []
    assert hands.bench.board("stimulator").parts.supply.vsys_v == 4.4


@pytest.mark.emulated
def test_the_boards_own_parts_break_in_every_way_and_are_mended(hands):
    parts = hands.bench.board("stimulator").parts
    now = {
        ("left.pump", "rail", None): lambda: parts.pumps["left"].saturated,
        ("right.pump", "dead", None): lambda: parts.pumps["right"].amps(0) == 0,
        ("left.dac", "stuck", 2000): lambda: parts.dac.stuck(0) == 2000 and parts.dac.stuck(1) is None,
        ("right.dac", "stuck", None): lambda: parts.dac.stuck(1) == 0,
        ("left.source.2", "stuck-closed", None): lambda: parts.matrix.mask(0) == 1 << 2,
        ("right.sink.1", "stuck-open", None): lambda: parts.matrix.stuck(1, 5) is False,
        ("dac", "reference", "-1"): lambda: abs(parts.dac.vref_v - 4.096 * 0.99) < 1e-9,
        ("adc", "reference", 2): lambda: abs(parts.adc.vref_v - 3.3 * 1.02) < 1e-9,
        ("adc", "stuck", 17): lambda: parts.adc.stuck_code == 17,
        ("supply", "low", 3.1): lambda: parts.supply.volts(0) == 3.1,
    }
    for count, ((part, fault, value), holds) in enumerate(now.items(), 1):
        assert not holds(), part
        told = hands.do("break", {"part": part, "fault": fault, "value": value})
        assert holds() and len(told["broken"]) == min(count, 8 if count < 10 else 9), told["broken"]
    assert hands.do("status")["broken"] == [
        "left.pump at its rail", "left.dac stuck at code 2000", "left.source.2 stuck closed",
        "right.pump dead", "right.dac stuck at code 0", "right.sink.1 stuck open", "dac reference -1 %",
        "adc stuck at code 17, reference +2 %", "supply at 3.1 V",
    ]  # fmt: skip
    assert "left.dac stuck at code 2000" not in hands.do("mend", {"part": "left.dac"})["broken"]
    assert hands.do("mend", {"part": "left"})["broken"][0] == "right.pump dead"
    assert parts.matrix.mask(0) == 0 and parts.matrix.stuck(1, 5) is False
    assert "dac" not in " ".join(hands.do("mend", {"part": "dac"})["broken"]).replace("right.dac", "")
    assert hands.do("mend")["broken"] == [] and not any(holds() for holds in now.values())


@pytest.mark.emulated
def test_gate_relays_and_rails_break_in_every_way_and_are_mended(hands):
    parts = hands.bench.board("stimulator").parts
    hands.bench.run_for(31 * MS)
    now = {
        ("gate", "stuck-high", None): (lambda: parts.gate.q, "gate stuck high"),
        ("gate", "stuck-low", None): (lambda: parts.gate.stuck is False, "gate stuck low"),
        ("left.relay", "welded", None): (lambda: parts.relays["left"].is_closed, "left.relay welded"),
        ("right.relay", "open", None): (lambda: parts.relays["right"].fixed is False, "right.relay open"),
        ("left.gates", "stuck", None): (
            lambda: parts.bridges["left"].gates_stuck, "left.gates let its lines through",
        ),
        ("right.idle", "open", None): (lambda: parts.bridges["right"].idle.is_open, "right.idle open"),
        ("rails", "lost", None): (lambda: not parts.rails.up, "rails lost"),
    }  # fmt: skip
    for (part, fault, value), (holds, condition) in now.items():
        assert not holds(), part
        told = hands.do("break", {"part": part, "fault": fault, "value": value})
        assert holds() and condition in told["broken"]
        assert hands.do("mend", {"part": part})["broken"] == [] and not holds()


@pytest.mark.emulated
def test_rails_that_are_slow_or_never_come_do_so_from_the_next_power_on(hands):
    rails = hands.bench.board("stimulator").parts.rails

    def restarted(ms):
        hands.do("power", {"state": "off", "board": "stimulator"})
        hands.do("power", {"state": "on", "board": "stimulator"})
        hands.bench.run_for(ms * MS)
        return rails.up

    assert restarted(31)
    slow = {"part": "rails", "fault": "slow", "value": 200}
    assert hands.do("break", slow)["broken"] == ["rails take 200 ms"]
    assert rails.up, "until then they stay"
    assert not restarted(199)
    hands.bench.run_for(2 * MS)
    assert rails.up
    told = hands.do("break", {"part": "rails", "fault": "never"})
    assert told["broken"] == ["rails come no more"] and rails.up
    assert not restarted(1000) and hands.do("status")["broken"] == ["rails lost"]
    assert hands.do("mend", {"part": "rails"})["broken"] == [] and rails.up
    assert restarted(31)


def test_the_matrix_forgets_what_was_written_and_takes_the_next():
    board, parts = make()
    board.set_matrix(0x21, 0x42)
    stimulator_faults.parts_of(parts)["matrix"].harm("forgets", 0.0, board.clock.now_ns)
    assert (parts.matrix.mask(0), parts.matrix.mask(1)) == (0, 0)
    board.set_matrix(0x12, 0x84)
    assert (parts.matrix.mask(0), parts.matrix.mask(1)) == (0x12, 0x84)


@pytest.mark.emulated
def test_the_air_is_jammed_and_loses_packets(hands):
    air = hands.bench.air
    assert hands.do("jam", {"channel": 76, "for_s": 0.1})["broken"] == ["air jammed on channel 76"]
    hands.bench.run_for(101 * MS)
    assert hands.do("status")["air"] == {"loss": 0.0, "jammed": []}
    assert hands.do("jam")["broken"] == ["air jammed on all channels"]
    assert air.jammed(hands.bench.now_ns) == [None]
    assert hands.do("jam", {"channel": "off"})["broken"] == [] and not air.jammed(hands.bench.now_ns)
    hands.do("break", {"part": "air", "fault": "loss", "value": 0.25})
    assert air.loss == 0.25
    hands.do("jam")
    assert hands.do("mend", {"part": "air"})["broken"] == [] and air.loss == 0


@pytest.mark.emulated
@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("break", {"part": "left.4", "fault": "open"}, "There is no part 'left.4'; there are left.0, left.1"),
        ("break", {"part": "left.0", "fault": "hung"}, "An electrode can be open, loose, short, resistance"),
        ("break", {"part": "left.0", "fault": "open", "value": 3}, "Open needs no value"),
        ("break", {"part": "left.0", "fault": "loose", "value": "x"}, "Loose takes a time in ms"),
        ("break", {"part": "left.0", "fault": "loose", "value": 0}, "break: period_ms must be positive"),
        ("break", {"part": "left.0", "fault": "resistance"}, "Resistance needs a value in ohm"),
        (
            "break",
            {"part": "left.0", "fault": "resistance", "value": -1},
            "break: resistances must be positive",
        ),
        (
            "break",
            {"part": "left.0", "fault": "short", "value": "right.1"},
            "touches: left.1, left.2, left.3",
        ),
        ("break", {"part": "left.0", "fault": "short", "value": "left.0"}, "touches: left.1, left.2, left.3"),
        ("break", {"part": "remote", "fault": "open"}, "A board can be hung, and not open"),
        ("break", {"part": "air", "fault": "open"}, "The air can have loss, and not open"),
        ("break", {"part": "air", "fault": "loss", "value": "nan"}, "Loss needs a value"),
        ("break", {"part": "air", "fault": "loss", "value": 1.5}, "Loss = 1.5: allowed is 0 to 1"),
        ("mend", {"part": "middle"}, "There is no part 'middle'"),
        ("break", {"part": "left.pump", "fault": "open"}, "Open is no fault of left.pump, which can be"),
        ("break", {"part": "left.pump", "fault": "rail", "value": 1}, "Rail needs no value"),
        ("break", {"part": "left.dac", "fault": "stuck", "value": 5000}, "Stuck = 5000: allowed is 0 to"),
        ("break", {"part": "left.dac", "fault": "stuck", "value": "x"}, "Stuck needs a value: a code"),
        ("break", {"part": "dac", "fault": "reference"}, "Reference needs a value: percent"),
        ("break", {"part": "adc", "fault": "low"}, "Low is no fault of adc, which can be reference or stuck"),
        ("break", {"part": "supply", "fault": "low", "value": 9}, "Low = 9: allowed is 1.8 to 5.5"),
        ("break", {"part": "gate", "fault": "stuck"}, "Stuck is no fault of gate, which can be stuck-high"),
        ("break", {"part": "left.gates", "fault": "stuck", "value": 1}, "Stuck needs no value"),
        ("break", {"part": "rails", "fault": "slow", "value": -1}, "Slow = -1: allowed is 0 to 10000"),
        ("break", {"part": "left.idle", "fault": "welded"}, "Welded is no fault of left.idle, which can be"),
        ("jam", {"channel": 126}, "There is no channel 126; 0 to 125"),
        ("speed", {"speed": "0x"}, "speed = '0x': allowed is 0.001x to 1000x"),
        ("speed", {"speed": "-1"}, "speed = '-1'"),
        ("speed", {"speed": "fast"}, "speed = 'fast'"),
        ("dance", {}, "There is no action 'dance'; there are press, magnet, break"),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(hands, name, arguments, told):
    refused(hands, told, name, **arguments)


@pytest.mark.emulated
def test_a_bench_without_parts_or_boards_says_so(bare_hands):
    for name, arguments in (
        ("press", {"button": "START"}), ("magnet", {"state": "on"}), ("jam", {}),
        ("break", {"part": "left.0", "fault": "open"}), ("speed", {"speed": "1x"}),
        ("power", {"state": "off", "board": "remote"}),
    ):  # fmt: skip
        refused(bare_hands, "no |your program", name, **arguments)
    assert bare_hands.do("status")["boards"].keys() == {"stimulator"}


@pytest.mark.emulated
def test_waiting_lets_time_pass_here_and_is_put_off_for_whoever_lets_it_pass(hands):
    assert hands.do("wait", {"seconds": 0.25})["time_s"] == 0.25
    later = hands.begin("wait", {"seconds": 0.5})
    assert isinstance(later, Later) and later.at_ns == 750 * MS and hands.bench.now_ns == 250 * MS


@pytest.mark.emulated
def test_speed_is_told_as_it_was_set(hands):
    for speed, factor in (("0.1x", 0.1), ("2", 2.0), ("max", None)):
        assert hands.do("speed", {"speed": speed})["speed"] == factor == hands.pace.factor
        assert hands.do("status")["speed"] == factor


@pytest.mark.emulated
def test_lights_and_sounds_are_seen_over_time(hands):
    """An unpaired remote: red and amber alternate three times, two low beeps (docs/remote.md)."""
    hands.do("wait", {"seconds": 1})
    hands.do("press", {"button": "START"})
    hands.do("wait", {"seconds": 2})
    seen = hands.do("lights", {"last_s": 3})
    drawn = {lamp["lamp"]: lamp["drawn"] for lamp in seen["lamps"]}
    assert list(drawn) == ["stimulator LED", "remote green", "remote amber", "remote red"]
    assert all(len(row) == 60 for row in drawn.values()) and seen["column_s"] == 0.05
    assert set(drawn["remote green"]) == {"."} and drawn["remote red"].startswith("." * 20)
    red, amber = drawn["remote red"], drawn["remote amber"]
    assert len([run for run in red.split(".") if run]) == len([run for run in amber.split(".") if run]) == 3
    assert not any(a == b == "#" for a, b in zip(red, amber, strict=True)), "they alternate"
    assert len(seen["tones"]) == 2 and all(1 < tone["from_s"] < 3 for tone in seen["tones"])
    changes = next(lamp["changes"] for lamp in seen["lamps"] if lamp["lamp"] == "remote red")
    assert len(changes) == 6 and changes[0][1] is True
    assert hands.do("lights", {"last_s": 0.1})["lamps"][0]["drawn"] in ("..", "##")
    assert json.dumps(seen)
