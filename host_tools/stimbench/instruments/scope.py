"""An open oscilloscope: armed, waited for, read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stimbench.capture.capture import Capture, Origin
from stimbench.capture.channel_map import ChannelMap
from stimbench.capture.grid import NS_PER_S, instants
from stimbench.capture.instrument_csv import rate_of
from stimbench.capture.samples import ArrayBlocks, Samples
from stimbench.errors import InputError, RigError
from stimbench.instruments.binary_block import parse_block
from stimbench.instruments.scope_profiles import Preamble, ScopeProfile, parse_preamble, profile_of
from stimbench.instruments.visa_resource import Resource, answered

__all__ = ("Patience", "Scope")

_POLL_S = 0.02


@dataclass(frozen=True)
class Patience:
    """How long to wait, by which clock.

    Attributes:
        seconds: for the trigger, and for the end of a recording after its own duration.
        monotonic: the time in seconds.
        sleep: lets time pass.
    """

    seconds: float
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]


class Scope:
    """An open oscilloscope of a known make."""

    def __init__(
        self, name: str, resource: Resource, channels: ChannelMap, origin: Origin, patience: Patience
    ) -> None:
        """Ask it who it is.

        Args:
            name: the resource's name.
            resource: the open resource.
            channels: which of `CH1` to `CH4` is which signal.
            origin: what is known of it beside its own words.
            patience: how long to wait.

        Raises:
            RigError: it does not answer, or is of an unknown make.
        """
        self._name, self._resource, self._channels, self._patience = name, resource, channels, patience
        identity = self._ask("*IDN?")
        self.profile: ScopeProfile = profile_of(identity)
        maker, model, serial, *_ = [*(part.strip() for part in identity.split(",")), "", "", ""]
        self.origin = replace(origin, instrument=f"{maker} {model} {serial}".strip())

    @property
    def _numbers(self) -> dict[str, int]:
        return {name: int(name.removeprefix("CH")) for name in self._channels.channels}

    def check_channels(self) -> None:
        """All channels must be there and switched on.

        Raises:
            InputError: it does not have one.
            RigError: some are off; all of them are named.
        """
        known = [f"CH{number}" for number in range(1, self.profile.channels + 1)]
        self._channels.require(known, self.origin.instrument)
        query = self.profile.displayed_query
        off = [
            name for name, number in self._numbers.items()
            if self._ask(query.format(channel=number)).strip() not in ("1", "ON")
        ]  # fmt: skip
        if off:
            raise RigError(f"{', '.join(off)} of {self.origin.instrument} is off: switch it on, set it up.")

    def arm(self) -> None:
        """Arm it for one capture.

        Raises:
            RigError: it does not wait for its trigger afterwards.
        """
        for command in self.profile.arm:
            if command.endswith("?"):
                self._ask(command)
            else:
                self._tell(command)
        if not self._wait(self.profile.armed_query, self.profile.is_armed, self._patience.seconds):
            raise RigError(
                f"{self.origin.instrument} does not wait for its trigger: does it trigger at once, or is its "
                f"sweep mode AUTO?"
            )

    def stop(self) -> None:
        """End what it does."""
        self._tell(":STOP")

    def wait_done(self, duration_ms: int) -> None:
        """Wait until it has recorded.

        Raises:
            RigError: it has not within the time.
        """
        patience_s = self._patience.seconds + duration_ms / 1000
        if not self._wait(self.profile.done_query, self.profile.is_done, patience_s):
            raise RigError(f"{self.origin.instrument} never triggered within {patience_s:g} s.")

    def read(self, duration_ms: int) -> Capture:
        """All channels, under the bench's names.

        Raises:
            RigError: it sent what makes no sense.
        """
        channels = {name: self._samples(name, number) for name, number in self._numbers.items()}
        spans = {(each.start_ns, each.rate_hz, each.count) for each in channels.values()}
        if len(spans) > 1:
            raise RigError(f"The channels of {self.origin.instrument} differ in their times.")
        start_ns, rate_hz, count = spans.pop()
        end_ns = int(instants(count, rate_hz, start_ns))
        lasts_ms = (end_ns - start_ns) / 1e6
        stopped = f"its memory holds {lasts_ms:g} of {duration_ms} ms" if lasts_ms < duration_ms else ""
        capture = Capture(
            {}, channels, start_ns=start_ns, end_ns=end_ns, source=self.origin.instrument,
            origin=replace(self.origin, stopped=stopped),
        )  # fmt: skip
        return self._channels.apply(capture)

    def _samples(self, name: str, number: int) -> Samples:
        profile, source = self.profile, f"{name} of {self.origin.instrument}"
        for command in profile.select:
            self._tell(command.format(channel=number))
        preamble = parse_preamble(self._ask(":WAVeform:PREamble?"))
        codes = np.frombuffer(b"".join(self._blocks(preamble, source)), dtype=np.uint8)
        holes = int((codes == profile.hole).sum()) if profile.hole >= 0 else 0
        if holes:
            raise RigError(f"{source} lacks {holes} of {len(codes)} samples.")
        try:
            rate_hz = rate_of(preamble.x_increment_s, source)
        except InputError as error:
            raise RigError(str(error)) from error
        first_s = preamble.x_origin_s - preamble.x_reference * preamble.x_increment_s
        return _volts(codes, preamble, profile, round(first_s * NS_PER_S), rate_hz)

    def _blocks(self, preamble: Preamble, source: str) -> Iterator[bytes]:
        most = self.profile.most_points or preamble.points
        for first in range(1, preamble.points + 1, most):
            last = min(first + most - 1, preamble.points)
            for command in self.profile.range_commands:
                self._tell(command.format(first=first, last=last))
            self._tell(":WAVeform:DATA?")
            data = parse_block(answered(self._name, self._resource.read_raw), source)
            if len(data) != last - first + 1:
                raise RigError(
                    f"{source} sent {len(data)} samples, and its preamble says {last - first + 1} of "
                    f"{preamble.points}."
                )
            yield data

    def _wait(self, query: str, is_so: Callable[[str], bool], patience_s: float) -> bool:
        """Ask until it is so; False if it is not within the time."""
        until_s = self._patience.monotonic() + patience_s
        while True:
            answer = self._ask(query)
            try:
                if is_so(answer):
                    return True
            except ValueError as error:
                raise RigError(f"{self._name} answers {answer.strip()!r} to {query}.") from error
            if self._patience.monotonic() >= until_s:
                return False
            self._patience.sleep(_POLL_S)

    def _tell(self, command: str) -> None:
        answered(self._name, lambda: self._resource.write(command))

    def _ask(self, query: str) -> str:
        return answered(self._name, lambda: self._resource.query(query))


def _volts(
    codes: NDArray[np.uint8], preamble: Preamble, profile: ScopeProfile, start_ns: int, rate_hz: int
) -> Samples:
    scale, offset = preamble.y_increment, profile.offset_v(preamble)
    ends = [offset + scale * code for code in (profile.lowest, profile.highest)]
    limits = min(ends), max(ends)
    return Samples(start_ns, rate_hz, "V", ArrayBlocks(codes, scale, offset), limits=limits)
