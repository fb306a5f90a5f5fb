"""Which channel of an instrument is which signal of the bench: `D0=stimulator.L_CATH`, `CH1=I_LEFT:100ohm`.

- `D0=stimulator.L_CATH`: a digital channel
- `D1=!stimulator.L_ANOD`: a digital channel that is high when the signal is low
- `CH1=I_LEFT:100ohm`: a current, from the voltage at a resistor; `-100ohm` if the probe is the wrong way
- `CH2=I_SENSE:6666.67uA/V@1.65V`: a current, from an amplifier whose output is 1.65 V without current
- `CH3=V_LEFT:10V/V`: a voltage, divided by ten on its way
- `CH4=V_RIGHT`: an analog channel as it is
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stimbench.capture.capture import Capture
from stimbench.capture.channels import Analog, Edges
from stimbench.capture.nearest import NoChannelError, nearest
from stimbench.capture.samples import Blocks, Samples
from stimbench.errors import InputError

__all__ = ("ChannelMap", "Use", "parse_use")

_NUMBER = r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_SCALE = re.compile(rf"({_NUMBER})(ohm|uA/V|mA/V|V/V)(?:@({_NUMBER})V)?")
_PER_VOLT = {"uA/V": ("uA", 1.0), "mA/V": ("uA", 1000.0), "V/V": ("V", 1.0)}
_UA_PER_A = 1e6
_FORM = "D0=stimulator.L_CATH, D1=!stimulator.L_ANOD, CH1=I_LEFT:100ohm or CH2=V_LEFT:10V/V"


@dataclass(frozen=True)
class Use:
    """What one channel of an instrument is used for.

    Attributes:
        channel: its name on the instrument or in the file.
        signal: the bench's name.
        inverted: a digital channel is high when the signal is low.
        unit: of an analog signal, `uA` or `V`; empty if the channel is to be taken as it is.
        scale: so much of the unit is one volt of the channel.
        zero_v: the channel's voltage when the signal is 0.
    """

    channel: str
    signal: str
    inverted: bool = False
    unit: str = ""
    scale: float = 1.0
    zero_v: float = 0.0

    @property
    def analog(self) -> bool:
        """Whether the signal is a current or a voltage."""
        return bool(self.unit) or self.signal.startswith(("I_", "V_"))


def parse_use(text: str) -> Use:
    """One channel's use, as a person types it: see the top of this module.

    Raises:
        InputError: it is not of that form; the text says the form.
    """
    channel, equals, rest = text.partition("=")
    signal, colon, scale = rest.partition(":")
    channel, signal = channel.strip(), signal.strip()
    inverted, signal = signal.startswith("!"), signal.removeprefix("!").strip()
    if not (channel and equals and signal) or (inverted and colon):
        raise InputError(f"{text!r} does not say which channel is which signal: write it like {_FORM}.")
    use = Use(channel, signal, inverted)
    return _scaled(use, text, scale.strip()) if colon else use


def _scaled(use: Use, text: str, scale: str) -> Use:
    found = _SCALE.fullmatch(scale.replace(" ", ""))
    if found is None or float(found[1]) == 0 or not math.isfinite(float(found[1])):
        raise InputError(
            f"{text!r}: {scale!r} is no scale. Write a shunt like 100ohm, an amplifier like 6667uA/V@1.65V, "
            f"a divider like 10V/V."
        )
    number, zero_v = float(found[1]), float(found[3] or 0)
    if found[2] == "ohm":
        return replace(use, unit="uA", scale=_UA_PER_A / number, zero_v=zero_v)
    unit, factor = _PER_VOLT[found[2]]
    return replace(use, unit=unit, scale=number * factor, zero_v=zero_v)


class ChannelMap:
    """Which channel of an instrument, or of a file, is which signal. What it does not name is left out.

    Attributes:
        uses: by channel, in the order in which they were given.
    """

    def __init__(self, uses: Iterable[Use]) -> None:
        """Take the uses.

        Raises:
            InputError: a channel or a signal is named twice.
        """
        self.uses: tuple[Use, ...] = tuple(uses)
        for what, names in (
            ("channel", [use.channel for use in self.uses]),
            ("signal", [use.signal for use in self.uses]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise InputError(f"The channel map names the {what} {', '.join(twice)} twice.")

    @classmethod
    def of(cls, texts: Iterable[str] | Mapping[str, str]) -> ChannelMap:
        """From texts like `D0=stimulator.L_CATH`, or from a table `{"D0": "stimulator.L_CATH"}`.

        Raises:
            InputError: one of them is not of that form, or names what another one names.
        """
        if isinstance(texts, Mapping):
            texts = [f"{channel}={use}" for channel, use in texts.items()]
        return cls(parse_use(text) for text in texts)

    @property
    def channels(self) -> tuple[str, ...]:
        """The instrument's names."""
        return tuple(use.channel for use in self.uses)

    def require(self, known: Iterable[str], source: str) -> None:
        """Check that all channels are there.

        Raises:
            NoChannelError: some are not; the text names all of them, and those that there are.
        """
        names = list(known)
        missing = [channel for channel in self.channels if channel not in names]
        if not missing:
            return
        near = [found for channel in missing if (found := nearest(channel, names)) is not None]
        meant = f" Is {', '.join(near)} meant?" if len(near) == len(missing) else ""
        raise NoChannelError(
            f"{source} has no channel {', '.join(missing)}. It has: {', '.join(names) or 'none'}.{meant}"
        )

    def apply(self, capture: Capture) -> Capture:
        """The capture's channels under the bench's names, turned round and scaled.

        Raises:
            InputError: a channel is missing, an analog one is to be inverted, or a digital one to be scaled.
        """
        self.require([*capture.digital, *capture.analog], capture.source)
        digital, analog = {}, {}
        for use in self.uses:
            if use.channel in capture.digital:
                if use.unit:
                    raise InputError(f"{use.channel} of {capture.source} is digital: it has no scale.")
                digital[use.signal] = partial(_edges, capture, use)
            elif use.inverted:
                raise InputError(
                    f"{use.channel} of {capture.source} is analog: a negative scale turns it round, not a !."
                )
            else:
                analog[use.signal] = partial(_waveform, capture, use)
        return Capture(
            digital, analog,
            start_ns=capture.start_ns, end_ns=capture.end_ns, source=capture.source, origin=capture.origin,
        )  # fmt: skip


def _edges(capture: Capture, use: Use) -> Edges:
    edges = capture.edges(use.channel)
    return edges.inverted() if use.inverted else edges


def _waveform(capture: Capture, use: Use) -> Analog | Samples:
    samples = capture.samples(use.channel)
    if not use.unit:
        return capture.waveform(use.channel) if samples is None else samples
    if samples is None:
        return _scaled_pieces(capture, use)
    limits = samples.limits
    if limits is not None:
        low, high = (use.scale * (limit - use.zero_v) for limit in limits)
        limits = min(low, high), max(low, high)
    return replace(samples, unit=use.unit, blocks=_ScaledBlocks(samples.blocks, use), limits=limits)


def _scaled_pieces(capture: Capture, use: Use) -> Analog:
    """Between its pieces the channel is at 0 V: if the signal's zero is elsewhere, that is a value, too."""
    pieces = capture.waveform(use.channel)
    begin, end = pieces.values
    t0, t1 = pieces.t0_ns, pieces.t1_ns
    if use.zero_v:
        gaps = np.append(capture.start_ns, t1), np.append(t0, capture.end_ns)
        empty = gaps[0] < gaps[1]
        t0, t1 = np.concatenate((t0, gaps[0][empty])), np.concatenate((t1, gaps[1][empty]))
        order, nothing = np.argsort(t0), np.zeros(int(empty.sum()))
        t0, t1 = t0[order], t1[order]
        begin, end = (np.concatenate((values, nothing))[order] for values in (begin, end))
    begin, end = (use.scale * (values - use.zero_v) for values in (begin, end))
    return Samples.KINDS[use.unit](t0, t1, begin, end)


class _ScaledBlocks:
    """Blocks of a channel's volts, read as its signal."""

    def __init__(self, volts: Blocks, use: Use) -> None:
        self._volts, self._use = volts, use

    def __len__(self) -> int:
        return len(self._volts)

    def read(self, first: int, last: int) -> NDArray[np.floating[Any]]:
        """See Blocks.read."""
        volts = self._volts.read(first, last)
        scaled: NDArray[np.floating[Any]] = (volts - volts.dtype.type(self._use.zero_v)) * volts.dtype.type(
            self._use.scale
        )
        return scaled
