"""A calibration on a board: kept whole or not at all, used from the next start on, refused with a reason."""

import struct

import pytest
from stimbench.bench import provision
from stimbench.errors import WrongStateError
from stimfw.protocol import console_frame, messages, requests
from stimfw.storage import layout
from support.board import Board
from support.calibrations import DAY, lead, record
from support.scene import pulse

S = 1_000_000_000


def keep(board: Board, kept) -> None:
    board.client.set_calibration(kept)
    restarted(board)


def restarted(board: Board) -> None:
    """It restarts 0.2 s after its reply."""
    board.wait(0.4)
    board.rebooted()


def forget(board: Board) -> None:
    """Also for the check of the heap, which compares with a board that is not calibrated."""
    board.client.stop()
    board.client.forget_calibration()
    restarted(board)


def test_a_board_has_none_until_it_is_given_one(board: Board):
    assert board.client.status().calibration == "none"
    assert str(board.client.calibration()) == "not calibrated"


def test_it_is_kept_over_starts_and_told(board: Board):
    keep(board, record(lead(permil=1010)))
    board.reset()
    found = board.client.calibration()
    assert found.state == "calibrated" and found.record is not None
    assert found.record.pack() == record(lead(permil=1010)).pack()
    assert str(found) == f"desk 7, {DAY}"
    forget(board)
    assert str(board.client.calibration()) == "not calibrated"


@pytest.mark.emulated
def test_amplitudes_go_by_it(board: Board, bench):
    keep(board, record(lead(permil=1010), lead(permil=980)))
    dac = bench.board("stimulator").parts.dac
    pulse(board)
    board.wait_state(messages.HOLD)
    board.client.amplitude(4000, 5000)
    board.wait(0.2)
    assert (dac.code(0), dac.code(1)) == (1584, 2041)
    assert board.client.status().amplitude_ua == (4000, 5000)
    forget(board)


@pytest.mark.emulated
def test_measured_pulses_go_by_it(board: Board, bench):
    parts = bench.board("stimulator").parts
    for one in parts.leads.values():
        one.load_resistor(1000)

    def measured():
        pulse(board)
        board.wait_state(messages.HOLD)
        board.client.amplitude(2000, 2000)
        board.wait(0.5)
        found = board.client.pulses(count=10)
        board.client.stop()
        currents = [[p.current_ua for p in found if p.lead == k] for k in (0, 1)]
        volts = [[p.late_mv for p in found if p.lead == k] for k in (0, 1)]
        return [sum(each) / len(each) for each in currents + volts]

    before = measured()
    # 3 %: by more than 45 uA of 1 mA the self-test takes the pump for broken.
    keep(board, record(lead(i_gain_ppm=1_030_000, v_gain_ppm=950_000)))
    after = measured()
    shares = [now / then for now, then in zip(after, before, strict=True)]
    assert shares == pytest.approx([1 / 1.03, 1.0, 1 / 0.95, 1.0], abs=0.009)  # of 3 %
    forget(board)


def test_it_is_refused_while_the_output_is_on(board: Board):
    pulse(board)
    board.wait_state(messages.HOLD)
    for call in (lambda: board.client.set_calibration(record()), board.client.forget_calibration):
        with pytest.raises(WrongStateError) as refused:
            call()
        assert refused.value.reason == messages.REASON_LOCKED
    assert board.state() == messages.HOLD
    board.client.stop()
    assert board.client.calibration().state == "none"


def test_what_no_board_can_have_is_refused_and_nothing_changes(board: Board):
    keep(board, record())
    data = bytearray(record().pack())
    struct.pack_into("<I", data, 25, 2_000_000)  # gain of V
    code, _ = board.ask(requests.SET_CALIBRATION, bytes(data))
    assert code == messages.OUT_OF_RANGE
    code, _ = board.ask(requests.SET_CALIBRATION, bytes(data[:-1]))
    assert code == messages.BAD_LENGTH
    assert board.client.calibration().record.pack() == record().pack()


@pytest.mark.emulated
def test_a_damaged_one_is_told_and_nominal_factors_hold(board: Board, bench):
    keep(board, record(lead(permil=900)))
    chip = bench.board("stimulator")
    view = provision.BlockView(chip.flash)
    page = bytearray(256)
    first = next(b for b in (layout.CALIBRATION, layout.CALIBRATION + 1) if _holds(view, b, page))
    view.readblocks(first, page)
    assert page[38] == 0x42  # of the gain of V
    page[38] = 0x40
    view.writeblocks(first, bytes(page), 0)
    board.reset()
    assert board.client.status().calibration == "damaged"
    assert str(board.client.calibration()) == "not calibrated: the record on its flash is damaged"
    pulse(board)
    board.wait_state(messages.HOLD)
    board.client.amplitude(4000, 4000)
    board.wait(0.2)
    assert (chip.parts.dac.code(0), chip.parts.dac.code(1)) == (1600, 1600)
    board.client.stop()
    keep(board, record())  # a new one takes its place
    assert board.client.status().calibration == "calibrated"
    forget(board)


def _holds(view, block, page) -> bool:
    view.readblocks(block, page)
    return bytes(page[:4]) == b"SBr1" and bytes(page[4:10]) != b" first"


@pytest.mark.emulated
def test_a_power_cut_leaves_the_old_or_the_new_one(board: Board, bench):
    old, new = record(lead(permil=1010)), record(lead(permil=990))
    keep(board, old)
    chip = bench.board("stimulator")
    count = len(chip.flash.operations)
    keep(board, new)
    operations = len(chip.flash.operations) - count
    seen = set()
    for index in range(operations):
        keep(board, old)
        number = len(chip.flash.operations) + index
        board.write(console_frame.encode(90, messages.request(requests.SET_CALIBRATION, new.pack())))
        assert bench.run_until(lambda n=number: len(chip.flash.operations) > n, 3 * S, 50_000)
        operation = chip.flash.operations[number]
        bench.run_to(max(bench.now_ns, (operation.start_ns + operation.end_ns) // 2))
        chip.power_off()
        chip.power_on()
        board.rebooted()
        found = board.client.calibration()
        assert found.state == "calibrated" and found.record.pack() in (old.pack(), new.pack()), index
        seen.add(found.record.pack())
    assert seen == {old.pack(), new.pack()}
