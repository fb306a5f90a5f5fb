"""The project's own campaigns: power cuts, faults, attacks. Each judge must tell good from bad."""

from dataclasses import replace

import numpy as np
import pytest
from stimbench.attacks import ATTACKS, Attack, Result
from stimbench.bench import Bench, BenchConfig, provision
from stimbench.capture.capture import Capture
from stimbench.capture.channels import Edges, Segments
from stimbench.checks.campaigns import attacks, power_cuts
from stimbench.checks.campaigns.attacks import attack, attack_jobs
from stimbench.checks.campaigns.faults import FAULTS, fault_jobs, fault_work
from stimbench.checks.campaigns.power_cuts import cut_at, power_cut, power_cut_jobs
from stimbench.checks.campaigns.within import PROGRAM, outside_limits
from stimbench.checks.campaigns.writes import WRITES, Write, snapshot
from stimbench.emulator.flash import FlashOperation
from stimbench.project import image_path
from stimfw.protocol import roles

FIRMWARE = {board: image_path(board) for board in ("stimulator", "remote")}
US, MS = 1_000, 1_000_000


# Power cuts.

TWO = (
    FlashOperation("program", 0, 256, 10 * MS, 11 * MS),
    FlashOperation("erase", 0, 4096, 12 * MS, 52 * MS),
)


def test_cuts_go_round_operations_and_pauses_and_then_deeper():
    cuts = [cut_at(TWO, moment) for moment in range(9)]
    assert cuts[0] == (10 * MS + 500 * US, "in program 1 of 2, at 50%")
    assert cuts[1] == (32 * MS, "in erase 2 of 2, at 50%")
    assert cuts[2] == (5 * MS, "before program 1 of 2, at 50%")
    assert cuts[3] == (11 * MS + 500 * US, "before erase 2 of 2, at 50%")
    assert cuts[4] == (10 * MS + 250 * US, "in program 1 of 2, at 25%")
    assert cuts[8] == (10 * MS + 750 * US, "in program 1 of 2, at 75%")
    assert len({cut_at(TWO, moment) for moment in range(100)}) == 100


def test_every_write_is_cut_at_every_moment_with_every_seed():
    jobs = power_cut_jobs(2, 3, {"stimulator": "ab"})
    assert len(jobs) == len({job.key for job in jobs}) == 2 * 3 * len(WRITES)
    fewer = {job.key for job in power_cut_jobs(1, 2, {"stimulator": "ab"})}
    assert fewer < {job.key for job in jobs}


@pytest.mark.emulated
@pytest.mark.parametrize(
    ("write", "moment", "found"),
    [
        ("pairing", 0, "old"),
        ("pairing", 1, "new"),
        ("forgetting", 2, "old"),
        ("factory reset", 1, "new"),
        ("start", 1, "old"),
        ("first start", 2, "new"),
    ],
)
def test_a_cut_leaves_the_old_or_the_new_record(write, moment, found):
    result = power_cut({"write": write, "moment": moment, "seed": 1}, FIRMWARE)
    assert (result["verdict"], result["found"]) == ("PASS", found), result["told"]


@pytest.mark.emulated
def test_a_record_that_is_neither_fails(monkeypatch):
    """The judge is asked about a board whose flash was changed behind its back after the cut."""
    write = WRITES["pairing"]

    def lost(before, after, wanted):
        return write.judge(before, replace(after, memory=b"\xff" * len(after.memory)), wanted)

    monkeypatch.setitem(power_cuts.WRITES, "pairing", Write(write.prepare, write.act, lost))
    result = power_cut({"write": "pairing", "moment": 0, "seed": 1}, FIRMWARE)
    assert result["verdict"] == "FAIL" and "neither the old nor the new one" in result["told"]


@pytest.fixture(scope="module")
def paired():
    """Flash with a pairing, with two, with a changed key, and with another base: as snapshots."""

    def flash(*peers, seed=1):
        bench = Bench(BenchConfig(boards=("stimulator",), with_parts=False, trace=False))
        found = [provision.add_peer(bench, role, seed) for role in peers]
        return snapshot(bench.board("stimulator").flash), found

    one, _ = flash(roles.PATIENT)
    two, (_, second) = flash(roles.PATIENT, roles.CLINICIAN)
    other, _ = flash(roles.PATIENT, seed=2)
    return one, two, other, (second.peer_id, second.role, second.key)


@pytest.mark.emulated
def test_old_new_and_neither_are_told_apart(paired):
    one, two, other, second = paired
    pairing, forgetting, reset = WRITES["pairing"], WRITES["forgetting"], WRITES["factory reset"]
    assert pairing.judge(one, one, second) == "old"
    assert pairing.judge(one, two, second) == "new"
    assert pairing.judge(one, two, (second[0], second[1], b"x" * 32)) == "2 other pairings"
    assert pairing.judge(two, one, second) == "1 other pairings"
    assert pairing.judge(one, other, second) == "another base"
    assert forgetting.judge(two, one, None) == "1 other pairings"
    assert forgetting.judge(one, other, None) == "another base"
    assert reset.judge(one, one, None) == "old"
    assert reset.judge(one, other, None) == "a mixture of old and new"
    assert reset.judge(two, one, None) == "a mixture of old and new"


# Faults.

PERIOD_NS = 1_000_000_000 // PROGRAM["rate_hz"]
WIDTH_NS, GAP_NS = PROGRAM["width_us"] * US, PROGRAM["gap_us"] * US
BEGIN_NS = 100 * MS


class Made:
    """A capture of pulses that are within the programme's limits, until something is planted."""

    def __init__(self):
        self.starts = {"left": BEGIN_NS + np.arange(10) * PERIOD_NS}
        self.starts["right"] = self.starts["left"] + PERIOD_NS // 2
        self.width_ns = {lead: np.full(10, WIDTH_NS) for lead in self.starts}
        self.amplitude_ua = {lead: np.full(10, 2000.0) for lead in self.starts}
        self.gap_ns = GAP_NS
        self.more = {"left": [], "right": []}

    def capture(self):
        digital = {"stimulator.MATRIX_CS": Edges(np.array([BEGIN_NS - 2 * MS, BEGIN_NS - MS], np.int64))}
        analog = {}
        for lead, start in self.starts.items():
            mark, width, size = lead[0].upper(), self.width_ns[lead], self.amplitude_ua[lead]
            anodic = start + width + self.gap_ns
            spans = [np.column_stack([start, start + width]), np.column_stack([anodic, anodic + width])]
            for name, span in zip((f"{mark}_CATH", f"{mark}_ANOD"), spans, strict=True):
                digital[f"stimulator.{name}"] = Edges(span.reshape(-1).astype(np.int64))
            digital[f"stimulator.{mark}_SHORT"] = Edges(np.empty(0, np.int64))
            pieces = [
                (*span, sign * ua) for each, sign in zip(spans, (-1, 1), strict=True)
                for span, ua in zip(each.tolist(), size.tolist(), strict=True)
            ] + self.more[lead]  # fmt: skip
            t0, t1, ua = (np.array(each) for each in zip(*sorted(pieces), strict=True))
            values = ua.astype(np.float64)
            analog[f"I_{lead.upper()}"] = Segments(t0.astype(np.int64), t1.astype(np.int64), values, values)
        return Capture(digital, analog, end_ns=BEGIN_NS + 11 * PERIOD_NS)


def test_pulses_within_the_limits_pass():
    found = outside_limits(Made().capture())
    assert found.wrong == () and found.pulses == 20


def plant(what):
    made = Made()
    if what == "a large current":
        made.amplitude_ua["left"][4] = 2040.0
    elif what == "a long phase":
        made.width_ns["right"][3] += 1 * US
    elif what == "an early pulse":
        made.starts["left"][5] -= 1 * MS
    elif what == "a short gap":
        made.gap_ns -= 1 * US
    elif what == "a current without a pulse":
        made.more["right"].append((BEGIN_NS + 5 * MS, BEGIN_NS + 6 * MS, 500.0))
    elif what == "both leads together":
        made.starts["right"] = made.starts["left"] + 100 * US
    return outside_limits(made.capture())


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("a large current", "left: 2040 uA flow"),
        ("a long phase", "right: a phase lasts 215.000 us"),
        ("an early pulse", "left: two pulses are 19.000 ms apart"),
        ("a short gap", "left: a gap lasts 49.000 us"),
        ("a current without a pulse", "right: a current flows without a pulse at 105.000 ms after START"),
        ("both leads together", "both leads are on together at 100.100 ms after START"),
    ],
)
def test_whatever_is_beyond_the_limits_is_named(what, told):
    assert told in plant(what).wrong


def test_a_current_after_the_output_must_be_off_is_named():
    capture = Made().capture()
    last_ns = BEGIN_NS + 9 * PERIOD_NS + PERIOD_NS // 2 + 2 * WIDTH_NS + GAP_NS
    assert outside_limits(capture, last_ns).wrong == ()
    (told,) = outside_limits(capture, last_ns - 1).wrong
    assert told.startswith("right: a current still flows at")


def test_a_pulse_that_off_has_cut_short_is_within_the_limits():
    made = Made()
    made.width_ns["left"][9] = 50 * US
    assert outside_limits(made.capture()).wrong == ()


@pytest.mark.emulated
@pytest.mark.parametrize("fault", ["magnet", "short power cut"])
def test_a_fault_in_a_session_on_both_boards(fault):
    result = fault_work({"fault": fault, "moment": 1, "moments": 4, "seed": 1}, FIRMWARE)
    assert result["verdict"] == "PASS", result["told"]
    assert result["pulses"] > 20 and "the output off within" in result["told"]


@pytest.mark.emulated
def test_an_output_that_goes_on_is_a_failure(monkeypatch):
    """As if a magnet did nothing: lost packets, judged as what must turn the output off."""
    monkeypatch.setitem(FAULTS, "magnet", replace(FAULTS["lost packets"], off_within_ms=0.2))
    result = fault_work({"fault": "magnet", "moment": 1, "moments": 4, "seed": 1}, FIRMWARE)
    assert result["verdict"] == "FAIL" and "which must be off" in result["told"]


def test_every_fault_comes_in_every_part_of_the_session():
    jobs = fault_jobs(2, 3, {})
    assert len({job.key for job in jobs}) == 2 * 3 * len(FAULTS)


# Attacks.


def made_up(successes, tries=None):
    return Attack("made up", lambda wanted, seed: Result("made up", tries or wanted, successes, "x"), 1000, 5)


@pytest.mark.parametrize(
    ("made", "verdict"), [(made_up(0), "PASS"), (made_up(1), "FAIL"), (made_up(0, tries=3), "ERROR")]
)
def test_an_attack_passes_if_all_its_tries_were_made_and_none_succeeded(monkeypatch, made, verdict):
    monkeypatch.setattr(attacks, "ATTACKS", (made,))
    (job,) = attack_jobs(1, 0.01)
    assert job.payload["tries"] == 10
    result = attack(dict(job.payload), {})
    assert result["verdict"] == verdict


def test_a_process_with_other_modules_of_the_firmware_is_no_judge(monkeypatch):
    (job, *_) = attack_jobs(1, 0.01)
    with pytest.raises(RuntimeError, match="other modules of the firmware"):
        attack(dict(job.payload) | {"stimfw": "another"}, {})


def test_every_attack_of_the_registry_is_a_job_and_one_runs():
    jobs = attack_jobs(2, 0.0001, {"stimulator": "1", "remote": "2"})
    assert {job.payload["attack"] for job in jobs} == {each.name for each in ATTACKS}
    assert len({job.key for job in jobs}) == 2 * len(ATTACKS)
    desk = attack_jobs(1, 0.0001)
    assert {job.payload["attack"] for job in desk} == {each.name for each in ATTACKS if not each.on_bench}
    others = attack_jobs(2, 0.0001, {"stimulator": "1", "remote": "3"})
    same = {job.key for job in jobs} & {job.key for job in others}
    assert len(same) == 2 * len(desk), "another image makes other jobs of those that run it"
    small = next(job for job in jobs if job.payload["attack"] == "public keys of small order")
    assert attack(dict(small.payload), {})["verdict"] == "PASS"
