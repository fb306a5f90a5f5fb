"""A bench whose stimulator is an implant, and what its pins say of a session."""

from __future__ import annotations

from stimfw.protocol import journal_entries
from stimfw.storage import journal_format
from stimfw.therapy.prescription import Prescription

from stimbench.bench import provision_implant
from stimbench.benchmarks.harness.rig import BRIDGE, MS, SIDES, Rig
from stimbench.client.stimulator import Stimulator
from stimbench.parts.wiring import StimulatorWiring

__all__ = ("NOW_S", "PLAN", "ImplantRig", "PulseCounter", "entries_of")

NOW_S = provision_implant.IMPLANTED_S + 1000
PLAN = provision_implant.SHORT_PLAN.replaced(
    {"left.width_us": 214, "right.width_us": 300, "ramp_up_ms": 2000, "ramp_down_ms": 2000, "on_ms": 10_000,
     "off_ms": 20_000, "session_s": 1800}
)  # fmt: skip
"""The default times; widths that no test pulse has."""


class ImplantRig(Rig):
    """An implant with a prescription, which knows the time.

    Attributes:
        plan: what is prescribed.
    """

    def __init__(
        self,
        seed: int,
        plan: Prescription = PLAN,
        boards: tuple[str, ...] = ("stimulator",),
        wiring: StimulatorWiring | None = None,
    ) -> None:
        """Args: as of Rig."""
        super().__init__(seed, boards, wiring)
        provision_implant.implant(self.bench, plan)
        self.plan = plan

    def __enter__(self) -> ImplantRig:
        return self

    def ready(self) -> Stimulator:
        """Wait for the application and tell it the time; its console."""
        stimulator = self.connect()
        stimulator.set_time(NOW_S)
        self.run_ms(200)
        return stimulator

    def run_forgetting_s(self, seconds: float) -> None:
        """Let time pass, and keep no edges of it."""
        end_ns = self.now_ns + round(seconds * 1000) * MS
        while self.now_ns < end_ns:
            self.bench.run_for(min(10_000 * MS, end_ns - self.now_ns))
            self.forget()

    @property
    def is_off(self) -> bool:
        """Whether no bridge drives and no electrode is joined."""
        joined = any(self.parts.matrix.mask(chip) for chip in range(len(SIDES)))
        return not joined and not any(self.board.pin(signal).level for signal in BRIDGE[:2] + BRIDGE[3:5])


class PulseCounter:
    """The bench's own count: cathodic phases of a lead's prescribed width, from the pins' edges.

    Attributes:
        pulses: of (left, right).
        charge_uc: of the current that the pump was set to, of (left, right).
    """

    def __init__(self, rig: ImplantRig) -> None:
        self.pulses = [0, 0]
        self.charge_uc = [0.0, 0.0]
        for lead, signals in enumerate(SIDES.values()):
            self._watch(rig, lead, signals[0], rig.plan.width_us[lead] * 1000)

    def _watch(self, rig: ImplantRig, lead: int, signal: str, width_ns: int) -> None:
        rose_ns = 0
        code = 0

        def on_edge(level: bool, time_ns: int) -> None:
            nonlocal rose_ns, code
            if level:
                rose_ns, code = time_ns, rig.parts.dac.code(lead)
            elif time_ns - rose_ns == width_ns:
                self.pulses[lead] += code > 0
                self.charge_uc[lead] += code * 2.5 * width_ns / 1e9

        rig.board.pin(signal).on_edge(on_edge)


def entries_of(stimulator: Stimulator) -> list[tuple[int, dict[str, int]]]:
    """Kind and fields of the journal's entries, pulled by requests.

    Raises:
        RuntimeError: its chain does not verify.
    """
    slots: list[bytes] = []
    first = 0
    while page := stimulator.journal(first).slots:
        slots += page
        first = journal_format.number_of(page[-1]) + 1
    faults = journal_format.verify(slots).faults
    if faults:
        raise RuntimeError(f"the journal's chain does not verify: {faults}")
    found = []
    for slot in slots:
        _, _, kind, _, body, _ = journal_format.fields(slot)
        found.append((kind, journal_entries.unpack(kind, body) or {}))
    return found
