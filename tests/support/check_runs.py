"""Runs of plans without a bench: what each case records, or how it goes wrong, is chosen by its seed."""

import numpy as np
from stimbench.analysis.synthetic import Recipe, make_truth
from stimbench.checks.on_bench import Recorded
from stimbench.errors import BenchError, NoAnswerError, PortError, RefusedError, RigError

from support.captures import exact_capture

CLEAN, MISSING, LOST, MUTE, RIG, BENCH, BUG, REFUSED, CTRL_C, BY_TURNS, MOVED = range(1, 12)

PLAN = """name = "mine"
description = "For tests: what \\u00e9 is, <b> & so on."
[program]
ramp_up_ms = 200
ramp_down_ms = 200
on_ms = 1000
off_ms = 400
[[matrix]]
name = "some"
seed = {seeds}
"""


def plan_file(tmp_path, *seeds, name="plan.toml"):
    path = tmp_path / name
    path.write_text(PLAN.format(seeds=list(seeds)))
    return path


class Bench:
    """Stands for checks.on_bench.record.

    Attributes:
        asked: the seed of every case that was run, in order.
        mended: Ctrl-C and errors of the rig come no more.
    """

    def __init__(self):
        self.asked = []
        self.mended = False

    def record(self, case, firmware):
        self.asked.append(case.seed)
        if not self.mended:
            self._go_wrong(case.seed)
        made = Recipe(
            seconds=3.5, ramp_ms=200, on_ms=1000, off_ms=440, amplitude_ua=case.program.amplitude_ua,
            digital_hz=0, analog_hz=0, recharge_us=100, seed=7,
        )  # fmt: skip
        truth = make_truth(made)
        for lead in truth.pulses:
            truth.pulses[lead]["start_ns"] += 100_000_000  # from START to the first pulse
        if case.seed == MISSING or (case.seed == BY_TURNS and self.asked.count(BY_TURNS) % 2):
            truth.drop("left", 12)
        if case.seed == MOVED and self.mended:
            truth.amplitudes_ua["left"] = truth.amplitudes_ua["left"] * 1.005
        inside = {lead: pulses["start_ns"] < 3_490_000_000 for lead, pulses in truth.pulses.items()}
        truth.pulses = {lead: pulses[inside[lead]] for lead, pulses in truth.pulses.items()}
        truth.amplitudes_ua = {
            lead: np.array(each[inside[lead]]) for lead, each in truth.amplitudes_ua.items()
        }
        return Recorded(exact_capture(made, truth), firmware={"stimulator": "1.0 abc"}, state="hold")

    def _go_wrong(self, seed):
        if seed == CTRL_C:
            raise KeyboardInterrupt
        error = {
            LOST: PortError("/dev/ttyACM0 went away."),
            MUTE: NoAnswerError("The stimulator did not answer within 2 s."),
            RIG: RigError("sigrok-cli ended: \x1b[31mno device\x00 \udcff."),
            BENCH: BenchError("no image"),
            BUG: ZeroDivisionError("division by zero"),
            REFUSED: RefusedError("not ready: a fault is latched", 5),
        }.get(seed)
        if error is not None:
            raise error


def leave_charts_out(monkeypatch):
    """They take seconds for each page; tests/checks draws them."""
    for name in ("case_charts", "neighbourhood_charts"):
        monkeypatch.setattr(f"stimbench.checks.page.{name}", lambda result: [])
