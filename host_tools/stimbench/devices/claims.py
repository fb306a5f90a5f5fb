"""Boards claimed by one process at a time: a lock for each serial number, which ends with its process.

Opening a port is exclusive, too. But a process that runs many tests, and has the port open only while one
runs, keeps the board that it began with, and others look for another one.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from stimbench.bench import running
from stimbench.devices.targets import Target, UsbPort, port_of
from stimbench.errors import BoardLostError, PortError

__all__ = ("TargetPool", "lock_folder")


def lock_folder() -> Path:
    """Where the locks are: beside the benches' sockets, in the user's own folder.

    Raises:
        PortError: that folder cannot be had, or is not this user's alone.
    """
    return running.folder() / "boards"


class TargetPool:
    """The targets of a run, of which this process holds at most one at a time."""

    def __init__(
        self,
        targets: Sequence[Target],
        list_ports: Callable[[], Sequence[UsbPort]],
        folder: Path | None = None,
        first: int = 0,
    ) -> None:
        """Nothing is claimed yet.

        Args:
            targets: wired ones.
            list_ports: the ports of this machine at the time of the call.
            folder: of the locks; `lock_folder()` by default.
            first: with which one to begin, so that processes side by side do not all ask for the same one.
        """
        at = first % len(targets) if targets else 0
        self._targets = [*targets[at:], *targets[:at]]
        self._list_ports = list_ports
        self._folder = folder
        self._held: Target | None = None
        self._ports: tuple[str, ...] = ()
        self._locks: list[FileLock] = []
        self._lost: dict[str, str] = {}

    @property
    def held(self) -> Target | None:
        """The one that this process holds."""
        return self._held

    @property
    def held_ports(self) -> tuple[str, ...]:
        """The ports of its boards, as they were at the last claim."""
        return self._ports

    def claim(self) -> Target:
        """The target that is held, or the next one that is free.

        Returns:
            It, with the ports that its boards have now.

        Raises:
            BoardLostError: the ones that there were have been lost, one after the other.
            PortError: others hold them, or they are not plugged in.
        """
        if self._held is not None:
            try:
                return self._with_ports(self._held)
            except PortError as error:
                self.lose(f"{self._held.name} was lost: {error}")
        reasons = []
        for target in self._targets:
            if target.name in self._lost:
                continue
            try:
                found = self._with_ports(target)
            except PortError as error:
                reasons.append(str(error))
                continue
            if self._lock(target):
                self._held = target
                return found
            reasons.append(f"{target.name} is claimed by another process.")
        if self._lost:
            raise BoardLostError(" ".join(["No board is left.", *self._lost.values(), *reasons]))
        raise PortError(" ".join(reasons) or "There is no target.")

    def lose(self, reason: str) -> None:
        """Note that a board of the target held is gone; the next claim is of another target.

        Args:
            reason: one sentence, for the errors that follow if no other target is free.
        """
        if self._held is not None:
            self._lost[self._held.name] = reason
            self.release()

    def release(self) -> None:
        """Let others have what is held."""
        for lock in self._locks:
            lock.release()
        self._locks, self._held = [], None

    def _with_ports(self, target: Target) -> Target:
        ports = self._list_ports()
        found = {board: port_of(where, ports) for board, where in target.boards.items()}
        for port in found.values():
            if not os.path.exists(port) and os.sep in port:
                raise PortError(f"There is no port {port}.")
        self._ports = tuple(found.values())
        return Target(target.name, has=target.has, **found)

    def _lock(self, target: Target) -> bool:
        """Whether all its boards could be had; if not, none is held."""
        folder = self._folder or lock_folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        ports = self._list_ports()
        for where in sorted(target.boards.values()):
            lock = FileLock(folder / f"{_key(where, ports)}.lock")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                self.release()
                return False
            self._locks.append(lock)
        return True


def _key(where: str, ports: Sequence[UsbPort]) -> str:
    """A file's name for a board: its serial number, whether it was named by that or by its port."""
    real = os.path.realpath(where)
    for port in ports:
        if port.serial_number and (where == port.serial_number or real == os.path.realpath(port.device)):
            return "".join(letter for letter in port.serial_number if letter.isalnum())
    return hashlib.sha256(real.encode()).hexdigest()[:16]
