"""The nRF24L01+'s ShockBurst engines: states, timing, acknowledgement and retransmission.

Product specification 1.0: section 6.1 (modes, figure 4), 6.1.7 (timing, table 16), 7.4-7.8 (protocol).
Where it is not definite, this model takes the cautious reading:

- a retransmission enters TX when ARD has passed since the end of the packet, and its first bit follows
  130 us later; an ACK that is not complete by then is lost (7.4.2);
- a PTX takes any valid packet to its pipe 0 as the ACK that it waits for: the format has nothing else to
  tell an ACK by; with pipe 0 off (EN_RXADDR) it takes none (7.6);
- CE pulses shorter than 10 us (Thce) send nothing;
- every packet is preceded by 130 us, also when CE stays high and the FIFO is not empty;
- TX_EMPTY and TX_DS come with a packet's last bit;
- what is on its way more than 4 ms after TX mode began is lost (6.1.5: never longer at a time), and so is a
  packet in whose time the channel, the rate or PRIM_RX is written (table 20: standby and power down only);
- the older format (7.10: EN_AA = 0 and ARC = 0) has no control field, so no packet identity, no duplicates
  and no acknowledgement; its packets are as long as RX_PW says, and it is not there at 2 Mbit/s.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from .interfaces import Handle, Scheduler
from .nrf24_modules import MODULES, PLUS, RadioModule
from .nrf24_registers import Reg, RegisterFile, Status
from .radio import AirChannel, Packet, air_time_ns

__all__ = ("ChipState", "Link", "Mode", "TxEntry")

SETTLE_NS = 130_000
THCE_NS = 10_000
_FIFO = 3
_ARD_STEP_NS = 250_000
_LONGEST_TX_NS = 4_000_000


class Mode(Enum):
    """Where the chip is in its state diagram."""

    RESET = "power-on reset"
    POWER_DOWN = "power down"
    START_UP = "crystal start-up"
    STANDBY = "standby"
    RX_SETTLING = "RX settling"
    RX = "RX"
    TX_SETTLING = "TX settling"
    TX = "TX"
    ACK_WAIT = "waiting for ACK"
    ACK_TX = "sending ACK"


@dataclass(slots=True, eq=False)
class TxEntry:
    """A payload in the TX FIFO; `pipe` is set for an ACK payload."""

    payload: bytes
    no_ack: bool = False
    pipe: int | None = None
    pid: int | None = None


@dataclass
class ChipState:
    """What the SPI side and the radio side share."""

    regs: RegisterFile
    rx_fifo: list[tuple[int, bytes]] = field(default_factory=list)
    tx_fifo: list[TxEntry] = field(default_factory=list)
    flags: int = 0
    ce: bool = False
    reuse: bool = False
    lost_count: int = 0
    retry_count: int = 0


class Link:
    """Runs the state diagram. Call `update` after anything that may move it on."""

    def __init__(
        self,
        state: ChipState,
        scheduler: Scheduler,
        air: AirChannel,
        on_flags: Callable[[], None],
        *,
        reset_ns: int,
        start_up_ns: int,
        module: RadioModule = MODULES[PLUS],
    ) -> None:
        self._module = module
        self._s, self._scheduler, self._air, self._on_flags = state, scheduler, air, on_flags
        self._reset_ns, self._start_up_ns = reset_ns, start_up_ns
        self.short_pulses = self.spoilt = 0
        self._timer: Handle | None = None
        self._flight: Packet | None = None
        self._ce_rise_ns = 0
        self.power(True)

    def power(self, on: bool) -> None:
        """The supply came or went: all state is lost; when it comes, the power-on reset begins."""
        self._abort()
        self._stop_timer()
        self.mode = Mode.RESET
        self._pid = 0
        self._first_after_ce = False
        self._entry: TxEntry | None = None
        self._listening_ns = self._sent_ns = 0
        self._tx_since_ns = 0
        self._tx_until_ns = -1
        self._power_latch = False
        self._last_seen: dict[int, tuple[int, bytes]] = {}
        self._ack_sent: dict[int, TxEntry] = {}
        if on:
            self._go(Mode.RESET, self._scheduler.now_ns + self._reset_ns, self._reset_done)

    @property
    def in_reset(self) -> bool:
        """True for the 100 ms after power-on in which the SPI side does not answer."""
        return self.mode is Mode.RESET

    def power_detected(self) -> bool:
        """The RPD bit: a carrier for 40 us at least, while in RX or latched when RX ended (6.4).

        An nRF24L01's CD wants 128 us, and latches nothing.
        """
        now, look_ns = self._scheduler.now_ns, self._module.carrier_ns
        latched = self._power_latch and self._module.latches_carrier
        if self.mode is Mode.RX and now - self._listening_ns >= look_ns:
            channel = self._s.regs[Reg.RF_CH]
            return latched or self._air.carrier(channel, now - look_ns, now, self)
        return latched

    def set_ce(self, level: bool, time_ns: int) -> None:
        """The CE pin moved."""
        self._s.ce = level
        if level:
            self._ce_rise_ns = time_ns
            self._first_after_ce = True
        elif self.mode is Mode.TX_SETTLING and self._first_after_ce and time_ns - self._ce_rise_ns < THCE_NS:
            self.short_pulses += 1
            self._abort()
            self._standby()
            return
        self.update()

    def retuned(self) -> None:
        """Channel, rate or addresses were rewritten: a receiver must settle again."""
        if self.mode is Mode.RX:
            self._listening_ns = self._scheduler.now_ns + SETTLE_NS
        self._spoil()

    def update(self) -> None:
        """Follow PWR_UP, PRIM_RX, CE and the TX FIFO."""
        config = self._s.regs[Reg.CONFIG]
        if self.mode is Mode.RESET:
            return
        if not config & 0x02:
            if self.mode is not Mode.POWER_DOWN:
                self._abort()
                self._stop_timer()
                self.mode = Mode.POWER_DOWN
        elif self.mode is Mode.POWER_DOWN:
            self._go(Mode.START_UP, self._scheduler.now_ns + self._start_up_ns, self._standby)
        elif self.mode is Mode.STANDBY:
            self._choose()
        elif self.mode in (Mode.TX, Mode.TX_SETTLING) and config & 0x01:
            self._spoil()
        elif self.mode in (Mode.RX, Mode.RX_SETTLING) and not (self._s.ce and config & 0x01):
            self._power_latch = self.power_detected()
            self._standby()

    def on_air(self, packet: Packet) -> None:
        """A packet has ended somewhere in range."""
        regs = self._s.regs
        same = (
            packet.channel == regs[Reg.RF_CH]
            and packet.bit_rate == regs.bit_rate
            and packet.crc_bytes == regs.crc_bytes
            and packet.enhanced == regs.enhanced
            and packet.start_ns >= self._listening_ns
            and (packet.enhanced or packet.bit_rate != 2_000_000)
        )
        if not same:
            return
        if self.mode is Mode.RX:
            self._receive(packet)
        elif self.mode is Mode.ACK_WAIT:
            self._take_ack(packet)

    # PTX.

    def _choose(self) -> None:
        if not self._s.ce:
            return
        if self._s.regs[Reg.CONFIG] & 0x01:
            self._power_latch = False
            self._go(Mode.RX_SETTLING, self._scheduler.now_ns + SETTLE_NS, self._listen)
        elif self._s.tx_fifo and not self._s.flags & Status.MAX_RT:
            self._s.retry_count = 0
            self._transmit()

    def _transmit(self) -> None:
        entry = self._s.tx_fifo[0]
        if entry.pid is None:
            self._pid = (self._pid + 1) & 3
            entry.pid = self._pid
        self._entry = entry
        pid = entry.pid if self._s.regs.enhanced else 0  # the older format has none
        packet = self._packet(self._s.regs.address(Reg.TX_ADDR), entry.payload, pid)
        packet.no_ack = entry.no_ack != self._s.regs.inverts_no_ack
        if self._tx_until_ns != self._scheduler.now_ns:
            self._tx_since_ns = self._scheduler.now_ns
        self._fly(Mode.TX_SETTLING, packet, self._sent)
        if packet.end_ns - self._tx_since_ns > _LONGEST_TX_NS:
            self._spoil()

    def _packet(self, address: bytes, payload: bytes, pid: int) -> Packet:
        regs = self._s.regs
        start = self._scheduler.now_ns + SETTLE_NS
        span = air_time_ns(len(payload), len(address), regs.crc_bytes, regs.bit_rate, regs.enhanced)
        return Packet(
            start,
            start + span,
            regs[Reg.RF_CH],
            regs.bit_rate,
            address,
            payload,
            pid,
            crc_bytes=regs.crc_bytes,
            enhanced=regs.enhanced,
            sender=self,
            power_dbm=regs.power_dbm,
        )

    def _fly(self, settling: Mode, packet: Packet, done: Callable[[], None]) -> None:
        def first_bit() -> None:
            self._go(Mode.TX if settling is Mode.TX_SETTLING else Mode.ACK_TX, packet.end_ns, done)

        self._flight = packet
        self._go(settling, packet.start_ns, first_bit)
        self._air.send(packet)

    def _sent(self) -> None:
        self._flight = None
        self._first_after_ce = False
        self._tx_until_ns = self._scheduler.now_ns
        now, regs = self._scheduler.now_ns, self._s.regs
        entry = self._entry
        if entry is None or entry.no_ack or not regs[Reg.EN_AA] & 0x01:
            self._complete()
            return
        self._sent_ns = now
        self._listening_ns = now + SETTLE_NS
        ard = ((regs[Reg.SETUP_RETR] >> 4) + 1) * _ARD_STEP_NS
        self._go(Mode.ACK_WAIT, now + ard, self._no_ack)

    def _take_ack(self, packet: Packet) -> None:
        regs = self._s.regs
        # Table 27, SETUP_RETR note b: the address must match within 250 us, 500 us at 250 kbit/s.
        window = 500_000 if packet.bit_rate == 250_000 else 250_000
        known = packet.start_ns + 8 * (1 + len(packet.address)) * 1_000_000_000 // packet.bit_rate
        if not regs[Reg.EN_RXADDR] & 0x01 or packet.address != regs.address(Reg.RX_ADDR_P0):
            return
        if known > self._sent_ns + window:
            return
        if packet.payload:
            if not regs.dynamic(0):
                return  # without dynamic length the CRC is sought at the wrong place
            if len(self._s.rx_fifo) < _FIFO:
                self._s.rx_fifo.append((0, packet.payload))
                self._s.flags |= Status.RX_DR
        self._complete()

    def _complete(self) -> None:
        if not self._s.reuse and self._entry in self._s.tx_fifo:
            self._s.tx_fifo.remove(self._entry)
        self._raise(Status.TX_DS)
        self._standby()

    def _no_ack(self) -> None:
        if self._entry not in self._s.tx_fifo:  # flushed meanwhile
            self._standby()
        elif self._s.retry_count < self._s.regs[Reg.SETUP_RETR] & 0x0F:
            self._s.retry_count += 1
            self._transmit()
        else:
            self._s.lost_count = min(15, self._s.lost_count + 1)
            self._raise(Status.MAX_RT)
            self._standby()

    # PRX.

    def _listen(self) -> None:
        self._stop_timer()
        self.mode = Mode.RX
        self._listening_ns = self._scheduler.now_ns

    def _pipe_for(self, packet: Packet) -> int | None:
        regs = self._s.regs
        for pipe in range(6):
            if regs[Reg.EN_RXADDR] >> pipe & 1 and packet.address == regs.address(Reg.RX_ADDR_P0 + pipe):
                length = len(packet.payload)
                fits = regs.dynamic(pipe) or (length > 0 and length == regs[Reg.RX_PW_P0 + pipe])
                return pipe if fits else None
        return None

    def _receive(self, packet: Packet) -> None:
        pipe = self._pipe_for(packet)
        if pipe is None:
            return
        seen = (packet.pid, packet.payload)
        duplicate = packet.enhanced and self._last_seen.get(pipe) == seen
        if not duplicate:
            if len(self._s.rx_fifo) >= _FIFO:
                return  # FIFO full: discarded, and not acknowledged (7.5.2)
            self._last_seen[pipe] = seen
            self._s.rx_fifo.append((pipe, packet.payload))
            self._power_latch = True
            self._confirm_ack_payload(pipe)
            self._raise(Status.RX_DR)
        no_ack = packet.no_ack != self._s.regs.inverts_no_ack
        if self.mode is Mode.RX and self._s.regs[Reg.EN_AA] >> pipe & 1 and not no_ack:
            self._acknowledge(pipe, packet)

    def _confirm_ack_payload(self, pipe: int) -> None:
        """A new packet proves that the last ACK and its payload arrived (7.8.4)."""
        entry = self._ack_sent.pop(pipe, None)
        if entry is not None and entry in self._s.tx_fifo:
            self._s.tx_fifo.remove(entry)
            self._s.flags |= Status.TX_DS

    def _acknowledge(self, pipe: int, packet: Packet) -> None:
        regs = self._s.regs
        payload = b""
        if regs[Reg.FEATURE] & 0x02 and regs.dynamic(pipe):
            entry = next((e for e in self._s.tx_fifo if e.pipe == pipe), None)
            if entry is not None:
                self._ack_sent[pipe] = entry
                payload = entry.payload
        ack = self._packet(packet.address, payload, packet.pid)
        ack.is_ack = True
        self._fly(Mode.ACK_TX, ack, self._ack_done)

    def _ack_done(self) -> None:
        self._flight = None
        self._standby()

    # Common.

    def _reset_done(self) -> None:
        self._stop_timer()
        self.mode = Mode.POWER_DOWN
        self.update()

    def _standby(self) -> None:
        self._stop_timer()
        self.mode = Mode.STANDBY
        self.update()

    def _abort(self) -> None:
        if self._flight is not None:
            self._flight.cancelled = True
            self._flight = None

    def _spoil(self) -> None:
        """What is being sent reaches nobody."""
        if self._flight is not None and not self._flight.lost:
            self._flight.lost = True
            self.spoilt += 1

    def _raise(self, flag: int) -> None:
        self._s.flags |= flag
        self._on_flags()

    def _go(self, mode: Mode, until_ns: int, then: Callable[[], None]) -> None:
        self._stop_timer()
        self.mode = mode
        self._timer = self._scheduler.call_at(until_ns, then)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
