"""A watched session on the emulated board: edges of each lead, the ledger, what stops and what goes on."""

from __future__ import annotations

import ast
import random
from itertools import pairwise

import pytest
from stimbench.benchmarks.harness.rig import MS, SIDES, Rig, programme
from stimbench.benchmarks.output.watched_script import FAULT_LINE, script
from stimbench.parts import faults
from stimfw.protocol import messages
from stimfw.pulses import impedance
from stimfw.therapy import watch_table

ELECTRODES = (1, 2)
LEFT, RIGHT, DEVICE = 0, 1, 2
WIDTH_NS = 214_000
WIDTHS_US, GAPS_US = (20, 400), (3, 100)
PLAN = {"ramp_ms": 200, "on_ms": 1500, "off_ms": 500, "amplitude_ua": (2000, 4000), "electrodes": ELECTRODES}
CHECKED_MS = 1000
"""The checks before a session's first pulse, and some pulses."""
LOOKED_AT = """
from stimfw.stimulator.pulse_watch import PulseWatch
unmarked = PulseWatch.look
def look(pulses):
    fault = unmarked(pulses)
    if pulses.looked_at({lead}) == app._output.begun({lead}):
        mark(1)
        mark(0)
    return fault
PulseWatch.look = look
gc.threshold(-1)"""
"""A pulse of the spare pin for each look after which no pulse of a lead is left that was not looked at."""
LEDGER = "app.control.state() == messages.REST and print('LEDGER', last[0].ledger.entries())"


def begun(rig, source=None, **changes):
    """A stimulator in a watched session that has begun to pulse."""
    stimulator = rig.execute(source or script())
    rig.set_program(stimulator, programme(**dict(PLAN, **changes)))
    since_ns = rig.now_ns
    stimulator.start()
    rig.board.console.read()
    rig.run_ms(CHECKED_MS)
    assert rig.joined and rig.therapy("right", since_ns)[-1]["cathodic_ns"] != impedance.WIDTH_US * 1000
    return stimulator


def told(rig):
    """Fault and lead of all that the board has told since the last look."""
    lines = bytes(rig.board.console.read()).split(b"\r\n")
    words = [line[len(FAULT_LINE) :].split(b" ") for line in lines if line.startswith(FAULT_LINE)]
    return [(int(each[0]), int(each[1])) for each in words]


def broken(rig, name, side, seed=1):
    place = faults.Place(rig.parts, rig.board.scheduler, side, *ELECTRODES, random.Random(seed), 1600)
    faults.failure(name).inject(place)


def test_each_lead_has_its_own_width_and_gap_to_the_nanosecond():
    with Rig(1) as rig:
        begun(rig, script(over=f"{{'width_us': {WIDTHS_US}, 'gap_us': {GAPS_US}}}"))
        from_ns = rig.now_ns
        rig.run_ms(1000)
        for lead, side in enumerate(("left", "right")):
            pulses = rig.therapy(side, from_ns)[:-1]
            assert len(pulses) >= 19
            assert set(pulses["cathodic_ns"]) == set(pulses["anodic_ns"]) == {WIDTHS_US[lead] * 1000}
            assert set(pulses["gap_ns"]) == {GAPS_US[lead] * 1000}
            assert set(pulses["start_ns"][1:] - pulses["start_ns"][:-1]) == {50 * MS}


@pytest.mark.control("C-49", "C-70")
def test_a_broken_lead_ramps_down_while_the_other_goes_on():
    with Rig(2) as rig:
        begun(rig)
        broken(rig, "conductor broken", "left")
        rig.run_ms(600)
        assert told(rig) == [(watch_table.OPEN, LEFT)]
        assert (rig.parts.dac.code(LEFT), rig.parts.dac.code(RIGHT)) == (0, 1600), "in this contraction"
        rig.run_ms(2500)
        again = rig.bench.run_until(lambda: rig.parts.dac.code(RIGHT) == 1600, 2000 * MS, MS)
        assert again and rig.parts.dac.code(LEFT) == 0, "and in the next one"
        assert told(rig) == [], "the diagnosis says the same"


@pytest.mark.control("C-49", "C-70")
def test_a_lead_that_breaks_within_a_pulse_is_named_open_if_it_never_conducts_again():
    with Rig(6) as rig:
        begun(rig)
        edges = []

        def on_edge(level, time_ns):
            edges.append(time_ns)
            if level and len(edges) < 3:
                rig.board.scheduler.call_at(
                    time_ns + WIDTH_NS // 2, lambda: broken(rig, "conductor broken", "right")
                )

        rig.board.pin(SIDES["right"][0]).on_edge(on_edge)
        rig.run_ms(4000)
        assert told(rig) == [(watch_table.INTERMITTENT, RIGHT), (watch_table.OPEN, RIGHT)]


@pytest.mark.parametrize("lead", [LEFT, RIGHT])
@pytest.mark.parametrize(
    ("rate_hz", "width_us"),
    [(50, 214), (100, 214), (100, 1000), (79, 1000)],  # the last two: told early
)
def test_each_pulse_is_looked_at_before_its_lead_pulses_again(rate_hz, width_us, lead):
    with Rig(7) as rig:
        source = script().replace("gc.threshold(-1)", LOOKED_AT.format(lead=lead))
        little = {"amplitude_ua": (350, 350)} if width_us == 1000 else {}  # its net direct current is 25 nA
        begun(rig, source, rate_hz=rate_hz, width_us=width_us, **little)
        looks, pulses = rig.mark(), []
        rig.board.pin(SIDES[tuple(SIDES)[lead]][0]).on_edge(
            lambda level, at_ns: pulses.append(at_ns) if level else None
        )
        rig.run_ms(800)
        assert len(pulses) >= 0.75 * rate_hz
        late = [k for k, (a, b) in enumerate(pairwise(pulses)) if not any(a < at_ns < b for at_ns in looks)]
        assert late == []


@pytest.mark.control("C-42", "C-70")
@pytest.mark.parametrize(
    ("name", "seen", "found"),
    [
        ("pump gain too high", watch_table.OVER, watch_table.PUMP),
        ("anodic switch dead", watch_table.IMBALANCE, None),
        ("bridge leaks", watch_table.IMBALANCE, None),
    ],
)
def test_current_out_of_control_is_off_before_the_leads_next_pulse(name, seen, found):
    with Rig(3) as rig:
        stimulator = begun(rig)
        at_ns = rig.now_ns
        broken(rig, name, "right")
        rig.run_ms(1500)
        assert told(rig) == [(fault, RIGHT) for fault in (seen, found) if fault is not None]
        pulses = rig.therapy("right", at_ns)
        assert len(pulses[pulses["cathodic_ns"] == WIDTH_NS]) == 1
        assert stimulator.status().state == messages.READY


@pytest.mark.control("C-60", "C-70")
def test_a_field_pauses_the_session_and_it_resumes_when_it_is_over():
    with Rig(4) as rig:
        stimulator = begun(rig)
        broken(rig, "field from outside", "left")
        rig.run_ms(2500)
        assert (watch_table.INTERFERENCE, DEVICE) in told(rig) and not rig.joined
        faults.field(rig.parts, 0.0, 0.0, 50.0)
        rig.run_ms(5000)
        assert rig.joined and stimulator.status().state in (
            messages.RAMP_UP, messages.HOLD, messages.RAMP_DOWN, messages.REST,
        )  # fmt: skip
        assert (102, DEVICE) not in told(rig)


@pytest.mark.control("C-72")
def test_the_ledger_is_what_the_bench_saw():
    with Rig(5) as rig:
        begun(rig, script(more=LEDGER))
        said = bytearray()

        def rests():
            said.extend(rig.board.console.read())
            return b"]" in said

        assert rig.bench.run_until(rests, 3000 * MS, 20 * MS)
        entries = ast.literal_eval(said.partition(b"LEDGER ")[2].partition(b"]")[0].decode() + "]")
        for lead, side in enumerate(("left", "right")):
            _, _, pulses, charge_uc, contractions = entries[2 * lead]
            _, _, prescribed_ua, mean_ua, most_ua, missed = entries[2 * lead + 1]
            seen = rig.therapy(side, 0)
            seen = seen[seen["cathodic_ns"] == WIDTH_NS]
            assert (pulses, contractions, missed) == (len(seen), 1, 0), "every pulse, the last one too"
            assert pulses == (200 + 1500 + 200) // 50
            amps = [abs(i0) for t0, t1, i0, _ in rig.parts.leads[side].trace.segments if t1 - t0 == WIDTH_NS]
            delivered_ua = sum(amps[-2 * pulses :]) / (2 * pulses)
            assert mean_ua == pytest.approx(delivered_ua, rel=0.02)
            assert prescribed_ua == pytest.approx(delivered_ua, rel=0.01)
            assert charge_uc == mean_ua * pulses * WIDTH_NS // 10**9
            assert most_ua == pytest.approx(max(amps), rel=0.03)
