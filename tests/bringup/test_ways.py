"""Whole bring-ups on the emulated bench: healthy boards pass, and each assembly error is found and named."""

from __future__ import annotations

import pytest
from stimbench.bench.provision import BlockView
from stimbench.benchmarks.tools.bringup import FIRST_STEP as FIRST
from stimbench.bringup.emulated import EmulatedWorkplace, ModelledMeter, open_workplace
from stimbench.bringup.record import Record, procedure_id
from stimbench.bringup.run import run_blocks
from stimbench.bringup.steps import BLOCKS
from stimbench.errors import InputError
from stimbench.parts.assembly import ERRORS
from stimfw.storage import layout
from stimfw.storage.record import Record as FlashRecord
from support import calibrations
from support.bringup import STEPS, clock

pytestmark = pytest.mark.emulated


def board_is_off(workplace: EmulatedWorkplace) -> bool:
    """150 ms later no gate, relay or bridge is on, and the DAC is at zero."""
    bench, parts = workplace._bench, workplace._parts
    bench.run_for(150_000_000)
    relays = any(relay.is_closed for relay in parts.relays.values())
    driven = any(bridge.state.value != "off" for bridge in parts.bridges.values())
    codes = [parts.dac.code(channel) for channel in (0, 1)]
    return not parts.gate.q and not relays and not driven and codes == [0, 0]


@pytest.mark.parametrize(("seed", "tolerance"), [(1, "typical"), (2, "typical"), (3, "worst")])
def test_a_healthy_board_passes_and_is_signed_off(bring_up, seed, tolerance):
    record, ended = bring_up(seed, tolerance)
    assert ended.failed is None and ended.signed
    assert [attempt.step for attempt in record.document.attempts] == [step.name for _, step in STEPS]
    assert record.document.signed.name == f"emulated bench, seed {seed}"


def test_the_table_names_every_error():
    assert set(FIRST) == set(ERRORS)


@pytest.mark.parametrize("error", ERRORS)
def test_each_assembly_error_stops_it_at_the_right_step_with_the_right_name(bring_up, error):
    record, ended = bring_up(planted=(error,))
    assert (ended.failed.step, ended.failed.cause) == (FIRST[error], error)
    assert not ended.signed and record.document.signed is None
    passed = [attempt.step for attempt in record.document.attempts if attempt.outcome == "passed"]
    order = [step.name for _, step in STEPS]
    assert passed == order[: order.index(FIRST[error])], "all before it passed, nothing after it was done"


def test_ctrl_c_in_a_static_current_leaves_the_output_off_and_goes_on_later(tmp_path, monkeypatch):
    real, now = ModelledMeter.volts, clock()

    def interrupted(self, true_v):
        if workplace._parts.bridges["left"].state.value == "anodic" and workplace._parts.dac.code(0) == 1600:
            raise KeyboardInterrupt
        return real(self, true_v)

    with open_workplace(1) as workplace:
        monkeypatch.setattr(ModelledMeter, "volts", interrupted)
        facts = workplace.facts()
        record = Record.begin(tmp_path, facts, procedure_id(BLOCKS), now)
        with pytest.raises(KeyboardInterrupt):
            run_blocks(BLOCKS, BLOCKS, workplace, record, lambda attempt: None)
        assert board_is_off(workplace)
    monkeypatch.undo()
    kept = Record.load(tmp_path, now)
    done = [attempt.step for attempt in kept.document.attempts]
    assert done[-1] == "bridge.L.idle" and kept.document.signed is None
    with open_workplace(1) as workplace:
        kept.require_same(workplace.facts(), procedure_id(BLOCKS))
        ended = run_blocks(BLOCKS, BLOCKS, workplace, kept, lambda attempt: None)
    assert ended.signed
    later = [attempt.step for attempt in kept.document.attempts][len(done) :]
    order = [step.name for _, step in STEPS]
    assert later == ["supply.safe", *order[order.index("bridge.L.phases") :]], "what passed is not done again"


def test_ctrl_c_in_the_middle_of_a_script_leaves_the_output_off(tmp_path, monkeypatch):
    with open_workplace(1) as workplace:
        facts = workplace.facts()
        record = Record.begin(tmp_path, facts, procedure_id(BLOCKS), clock())
        transport = type(workplace._device.enter_repl())
        serial_read = transport.read_until
        fired: list[bool] = []

        def interrupted(self, *args, **more):
            if workplace._parts.bridges["right"].state.value == "cathodic" and not fired:
                fired.append(True)
                raise KeyboardInterrupt
            return serial_read(self, *args, **more)

        monkeypatch.setattr(transport, "read_until", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run_blocks(BLOCKS, BLOCKS, workplace, record, lambda attempt: None)
        workplace._bench.run_for(600_000_000)
        assert fired and board_is_off(workplace)


def test_only_one_block(bring_up):
    record, ended = bring_up(blocks=[block for block in BLOCKS if block.name == "radio"])
    assert ended.failed is None and not ended.signed, "one block is not the board"
    assert [attempt.block for attempt in record.document.attempts] == ["radio"] * 3


def test_a_mended_board_is_measured_again_from_where_it_stopped(tmp_path):
    """Another bench of the same seed is the same board; its record says that it had been wired wrongly."""
    now = clock()
    with open_workplace(1, planted=("ce-open",)) as workplace:
        record = Record.begin(tmp_path, workplace.facts(), procedure_id(BLOCKS), now)
        assert run_blocks(BLOCKS, BLOCKS, workplace, record, lambda attempt: None).failed.cause == "ce-open"
    with open_workplace(1) as workplace:
        with pytest.raises(InputError, match="bench emulated, seed 1, ce-open, and this is emulated, seed 1"):
            record.require_same(workplace.facts(), procedure_id(BLOCKS))
        ended = run_blocks(BLOCKS, BLOCKS, workplace, record, lambda attempt: None)
    assert ended.signed
    outcomes = [a.outcome for a in record.document.attempts if a.step == "radio.ce"]
    assert outcomes == ["failed", "passed"], "the failure stays in the record"


@pytest.mark.parametrize(
    ("more", "says"),
    [({"planted": ("fire",)}, "There is no assembly error"), ({"tolerance": "bad"}, "There is no tolerance")],
)
def test_what_there_is_not_cannot_be_planted(more, says):
    with pytest.raises(InputError, match=says), open_workplace(1, **more):
        pass


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        (None, "not calibrated"),
        (calibrations.record().pack(), f"desk 7, {calibrations.DAY}"),
        (b"\1\2\3", "not calibrated: the record on its flash is damaged"),
    ],
)
def test_a_record_names_the_boards_calibration(payload, says):
    with open_workplace(1) as workplace:
        if payload is not None:
            FlashRecord(BlockView(workplace._board.flash), layout.CALIBRATION).store(payload)
        assert workplace.facts().calibration == says
