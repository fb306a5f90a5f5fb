"""How fast an implant's output goes off by a STOP, in all that a session and a test train do."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stimfw.protocol import asking, console_frame, messages, requests
from stimfw.telemetry.requester import STOP_LIMIT_MS

from stimbench.attacks.air import RadioPeer
from stimbench.benchmarks.harness.load import COLLECTING_IN_PERIODS
from stimbench.benchmarks.harness.model import Line, Options, Row
from stimbench.benchmarks.harness.rig import BRIDGE, MS
from stimbench.benchmarks.output.trials import Trial, worst_line
from stimbench.benchmarks.therapy.rig import PLAN, ImplantRig
from stimbench.parts import faults

__all__ = ("STOP_OF_IMPLANT",)

_PLAN = PLAN.replaced(
    {
        "ramp_up_ms": 1000,
        "ramp_down_ms": 1000,
        "on_ms": 6000,
        "off_ms": 2000,
        "session_s": 120,
        "left.least_ua": 1000,
        "left.most_ua": 2000,
        "right.least_ua": 1000,
        "right.most_ua": 3000,
    }
)
_FAST = _PLAN.replaced({"rate_hz": 100, "left.gap_us": 50, "right.gap_us": 50})
_FASTEST = _PLAN.replaced({"rate_hz": 200, "left.width_us": 400, "right.width_us": 600})
_PERIOD_NS = _PLAN.period_us * 1000
_LEAST_NS = 60 * MS
_AFTER_MS = 30
_LONGEST_NS = 500 * MS
_CHECKED_FOR_NS = 340 * MS  # from the reply to START to the first pulse
_DIAGNOSED_FOR_NS = 700 * MS
_OTHER_UA = tuple(ua - 25 for ua in _PLAN.amplitude_ua)
_RUNNING = (messages.RAMP_UP, messages.HOLD, messages.RAMP_DOWN, messages.REST)
_ASKED = (
    (requests.THERAPY, ()), (requests.LEDGER, (0,)), (requests.CONTRACTIONS, (1, 0)), (requests.WATCH, (1,)),
    (requests.JOURNAL, (0,)), (requests.AMPLITUDE, _OTHER_UA), (requests.STATUS, ()), (requests.IDENTIFY, ()),
)  # fmt: skip
_HOLD_S, _TRAIN_PULSES = 1.6, 100


@dataclass(frozen=True)
class _Case:
    """Trial `number` of `trials` of a kind."""

    kind: str
    number: int
    trials: int
    seed: int

    def share(self) -> float:
        """Where in its span the packet ends, 0 to 1: spread evenly, at random within each part."""
        rng = random.Random(f"stop of an implant {self.kind} {self.number} {self.seed}")
        return (self.number + rng.random()) / self.trials


def _in_check(rig: ImplantRig, case: _Case) -> int:
    """Before the first pulse: impedances, switches, the inputs at rest."""
    rig.connect().start()
    return rig.now_ns + int(case.share() * _CHECKED_FOR_NS)


def _in_hold(rig: ImplantRig, case: _Case) -> int:
    """Anywhere in a period of a hold."""
    rig.connect().start()
    rig.run_ms(_HOLD_S * 1000)
    return rig.now_ns + _LEAST_NS + int(case.share() * _PERIOD_NS)


def _in_ramp(rig: ImplantRig, case: _Case) -> int:
    """Anywhere in a ramp."""
    rig.connect().start()
    rig.run_ms(400)
    return rig.now_ns + int(case.share() * 900 * MS)


def _asked(rig: ImplantRig, case: _Case) -> int:
    """In a hold, up to 14 ms behind a request of the host's."""
    event_ns = _in_hold(rig, case)
    opcode, values = _ASKED[case.number % len(_ASKED)]
    body = asking.pack_body(requests.row_of(opcode), values)
    line = console_frame.encode(case.number & 0xFF, messages.request(opcode, body))
    early_ns = random.Random(f"asked {case.number} {case.seed}").randrange(14 * MS)
    rig.bench.at(event_ns - early_ns, lambda: rig.board.console.write(line))
    return event_ns


def _in_diagnosis(rig: ImplantRig, case: _Case) -> int:
    """After the left DAC's code stuck in a hold: all is off, and test pulses look for the cause."""
    rig.connect().start()
    rig.run_ms(_HOLD_S * 1000)
    rng = random.Random(f"diagnosed {case.number} {case.seed}")
    place = faults.Place(rig.parts, rig.board.scheduler, "left", _PLAN.cathode[0], _PLAN.anode[0], rng)
    faults.failure("DAC code stuck").inject(place)
    return rig.now_ns + int(case.share() * _DIAGNOSED_FOR_NS)


def _in_train(rig: ImplantRig, case: _Case) -> int:
    """Anywhere in a test train that the clinician holds."""
    stimulator = rig.connect()
    stimulator.train(0, 1, 2, 2000, 214, 50, 50, _TRAIN_PULSES)
    rig.run_ms(200)
    stimulator.train_on()
    return rig.now_ns + _LEAST_NS + int(case.share() * _PERIOD_NS)


_COLLECTING = "in a hold, garbage collected between pulses where there is room"
_KINDS: dict[str, tuple[Callable[[ImplantRig, _Case], int], int]] = {
    "in the check before the first pulse": (_in_check, 32),
    "in a ramp": (_in_ramp, 16),
    "in a ramp at 200 Hz": (_in_ramp, 32),
    "in a hold": (_in_hold, 32),
    "in a hold at 100 Hz": (_in_hold, 16),
    "in a hold at 200 Hz": (_in_hold, 32),
    "in a hold while the host asks": (_asked, 40),
    _COLLECTING: (_in_hold, 64),
    "after a part has failed": (_in_diagnosis, 24),
    "in a test train": (_in_train, 16),
}


_PLANS = {
    "in a hold at 100 Hz": _FAST, "in a hold at 200 Hz": _FASTEST, "in a ramp at 200 Hz": _FASTEST,
}  # fmt: skip


def _cases(options: Options) -> list[_Case]:
    return [
        _Case(kind, number, trials, options.seed + number)
        for kind, (_, all_trials) in _KINDS.items()
        for trials in (max(2, all_trials // 8) if options.quick else all_trials,)
        for number in range(trials)
    ]


def _work(case: _Case) -> Trial:
    with ImplantRig(case.seed, _PLANS.get(case.kind, _PLAN)) as rig:
        for lead in rig.parts.leads.values():
            lead.trace.enabled = False
        if case.kind == _COLLECTING:
            rig.execute(COLLECTING_IN_PERIODS)
        rig.ready()
        peer = RadioPeer(rig.bench, rig.pairing)
        if peer.ask(messages.request(requests.STATUS)) is None:
            raise RuntimeError("the stimulator does not answer its peer")
        event_ns = _KINDS[case.kind][0](rig, case)
        peer.frame_at(event_ns, messages.request(requests.STOP), STOP_LIMIT_MS)
        rig.bench.run_to(max(rig.now_ns, event_ns))
        in_pulse = any(rig.board.pin(signal).level for signal in BRIDGE)
        rig.bench.run_until(lambda: rig.is_off, _LONGEST_NS)
        rig.run_ms(_AFTER_MS)
        off_ns = rig.off_ns(event_ns)
        if peer.finish() is None:
            raise RuntimeError("the stimulator did not answer a STOP")
        rig.run_ms(2 * _PERIOD_NS / MS)
        rig.board.console.read()
        late = rig.bridge_edges(off_ns + 1) + (rig.connect().status().state in _RUNNING)
        return Trial(case.kind, event_ns % _PERIOD_NS, off_ns - event_ns, in_pulse, late)


def _judge(found: Sequence[Trial], options: Options) -> list[Line]:
    return [
        worst_line(f"STOP packet's end -> both bridges off: {kind}",
                   [trial for trial in found if trial.kind == kind], 5, "ms", MS, options)
        for kind in _KINDS
    ]  # fmt: skip


STOP_OF_IMPLANT = Row(
    "implant-stop", "STOP of an implant: end of its radio packet -> both bridges off", _cases, _work, _judge,
    weight=4,
)  # fmt: skip
