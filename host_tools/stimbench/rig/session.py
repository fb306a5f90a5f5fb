"""A bench while it is used: its boards, instruments and supply. For checks all benches are alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from stimbench.bench import Bench
from stimbench.client.stimulator import Stimulator, connect
from stimbench.devices.claims import TargetPool
from stimbench.devices.device import Device, Power
from stimbench.devices.emulated_device import EmulatedDevice, EmulatedPower
from stimbench.devices.serial_device import SerialDevice
from stimbench.devices.targets import Target, UsbPort, port_of
from stimbench.errors import InputError, PortError
from stimbench.instruments.interfaces import CaptureSource
from stimbench.rig.bench_source import BenchSource
from stimbench.rig.file import BenchFile, WiredSource
from stimbench.rig.person import Person, person_at_terminal
from stimbench.rig.power import UhubctlPower
from stimbench.rig.sources import source_of

__all__ = ("EmulatedSession", "NamedSource", "RigParts", "Session", "WiredSession")

_BACK_TRIES = 50
_BACK_S = 0.2
"""A board that was switched on gets 10 s to appear on USB."""


def _system_ports() -> Sequence[UsbPort]:
    import serial.tools.list_ports  # type: ignore[import-untyped, unused-ignore]

    return list(serial.tools.list_ports.comports())


@dataclass(frozen=True)
class RigParts:
    """What a wired bench is made of; tests put fakes here."""

    list_ports: Callable[[], Sequence[UsbPort]] = _system_ports
    open_device: Callable[[str], Device] = SerialDevice
    make_source: Callable[[WiredSource], CaptureSource] = source_of
    make_power: Callable[[str], Power] = UhubctlPower
    person: Callable[[], Person | None] = person_at_terminal
    wait: Callable[[float], None] = time.sleep
    locks: Path | None = None
    """Where boards are claimed; None for the user's own folder."""


@dataclass(frozen=True)
class NamedSource:
    """An instrument of a bench.

    Attributes:
        name: how messages call it.
        source: what records.
        digital, analog: the signals that it records, under the bench's names.
    """

    name: str
    source: CaptureSource
    digital: tuple[str, ...]
    analog: tuple[str, ...]


class Session(Protocol):
    """A bench while it is used."""

    @property
    def file(self) -> BenchFile:
        """What is known of it."""

    @property
    def boards(self) -> Sequence[str]:
        """`stimulator`, and `remote` if there is one."""

    @property
    def sources(self) -> Sequence[NamedSource]:
        """Its instruments."""

    @property
    def person(self) -> Person | None:
        """Who can be asked to do something at the bench; None if nobody is there."""

    @property
    def power(self) -> Power | None:
        """What switches the stimulator's supply; None if nothing does."""

    def board(self, name: str) -> AbstractContextManager[Device]:
        """A board, open. It is found anew each time: after a restart its port may have another name.

        Raises:
            PortError: it is not plugged in, it cannot be opened, or another process has claimed it.
        """

    def stimulator(self, device: Device) -> Stimulator:
        """The stimulator behind an open device; errors as of stimbench.client.stimulator.connect."""

    def await_board(self, name: str) -> None:
        """Wait until a board that was switched on can be opened.

        Raises:
            PortError: it does not come back.
        """


class EmulatedSession:
    """See Session: a bench of this process."""

    def __init__(self, bench: Bench, file: BenchFile | None = None) -> None:
        """Args: bench: stays its owner's; file: what is said of it."""
        self._bench = bench
        self.file = file or BenchFile()
        self.boards = tuple(bench.boards)
        source = BenchSource(bench)
        self.sources = (NamedSource("the emulated bench", source, source.digital, source.analog),)
        self.person: Person | None = None
        self.power: Power = EmulatedPower(bench.board("stimulator"))

    @contextmanager
    def board(self, name: str) -> Iterator[Device]:
        """See Session.board."""
        with EmulatedDevice(self._bench, name) as device:
            yield device

    def stimulator(self, device: Device) -> Stimulator:
        """See Session.stimulator. Its requests are numbered from 0: the same seed gives the same run."""
        return connect(device.console, first_number=0)

    def await_board(self, name: str) -> None:
        """See Session.await_board."""
        with self.board(name) as device:
            device.reconnect()


class WiredSession:
    """See Session: boards on USB, each claimed for this process until the session ends."""

    def __init__(self, file: BenchFile, parts: RigParts) -> None:
        """Nothing is opened or claimed yet.

        Raises:
            InputError: a source's settings make no instrument.
        """
        self.file = file
        self._parts = parts
        self.boards = tuple(file.boards)
        self.sources = tuple(
            NamedSource(each.entry.name, parts.make_source(each), each.digital, each.analog)
            for each in file.sources
        )
        self.person = parts.person()
        self.power = parts.make_power(file.power) if file.power else None
        self._claims: Mapping[str, TargetPool] = {
            name: TargetPool([Target(name, stimulator=entry.where)], parts.list_ports, parts.locks)
            for name, entry in file.boards.items()
        }

    def __enter__(self) -> WiredSession:
        return self

    def __exit__(self, *_: object) -> None:
        for claim in self._claims.values():
            claim.release()

    @contextmanager
    def board(self, name: str) -> Iterator[Device]:
        """See Session.board."""
        if name not in self._claims:
            raise InputError(f"{self.file.path} has no [boards.{name}].")
        claim = self._claims[name]
        if claim.held is None:
            claim.claim()
        port = port_of(self.file.boards[name].where, self._parts.list_ports())
        with ExitStack() as stack:
            yield stack.enter_context(self._parts.open_device(port))

    def stimulator(self, device: Device) -> Stimulator:
        """See Session.stimulator."""
        return connect(device.console)

    def await_board(self, name: str) -> None:
        """See Session.await_board."""
        for left in reversed(range(_BACK_TRIES)):
            try:
                with self.board(name):
                    return
            except PortError:
                if not left:
                    raise
            self._parts.wait(_BACK_S)
