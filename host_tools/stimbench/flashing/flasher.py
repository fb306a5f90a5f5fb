"""From the firmware that a board runs to the one that it shall run, step by step, and checked at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from stimfw.protocol import messages

from stimbench.client.records import Identity
from stimbench.client.stimulator import connect
from stimbench.devices.device import Device
from stimbench.devices.repl import BoardTransport, TransportError
from stimbench.errors import InputError, NoAnswerError, PortError
from stimbench.firmware_build.uf2 import Uf2Image
from stimbench.flashing import deployed
from stimbench.flashing.errors import FlashError
from stimbench.flashing.state import BoardState, Doing, firmware_text, look, look_at_device
from stimbench.flashing.target import Target, Volume, until
from stimbench.flashing.verifying import holds_image
from stimbench.flashing.writing import Progress, write_image

__all__ = ("BY_HAND", "Flashed", "Flasher")

BY_HAND = "Pull its USB cable, hold BOOTSEL, plug the cable in again and let go."
_TO_BOOTLOADER = "import sys; sys.path.clear(); import machine; machine.bootloader()"
_LEAVES_S = 1.0
_BOOTSEL_S = 15.0
"""From the request until the disk is there: it restarts at once, and desktops mount within seconds."""
_BACK_S = 15.0
"""From the last block until the port is there: the boot ROM waits half a second, MicroPython boots."""
_READY_S = 15.0
_OUTPUT_OFF = (messages.READY, messages.FAULT)


@dataclass(frozen=True)
class Flashed:
    """What became of one board."""

    target: str
    role: str
    before: str
    """What it was doing and with which firmware."""
    after: str
    """The firmware that it runs now, as it told itself."""
    removed: tuple[str, ...] = ()
    """Deployed modules that were taken away, because they would have stood in for the image's."""


class Flasher:
    """Puts an image on boards, one at a time."""

    def __init__(
        self,
        image: Uf2Image,
        say: Callable[[str], None] = lambda text: None,
        progress: Progress = lambda done, total: None,
        confirm_other: Callable[[str], None] | None = None,
        by_hand_s: float = 0.0,
    ) -> None:
        """Flash `image`.

        Args:
            image: of stimbench.firmware_build.uf2.read_for.
            say: told each step, in a sentence.
            progress: told the blocks while they are written.
            confirm_other: asked before a board that runs the other board's firmware is flashed; raises if it
                shall not be. Without it such a board is refused.
            by_hand_s: how long a person is given to press BOOTSEL on a board that answers nothing.

        Raises:
            InputError: the image does not say which board it is for.
        """
        if image.identity is None:
            raise InputError(f"{image.name} is no firmware of stimbench.")
        self.image = image
        self.identity = Identity(*image.identity)
        self._say = say
        self._progress = progress
        self._confirm_other = confirm_other
        self._by_hand_s = by_hand_s

    def flash(self, target: Target) -> Flashed:
        """Put the image on the board at a place, and have the board tell that it runs it.

        Raises:
            FlashError: it does not run the image; the text says what it does now.
            InputError: it is the other kind of board.
            StimbenchError: the board refused, or its port cannot be had.
        """
        before = look(target)
        self._require_role(target, before)
        self._say(f"{target.name} {before}.")
        volume = self._enter_boot_rom(target, before)
        change = _change(before.identity, self.identity)
        self._say(f"Writing {firmware_text(self.identity)}{change} to {volume.name}.")
        try:
            confirmed = write_image(self.image, volume, self._progress)
        except KeyboardInterrupt as interruption:
            interruption.add_note(f"{target.name} has no whole image, and waits in its boot ROM.")
            raise
        after, removed = self._come_back(target, confirmed)
        return Flashed(target.name, self.identity.role, str(before), firmware_text(after), removed)

    def _require_role(self, target: Target, before: BoardState) -> None:
        role = before.role or target.role
        if role in (None, self.identity.role):
            return
        told = f"{target.name} is a {role}, and {self.image.name} is the firmware of a {self.identity.role}."
        if self._confirm_other is None:
            raise InputError(f"{told} To make it a {self.identity.role}, name its port: --port.")
        self._confirm_other(told)

    def _enter_boot_rom(self, target: Target, before: BoardState) -> Volume:
        if before.doing is Doing.ABSENT:
            raise FlashError(f"{target.name} is not there. {BY_HAND}")
        if before.doing in (Doing.APPLICATION, Doing.PROMPT):
            device = target.device()
            if device is None:
                raise FlashError(f"{target.name} went away.")
            with device:
                if before.doing is Doing.APPLICATION and before.role == "stimulator":
                    self._turn_off(device)
                _ask_for_boot_rom(device)
            limit_s = _BOOTSEL_S
        elif before.doing is Doing.SILENT:
            self._say(f"{target.name} answers nothing, so it cannot be asked. {BY_HAND}")
            limit_s = self._by_hand_s
        else:
            limit_s = 0.0
        if not until(target, lambda: target.volume() is not None, limit_s):
            raise FlashError(f"The disk of {target.name} does not appear. {BY_HAND} Then flash it again.")
        volume = target.volume()
        if volume is None:
            raise FlashError(f"The disk of {target.name} went away.")
        return volume

    def _turn_off(self, device: Device) -> None:
        """Stop the session. The reset that follows turns the output off in hardware, whatever runs."""
        stimulator = connect(device.console)
        stimulator.stop()
        state = stimulator.status()
        if state.state not in _OUTPUT_OFF:
            raise FlashError(f"{device.name} is still in the state '{state.state_name}' after STOP.")
        self._say(f"The output is off: {device.name} is in the state '{state.state_name}'.")

    def _come_back(self, target: Target, confirmed: bool) -> tuple[Identity, tuple[str, ...]]:
        """Wait for the board, read its flash back, start it once more and compare what it tells."""
        # The disk of the last stay may be there for a moment: the boot ROM restarts half a second later.
        if not until(target, lambda: target.volume() is None and target.device() is not None, _BACK_S):
            raise FlashError(_stuck(target, confirmed))
        state = _ready(target)
        removed: tuple[str, ...] = ()
        if state.doing in (Doing.APPLICATION, Doing.PROMPT):
            self._say("Reading its flash back.")
            removed = self._check_flash(target)
            state = _ready(target)
        if state.doing is not Doing.APPLICATION or state.identity is None:
            raise FlashError(f"{target.name} was written, but {_now(state)} It can be flashed again.")
        if state.identity != self.identity:
            raise FlashError(
                f"{target.name} runs {firmware_text(state.identity)}, and not what was written: "
                f"{firmware_text(self.identity)}. Flash it again."
            )
        return state.identity, removed

    def _check_flash(self, target: Target) -> tuple[str, ...]:
        """Over the REPL: whether all of the image is there. Deployed modules go. The board restarts.

        Returns:
            The names of the modules.
        """
        device = target.device()
        if device is None:
            raise FlashError(f"{target.name} went away.")
        with device:
            repl = device.enter_repl()
            if not holds_image(repl, self.image):
                device.reset()
                raise FlashError(
                    f"What lies on the flash of {target.name} is not all of {firmware_text(self.identity)}: "
                    "a half-written image. Flash it again."
                )
            removed = self._remove_deployed(repl)
            device.reset()
        return tuple(one.name for one in removed)

    def _remove_deployed(self, repl: BoardTransport) -> tuple[deployed.Deployed, ...]:
        try:
            removed = deployed.remove(repl)
        except FlashError as error:  # somebody else's boot.py
            self._say(str(error))
            return ()
        if removed:
            names = ", ".join(one.name for one in removed)
            self._say(f"Took deployed modules away, which would stand in for the image's: {names}.")
        return removed


def _ask_for_boot_rom(device: Device) -> None:
    try:
        repl = device.enter_repl()
        repl.exec_raw_no_follow(_TO_BOOTLOADER)
    except (TransportError, OSError) as error:
        raise PortError(f"{device.name} could not be asked into its boot ROM: {error}. {BY_HAND}") from error
    try:
        _, failure = repl.follow(_LEAVES_S)
    except (TransportError, OSError):
        return  # it left without a word, as it should
    lines = failure.decode("ascii", "replace").strip().splitlines() or ["it came back"]
    raise FlashError(f"{device.name} could not go into its boot ROM: {lines[-1]}. {BY_HAND}")


def _ready(target: Target) -> BoardState:
    """What the board does once it has booted."""
    end_s = target.now_s() + _READY_S
    while True:
        state = _asked(target)
        if state.doing in (Doing.APPLICATION, Doing.PROMPT, Doing.BOOTSEL) or target.now_s() >= end_s:
            return state
        target.wait(0.5)


def _asked(target: Target) -> BoardState:
    device = target.device()
    if device is None or target.volume() is not None:
        return look(target)
    try:
        with device:
            return look_at_device(device)
    except (PortError, NoAnswerError):  # it goes and comes while it boots
        return BoardState(Doing.SILENT)


def _now(state: BoardState) -> str:
    told = f" Its last error: {state.told}." if state.told else ""
    return f"it {state}.{told}"


def _stuck(target: Target, confirmed: bool) -> str:
    if target.volume() is not None:
        return (
            f"{target.name} is still in its boot ROM: not all blocks arrived, or they are not what was sent. "
            "Flash it again."
        )
    doubt = "" if confirmed else " The last block was not confirmed."
    return f"{target.name} does not come back on USB.{doubt} {BY_HAND} Then flash it again."


def _change(before: Identity | None, after: Identity) -> str:
    """What the new firmware is to the one before; an empty text if that is not known."""
    if before is None or before.role != after.role:
        return ""
    if before.version == after.version:
        return " (the same image)" if before.build == after.build else " (the same version, other sources)"
    if not (_numbers(before.version) and _numbers(after.version)):
        return ""
    return " (newer)" if _numbers(after.version) > _numbers(before.version) else " (older)"


def _numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version of digits and dots; none of another."""
    parts = version.split(".")
    return tuple(map(int, parts)) if all(part.isdecimal() for part in parts) else ()
