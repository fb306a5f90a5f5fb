"""A made-up run of the demonstration: every figure of it holds."""

from __future__ import annotations

from dataclasses import dataclass, field

from stimbench.capture.capture import Capture
from stimbench.capture.channels import Edges, Segments
from stimbench.client.records import Details, Identity, PairImpedance, PulseSample
from stimbench.demo.measured import measure
from stimbench.demo.recording import BRIDGES, Air, Marks, Recording, State, Zoom
from stimfw.protocol import messages
from stimfw.telemetry import frames
from stimfw.therapy.program import Program
from stimfw.therapy.ranges import LEADS

PROGRAM = Program((214, 50, 20, 1000, 1000, 2000, 2000, 60, 2000, 2, 1, 3000, 3, 0, 0))
MS = 1_000_000
PERIOD = 50 * MS
WIDTH, GAP = 214_000, 50_000
START, THERAPY, STOP = 3000 * MS, 3080 * MS, 10_000 * MS
PACKET_NS = 328_000
CYCLE = 6000 * MS


def packet(time_ns, kind=frames.REQUEST):
    payload = bytes((frames.first(kind),)) + bytes(frames.FRAME_BYTES - 1)
    return Air(time_ns, time_ns + PACKET_NS, payload, False)


def pulses(offset_ns):
    """(start, share of the full amplitude): a whole contraction, and one up to 20 ms before STOP."""
    for cycle in (0, 1):
        for n in range(80):
            time_ns = THERAPY + cycle * CYCLE + offset_ns + n * PERIOD
            if time_ns < STOP - 20 * MS:
                yield time_ns, min(1.0, (n + 1) / 21, (80 - n) / 21)


def lead_data(offset_ns, target_ua):
    cath, anod, short, current = [], [], [], []
    for start, share in pulses(offset_ns):
        middle = start + WIDTH + GAP
        end = middle + WIDTH
        cath += [(start, True), (start + WIDTH, False)]
        anod += [(middle, True), (end, False)]
        short += [(end + 4000, True), (start + PERIOD - 12_000, False)]
        ua = target_ua * share
        current += [(start, start + WIDTH, -ua, -ua), (middle, end, ua, ua)]
    short[-1] = (STOP + 6 * MS, False)
    return (cath, anod, short), current


@dataclass
class MadeUp(Recording):
    """A recording whose capture is made from what a test has changed. Buttons rest high."""

    changes: dict = field(default_factory=dict)
    remote_changes: dict = field(default_factory=dict)
    currents: list = field(default_factory=list)

    def measured(self):
        digital = {f"stimulator.{name}": Edges.of(each) for name, each in self.changes.items()}
        digital |= {
            f"remote.{name}": Edges.of(each, initial=name in ("START", "STOP"))
            for name, each in self.remote_changes.items()
        }
        analog = {
            f"I_{name.upper()}": Segments.of(pieces)
            for name, pieces in zip(LEADS, self.currents, strict=True)
        }
        self.capture = Capture(digital, analog, end_ns=self.marks.end)
        return measure(self)


def made_up_recording() -> MadeUp:
    """A good run."""
    names = [name for lead in BRIDGES for name in lead]
    (left, left_current), (right, right_current) = lead_data(0, 2000), lead_data(25 * MS, 3000)
    edges = dict(zip(names, [*left, *right], strict=True))
    edges["MATRIX_CS"] = [
        (1500 * MS, False),
        (THERAPY - 10 * MS, True),
        (THERAPY + CYCLE - 100 * MS, False),
        (STOP + 8 * MS, True),
    ]
    states = [(50, 1), (1100, 2), (3100, 3), (4100, 4), (6100, 1), (7100, 2), (8000, 0)]
    return MadeUp(
        seed=1,
        program=PROGRAM,
        identities=[Identity("stimulator", "0.1.0", "abc"), Identity("remote", "0.1.0", "def")],
        marks=Marks(200 * MS, 500 * MS, 2500 * MS, START, STOP, STOP + 700 * MS),
        failed_parts=(),
        pairs=[
            PairImpedance(lead, c, a, messages.KIND_OK, 503, 1800, 2000)
            for lead in (0, 1) for c in range(4) for a in range(4) if c != a
        ],
        fitted_ohm={(lead, c, a): 500.0 for lead in (0, 1) for c in range(4) for a in range(4) if c != a},
        states=[State(START + ms * MS, state, (0, 0)) for ms, state in states],
        moved_ua=0,
        stop_cause=messages.STOPPED_REMOTE,
        changes=edges,
        remote_changes={
            "START": [(START, False), (START + 100 * MS, True)],
            "STOP": [(STOP, False), (STOP + 100 * MS, True)],
            "LED_GREEN": [(START + 12 * MS, True), (START + 200 * MS, False)],
        },
        currents=[left_current, right_current],
        air=[
            packet(START + 5 * MS, frames.HELLO),
            packet(START + 7 * MS, frames.CHALLENGE),
            packet(START + 8 * MS),
            packet(STOP + 5 * MS),
            packet(STOP + 7 * MS, frames.REPLY),
        ],
        zoom=Zoom(0, [THERAPY + 30 * PERIOD + k * 2000 for k in range(300)], [0.0] * 300),
        details=Details(10_000, 117, 117, 1, 1, 250, 200_000, 190_000),
        bus_errors=(),
        samples=[PulseSample(80 + k, k % 2, (2010, 2990)[k % 2], -1000, -1100) for k in range(20)],
    )  # fmt: skip
