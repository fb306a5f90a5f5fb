"""Cases that a bench cannot run are left out before anything is touched, each with its reason."""

from __future__ import annotations

import pytest
from stimbench.checks.left_out import not_run, unmeasured
from stimbench.rig.file import BenchFile, parse_bench_file
from support.wired_rig import CHANNELS, CURRENTS, bench_toml, case_of, source_toml

ALL = CHANNELS | CURRENTS
LEFT = {name: use for name, use in CHANNELS.items() if ".R_" not in use}


def rig(*sources: str, **fields) -> BenchFile:
    return parse_bench_file(bench_toml(*(sources or [source_toml(ALL)]), **fields), "bench.toml")


def test_a_bench_with_all_of_it_runs_a_case():
    assert not_run(case_of(), rig()) == ""


def test_an_emulated_bench_runs_everything():
    assert not_run(case_of('load = "1 kohm"\nfault = "hang"'), BenchFile()) == ""


@pytest.mark.parametrize(
    ("case", "file", "attended", "says"),
    [
        ('load = "1 kohm"', rig(), True, "the rig has no load '1 kohm'; it has 500 ohm"),
        ("", rig(by_hand=True), False, "it needs a person, who wires the load '500 ohm'"),
        ("", rig(by_hand=True), True, ""),
        ('fault = "open left.1"', rig(), True, "no wires that a person may break: the load '500 ohm' is not"),
        ('fault = "open left.1"', rig(by_hand=True), True, ""),
        ('fault = "power off"', rig(), True, "the rig has no power switch"),
        ('fault = "power off"', rig(power="1-1:2"), False, ""),
        ('fault = "magnet"', rig(), True, "the rig has no magnet"),
        ('fault = "magnet"', rig(has="magnet"), False, "it needs a person, who has a magnet"),
        ('fault = "magnet"', rig(has="magnet"), True, ""),
        ('fault = "magnet"', rig(source_toml(LEFT | {"D2": "stimulator.LED", "D3": "stimulator.LDAC",
                                                     "D5": "stimulator.R_CATH", "D6": "stimulator.R_ANOD"}),
                                 has="magnet"), True, "the rig records no stimulator.MAGNET"),
        ('fault = "stop"', rig(), False, ""),
        ('fault = "jam"', rig(), True, "the rig has no jammer"),
        ('fault = "hang"', rig(), True, "the rig has no way to stop the stimulator's CPU"),
        ("", rig(source_toml(LEFT)), True, "the rig records nothing of the right lead: neither"),
        ("right_amplitude_ua = 0\nleft_amplitude_ua = 1000", rig(source_toml(LEFT)), True, ""),
        ("", rig('[[source]]\nkind = "none"\n'), True, "the rig has no instrument"),
        ("", rig(source_toml(CHANNELS, 1_000_000)), True,
         "fx2lafw cannot judge width to 600 ns: at 1000000 samples a second an edge is up to 1000 ns late, "
         "and 295.72 ns is the most. It takes 3381578 samples a second"),
        ("", rig(source_toml(CURRENTS, 1_000_000)), True, "fx2lafw cannot judge width to 600 ns"),
        ("limits.charge_percent = 0.5",
         rig(source_toml(CHANNELS), source_toml(CURRENTS, 2_000_000, "demo:c=2")), True,
         "I_LEFT of demo:c=2 has 2000000 samples a second, and the check needs 3738318"),
    ],
)  # fmt: skip
def test_what_a_bench_lacks(case, file, attended, says):
    reason = not_run(case_of(case), file, attended)
    assert says in reason
    assert reason.startswith("not run: ") == bool(says)
    assert not reason.endswith(".")


def test_a_load_of_another_resistance_or_on_fewer_electrodes_is_another_load():
    text = bench_toml().replace("resistance_ohm = 500", "resistance_ohm = 470")
    assert "has 470 ohm, and the plan's 500 ohm" in not_run(case_of(), parse_bench_file(text, "bench.toml"))
    text = bench_toml().replace("resistance_ohm = 500", "resistance_ohm = 500\nelectrodes = [0, 1]")
    reason = not_run(case_of('pair = "0-3"'), parse_bench_file(text, "bench.toml"))
    assert "is not wired to electrode 3" in reason


def test_a_plan_of_currents_alone_is_not_for_a_logic_analyser():
    times = "width_ns gap_ns period_ns jitter_ns overlap_ns missing extra on_ms off_ms"
    off = "\n".join(f"limits.{name} = false" for name in times.split())
    reason = not_run(case_of(off), rig(source_toml(CHANNELS)))
    assert "all that the plan measures takes a current, and the rig records none" in reason
    assert not_run(case_of(off), rig()) == ""


def test_what_is_not_measured_is_named():
    assert "charge_percent" in unmeasured(case_of(), CHANNELS.values())
    assert "rise_ns" not in unmeasured(case_of(), CHANNELS.values())  # the plan leaves it out itself
    assert unmeasured(case_of(), ["I_LEFT"]) == []
