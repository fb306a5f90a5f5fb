"""nRF24L01+: the transceiver's SPI side, pins and FIFOs (product specification 1.0, sections 8 and 9).

Modelled: every command of table 20, the register map of table 27 with reset values and reserved bits,
STATUS shifted out with each command, multi-byte registers LSByte first, three-deep FIFOs, CE, and IRQ
(active low, masked by CONFIG), SPI of 10 MHz at most (8.2) in mode 0 (figures 26 and 27). The radio side is
in `nrf24_link`, the air in `radio`. Its predecessor and a clone: `nrf24_modules`.
Recalled, not read: 8.3.2 gives 10 MHz for a load of 5 pF on MISO and 8 MHz for 10 pF; the load is not
modelled.
Left out: continuous carrier and PLL lock test bits, transmit power's reach, current consumption, the rule
that W_REGISTER is for power down and standby only (chips take it in RX too, and so does this one).
"""

from __future__ import annotations

from .interfaces import PinPort, Scheduler, SpiBusPort, SpiClock
from .nrf24_link import ChipState, Link, Mode, TxEntry
from .nrf24_modules import PLUS, module_named
from .nrf24_registers import FifoStatus, Reg, RegisterFile, Status
from .radio import AirChannel, Packet
from .seeds import spread
from .spi_limits import SpiLimits

__all__ = ("Nrf24L01",)

_ACTIVATE, _ACTIVATE_DATA = 0x50, b"\x73"
_R_RX_PAYLOAD, _W_TX_PAYLOAD, _W_TX_NOACK, _W_ACK = 0x61, 0xA0, 0xB0, 0xA8
_FLUSH_TX, _FLUSH_RX, _REUSE, _R_RX_PL_WID = 0xE1, 0xE2, 0xE3, 0x60
_DEPTH = 3
MAX_HZ = 10e6
MODES = (0,)
_IRQ_BITS = Status.RX_DR | Status.TX_DS | Status.MAX_RT


class Nrf24L01:
    """One transceiver on its board.

    Args:
        scheduler: the board's clock.
        bus: its SPI.
        csn: chip select, active low.
        ce: chip enable.
        irq: interrupt output, active low.
        air: the band that it sends and listens on.
        absent: the socket is empty; nothing answers.
        reset_ms: power-on reset (table 16: 100 ms at most); the SPI side reads 0 until then.
        start_up_ms: Tpd2stby, 1.5 ms for the usual crystals, 4.5 ms at most.
        seed: of the bench; decides which bits a wrong clock spoils.
        module: which chip is in the socket, a name of `nrf24_modules.MODULES`.

    Raises:
        ValueError: there is no such module.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        bus: SpiBusPort,
        csn: PinPort,
        ce: PinPort,
        irq: PinPort,
        air: AirChannel,
        *,
        absent: bool = False,
        reset_ms: float = 100.0,
        start_up_ms: float = 1.5,
        seed: int = 0,
        module: str = PLUS,
    ) -> None:
        self._module = module_named(module)
        self._bus, self._csn, self._irq = bus, csn, irq
        self._into = SpiLimits(bus, self.name, max_hz=MAX_HZ, modes=MODES, rng=spread(seed, "radio/mosi"))
        self._out_of = SpiLimits(None, self.name, max_hz=MAX_HZ, modes=MODES, rng=spread(seed, "radio/miso"))
        self._deaf = False
        self.absent = absent
        self._s = ChipState(RegisterFile(self._module))
        self._command: int | None = None
        self._count = 0
        self._data = bytearray()
        self._last_entry: TxEntry | None = None
        self._link = Link(
            self._s,
            scheduler,
            air,
            self._update_irq,
            reset_ns=round(reset_ms * 1e6),
            start_up_ns=round(start_up_ms * 1e6),
            module=self._module,
        )
        if not absent:
            bus.attach(self)
            csn.on_edge(self._on_csn)
            ce.on_edge(self._link.set_ce)
            irq.drive(True, self.name)
            air.attach(self._link, scheduler)
            self._link.set_ce(ce.level, scheduler.now_ns)

    @property
    def name(self) -> str:
        """What it is called in the board's log."""
        return self._module.name

    @property
    def mode(self) -> Mode:
        """Where it is in its state diagram."""
        return self._link.mode

    @property
    def short_pulses(self) -> int:
        """CE pulses that were too short (under 10 us) to send anything."""
        return self._link.short_pulses

    @property
    def spoilt(self) -> int:
        """Packets that reached nobody because of how the chip was driven: see nrf24_link."""
        return self._link.spoilt

    def power(self, on: bool) -> None:
        """The supply came or went: registers and FIFOs are lost."""
        state = self._s
        state.regs.reset()
        state.rx_fifo.clear()
        state.tx_fifo.clear()
        state.flags = state.lost_count = state.retry_count = 0
        state.reuse = False
        self._command = self._last_entry = None
        self._link.power(on)
        if not self.absent:
            self._irq.drive(True if on else None, self.name)

    def register(self, address: int) -> int:
        """A one-byte register as R_REGISTER would show it, for tests."""
        return self._read(address, 0)

    def on_air(self, packet: Packet) -> None:
        """A packet has ended in range."""
        self._link.on_air(packet)

    # SPI.

    def exchange(self, mosi: int, bits: int, clock: SpiClock) -> int | None:
        """One byte of a command; STATUS comes back with the first.

        The specification has whole bytes only. This model ignores other bits, and what follows until CSN
        rises.
        """
        if self._csn.level:
            return None
        if bits != 8 and not self._deaf:
            self._deaf = True
            self._bus.report(self.name, f"{bits} bits, it takes whole bytes: the frame's rest is ignored")
        if self._link.in_reset or self._deaf:
            return 0
        return self._out_of.transfer(self._byte(self._into.transfer(mosi, 8, clock)), 8, clock)

    def _byte(self, mosi: int) -> int:
        if self._command is None:
            status = self._status()
            self._command, self._count = mosi, 0
            self._data.clear()
            return status
        index, self._count = self._count, self._count + 1
        return self._body(self._command, index, mosi)

    def _body(self, command: int, index: int, mosi: int) -> int:
        if command < 0x20:
            return self._read(command, index)
        if command < 0x40:
            self._write(command & 0x1F, index, mosi)
        elif command == _R_RX_PAYLOAD:
            payload = self._s.rx_fifo[0][1] if self._s.rx_fifo else b""
            return payload[index] if index < len(payload) else 0
        elif command == _R_RX_PL_WID:
            if not self._s.regs.active:
                return 0
            return len(self._s.rx_fifo[0][1]) if self._s.rx_fifo and index == 0 else 0
        elif index < 32:
            self._data.append(mosi)
        return 0

    def _on_csn(self, level: bool, time_ns: int) -> None:
        command, self._command = self._command, None
        self._deaf = False
        if not level or command is None:
            return
        if command in (_W_TX_PAYLOAD, _W_TX_NOACK):
            self._push(command == _W_TX_NOACK)
        elif command & 0xF8 == _W_ACK:
            self._push_ack(command & 0x07)
        elif command == _R_RX_PAYLOAD and self._count and self._s.rx_fifo:
            self._s.rx_fifo.pop(0)
        elif command == _FLUSH_RX:
            self._s.rx_fifo.clear()
        elif command == _ACTIVATE and self._module.needs_activate and self._data == _ACTIVATE_DATA:
            self._s.regs.active = not self._s.regs.active
        elif command == _FLUSH_TX:
            self._s.tx_fifo.clear()
            self._s.reuse = False
        elif command == _REUSE:
            self._reuse()
        self._link.update()

    def _push(self, no_ack: bool) -> None:
        if no_ack and not self._s.regs[Reg.FEATURE] & 0x01:
            return  # EN_DYN_ACK enables the command
        if self._s.reuse:
            self._s.reuse = False
            if self._last_entry in self._s.tx_fifo:
                self._s.tx_fifo.remove(self._last_entry)
        if self._data and len(self._s.tx_fifo) < _DEPTH:
            self._last_entry = TxEntry(bytes(self._data), no_ack)
            self._s.tx_fifo.append(self._last_entry)

    def _push_ack(self, pipe: int) -> None:
        enabled = self._s.regs[Reg.FEATURE] & 0x02
        if enabled and pipe < 6 and self._data and len(self._s.tx_fifo) < _DEPTH:
            self._s.tx_fifo.append(TxEntry(bytes(self._data), pipe=pipe))

    def _reuse(self) -> None:
        self._s.reuse = self._last_entry is not None
        if self._last_entry is not None and self._last_entry not in self._s.tx_fifo:
            self._s.tx_fifo.insert(0, self._last_entry)

    # Registers.

    def _status(self) -> int:
        pipe = self._s.rx_fifo[0][0] if self._s.rx_fifo else 7
        return self._s.flags | pipe << 1 | (len(self._s.tx_fifo) >= _DEPTH)

    def _fifo_status(self) -> int:
        tx, rx = len(self._s.tx_fifo), len(self._s.rx_fifo)
        return (
            (FifoStatus.TX_REUSE if self._s.reuse else 0)
            | (FifoStatus.TX_FULL if tx >= _DEPTH else 0)
            | (0 if tx else FifoStatus.TX_EMPTY)
            | (FifoStatus.RX_FULL if rx >= _DEPTH else 0)
            | (0 if rx else FifoStatus.RX_EMPTY)
        )

    def _read(self, address: int, index: int) -> int:
        if index == 0:
            if address == Reg.STATUS:
                return self._status()
            if address == Reg.FIFO_STATUS:
                return self._fifo_status()
            if address == Reg.OBSERVE_TX:
                return self._s.lost_count << 4 | self._s.retry_count
            if address == Reg.RPD:
                return int(self._link.power_detected())
        return self._s.regs.read(address, index)

    def _write(self, address: int, index: int, value: int) -> None:
        if address == Reg.STATUS:
            if index == 0:
                self._s.flags &= ~(value & _IRQ_BITS)
                self._update_irq()
            return
        self._s.regs.write(address, index, value)
        if address == Reg.RF_CH:
            self._s.lost_count = 0
        if address in (Reg.RF_CH, Reg.RF_SETUP):
            self._link.retuned()
        elif address == Reg.CONFIG:
            self._update_irq()
            self._link.update()

    def _update_irq(self) -> None:
        masked = self._s.regs[Reg.CONFIG] & _IRQ_BITS  # a 1 in CONFIG keeps the flag off the pin
        self._irq.drive(not self._s.flags & ~masked & _IRQ_BITS, self.name)
