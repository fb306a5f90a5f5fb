"""A person at the bench: a made-up one on an emulated board, who is asked for everything."""

from __future__ import annotations

import re

import pytest
from stimbench.bench import Bench, BenchConfig
from stimbench.bringup.at_bench import CONFIRM_S, PersonWorkplace
from stimbench.bringup.model import Tool
from stimbench.bringup.record import Record, procedure_id
from stimbench.bringup.run import run_blocks
from stimbench.bringup.steps import BLOCKS
from stimbench.devices.emulated_device import EmulatedDevice
from stimbench.errors import PortError, RigError, StimbenchError
from stimbench.parts.probe_points import ProbePoints
from stimbench.parts.wiring import StimulatorWiring
from support.bringup import READINGS, STEPS, Operator, clock

pytestmark = pytest.mark.emulated
MONOSTABLE = [block for block in BLOCKS if block.name == "monostable"]


class AtBench:
    """An emulated board that a made-up person plugs in and out."""

    def __init__(self, folder, planted=()):
        wiring = StimulatorWiring(assembly=planted)
        config = BenchConfig(seed=1, boards=("stimulator",), wiring={"stimulator": wiring}, trace=False)
        self.bench = Bench(config)
        self.board = self.bench.board("stimulator")
        self.points = ProbePoints(self.board.parts, self.board, lambda: self.board.powered, 1)
        self.points.take_away()
        self.operator = Operator(self.bench, self.points)
        self.workplace = PersonWorkplace(self.device, self.operator, self.operator.say, {"meter": ""})
        self.folder = folder

    def device(self):
        if not self.board.powered:
            raise PortError("No RP2040 board is plugged in.")
        self.bench.run_until(lambda: self.board.usb_connected, 3_000_000_000)
        return EmulatedDevice(self.bench, "stimulator")

    def run(self, *names, every=BLOCKS):
        blocks = [block for block in BLOCKS if not names or block.name in names]
        facts = self.workplace.facts()
        self.record = Record.begin(self.folder, facts, procedure_id(BLOCKS), clock())
        return run_blocks(blocks, every, self.workplace, self.record, lambda attempt: None)

    def questions(self, words):
        return [question for question, _ in self.operator.asked if re.search(words, question)]


@pytest.fixture
def at_bench(tmp_path):
    made = []

    def make(**more):
        made.append(AtBench(tmp_path / f"r{len(made)}", **more))
        return made[-1]

    yield make
    for one in made:
        one.bench.close()


def test_a_person_brings_up_a_healthy_board_and_signs(at_bench):
    desk = at_bench()
    ended = desk.run()
    assert ended.failed is None and ended.signed
    kept = desk.record.document
    assert kept.signed.name == "A. Person" and kept.bench == "wired"
    assert kept.instruments == {"meter": "Made-up 1000, serial 42", "oscilloscope": "Made-up 1000, serial 42"}
    assert [attempt.step for attempt in kept.attempts] == [step.name for _, step in STEPS]
    assert len(desk.questions("Press Enter when it is wired")) == len(BLOCKS)
    pictures = [text for text in desk.operator.said if text.startswith("Picture: ")]
    assert len(pictures) == sum(len(block.pictures) for block in BLOCKS)
    current = [(question, wait) for question, wait in desk.operator.asked if "a current flows" in question]
    assert current and all(wait == CONFIRM_S for _, wait in current)
    assert all(wait is None for question, wait in desk.operator.asked if "a current flows" not in question)
    before = desk.questions("Enter switches a current on")
    wanted = [reading.tool for _, reading in READINGS if reading.setup.carries_current]
    assert len(before) == len(wanted), "nothing flows before it was asked for"
    assert len(current) == wanted.count(Tool.METER)
    assert desk.board.powered and not desk.workplace._hands, "the board runs its application again"


def test_an_error_of_assembly_is_found_by_a_person_too(at_bench):
    desk = at_bench(planted=("relay-reversed",))
    desk.operator.answers = [("Mend it", "q")]
    ended = desk.run("relays")
    assert (ended.failed.step, ended.failed.cause) == ("relays.L.contacts", "relay-reversed")
    assert not desk.questions("Your name")


def test_what_was_mended_is_measured_again(at_bench):
    desk = at_bench(planted=("relay-reversed",))
    operator, relays = desk.operator, desk.board.parts.relays

    def mended(question, within_s=None):
        if question.startswith("Mend it"):
            relays["left"].fix(None)
            object.__setattr__(desk.board.parts, "assembly", ())
        return ask(question, within_s)

    ask, operator.ask = operator.ask, mended
    ended = desk.run("relays")
    assert ended.failed is None
    outcomes = [a.outcome for a in desk.record.document.attempts if a.step == "relays.L.contacts"]
    assert outcomes == ["failed", "passed"]


def test_nobody_confirms_a_current_and_it_goes_off_until_somebody_does(at_bench):
    desk = at_bench()
    parts, seen = desk.board.parts, []
    ask = desk.operator.ask

    def slow(question, within_s=None):
        if "a current flows" in question and len(seen) < 1:
            seen.append(parts.dac.code(0) or parts.dac.code(1))
            desk.operator.asked.append((question, within_s))
            return None
        if question.startswith("Nobody confirmed"):
            desk.bench.run_for(150_000_000)
            states = {bridge.state.value for bridge in parts.bridges.values()}
            seen.append((parts.dac.code(0), parts.gate.q, states))
        return ask(question, within_s)

    desk.operator.ask = slow
    ended = desk.run("pump")
    assert ended.failed is None
    assert seen == [1600, (0, False, {"off"})]
    assert len(desk.questions("Nobody confirmed: the current is off")) == 1


def test_enter_confirms_a_current_and_asks_again(at_bench):
    desk = at_bench()
    desk.operator.answers = [("a current flows", ""), ("a current flows", "")]
    assert desk.run("pump").failed is None
    assert len(desk.questions("a current flows")) == 4


def test_typing_errors_are_asked_again_and_help_is_given(at_bench):
    desk = at_bench()
    probe = r"Red probe: V_REF3V3 .* In V:"
    desk.operator.answers = [
        (probe, "3,3x"),
        (probe, "330"),
        (probe, "?"),
        (probe, "33"),
        ("Enter keeps", "3.3"),
    ]
    assert desk.run("references").failed is None
    said = " ".join(desk.operator.said)
    assert "'3,3x' is no reading in V" in said and "'330' cannot be" in said
    assert "Right is 3.278 V to 3.322 V: 3.300 V, 0.1 % (ADR4533)" in said
    assert desk.questions(r"33 V is not 3\.278 V to 3\.322 V\. Enter keeps it; or type it again:")


def test_a_wrong_reading_that_a_person_stands_by_is_judged(at_bench):
    desk = at_bench()
    desk.operator.answers = [("Red probe: V_REF4V096", "0.7"), ("Enter keeps", ""), ("Mend it", "q")]
    assert desk.run("references").failed.cause == "4v096-reversed"


def test_what_is_skipped_is_no_sign_off(at_bench):
    desk = at_bench()
    desk.operator.answers = [("In ms:", "skip")]
    ended = desk.run("monostable", every=MONOSTABLE)
    assert not ended.signed and ended.failed is None and ended.left == ("monostable.width",)
    assert not desk.questions("Your name")
    skipped = desk.record.latest["monostable.width"]
    assert skipped.outcome == "skipped" and skipped.values[0].value is None


def test_nobody_signs(at_bench):
    desk = at_bench()
    desk.operator.answers = [("Your name", "")]
    ended = desk.run("monostable", every=MONOSTABLE)
    assert not ended.signed and not ended.left and desk.record.document.signed is None


def test_an_electrode_at_the_connector_stops_it_before_anything_else(at_bench):
    desk = at_bench()
    desk.operator.answers = [("Are both terminals", "n"), ("Mend it", "q")]
    assert desk.run().failed.step == "supply.safe"
    assert len(desk.record.document.attempts) == 1


def test_another_board_in_the_middle_is_refused(at_bench):
    desk = at_bench()
    ask = desk.operator.ask

    def changed(question, within_s=None):
        if "Plug the board in" in question:
            desk.board.flash.unique_id = bytes(8)
        return ask(question, within_s)

    desk.operator.ask = changed
    with pytest.raises(RigError, match="Another board was plugged in: 0000000000000000"):
        desk.run("supply")


def test_a_board_that_is_pulled_out_in_a_current_is_one_clear_error(at_bench):
    desk = at_bench()
    ask = desk.operator.ask

    def pulled(question, within_s=None):
        if "a current flows" in question:
            desk.board.power_off()
            return "2.0"
        return ask(question, within_s)

    desk.operator.ask = pulled
    with pytest.raises(StimbenchError, match=r"the emulated stimulator"):
        desk.run("pump")
    kept = Record.load(desk.folder)
    assert kept.document.attempts == (), "a step that was not finished is not in the record"


def test_a_person_who_goes_away_leaves_the_output_off(at_bench):
    desk = at_bench()
    desk.operator.answers = [("a current flows", RigError("Nobody answers any more."))]
    with pytest.raises(RigError):
        desk.run("pump")
    desk.bench.run_for(300_000_000)
    parts = desk.board.parts
    assert not parts.gate.q and not any(relay.is_closed for relay in parts.relays.values())
    assert [bridge.state.value for bridge in parts.bridges.values()] == ["off", "off"]


def test_nothing_flows_but_while_its_reading_is_asked_for(at_bench):
    desk = at_bench()
    parts, ask, flowing = desk.board.parts, desk.operator.ask, []

    def watching(question, within_s=None):
        codes = [parts.dac.code(channel) for channel in (0, 1)]
        driven = [bridge.state.value for bridge in parts.bridges.values() if bridge.state.value != "off"]
        if "Red probe" not in question:
            assert codes == [0, 0] and not driven, question
        assert any(codes) == ("a current flows" in question), question
        flowing.append(any(codes))
        return ask(question, within_s)

    desk.operator.ask = watching
    assert desk.run("pump", "bridge").failed is None
    assert sum(flowing) == 8, "4 mA, 10 mA, both phases; each lead"
