"""When the converter looks at a pulse of a watched train: eight samples in both phases and before them.

The sampler's programme is that of stimfw.pulses.sampling. Its table of delays has a part for each lead, so
widths and gaps may differ.
"""

from typing import TYPE_CHECKING

from stimfw.pulses.sampling import SamplePlan

if TYPE_CHECKING:
    from collections.abc import Sequence

KINDS = "VIVIIVIV"
"""What is looked at: voltage and current at rest; voltage, current, current and voltage in the cathodic
phase; current and voltage in the anodic one."""
REST_V, REST_I, EARLY_V, EARLY_I, LATE_I, LATE_V, ANODIC_I, ANODIC_V = range(8)
"""Places in a pulse's samples."""

REST_US = (-10, -6)
"""Before the cathodic edge: the recharge opened 8 us before the first one, the amplifiers settle in 2 us."""
_CONVERSION_US = 2
_APART_US = 3


def times_us(width_us: int, gap_us: int) -> "tuple[int, ...]":
    """When to look at a pulse, us after its cathodic edge, ascending; a conversion takes 2 us.

    The first sample of a phase is a sixth of it, 30 us at the most, from its beginning: early enough to see
    the access resistance, late enough for the amplifiers (one pole of 800 kHz: 1.4 us to 0.1 %). The last one
    ends 2 us before the phase does.

    Args:
        width_us: 20 or more.
        gap_us: 0 or more.
    """
    early = min(30, max(3, width_us // 6))
    late = width_us - 2 - _CONVERSION_US
    first = early + max(_APART_US, (late - early) // 3)
    second = max(first + _APART_US, late - max(_APART_US, (late - early) // 3))
    anodic = width_us + gap_us
    return REST_US + (
        early, first, second, max(late, second + _APART_US),
        anodic + width_us // 2 - 2, anodic + late,
    )  # fmt: skip


class PairPlan(SamplePlan):
    """The samples of both leads' pulses: attributes as of SamplePlan, `times_ns` the left lead's.

    Attributes:
        right_ns: when each conversion of the right lead starts, ns after its cathodic edge.
    """

    def __init__(self, start: int, left: "Sequence[int]", right: "Sequence[int]") -> None:
        """Place KINDS as near to `left` and `right` (us after each lead's edge) as the sampler can.

        Raises:
            ValueError: they are closer than 2.8 us.
        """
        super().__init__(start, KINDS, right)
        self.right_ns = self.times_ns
        table = self.table[len(KINDS) :]
        super().__init__(start, KINDS, left)
        self.table = self.table[: len(KINDS)] + table


