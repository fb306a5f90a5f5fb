"""Changed modules of the firmware on a board while one develops: seconds instead of a new image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stimbench.client.records import Identity
from stimbench.client.stimulator import connect
from stimbench.devices.device import Device
from stimbench.devices.repl import BoardTransport, TransportError
from stimbench.errors import InputError, NoAnswerError
from stimbench.flashing import deployed
from stimbench.flashing.deployed import Deployed
from stimbench.flashing.errors import FlashError
from stimbench.flashing.modules import Compiler, Mpy, Sources, require_loadable
from stimbench.flashing.state import BoardState, Doing, look_at_device

__all__ = ("Deployer", "Deployment")

_READY_S = 15.0


@dataclass(frozen=True)
class Deployment:
    """What is on the board now."""

    identity: Identity
    """As the board told after its restart; its content hash ends with a mark."""
    modules: tuple[str, ...]
    """In the order in which they are loaded."""
    written: int
    """Files that were copied; the others were there already."""


class Deployer:
    """Works on one board whose device is open."""

    def __init__(self, device: Device, say: Callable[[str], None] = lambda text: None) -> None:
        """Use `device`; `say` is told each step."""
        self._device = device
        self._say = say

    def found(self) -> tuple[Deployed, ...]:
        """What is deployed. The application ends for the question and starts again.

        Raises:
            StimbenchError: the board cannot be asked, or its boot.py is somebody else's.
        """
        try:
            return deployed.read(self._interrupt())
        finally:
            self._device.reset()

    def remove(self) -> tuple[Deployed, ...]:
        """Take everything away; what was there. The board restarts.

        Raises:
            StimbenchError: the board cannot be asked, or its boot.py is somebody else's.
        """
        repl = self._interrupt()
        try:
            found = deployed.remove(repl)
        finally:
            self._device.reset()
        self._require_running()
        return found

    def deploy(
        self, sources: Callable[[str], Sources], compiler: Compiler, names: Sequence[str]
    ) -> Deployment:
        """Put modules on the board and restart it.

        Args:
            sources: the firmware's modules for a board.
            compiler: makes .mpy files.
            names: which, beside those that are there; none for just those that differ from the image.

        Raises:
            InputError: there is no such module, it cannot be compiled, or the board runs another image.
            FlashError: the board did not take them, or does not run with them; the text says what it has.
            StimbenchError: it cannot be asked.
        """
        state = look_at_device(self._device)
        if state.identity is None:
            raise FlashError(f"{self._device.name} has no firmware of stimbench: `stimbench flash` it first.")
        found = sources(state.identity.role)
        wanted = found.named(names) if names else self._changed(found, compiler, state.identity)
        compiled = {name: compiler.compile(name, found.paths[name]) for name in wanted}
        repl = self._interrupt(state)
        try:
            written = self._put(repl, found, compiled, keep=bool(names))
        finally:
            self._device.reset()
        identity = self._require_running()
        return Deployment(identity, tuple(found.in_order(compiled)), written)

    def _changed(self, sources: Sources, compiler: Compiler, identity: Identity) -> list[str]:
        image = identity.build.partition("+")[0]
        if image != sources.built_hash:
            raise InputError(
                f"The board runs the image {image}, and the one that was built here is "
                f"{sources.built_hash or 'none'}: what has changed is not known. Name the modules, or flash."
            )
        return sources.changed(compiler)

    def _put(self, repl: BoardTransport, sources: Sources, compiled: dict[str, Mpy], keep: bool) -> int:
        board_mpy = int(repl.eval("__import__('sys').implementation._mpy"))
        for module in compiled.values():
            require_loadable(module, board_mpy)
        there = {one.name: one for one in deployed.read(repl)}
        kept = {name: one for name, one in there.items() if keep and name not in compiled}
        unknown = [name for name in kept if name not in sources.paths]
        if unknown:
            raise FlashError(
                f"The board has a deployed {unknown[0]}, which is no module here: --remove first."
            )
        if not compiled and not kept:
            deployed.remove(repl)
            return 0
        order = sources.in_order([*compiled, *kept])
        files = [(kept[n], None) if n in kept else (compiled[n].deployed, compiled[n].data) for n in order]
        return deployed.write(repl, files)

    def _interrupt(self, state: BoardState | None = None) -> BoardTransport:
        """The REPL, after STOP: the application turns its output off when it ends, too."""
        found = state or look_at_device(self._device)
        if found.doing is Doing.APPLICATION and found.role == "stimulator":
            connect(self._device.console).stop()
        try:
            return self._device.enter_repl()
        except TransportError as error:
            raise NoAnswerError(f"{self._device.name} gives no MicroPython prompt: {error}.") from error

    def _require_running(self) -> Identity:
        """Wait until the application answers."""
        end_s = self._device.console.now_s() + _READY_S
        while True:
            state = look_at_device(self._device)
            if state.doing is Doing.APPLICATION and state.identity is not None:
                return state.identity
            if state.doing is Doing.PROMPT or self._device.console.now_s() >= end_s:
                break
        told = f" Its last error: {state.told}" if state.told else ""
        raise FlashError(
            f"{self._device.name} {state.doing.value}.{told} Its output is off. Mend the module and deploy "
            "it again, or take all away: `stimbench deploy --remove`."
        )
