"""The benchmark's own logic: what is measured and how it is judged. No bench runs here."""

import json
import pkgutil
from itertools import pairwise

import numpy as np
import pytest
import typer
from stimbench.benchmarks import registry
from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, compared, measure, reached
from stimbench.benchmarks.harness.runner import Progress, run_rows
from stimbench.benchmarks.harness.table import as_document, as_markdown, write_files
from stimbench.benchmarks.output import current, impedance, magnet, naive, stopping, timing, trials
from stimbench.cli import benchmarks as cli_figures
from stimfw.protocol import messages
from stimfw.therapy.program import Program
from stimfw.therapy.ranges import ParameterError

FULL = Options()
MS = 1_000_000
PERIOD_NS = 50 * MS
PULSE_NS = 428_000  # two phases of 214 us
STOPS = 100


def total(found, options):
    return [reached("sum", sum(found), Relation.AT_MOST, 20, "V", f"of {len(found)}, seed {options.seed}")]


def as_line(found, _options):
    return [Line("found", "", str(found[0]), None, "")]


# Other processes cannot import a test: the work is done by builtins.
def row(name="sum", work=abs, alone=False):
    return Row(name, "a sum", lambda options: [1, 2, 3], work, total, alone=alone)


def run(rows, jobs=2):
    seen: list[Progress] = []
    return list(run_rows(rows, FULL, jobs, seen.append)), seen


def test_a_row_is_measured_in_one_process():
    (line,) = measure(row(), FULL)
    assert (line.measured, line.limit, line.passed) == ("6 V", "at most 20 V", True)


XIP = "stimbench.benchmarks.harness.rig:_xip"


def test_what_a_miss_costs_reaches_every_process_and_is_told():
    wanted = Options(xip=80)
    names = Row("names", "n", lambda _: [XIP], pkgutil.resolve_name, as_line)
    (result,) = run_rows([names], wanted, 1, lambda _: None)
    assert result.lines[0].measured == "[80]"
    assert as_document([result], wanted, "abc", 1.0)["xip"] == 80
    notes = [Options(xip=xip).cache_note for xip in ("cache", 80, "ideal")]
    counted = "misses of the flash cache counted"
    assert notes == [counted, f"{counted}, 80 cycles each", "misses of the flash cache NOT counted"]


@pytest.mark.parametrize(("text", "xip"), (("cache", "cache"), ("ideal", "ideal"), ("0", 0), ("80", 80)))
def test_the_cost_of_a_miss_from_the_command_line(text, xip):
    assert cli_figures._xip(text) == xip


@pytest.mark.parametrize("text", ("", "-1", "10001", "1.5", "Cache", "\N{SUPERSCRIPT TWO}"))
def test_what_is_no_cost_of_a_miss_is_refused(text):
    with pytest.raises(typer.BadParameter, match="0 to 10000 cycles"):
        cli_figures._xip(text)


def test_rows_run_in_processes_and_those_that_want_the_machine_alone_come_last():
    results, seen = run([row("alone", alone=True), row("one"), row("other")])
    assert [result.row.name for result in results][-1] == "alone"
    assert all(result.passed for result in results)
    assert seen[-1].done == seen[-1].total == 9
    assert not seen[-1].open_rows


def test_a_row_that_cannot_be_measured_fails_and_says_why():
    results, _ = run([row("bad", len), row()])
    bad = next(result for result in results if result.row.name == "bad")
    assert not bad.passed
    assert "has no len" in bad.error
    assert bad.lines[0].passed is False
    assert bad.lines[0].measured == "not measured"


def test_documents_say_whether_all_passed(tmp_path):
    results, _ = run([row(), row("bad", len)])
    document = as_document(results, FULL, "abc", 1.0)
    assert document["passed"] is False
    write_files(tmp_path, document, as_markdown(results, "Figures"))
    assert json.loads((tmp_path / "figures.json").read_text())["firmware_build"] == "abc"
    text = (tmp_path / "figures.md").read_text()
    assert "| sum | at most 20 V | 6 V | pass | of 3, seed 1 |" in text
    assert "**FAIL**" in text


def test_infinite_numbers_become_none_in_json_and_fail():
    line = reached("x", float("inf"), Relation.AT_MOST, 1, "s", "")
    assert line.passed is False
    assert line.measured == "not measured"
    results, _ = run([Row("x", "x", lambda o: [1], abs, infinite)], jobs=1)
    data = as_document(results, FULL, "", 0.0)["rows"][0]["lines"][0]["data"]
    assert data["value"] is None


def infinite(found, options):
    return [reached("x", float("inf"), Relation.AT_MOST, 1, "s", "")]


def test_a_comparison_neither_passes_nor_fails():
    assert compared("them", "+3 us", "").passed is None
    assert isinstance(compared("them", "+3 us", ""), Line)


def test_rows_are_chosen_by_name_in_the_tables_order():
    names = [each.name for each in registry.ROWS]
    assert len(set(names)) == len(names)
    assert [each.name for each in registry.chosen(["stop", "timing"])] == ["timing", "stop"]
    with pytest.raises(ValueError, match="no figure 'x'"):
        registry.chosen(["x"])


@pytest.mark.parametrize("width, gap, rate", [(20, 0, 200), (1000, 0, 200), (20, 500, 200), (1000, 500, 198)])
def test_the_highest_rate_is_the_programmes(width, gap, rate):
    assert timing.highest_rate_hz(width, gap) == rate
    values = list(timing.programme(width, gap, rate, amplitude_ua=(0, 0)).values)
    if rate < 200:
        values[2] = rate + 1
        with pytest.raises(ParameterError, match="rate_hz"):
            Program(tuple(values))


def test_the_default_programme_and_twelve_corners_make_enough_pulses():
    cases = timing.cases(FULL)
    assert len(cases) == 13
    assert len({case.name for case in cases}) == 13
    for case in cases:
        program = case.program
        hold = program.on_ms * 1000 // program.period_us
        assert case.contractions * hold >= timing.PULSES or program.ramp_up_ms
    corners = {(c.program.width_us, c.program.gap_us, c.program.rate_hz) for c in cases}
    assert {(20, 0, 1), (20, 500, 1), (1000, 0, 1), (1000, 500, 1), (1000, 500, 198)} <= corners


def test_amplitudes_span_the_range_on_the_grid():
    values = current.amplitudes()
    assert len(values) >= 20
    assert (values[0], values[-1]) == (100, 10_000)
    assert all(value % 25 == 0 for value in values)


@pytest.mark.parametrize("wanted, allowed", [(100, 10), (1000, 10), (1025, 10.25), (10_000, 100)])
def test_one_percent_or_ten_microamperes(wanted, allowed):
    assert current.allowed_ua(wanted) == allowed


def test_every_pair_is_inside_the_range_and_its_ends_are_there():
    fittings = impedance.fittings(FULL)
    ohms = {
        fitting.pair_ohm(lead, c, a)
        for fitting in fittings
        for lead in range(2)
        for c in range(4)
        for a in range(4)
        if c != a
    }
    assert min(ohms) == pytest.approx(200)
    assert max(ohms) == pytest.approx(10_000)
    assert {500, 5000} <= ohms
    farads = {value for fitting in fittings for lead in fitting.c_uf for value in lead}
    assert (min(farads), max(farads)) == (1.0, 20.0)


def test_faults_have_names_and_are_not_judged_by_their_resistance():
    fitting = impedance.Fitting(1, ((100.0,) * 4,) * 2, ((5.0,) * 4,) * 2, ((0, 2),), ((1, 0, 3),))
    assert fitting.kind(0, 2, 1) == messages.KIND_OPEN
    assert fitting.kind(0, 0, 1) == messages.KIND_OK
    assert fitting.kind(1, 3, 0) == messages.KIND_SHORT
    assert fitting.is_judged(1, 1, 2)
    assert not fitting.is_judged(1, 1, 3)
    assert not fitting.is_judged(0, 2, 1)


def chunks(row, kind):
    return [chunk for chunk in row.cases(FULL) if chunk.kind == kind]


def test_stops_fall_all_over_the_period_and_half_of_them_into_a_pulse():
    phases = [
        chunk.phase_ns(number) for chunk in chunks(stopping.STOP, "packet") for number in chunk.numbers()
    ]
    assert len(phases) == STOPS and all(0 <= phase < PERIOD_NS for phase in phases)
    in_pulse = [phase for phase in phases if phase % (PERIOD_NS // 2) < PULSE_NS]
    assert STOPS // 2 <= len(in_pulse) <= STOPS // 2 + 5
    assert min(in_pulse) < PERIOD_NS // 2 < max(in_pulse), "of both leads"
    every = [0, *sorted(phases), PERIOD_NS]
    assert max(b - a for a, b in pairwise(every)) <= 2 * PERIOD_NS // (STOPS // 2)


def test_two_hundred_trials_are_shared_out_without_loss():
    numbers = sorted(n for chunk in chunks(magnet.MAGNET, "collecting garbage") for n in chunk.numbers())
    assert numbers == list(range(200))


def trial(kind, delay_ns, late_edges=0):
    return trials.Trial(kind, 0, delay_ns, True, late_edges)


def judged(row, *trials):
    return [line.passed for line in row.judge([list(trials)], FULL)]


@pytest.mark.parametrize(
    ("kind", "verdicts"),
    [
        ("packet", [False, True, True, True, True]),
        ("asked status", [True, False, True, True, True]),
        ("collecting", [True, True, False, True, True]),
        ("50 Hz", [True, True, True, False, True]),
        ("200 Hz", [True, True, True, False, True]),
        ("measuring", [True, True, True, True, False]),
    ],
)
def test_one_late_stop_or_edge_fails_its_line_and_no_other(kind, verdicts):
    good = [trial(each, 5 * MS) for each in ("packet", "asked pulses", "collecting", "50 Hz", "measuring")]
    assert judged(stopping.STOP, *good) == [True] * 5
    assert judged(stopping.STOP, *good, trial(kind, 5 * MS + 1)) == verdicts
    assert judged(stopping.STOP, *good, trial(kind, MS, late_edges=1)) == verdicts


def test_one_late_magnet_or_edge_fails_its_line_and_flash_is_only_compared():
    good = [trial("as built", 0), trial("collecting garbage", 200_000), trial("programming pages", 640_000)]
    assert judged(magnet.MAGNET, *good) == [True, True, None]
    assert judged(magnet.MAGNET, *good, trial("as built", 1)) == [False, True, None]
    assert judged(magnet.MAGNET, *good, trial("collecting garbage", 200_001)) == [True, False, None]
    assert judged(magnet.MAGNET, *good, trial("as built", 0, late_edges=1)) == [False, True, None]


@pytest.mark.parametrize(("off_na", "passed"), [(25, True), (-25, True), (25.1, False), (-25.1, False)])
def test_net_direct_current_is_judged_in_both_directions(off_na, passed):
    case = current.DcCase("2000 uA", timing.programme(214, 0, 20), 1, True)
    found = [[current.Dc(case, side, na, na) for side, na in (("left", 0.1), ("right", off_na))]]
    assert [line.passed for line in current.NET_DC.judge(found, FULL)] == [True, passed]


@pytest.mark.parametrize(
    ("wanted_ua", "measured_ua", "passed"),
    [
        (2000, 2020, True), (2000, 1980, True), (2000, 2021, False), (2000, 1979, False),
        (500, 510, True), (500, 490, True), (500, 511, False), (500, 489, False),
    ],
)  # fmt: skip
def test_an_amplitude_is_judged_in_both_directions(wanted_ua, measured_ua, passed):
    good = [current.Setting(1, "left", ua, ua, 5) for ua in (500, 2000)]
    found = [[*good, current.Setting(1, "right", wanted_ua, measured_ua, 5)]]
    assert [line.passed for line in current.AMPLITUDE.judge(found, FULL)] == [passed]


def test_a_comparison_names_its_range_and_of_nothing_says_so():
    case = naive.Case("sleep_us loop", False, 1, 3)
    errors, none = np.array([-1000, 2000]), np.zeros(1, dtype=np.int64)
    lines = naive.NAIVE.judge([naive.Found(case, errors, none), naive.Found(case, none, none[:0])], FULL)
    assert [line.passed for line in lines] == [None, None]
    assert lines[0].measured == "width -1 to +2 us, period +0 to +0 us"
    assert lines[1].measured == "width +0 to +0 us, period none"
