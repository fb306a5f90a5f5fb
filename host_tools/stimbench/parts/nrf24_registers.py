"""The register map of the nRF24L01+ (product specification 1.0, section 9): resets and write masks."""

from __future__ import annotations

from enum import IntEnum

from .nrf24_modules import MODULES, PLUS, RadioModule

__all__ = ("FifoStatus", "Reg", "RegisterFile", "Status")


class Reg(IntEnum):
    """Addresses."""

    CONFIG = 0x00
    EN_AA = 0x01
    EN_RXADDR = 0x02
    SETUP_AW = 0x03
    SETUP_RETR = 0x04
    RF_CH = 0x05
    RF_SETUP = 0x06
    STATUS = 0x07
    OBSERVE_TX = 0x08
    RPD = 0x09
    RX_ADDR_P0 = 0x0A
    RX_ADDR_P1 = 0x0B
    RX_ADDR_P2 = 0x0C
    RX_ADDR_P3 = 0x0D
    RX_ADDR_P4 = 0x0E
    RX_ADDR_P5 = 0x0F
    TX_ADDR = 0x10
    RX_PW_P0 = 0x11
    FIFO_STATUS = 0x17
    DYNPD = 0x1C
    FEATURE = 0x1D


class Status:
    """Bits of STATUS."""

    RX_DR = 0x40
    TX_DS = 0x20
    MAX_RT = 0x10
    TX_FULL = 0x01


class FifoStatus:
    """Bits of FIFO_STATUS."""

    TX_REUSE = 0x40
    TX_FULL = 0x20
    TX_EMPTY = 0x10
    RX_FULL = 0x02
    RX_EMPTY = 0x01


_WIDE = (Reg.RX_ADDR_P0, Reg.RX_ADDR_P1, Reg.TX_ADDR)

_ONE_BYTE: dict[int, tuple[int, int]] = {
    # address: (reset value, bits that can be written). Reserved bits stay 0, "only 0 allowed".
    Reg.CONFIG: (0x08, 0x7F),
    Reg.EN_AA: (0x3F, 0x3F),
    Reg.EN_RXADDR: (0x03, 0x3F),
    Reg.SETUP_AW: (0x03, 0x03),
    Reg.SETUP_RETR: (0x03, 0xFF),
    Reg.RF_CH: (0x02, 0x7F),
    Reg.RF_SETUP: (0x0E, 0xBE),
    Reg.OBSERVE_TX: (0x00, 0x00),
    Reg.RPD: (0x00, 0x00),
    Reg.RX_ADDR_P2: (0xC3, 0xFF),
    Reg.RX_ADDR_P3: (0xC4, 0xFF),
    Reg.RX_ADDR_P4: (0xC5, 0xFF),
    Reg.RX_ADDR_P5: (0xC6, 0xFF),
    **{Reg.RX_PW_P0 + k: (0x00, 0x3F) for k in range(6)},
    Reg.DYNPD: (0x00, 0x3F),
    Reg.FEATURE: (0x00, 0x07),
}


_AFTER_ACTIVATE = (Reg.DYNPD, Reg.FEATURE)


class RegisterFile:
    """The stored registers. STATUS, FIFO_STATUS, OBSERVE_TX and RPD are made up by the chip as it runs.

    Attributes:
        active: whether FEATURE and DYNPD can be written and read.
    """

    def __init__(self, module: RadioModule = MODULES[PLUS]) -> None:
        """`module`: whose registers they are."""
        self._module = module
        self.reset()

    def reset(self) -> None:
        """Power-on values."""
        self.active = not self._module.needs_activate
        self._bytes = {address: reset for address, (reset, _) in _ONE_BYTE.items()}
        self._bytes[Reg.RF_SETUP] = self._module.rf_setup_reset
        self._addresses = {
            Reg.RX_ADDR_P0: bytearray(b"\xe7" * 5),
            Reg.RX_ADDR_P1: bytearray(b"\xc2" * 5),
            Reg.TX_ADDR: bytearray(b"\xe7" * 5),
        }

    def __getitem__(self, address: int) -> int:
        """A one-byte register; 0 for a reserved address, and for one that is not active."""
        if not self.active and address in _AFTER_ACTIVATE:
            return 0
        return self._bytes.get(address, 0)

    def read(self, address: int, index: int) -> int:
        """Byte `index` of a register (LSByte first); 0 beyond its end."""
        if address in _WIDE:
            wide = self._addresses[Reg(address)]
            return wide[index] if index < len(wide) else 0
        return self[address] if index == 0 else 0

    def write(self, address: int, index: int, value: int) -> None:
        """Write byte `index`; read-only bits and bytes beyond the end are ignored."""
        if address in _WIDE:
            if index < 5:
                self._addresses[Reg(address)][index] = value
        elif index == 0 and address in _ONE_BYTE and (self.active or address not in _AFTER_ACTIVATE):
            mask = self._module.rf_setup_mask if address == Reg.RF_SETUP else _ONE_BYTE[address][1]
            self._bytes[address] = value & mask

    @property
    def address_width(self) -> int:
        """3-5 bytes; the illegal SETUP_AW 0 is taken as 2 bytes, as chips do."""
        return self[Reg.SETUP_AW] + 2

    def address(self, register: int) -> bytes:
        """An address as used on air, LSByte first: pipes 2-5 share all but the LSByte with pipe 1."""
        width = self.address_width
        if register in _WIDE:
            return bytes(self._addresses[Reg(register)][:width])
        return bytes([self[register]]) + bytes(self._addresses[Reg.RX_ADDR_P1][1:width])

    @property
    def bit_rate(self) -> int:
        """bit/s: RF_DR_LOW wins over RF_DR_HIGH."""
        setup = self[Reg.RF_SETUP]
        if setup & 0x20:
            return 250_000
        return 2_000_000 if setup & 0x08 else 1_000_000

    @property
    def power_dbm(self) -> int:
        """Output power, by the low three bits of RF_SETUP."""
        return self._module.powers_dbm[self[Reg.RF_SETUP] & 7]

    @property
    def inverts_no_ack(self) -> bool:
        """Whether a packet's NO_ACK bit says the opposite of what an nRF24L01+ reads in it."""
        return self._module.inverts_no_ack and bool(self[Reg.FEATURE] & 0x04)

    @property
    def crc_bytes(self) -> int:
        """0-2. Auto-acknowledgement on any pipe forces the CRC on (CONFIG, EN_CRC)."""
        config = self[Reg.CONFIG]
        if not config & 0x08 and not self[Reg.EN_AA]:
            return 0
        return 2 if config & 0x04 else 1

    @property
    def enhanced(self) -> bool:
        """False in the format compatible with older chips: EN_AA = 0 and ARC = 0 (section 7.10)."""
        return self[Reg.EN_AA] != 0 or self[Reg.SETUP_RETR] & 0x0F != 0

    def dynamic(self, pipe: int) -> bool:
        """True if the pipe's payloads have their own length (EN_DPL, DPL_Px and ENAA_Px)."""
        bit = 1 << pipe
        return bool(self[Reg.FEATURE] & 0x04 and self[Reg.DYNPD] & bit and self[Reg.EN_AA] & bit)
