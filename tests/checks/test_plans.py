"""The built-in plans: whole, true to their sources, passed by the firmware, and failed by planted defects."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from stimbench.analysis.pulses import PULSE
from stimbench.analysis.shape import SHAPE, Shapes
from stimbench.analysis.train import Train
from stimbench.checks import on_bench
from stimbench.checks.contractions import Expected
from stimbench.checks.energy import add_energy, energies_mj
from stimbench.checks.judge import LeadChecked, Verdict
from stimbench.checks.limits import EVERY_TEXT, Limits
from stimbench.checks.on_bench import record
from stimbench.checks.outcome import CaseResult, Measurement, Outcome
from stimbench.checks.peers import allowed, peer_rows
from stimbench.checks.plan import BUILT_IN, PlanError, load_plan, parse_plan
from stimbench.checks.run import Run
from stimbench.checks.work import run_on_bench
from stimfw.therapy.program import default
from support.device import image

LEAST_STANDARD = 120
ENERGY_REL = 0.02
"""Of a pulse by the bench: the pump's error of 1 % counts twice."""
REPORT = {
    "VV-UT01": "abcd", "VV-UT02": "abcd", "VV-UT03": "abc", "VV-UT04": "abcde", "VV-UT05": "abcdef",
    "VV-UT06": "abcde", "VV-UT07": "abcd", "VV-UT08": "abcdef",
    "VV-IT01": "abcdefg", "VV-IT02": "abcdef", "VV-IT03": "abcde", "VV-IT04": "abcd", "VV-IT05": "abcde",
    "VV-IT06": "abcd", "VV-IT07": "ab", "VV-IT08": "abcde", "VV-IT09": "a",
}  # fmt: skip
"""The tests of OpenNerve's report, and the letters of their acceptance criteria."""
NAMES = sorted(path.stem for path in BUILT_IN.glob("*.toml"))
FIRMWARE = {board: image(board) for board in ("stimulator", "remote")}
HEAD = 'name = "mine"\n[[matrix]]\nname = "one"\n[[matrix]]\nname = "two"\n'


def case_of(plan, name):
    return next(case for case in load_plan(plan).cases if case.name == name)


def ran(case):
    data = run_on_bench(case.as_payload(), FIRMWARE)
    data.pop("packed", None)
    return CaseResult.from_data(data)


def value_of(result, name, lead=""):
    return next(each.value for each in result.measurements if (each.name, each.lead) == (name, lead))


def letters(text):
    first, dash, last = text.partition("-")
    return "".join(chr(code) for code in range(ord(first), ord(last or first) + 1)) if dash else text


class TestBuiltIn:
    @pytest.mark.parametrize("name", NAMES)
    def test_it_parses_and_each_case_has_a_name_of_its_own(self, name):
        plan = load_plan(name)
        assert plan.name == name and plan.description
        assert len({case.name for case in plan.cases}) == len(plan.cases) > 0

    def test_the_standard_plan_covers_all_that_it_must(self):
        plan = load_plan("standard")
        cases = plan.cases
        assert len(cases) >= LEAST_STANDARD
        assert len({(case.program.cathode, case.program.anode) for case in cases}) == 12
        words = {case.fault.kind.name for case in cases}
        assert words == {"none", "open", "short", "resistance", "magnet", "hang", "power off", "stop", "jam"}
        assert {case.program.rate_hz for case in cases} >= {1, 20, 198}
        assert {case.program.width_us for case in cases} >= {20, 1000}
        assert max(case.program.amplitude_ua[0] for case in cases) == 10_000
        assert len({case.seed for case in cases}) >= 8

    @pytest.mark.parametrize("name", ["standard", "opennerve", "iec60601-2-10"])
    def test_no_plan_of_the_emulated_bench_allows_more_than_the_bench_promises(self, name):
        promised = Limits()
        for case in load_plan(name).cases:
            for limit in Limits.model_fields:
                most = promised.of(limit)
                if most is not None:
                    assert case.limits.of(limit) is not None and case.limits.of(limit) <= most, case.name

    def test_each_criterion_of_the_report_is_there_once(self):
        found = {}
        for entry in load_plan("opennerve").peers:
            test, _, which = entry["id"].partition(" ")
            found[test] = found.get(test, "") + letters(which)
        assert {test: "".join(sorted(which)) for test, which in found.items()} == REPORT

    @pytest.mark.parametrize("name", ["opennerve", "iec60601-2-10"])
    def test_each_entry_has_a_source_and_runs_or_says_why_not(self, name):
        for entry in load_plan(name).peers:
            assert entry["source"] and entry["criterion"] and entry["title"]
            assert bool(entry["matrix"] and entry["measures"] and entry["ours"]) != bool(
                entry["not_applicable"]
            )

    @pytest.mark.parametrize("name", ["opennerve", "iec60601-2-10"])
    def test_each_case_serves_a_criterion_and_each_measure_has_a_limit_there(self, name):
        plan = load_plan(name)
        used = {matrix for entry in plan.peers for matrix in entry["matrix"]}
        assert used == {case.matrix for case in plan.cases}
        for entry in plan.peers:
            for measure in entry["measures"]:
                cases = [case for case in plan.cases if case.matrix in entry["matrix"]]
                assert any(allowed(case, measure) is not None for case in cases), (entry["id"], measure)

    def test_what_is_quoted_is_quoted_and_what_is_recalled_is_marked(self):
        assert all(entry["criterion"].count('"') >= 2 for entry in load_plan("opennerve").peers)
        for entry in load_plan("iec60601-2-10").peers:
            source = entry["source"]
            assert source.startswith(("stated", "recalled", "IEC")), entry["id"]
            assert "recalled" not in source or "check it against your copy" in source


class TestFormat:
    @pytest.mark.parametrize(
        ("more", "line", "reason"),
        [
            ('matrix = ["three"]\nmeasures = ["missing"]\nours = "o"', 10, "there is no matrix 'three'"),
            ('matrix = ["one"]\nmeasures = ["colour"]\nours = "o"', 11, "there is no measure 'colour'"),
            ('not_applicable = "no"\nmatrix = ["one"]', 6, "either matrix or not_applicable"),
            ("", 6, "either matrix or not_applicable"),
            ('matrix = ["one"]', 6, "measures and ours say"),
            (
                'matrix = ["one"]\nmeasures = ["missing"]\nours = "o"\n'
                'number = {measure = "extra", limit = 1}',
                13,
                "'extra' is none of the measures of a",
            ),
            ('colour = "red"', 10, "unknown key 'colour'"),
        ],
    )
    def test_a_wrong_entry_is_told_with_its_line(self, more, line, reason):
        text = f'{HEAD}[[peer]]\nid = "a"\nsource = "s"\ntitle = "t"\n'.replace(
            'title = "t"\n', f'title = "t"\n{more}\ncriterion = "c"\n'
        )
        with pytest.raises(PlanError) as failed:
            parse_plan(text, "mine.toml")
        assert any(at == line and reason in told for at, told in failed.value.problems), failed.value

    def test_an_id_that_is_there_twice_is_an_error(self):
        entry = '[[peer]]\nid = "a"\nsource = "s"\ntitle = "t"\ncriterion = "c"\nnot_applicable = "no"\n'
        with pytest.raises(PlanError, match="line 13: the id 'a' is there twice"):
            parse_plan(HEAD + entry + entry, "mine.toml")

    def test_what_only_a_case_tells_may_be_a_measure(self):
        measures = ", ".join(f'"{name}"' for name in EVERY_TEXT)
        entry = f'matrix = ["one", "two"]\nmeasures = [{measures}]\nours = "o"\n'
        head = '[[peer]]\nid = "a"\nsource = "s"\ntitle = "t"\ncriterion = "c"\n'
        assert len(parse_plan(HEAD + head + entry, "mine.toml").peers) == 1


PASSING = [
    ("standard", "pair/pair=3-0,amplitude_ua=5000"),
    ("standard", "off/fault=hang,fault_at_ms=700"),
    ("standard", "off/fault=power off,fault_at_ms=1700"),
    ("opennerve", "steps/amplitude_ua=1025,width_us=501"),
    ("opennerve", "stop/fault_at_ms=1000"),
    ("iec60601-2-10", "width/width_us=20"),
    ("iec60601-2-10", "energy/gap_us=500"),
]


@pytest.mark.emulated
class TestOnTheBench:
    @pytest.mark.parametrize(("plan", "name"), PASSING, ids=[f"{plan}-{name}" for plan, name in PASSING])
    def test_the_firmware_passes(self, plan, name):
        result = ran(case_of(plan, name))
        assert result.outcome is Outcome.PASS, result.reason

    def test_the_largest_pulse_has_a_tenth_of_a_millijoule(self):
        result = ran(case_of("iec60601-2-10", "energy/gap_us=0"))
        assert value_of(result, "energy_mj", "left") == pytest.approx(0.1, rel=ENERGY_REL)

    @pytest.mark.parametrize("at_ms", [611, 702])
    def test_faults_in_a_pulse_come_in_a_pulse(self, at_ms):
        case = case_of("standard", f"off-in-a-pulse/fault=magnet,fault_at_ms={at_ms}")
        recorded = record(case, FIRMWARE)
        longest_ns = (2 * case.program.width_us + case.program.gap_us) * 1000
        starts = [recorded.capture.edges(f"stimulator.{side}_CATH").rises_ns for side in "LR"]
        since = [recorded.fault_ns - times[times <= recorded.fault_ns] for times in starts]
        assert min(int(times.min()) for times in since) < longest_ns

    def test_an_electrode_that_is_open_without_the_plans_knowledge_fails(self, monkeypatch):
        rewire(monkeypatch, open_electrodes=(("left", 1),))
        result = ran(case_of("standard", "parts/seed=2"))
        assert result.outcome is Outcome.FAIL
        failed = {each.title for each in result.measurements if each.outcome is Outcome.FAIL}
        assert "left amplitude_percent" in failed and "right amplitude_percent" not in failed

    def test_a_load_that_is_another_one_fails_the_impedance(self, monkeypatch):
        rewire(monkeypatch, pair_r_s_ohm=1050.0)
        result = ran(case_of("opennerve", "impedance/seed=1"))
        failed = {each.title for each in result.measurements if each.outcome is Outcome.FAIL}
        assert failed == {"impedance_percent"}
        run = Run(Path(), {"peers": load_plan("opennerve").peers}, (result,))
        row = next(row for row in peer_rows(run) if row.id == "VV-IT04 a-b")
        assert (row.outcome, row.theirs) == (Outcome.FAIL, Outcome.FAIL)

    def test_a_gate_that_closes_too_late_fails_a_hang(self, monkeypatch):
        run, before_ms = on_bench._run, 600

        def run_with_another_gate(bench, stimulator, hands, case):
            bench.run_for(before_ms * 1_000_000)  # the self-test, which would find it, is over
            bench.board("stimulator").parts.gate.tolerance(250.0, 0.0)
            return run(bench, stimulator, hands, replace(case, fault_at_ms=case.fault_at_ms - before_ms))

        monkeypatch.setattr(on_bench, "_run", run_with_another_gate)
        result = ran(case_of("standard", "off/fault=hang,fault_at_ms=700"))
        assert result.outcome is Outcome.FAIL and "output not off" in result.reason

    @pytest.mark.parametrize("at_ms", [100, 700, 1250, 1700])
    def test_a_stop_that_does_nothing_fails_in_every_part_of_a_cycle(self, at_ms, monkeypatch):
        monkeypatch.setattr(on_bench, "_strike", lambda *about: None)
        result = ran(case_of("standard", f"off/fault=stop,fault_at_ms={at_ms}"))
        assert result.outcome is Outcome.FAIL and "output not off" in result.reason


def rewire(monkeypatch, **changes):
    """The next benches are built with other parts than their cases say."""
    original = on_bench._config

    def config(case, firmware):
        made = original(case, firmware)
        return replace(made, wiring={"stimulator": replace(made.wiring["stimulator"], **changes)})

    monkeypatch.setattr(on_bench, "_config", config)


class TestEnergy:
    def checked(self, currents_ua):
        """Pulses of 2 x 1 ms without a gap, each with one current in both phases."""
        pulses = np.zeros(len(currents_ua), dtype=PULSE)
        pulses["start_ns"] = np.arange(len(currents_ua)) * 50_000_000
        pulses["cathodic_ns"] = pulses["anodic_ns"] = 1_000_000
        pulses["complete"] = True
        found = np.zeros(len(currents_ua), dtype=SHAPE)
        found["cathodic_ua"] = found["anodic_ua"] = currents_ua
        shapes = Shapes(found, 0.0, 0.0, 0.0, np.empty(0, np.int64), 0.0)
        train = Train("left", pulses, shapes, np.empty(0, np.int64), 1.0, by_current=False)
        return LeadChecked(train, Expected.of(default(), "left"), None)

    def test_both_phases_count(self):
        found = energies_mj(self.checked([10_000.0, 5_000.0]), 500.0)
        assert found.tolist() == pytest.approx([0.1, 0.025])

    def test_a_pulse_without_its_second_phase_has_the_first_one(self):
        checked = self.checked([10_000.0])
        checked.train.pulses["complete"] = False
        assert energies_mj(checked, 500.0).tolist() == pytest.approx([0.05])

    def test_the_largest_one_is_held_against_the_limit(self):
        verdict = Verdict(leads={"left": self.checked([1_000.0, 10_000.0, 2_000.0])})
        add_energy(verdict, 500.0, Limits(energy_mj=0.09))
        (found,) = verdict.measurements
        assert found.value == pytest.approx(0.1) and found.outcome is Outcome.FAIL
        assert found.at_ns == 50_000_000 and found.count == 3
        assert verdict.counts == {"left energy": 1} and "0.09 mJ allowed" in verdict.findings[0].text

    def test_without_a_limit_it_is_measured_and_not_judged(self):
        verdict = Verdict(leads={"left": self.checked([1_000.0])})
        add_energy(verdict, 500.0, Limits())
        assert verdict.measurements[0].outcome is None and not verdict.findings


def measured(name, value, limit, outcome=Outcome.PASS, lead="left"):
    return Measurement(name, lead, value, EVERY_TEXT[name].unit, None, limit, 0.0, outcome)


def result_of(matrix, *measurements, outcome=Outcome.PASS, **program):
    base = default().replaced({"left.amplitude_ua": 2000} | program).as_dict()
    return CaseResult(
        f"{matrix}/x", "k", outcome, parameters={"matrix": matrix, "program": base}, measurements=measurements
    )


def entry_of(**changes):
    return {
        "id": "T1 a", "source": "s", "title": "t", "criterion": "c", "ours": "o", "matrix": ["m"],
        "measures": ["width_ns"], "number": None, "not_applicable": "",
    } | changes  # fmt: skip


def row_of(entry, *results):
    (row,) = peer_rows(Run(Path(), {"peers": [entry]}, results))
    return row


class TestPeerRows:
    def test_the_worst_of_all_cases_stands(self):
        row = row_of(
            entry_of(),
            result_of("m", measured("width_ns", -3.0, 8.0)),
            result_of("m", measured("width_ns", 2.0, 8.0)),
            result_of("other", measured("width_ns", 7.0, 8.0)),
        )
        assert (row.outcome, row.measured, row.cases) == (Outcome.PASS, "width_ns 3 of 8 ns", 2)

    def test_what_could_not_be_measured_is_the_worst_of_all(self):
        lost = measured("width_ns", math.nan, 8.0, Outcome.FAIL)
        row = row_of(entry_of(), result_of("m", measured("width_ns", 7.0, 8.0)), result_of("m", lost))
        assert (row.outcome, row.measured) == (Outcome.FAIL, "width_ns nan of 8 ns")

    def test_only_the_named_measures_count(self):
        failing = measured("missing", 1.0, 0.0, Outcome.FAIL)
        result = result_of("m", measured("width_ns", 0.0, 8.0), failing, outcome=Outcome.FAIL)
        assert row_of(entry_of(), result).outcome is Outcome.PASS
        both = row_of(entry_of(measures=["width_ns", "missing"]), result)
        assert both.outcome is Outcome.FAIL and "missing 1 of 0" in both.measured

    def test_a_case_that_the_board_refused_fails(self):
        good = result_of("m", measured("width_ns", 0.0, 8.0))
        assert row_of(entry_of(), good, result_of("m", outcome=Outcome.FAIL)).outcome is Outcome.FAIL

    @pytest.mark.parametrize("outcome", [Outcome.ERROR, Outcome.TIMEOUT, Outcome.ABORTED])
    def test_what_the_rig_did_wrong_is_no_pass_and_no_failure(self, outcome):
        good = result_of("m", measured("width_ns", 0.0, 8.0))
        assert row_of(entry_of(), good, result_of("m", outcome=outcome)).outcome is outcome

    def test_nothing_run_is_not_passed(self):
        row = row_of(entry_of(), result_of("other", measured("width_ns", 0.0, 8.0)))
        assert row.outcome is Outcome.ABORTED and row.theirs is None and "none of its cases" in row.measured

    def test_nothing_measured_is_not_passed(self):
        row = row_of(
            entry_of(measures=["width_ns", "net_dc_na"]), result_of("m", measured("width_ns", 0.0, 8.0))
        )
        assert row.outcome is Outcome.ERROR and "net_dc_na: not measured" in row.measured

    def test_what_cannot_apply_says_why_and_has_no_outcome(self):
        row = row_of(entry_of(matrix=[], measures=[], ours="", not_applicable="no battery"))
        assert (row.outcome, row.theirs, row.test) == (None, None, "T1")
        assert "no battery" in row.cells[3]

    @pytest.mark.parametrize(
        ("value", "width_us", "theirs"),
        [(90_000, 500, Outcome.PASS), (110_000, 500, Outcome.FAIL), (90_000, 400, Outcome.FAIL),
         (math.nan, 500, Outcome.FAIL)],
    )  # fmt: skip
    def test_their_number_is_a_share_of_what_each_case_set(self, value, width_us, theirs):
        entry = entry_of(number={"measure": "width_ns", "limit": 20.0, "of": "width"})
        result = result_of("m", measured("width_ns", value, 8.0, Outcome.FAIL), width_us=width_us)
        row = row_of(entry, result)
        assert (row.theirs, row.outcome) == (theirs, Outcome.FAIL)

    def test_below_one_milliampere_their_share_is_of_the_amplitude_and_ours_of_a_milliampere(self):
        entry = entry_of(
            measures=["amplitude_percent"],
            number={"measure": "amplitude_percent", "limit": 20.0, "of": "amplitude"},
        )
        good = measured("amplitude_percent", 0.9, 1.0)  # 9 uA
        program = {"left.amplitude_ua": 25}
        assert row_of(entry, result_of("m", good, **program)).theirs is Outcome.FAIL
        program = {"left.amplitude_ua": 100}
        assert row_of(entry, result_of("m", good, **program)).theirs is Outcome.PASS

    def test_a_period_is_a_share_of_that_of_its_rate(self):
        entry = entry_of(
            measures=["period_ns"], number={"measure": "period_ns", "limit": 20.0, "of": "period"}
        )
        off = measured("period_ns", 11_000_000, 8.0, Outcome.FAIL)
        assert row_of(entry, result_of("m", off, rate_hz=10)).theirs is Outcome.PASS
        assert row_of(entry, result_of("m", off, rate_hz=20)).theirs is Outcome.FAIL
