"""The ledger of a session: what was delivered, beside what was prescribed, from the measured pulses.

Integers, nothing rounded away: remainders are carried. Counting a pulse takes no heap. Each number that a
pulse touches stays below 2**30, so sums are folded every FOLD pulses.
"""

from typing import TYPE_CHECKING

from stimfw.protocol import journal_entries
from stimfw.therapy.contraction_ledger import Contractions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    class Scales(Protocol):
        """What a ledger needs of a lead's LeadScales."""

        ua_per_1024: int

try:
    from micropython import const  # type: ignore[import-not-found,unused-ignore]
except ImportError:  # CPython

    def const(value: int) -> int:  # type: ignore[misc,unused-ignore]
        """The value itself."""
        return value


FOLD = const(32)
_MOST_U16 = const(0xFFFF)
_MOST_U32 = 0xFFFFFFFF


class Ledger:
    """Both leads' ledger.

    Attributes, by lead (0 left, 1 right):
        pulses: measured ones with an amplitude.
        silent: measured ones whose amplitude was set to 0; they are in nothing else.
        missed: that were made and not measured.
        contractions: in which the lead had an amplitude.
        each: what each contraction has delivered.
    """

    def __init__(
        self, width_us: "Sequence[int]", period_us: int, scales: "Sequence[Scales]"
    ) -> None:
        """Nothing was delivered yet.

        Args:
            width_us: of a phase, by lead.
            period_us: from pulse to pulse.
            scales: by lead, what codes stand for (stimfw.pulses.lead_scales.LeadScales).
        """
        self._width_us = tuple(width_us)
        self._period_us = period_us
        self._ua_per_1024 = (scales[0].ua_per_1024, scales[1].ua_per_1024)
        self.pulses = [0, 0]
        self.silent = [0, 0]
        self.missed = [0, 0]
        self.contractions = [0, 0]
        # Since the last fold: codes, twice the current; uA; pulses.
        self._cathodic = [0, 0]
        self._anodic = [0, 0]
        self._set = [0, 0]
        self._count = [0, 0]
        self._most = [0, 0]  # of the present contraction; codes, twice the current
        self._worst = [0, 0]  # of those before
        self.each = Contractions()
        # Folded, each as (uC, and the rest in uA us): cathodic, anodic, prescribed; by lead.
        self._uc = ([0, 0], [0, 0], [0, 0])
        self._rest = ([0, 0], [0, 0], [0, 0])
        self._code_rest = ([0, 0], [0, 0])

    def count(self, lead: int, cathodic: int, anodic: int, set_ua: int) -> None:
        """A pulse: twice its currents in codes (Watch.cathodic, .anodic), and the amplitude that was set."""
        if set_ua == 0:
            self.silent[lead] += 1
            return
        self.pulses[lead] += 1
        self._cathodic[lead] += cathodic
        self._anodic[lead] += anodic
        self._set[lead] += set_ua
        if cathodic > self._most[lead]:
            self._most[lead] = cathodic
        self._count[lead] += 1
        if self._count[lead] >= FOLD:
            self.fold(lead)

    def fold(self, lead: int) -> None:
        """Turn the codes of the last pulses into charge."""
        self._add(0, lead, self._to_ua(0, lead, self._cathodic[lead]))
        self._add(1, lead, self._to_ua(1, lead, self._anodic[lead]))
        self._add(2, lead, self._set[lead])
        self._cathodic[lead] = self._anodic[lead] = self._set[lead] = self._count[lead] = 0

    def _to_ua(self, phase: int, lead: int, codes: int) -> int:
        """Microamps of twice as many codes; what is left of one is kept for the next time."""
        scaled = codes * self._ua_per_1024[lead] + self._code_rest[phase][lead]
        self._code_rest[phase][lead] = scaled & 2047
        return scaled >> 11

    def _add(self, what: int, lead: int, ua: int) -> None:
        rest, uc = self._rest[what], self._uc[what]
        left = rest[lead] + ua * self._width_us[lead]
        uc[lead] += left // 1_000_000
        rest[lead] = left % 1_000_000

    # What it says; to be asked with the output off.

    def charge_uc(self, lead: int) -> "tuple[int, int, int]":
        """Delivered in the cathodic and in the anodic phase, and prescribed, in uC, rounded down."""
        self.fold(lead)
        return self._uc[0][lead], self._uc[1][lead], self._uc[2][lead]

    def mean_ua(self, lead: int) -> "tuple[int, int]":
        """Mean current of the cathodic phases, delivered and prescribed, ramps included; 0 without pulses."""
        self.fold(lead)
        return self._mean(lead, 0, self.pulses[lead]), self._mean(lead, 2, self.pulses[lead])

    def _pc(self, what: int, lead: int) -> int:
        """Folded charge: 0 cathodic, 1 anodic, 2 prescribed."""
        return self._uc[what][lead] * 1_000_000 + self._rest[what][lead]

    def _mean(self, lead: int, what: int, pulses: int) -> int:
        whole_us = pulses * self._width_us[lead]
        return (self._pc(what, lead) + whole_us // 2) // whole_us if whole_us else 0

    def most_ua(self, lead: int) -> int:
        """The highest cathodic current of a pulse."""
        return max(self._most[lead], self._worst[lead]) * self._ua_per_1024[lead] // 2048

    def close_contraction(self) -> None:
        """A contraction is over, however it ended: what it has delivered goes into `each`."""
        if not self.each.is_new(self.pulses, self.silent):
            return
        for lead in range(2):
            self.fold(lead)
            charge_pc = [self._pc(k, lead) for k in range(3)]
            most_ua = self._most[lead] * self._ua_per_1024[lead] // 2048
            self.each.add(lead, self.pulses[lead], self._width_us[lead], charge_pc, most_ua)
            self._worst[lead] = max(self._worst[lead], self._most[lead])
            self._most[lead] = 0
        self.each.close(self.pulses, self.silent)

    def figures(self, lead: int) -> "tuple[int, ...]":
        """A lead's sums up to the last fold, as LEDGER answers: less is to be done while a STOP may wait.

        While a contraction runs, that is up to FOLD pulses ago. Pulses, charge_nc of the cathodic phases,
        contractions, prescribed_ua and mean_ua, most_ua, missed.
        """
        pulses = self.pulses[lead] - self._count[lead]
        return (
            pulses,
            min(_MOST_U32, max(0, self._pc(0, lead) // 1000)),
            min(_MOST_U16, self.contractions[lead]),
            self._mean(lead, 2, pulses),
            max(0, self._mean(lead, 0, pulses)),
            max(0, self.most_ua(lead)),
            min(_MOST_U16, self.missed[lead]),
        )

    def stimulated_s(self) -> int:
        """Seconds in which pulses came, both leads' together as one."""
        most = max([self.pulses[lead] + self.silent[lead] for lead in range(2)])
        return most * self._period_us // 1_000_000

    def entries(self) -> "list[tuple[int, ...]]":
        """The journal's entries: kind and fields of journal_entries.DELIVERED and CURRENT for each lead."""
        found: "list[tuple[int, ...]]" = []
        for lead in range(2):
            charge = min(_MOST_U32, max(0, self.charge_uc(lead)[0]))
            mean, prescribed = self.mean_ua(lead)
            found.append(
                (
                    journal_entries.DELIVERED, lead, self.pulses[lead], charge,
                    min(_MOST_U16, self.contractions[lead]),
                )
            )  # fmt: skip
            found.append(
                (
                    journal_entries.CURRENT, lead, prescribed, max(0, mean), max(0, self.most_ua(lead)),
                    min(_MOST_U16, self.missed[lead]),
                )
            )  # fmt: skip
        return found
