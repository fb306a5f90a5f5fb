"""The figures of attacks: that they can be measured (a few tries on one bench), and their judgement."""

import random
from dataclasses import replace

import pytest
from stimbench.attacks import ATTACKS, Result
from stimbench.attacks.duty import PATTERNS, share_of_air
from stimbench.attacks.transmitter import AIR_NS, KINDS, REQUESTS, Transmitter
from stimbench.benchmarks import registry
from stimbench.benchmarks.harness.model import Options
from stimbench.benchmarks.harness.rig import MS, SIDES, Rig
from stimbench.benchmarks.radio import attacked, attacks, flood, forgery
from stimbench.benchmarks.radio.flood import OPEN, REMOTE, STIMULATOR, Calm, Press
from stimbench.benchmarks.radio.forgery import AIR_KINDS, Bombardment
from stimbench.benchmarks.radio.rig import PairedRig
from stimbench.capture.capture import Capture
from stimbench.capture.channels import Edges

FULL, QUICK = Options(), Options(quick=True)
PERIOD_NS = 50 * MS
WIDTH_NS = 214_000


def test_the_rows_are_in_the_table():
    assert {"forgery", "flood", "attacks"} <= {row.name for row in registry.ROWS}


# The flood.


@pytest.fixture(scope="module")
def flooded():
    """A paired bench that stimulates for a second beside a flood, then one whose STOP is pressed in it."""
    with PairedRig(3) as rig:
        stimulator = rig.connect()
        rig.set_program(stimulator, flood._PROGRAM)
        transmitter = Transmitter(rig.bench, rig.pairing, REQUESTS, random.Random(3))
        rig.connected()
        calm = flood.calm(rig, stimulator, transmitter, 1050)
        press = flood.stop(rig, stimulator, transmitter, OPEN, 5 * MS, random.Random(3))
        yield calm, press


def test_a_flood_reaches_the_firmware_and_no_pulse(flooded):
    calm, _ = flooded
    assert (calm.kind, calm.sent, calm.pulses, calm.disturbed, calm.worst_ns) == (REQUESTS, 525, 42, 0, 0)
    assert calm.counters["radio_replayed"] > 20
    before, first, *_ = calm.awake
    assert 0 < before < first < 1


def test_a_stop_is_timed_in_a_flood(flooded):
    _, press = flooded
    first_bit, challenge, request = press.marks
    assert (press.state, press.kind) == (OPEN, REQUESTS)
    assert 0 < first_bit < request < press.off_ns
    # A REQUEST that was not answered has the remote ask for a new connection.
    assert challenge == 0 or first_bit < challenge < request
    assert press.packets >= 1


class Pins:
    """The bridge pins of two leads at 20 Hz; `late_ns` moves the start of a pulse by its number."""

    def __init__(self, late_ns, missing=()):
        self.starts = {n: n * PERIOD_NS + late_ns.get(n, 0) for n in range(30) if n not in missing}

    def capture(self, from_ns, to_ns):
        digital = {
            f"stimulator.{signal}": Edges.of(self.edges(index * WIDTH_NS))
            for index, signal in enumerate(SIDES["left"])
        }
        return Capture(digital, end_ns=30 * PERIOD_NS).between(from_ns, to_ns)

    def edges(self, begin):
        for start_ns in self.starts.values():
            yield from ((start_ns + begin, True), (start_ns + begin + WIDTH_NS, False))


@pytest.mark.parametrize(
    ("late_ns", "missing", "expected"),
    [
        ({}, (), (20, 0, 0)),
        ({15: 8}, (), (20, 0, 8)),
        ({15: 16}, (), (20, 2, 16)),  # it comes late, the next one early
        ({}, (15,), (19, 2, PERIOD_NS)),
        ({}, tuple(range(5, 30)), (0, 20, float("inf"))),
    ],
)
def test_pulses_that_are_late_or_missing_are_disturbed(late_ns, missing, expected):
    found = flood.disturbed(Pins(late_ns, missing), "left", 0, 5 * PERIOD_NS, 25 * PERIOD_NS)
    assert found == expected


CALM = Calm(REQUESTS, 1500, 120, 0, 0.0, (0.03, 0.2, 0.19, 0.2), {"radio_forged": 100})


def press(state, off_ms):
    return Press(state, REQUESTS, 5 * MS, (9 * MS, 0, 20 * MS), off_ms * MS, 3)


PRESSES = [press(OPEN, 250), press(REMOTE, 249), press(STIMULATOR, 250)]


def verdicts(calm, presses):
    return [line.passed for line in flood.judge([presses, calm], FULL)]


def test_each_part_of_the_flood_is_judged():
    assert verdicts(CALM, PRESSES) == [True] * 5
    assert verdicts(replace(CALM, disturbed=1), PRESSES) == [False, True, True, True, True]
    assert verdicts(replace(CALM, awake=(0.03, 0.3, 0.21, 0.24)), PRESSES) == [True, False, False, True, True]
    assert verdicts(replace(CALM, awake=(0.03, 0.3, 0.19, 0.22)), PRESSES) == [True, True, False, True, True]
    assert verdicts(CALM, [*PRESSES, press(OPEN, 251)]) == [True, True, True, False, True]
    assert verdicts(CALM, [*PRESSES, press(STIMULATOR, float("inf"))]) == [True, True, True, True, False]


def test_a_flood_that_nobody_saw_disturbs_nothing_and_fails():
    assert verdicts(replace(CALM, counters={}), PRESSES)[0] is False


def test_there_are_enough_presses_and_floods():
    cases = flood.FLOOD.cases(FULL)
    assert sum(case.count for case in cases if case.state == OPEN) >= 24
    assert sum(case.count for case in cases if case.state in (REMOTE, STIMULATOR)) >= 24
    long_ms = [case.count for case in cases if case.state not in (OPEN, REMOTE, STIMULATOR)]
    assert len(long_ms) == len(KINDS)
    assert min(long_ms) >= 2000


# Forged frames.


@pytest.fixture(scope="module")
def target():
    with Rig(3) as rig, pytest.MonkeyPatch.context() as patch:
        patch.setattr(forgery, "_CONNECTIONS", 1)
        stimulator = rig.connect()
        rig.set_program(stimulator, forgery._PROGRAM)
        yield forgery.Target(rig, stimulator, 3)


@pytest.mark.parametrize("kind", AIR_KINDS)
def test_forged_frames_are_refused_and_a_genuine_one_is_seen(target, kind):
    target.sent = target.arrived = target.refused = target.answers = target.edges = target.changes = 0
    send = forgery._reordered if kind == AIR_KINDS[-1] else forgery._made
    live = send(target, forgery._AirCase(kind, 4, 3))
    assert (target.sent, target.arrived, target.refused) == (4, 4, 4)
    assert (target.answers, target.edges, target.changes) == (0, 0, 0)
    if kind == AIR_KINDS[0]:
        target.send([live])  # this is what accepted looks like
        assert (target.arrived - target.refused, target.answers, target.changes) == (1, 1, 1)
        assert target.edges > 0
        target.ask(forgery._STOP)
    else:
        assert target.works(live)


def bombardment(**changed):
    counts = {
        "sent": 200, "arrived": 200, "refused": 200, "forged": 50, "answers": 0, "edges": 0, "changes": 0,
        "works": True,
    }  # fmt: skip
    return Bombardment("mutated", **(counts | changed))


def results(successes=0):
    return [Result(name, 1_000_000, successes, "") for name in forgery._ON_THE_DESK]


@pytest.mark.parametrize(
    "changed",
    [
        {"refused": 199}, {"answers": 1}, {"edges": 2}, {"changes": 1}, {"works": False},
        {"arrived": 199, "refused": 199},
    ],
)  # fmt: skip
def test_one_frame_that_is_accepted_by_radio_fails(changed):
    found = [*results(), bombardment(), bombardment(**changed)]
    assert [line.passed for line in forgery.judge(found, FULL)] == [True, False]


def test_one_frame_that_is_accepted_on_the_desk_fails():
    lines = forgery.judge([*results(), bombardment()], FULL)
    assert [line.passed for line in lines] == [True, True]
    lines = forgery.judge([*results(1), bombardment()], FULL)
    assert [line.passed for line in lines] == [False, True]


def test_there_are_enough_frames():
    cases = forgery.FORGERY.cases(FULL)
    desk = {case.name: case.tries for case in cases if isinstance(case, attacks.AttackCase)}
    air = {case.kind: case.frames for case in cases if case.__class__.__name__ == "_AirCase"}
    assert desk["forged frames"] >= 1_000_000
    assert set(desk) == {"forged frames", "replayed frames", "reordered frames"}
    assert set(air) == {"mutated", "spliced", "reflected", "replayed", "reordered"}
    assert sum(air.values()) >= 1000


# The suite.


def test_an_attack_is_carried_out_by_name():
    (case,) = [p for p in attacks.ATTACK_SUITE.cases(QUICK) if p.name == "role escalation"]
    result = attacks.carry_out(case)
    assert (result.name, result.tries, result.successes) == ("role escalation", 1024, 0)


def test_one_success_fails_the_suite_and_is_named():
    found = [Result(attack.name, attack.tries, 0, "") for attack in ATTACKS]
    lines = attacks.judge(found, FULL)
    assert [line.passed for line in lines] == [True, True]
    assert all(attack.name in lines[0].detail for attack in ATTACKS)
    found[3] = replace(found[3], successes=1)
    lines = attacks.judge(found, FULL)
    assert [line.passed for line in lines] == [False, True]
    assert lines[0].detail.startswith("SUCCEEDED: delayed frames")


def test_an_attack_that_is_left_out_or_cut_short_fails_the_suite():
    found = [Result(attack.name, attack.tries, 0, "") for attack in ATTACKS]
    assert attacks.judge(found[1:], FULL)[1].passed is False
    assert attacks.judge([replace(found[0], tries=999), *found[1:]], FULL)[1].passed is False


# STOP under attack.


def attacked_press(attacker, off_ms, state=attacked.OPEN):
    return attacked.Press(attacker, state, off_ms * MS, 10)


QUIET = [attacked_press(attacked.NOBODY, 20), attacked_press(attacked.NOBODY, 150, attacked.RESTARTED)]
UNDER_ATTACK = [
    attacked_press(attacked.ACKNOWLEDGERS, 250),
    attacked_press(attacked.REACTIVE, float("inf")),
    attacked_press("20 %, steady", 250),
    attacked_press("45 %, blocks", 1000),
]


@pytest.mark.parametrize(
    ("slow", "failed"),
    [
        (None, []),
        (attacked_press(attacked.NOBODY, 21), [0]),
        (attacked_press(attacked.NOBODY, 151, attacked.RESTARTED), [1]),
        (attacked_press(attacked.ACKNOWLEDGERS, 251), [2]),
        (attacked_press("20 %, threes", 251), [3]),
        (attacked_press("45 %, threes", float("inf")), [4]),
    ],
)
def test_each_attacker_has_his_limit(slow, failed):
    found = [*QUIET, *UNDER_ATTACK, *([slow] if slow else [])]
    verdicts = [line.passed for line in attacked.judge([found], FULL)]
    assert [number for number, passed in enumerate(verdicts) if passed is False] == failed
    assert len(verdicts) == 6


def test_every_attacker_and_state_is_tried_with_several_seeds():
    cases = attacked.ATTACKED.cases(FULL)
    tried = {(case.attacker, case.state) for case in cases}
    assert len(tried) == 2 * (3 + 2 * len(PATTERNS)) and len(cases) == 4 * len(tried)


@pytest.mark.parametrize("duty", [0.20, 0.45])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_takes_its_share_of_the_air(pattern, duty):
    """Averaged over ten seconds, and no packet in another."""
    spacing, at_ns, starts = PATTERNS[pattern](duty, random.Random(1)), 0, []
    while at_ns < 10_000 * MS:
        starts.append(at_ns)
        step = next(spacing)
        assert step >= AIR_NS
        at_ns += step
    assert share_of_air(starts, 0, 10_000 * MS) == pytest.approx(duty, rel=0.05)
