"""The range of every parameter: the one table that the boards, the radio and the host check against.

The numbers are those that clinical programmers offer for comparable systems, bounded by what the
bench's parts can do (docs/hardware.md).
"""

ELECTRODES_A_LEAD = 4
LEADS = ("left", "right")


class ParameterError(ValueError):
    """A value was refused. Says which field, what was given and what is allowed."""

    def __init__(self, field: str, value: object, allowed: str) -> None:
        super().__init__("%s = %s: allowed is %s" % (field, value, allowed))
        self.field = field
        self.value = value
        self.allowed = allowed


class Range:
    """An integer parameter: `low`..`high` inclusive, in steps of `step` from `low`; `or_off`: 0 as well."""

    def __init__(
        self, name: str, low: int, high: int, unit: str = "", step: int = 1, or_off: bool = False
    ) -> None:
        self.name = name
        self.low = low
        self.high = high
        self.unit = unit
        self.step = step
        self.or_off = or_off

    def text(self) -> str:
        """The range in words, as error messages and help texts give it."""
        words = "%d to %d" % (self.low, self.high)
        if self.unit:
            words += " " + self.unit
        if self.step != 1:
            words += " in steps of %d" % self.step
        return "0 (off), or " + words if self.or_off else words

    def holds(self, value: object) -> bool:
        """Whether `value` is an integer (a bool is none) of this range."""
        if not isinstance(value, int) or isinstance(value, bool):
            return False
        if self.or_off and value == 0:
            return True
        return self.low <= value <= self.high and (value - self.low) % self.step == 0

    def check(self, value: object, prefix: str = "") -> int:
        """`value`, if this range holds it.

        Raises:
            ParameterError: it does not; the field is `prefix` + the range's name.
        """
        if isinstance(value, int) and self.holds(value):
            return value
        raise ParameterError(prefix + self.name, value, self.text())


AMPLITUDE_UA = Range("amplitude_ua", 0, 10_000, "uA", 25)
WIDTH_US = Range("width_us", 20, 1000, "us")
GAP_US = Range("gap_us", 0, 500, "us")
RATE_HZ = Range("rate_hz", 1, 200, "Hz")
RAMP_UP_MS = Range("ramp_up_ms", 0, 10_000, "ms")
RAMP_DOWN_MS = Range("ramp_down_ms", 0, 10_000, "ms")
ON_MS = Range("on_ms", 1000, 60_000, "ms")
OFF_MS = Range("off_ms", 0, 300_000, "ms")
SESSION_S = Range("session_s", 60, 3600, "s")
CONTACT_S = Range("contact_s", 20, 3600, "s", or_off=True)
CATHODE = Range("cathode", 0, ELECTRODES_A_LEAD - 1)
ANODE = Range("anode", 0, ELECTRODES_A_LEAD - 1)

# Between the end of one lead's pulse and the start of the other's: the bridges never overlap, and
# the second lead latches its amplitude (waveform.LEAD_IN_US before its pulse) while neither is on. Two pulses
# and two guards must fit into a period.
GUARD_US = 20


def slot_us(width_us: int, gap_us: int) -> int:
    """What a pulse and its guard take of a period, in us."""
    return 2 * width_us + gap_us + GUARD_US
