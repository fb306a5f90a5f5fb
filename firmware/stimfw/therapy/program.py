"""A stimulation programme: what a contraction is made of, checked whole before any of it is used.

A cycle is ramp up, hold (`on_ms`), ramp down, rest (`off_ms`); cycles repeat until `session_s` is over, or no
paired remote was heard for `contact_s` (0: however long).
"""

import struct
import sys

from stimfw.therapy import ranges
from stimfw.therapy.ranges import LEADS, ParameterError, Range

# The wire's order of the fields that both leads share, then of those that each lead has, then of those that
# came later and both share. A refused field travels as its index in FIELD_NAMES: append only.
SHARED = (
    ranges.WIDTH_US,
    ranges.GAP_US,
    ranges.RATE_HZ,
    ranges.RAMP_UP_MS,
    ranges.RAMP_DOWN_MS,
    ranges.ON_MS,
    ranges.OFF_MS,
    ranges.SESSION_S,
)
PER_LEAD = (ranges.AMPLITUDE_UA, ranges.CATHODE, ranges.ANODE)
APPENDED = (ranges.CONTACT_S,)
FIELD_NAMES = tuple(
    [r.name for r in SHARED]
    + [lead + "." + r.name for lead in LEADS for r in PER_LEAD]
    + [r.name for r in APPENDED]
)

_FORMAT = "<HHHHHHIHHBBHBBH"
PACKED_BYTES = struct.calcsize(_FORMAT)

_NET_CURRENT_TEXT = (
    "at most %d uA for 25 nA of net direct current (longer contractions, longer ramps, shorter pulses, a "
    "shorter gap or a lower rate allow more)"
)
# 20 Hz is stated for the therapy that the bench reproduces; the rest are the field's usual values. The
# amplitudes are zero: nothing comes out until somebody has set one.
_DEFAULTS = (214, 0, 20, 2000, 2000, 10_000, 20_000, 1800, 0, 1, 2, 0, 1, 2, 0)
_SHAPE = 6  # the fields that bound the amplitude: up to on_ms
_DEFAULT_MOST_UA = 10_000
"""What stimfw.therapy.net_current says of the defaults, so that a start need not load it."""


def range_of(field: str) -> Range:
    """The range of a field of FIELD_NAMES."""
    name = field.split(".")[-1]
    for known in SHARED + PER_LEAD + APPENDED:
        if known.name == name:
            return known
    raise ParameterError(field, "unknown", "one of " + ", ".join(FIELD_NAMES))


def period_us(rate_hz: int) -> int:
    """The period of a rate, in whole microseconds, the nearest one (at most 0.01 % away)."""
    return (1_000_000 + rate_hz // 2) // rate_hz


class Program:
    """A whole, valid programme; it cannot be made otherwise, and never changes.

    Attributes: by the fields' names; most_ua: what the net direct current leaves of the amplitudes' range.
    """

    def __init__(self, values: "tuple[int, ...]") -> None:
        """Check `values` (the order of FIELD_NAMES) and keep them.

        Raises:
            ParameterError: the first field that is out of its range, or does not fit the others.
        """
        if len(values) != len(FIELD_NAMES):
            raise ParameterError("programme", "%d fields" % len(values), "%d fields" % len(FIELD_NAMES))
        for name, value in zip(FIELD_NAMES, values):
            range_of(name).check(value, name[: name.rfind(".") + 1])
        self._keep(tuple(values))
        self._check_together()
        self.most_ua = self._most_ua()
        self.check_net_current()

    def _keep(self, values: "tuple[int, ...]") -> None:
        self.values = values
        (
            self.width_us,
            self.gap_us,
            self.rate_hz,
            self.ramp_up_ms,
            self.ramp_down_ms,
            self.on_ms,
            self.off_ms,
            self.session_s,
        ) = self.values[:8]
        self.amplitude_ua = (self.values[8], self.values[11])
        self.cathode = (self.values[9], self.values[12])
        self.anode = (self.values[10], self.values[13])
        self.contact_s = self.values[14]
        self.period_us = period_us(self.rate_hz)

    def _check_together(self) -> None:
        for index, lead in enumerate(LEADS):
            if self.cathode[index] == self.anode[index]:
                raise ParameterError(lead + ".anode", self.anode[index], "another electrode than the cathode")
        slot = ranges.slot_us(self.width_us, self.gap_us)
        if slot > self.period_us // 2:
            raise ParameterError(
                "rate_hz",
                self.rate_hz,
                "at most %d Hz with these widths and gap (two pulses must fit into a period)"
                % (1_000_000 // (2 * slot)),
            )

    def _most_ua(self) -> int:
        """What stimfw.therapy.net_current allows. A board gives back the module's heap."""
        if self.values[:_SHAPE] == _DEFAULTS[:_SHAPE]:
            return _DEFAULT_MOST_UA
        held = "stimfw.therapy.limits" in sys.modules
        # In this order: an import inside an import takes 0.5 KB of C's stack, far down in a request by radio.
        from stimfw.therapy import limits, net_current

        del limits
        most_ua = net_current.most_ua(
            self.width_us, self.gap_us, self.period_us, self.ramp_up_ms, self.on_ms, self.ramp_down_ms
        )
        if not held and sys.implementation.name == "micropython":
            for own in ("net_current", "limits"):
                del sys.modules["stimfw.therapy." + own]
                delattr(sys.modules["stimfw.therapy"], own)
        return most_ua

    def check_net_current(self) -> None:
        """Check what `with_amplitudes` does not: that no amplitude is above `most_ua`.

        Raises:
            ParameterError: a contraction would leave more net direct current than limits.NET_DC_NA.
        """
        for lead, amplitude_ua in zip(LEADS, self.amplitude_ua):
            if amplitude_ua > self.most_ua:
                raise ParameterError(lead + ".amplitude_ua", amplitude_ua, _NET_CURRENT_TEXT % self.most_ua)

    def replaced(self, changes: "dict[str, int]") -> "Program":
        """A new programme with some fields (by FIELD_NAMES) changed.

        Raises:
            ParameterError: a field is unknown or out of range; this programme stays as it is.
        """
        values = list(self.values)
        for name, value in changes.items():
            if name not in FIELD_NAMES:
                raise ParameterError(name, value, "one of " + ", ".join(FIELD_NAMES))
            values[FIELD_NAMES.index(name)] = value
        return Program(tuple(values))

    def with_amplitudes(self, left_ua: int, right_ua: int) -> "Program":
        """The same but for the amplitudes, of which only the ranges are checked: a STOP may wait meanwhile.

        `check_net_current` checks the rest.

        Raises:
            ParameterError: one is out of range.
        """
        for lead, amplitude_ua in zip(LEADS, (left_ua, right_ua)):
            if not ranges.AMPLITUDE_UA.holds(amplitude_ua):
                ranges.AMPLITUDE_UA.check(amplitude_ua, lead + ".")
        v = self.values
        made = object.__new__(Program)
        made._keep(v[:8] + (left_ua,) + v[9:11] + (right_ua,) + v[12:])
        made.most_ua = self.most_ua
        return made

    def after(self, previous: "Program") -> "Program":
        """What a board that had `previous` makes of it: moved electrodes zero their lead's amplitude."""
        changes = {}
        for index, lead in enumerate(LEADS):
            here = (self.cathode[index], self.anode[index])
            if here != (previous.cathode[index], previous.anode[index]):
                changes[lead + ".amplitude_ua"] = 0
        return self.replaced(changes) if changes else self

    def differs_only_in_amplitude(self, other: "Program") -> bool:
        """Whether the two are alike but for the amplitudes: what may change while the output is on."""
        a, b = self.values, other.values
        return a[:8] == b[:8] and a[9:11] == b[9:11] and a[12:] == b[12:]

    def as_dict(self) -> "dict[str, int]":
        """Field name to value, in the order of FIELD_NAMES."""
        return {name: value for name, value in zip(FIELD_NAMES, self.values)}

    def pack(self) -> bytes:
        """The programme as PACKED_BYTES bytes, little endian."""
        return struct.pack(_FORMAT, *self.values)


def unpack(body: bytes) -> Program:
    """The programme of PACKED_BYTES bytes.

    Raises:
        ParameterError: the length is wrong or a value is refused.
    """
    if len(body) != PACKED_BYTES:
        raise ParameterError("programme", "%d bytes" % len(body), "%d bytes" % PACKED_BYTES)
    return Program(struct.unpack(_FORMAT, body))


def default() -> Program:
    """The programme that a new board starts with."""
    return Program(_DEFAULTS)
