"""A board of an emulated bench. All waiting is emulated time, in this process and without threads."""

from __future__ import annotations

from typing import Self

from stimbench.bench import Bench
from stimbench.devices.device import Device, UsbIdentity
from stimbench.devices.emulated_link import EmulatedLink
from stimbench.devices.emulated_serial import EmulatedSerial
from stimbench.devices.repl import BoardTransport, entered
from stimbench.emulator.board import EmulatedBoard
from stimbench.errors import PortError

__all__ = ("EmulatedDevice", "EmulatedPower")

_USB_TIMEOUT_NS = 3_000_000_000


class EmulatedPower:
    """The supply of an emulated board."""

    def __init__(self, board: EmulatedBoard) -> None:
        """Switch the supply of `board`."""
        self._board = board

    def __repr__(self) -> str:
        return f"<EmulatedPower of the emulated {self._board.name}, {'on' if self.is_on else 'off'}>"

    @property
    def is_on(self) -> bool:
        """Whether the board has power."""
        return self._board.powered

    def on(self) -> None:
        """Switch it on: the board boots."""
        self._board.power_on()

    def off(self) -> None:
        """Switch it off at this instant."""
        self._board.power_off()


class EmulatedDevice(Device):
    """One board of a bench, which stays its owner's and has to outlive the device."""

    def __init__(self, bench: Bench, board: str = "stimulator") -> None:
        """Use one board of a bench.

        Args:
            bench: nobody else runs it while a method of this object waits.
            board: `stimulator` or `remote`.

        Raises:
            BenchError: the bench has no such board.
        """
        self._bench = bench
        self._board = bench.board(board)
        self._power = EmulatedPower(self._board)
        self._link = EmulatedLink(bench, board)
        self._is_open = False
        self._transport: BoardTransport | None = None

    @property
    def board(self) -> EmulatedBoard:
        """The emulated board: its pins, parts and faults, which no wired board shows."""
        return self._board

    @property
    def name(self) -> str:
        """How messages name it."""
        return self._link.name

    @property
    def is_open(self) -> bool:
        """Whether its console is open."""
        return self._is_open

    @property
    def identity(self) -> UsbIdentity:
        """How its image calls itself on USB."""
        return UsbIdentity(f"stimbench {self._board.name}", self._board.flash.unique_id.hex())

    @property
    def power(self) -> EmulatedPower:
        """Its supply."""
        return self._power

    @property
    def console(self) -> EmulatedLink:
        """See Device.console."""
        self._require_open()
        return self._link

    def _require_open(self) -> None:
        if not self._is_open:
            raise PortError(f"{self.name} is not open.")

    def open(self) -> Self:
        """Open the console: the firmware sees DTR."""
        self._is_open = True
        if not self._board.console.dtr:
            self._board.console.set_dtr(True)
        return self

    def close(self) -> None:
        """Close the console: DTR falls."""
        if self._is_open:
            self._is_open = False
            self._transport = None
            self._board.console.set_dtr(False)

    def enter_repl(self) -> BoardTransport:
        """See Device.enter_repl."""
        self._require_open()
        if self._transport is None:
            self._transport = BoardTransport(EmulatedSerial(self._bench, self._board))
        return entered(self._transport, self.name)

    def leave_repl(self) -> None:
        """See Device.leave_repl."""
        if self._transport is not None and self._transport.in_raw_repl:
            self._transport.exit_raw_repl()

    def reset(self) -> None:
        """Pull the chip's RUN pin low for a moment; nothing has to run on the board for it."""
        self._require_open()
        self._board.reset()
        self.reconnect()

    def reconnect(self) -> None:
        """See Device.reconnect."""
        self._require_open()
        self._transport = None
        self._board.console.read()
        if not self._bench.run_until(lambda: self._board.usb_connected, _USB_TIMEOUT_NS):
            raise PortError(f"{self.name} does not come back on USB.")
