"""What is sold as an nRF24L01+: the chip itself, its predecessor and a clone. Only what differs is here.

nRF24L01+, product specification 1.0: RPD after 40 us, latched (6.4); RF_PWR has two bits (table 28).

nRF24L01, product specification 2.0. Read: until ACTIVATE (0x50) with 0x73, FEATURE, DYNPD and their
three commands are off: they read as 0, and a write does nothing. The same once more turns them off again
(table 16). Read in the preliminary specification of 2005: CD, at the address of RPD, is high while an in-band
signal is there and low otherwise, behind a filter of 128 us; with the 130 us before RX a look takes 258 us.
Recalled, not read: RF_SETUP has no bit of 250 kbit/s (bits 7:5 are reserved), and begins with LNA_HCURR set.
Assumed: reserved bits read 0; what FEATURE and DYNPD held is there again when they are on again.

Si24R1. Its datasheet was not at hand. From RF24's documentation of `setPALevel`: RF_PWR has a third bit, the
lowest one of RF_SETUP, and these powers. From what a Nordic employee wrote, as sigrok's wiki and RF24Mesh's
issue 26 have it: with EN_DPL set, an nRF24L01+ sends NO_ACK the other way round than its specification
says, and the clone sends it as specified. Assumed: all else is as in an nRF24L01+.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ("MODULES", "PLUS", "PREDECESSOR", "SI24R1", "RadioModule", "module_named")

PLUS, PREDECESSOR, SI24R1 = "nrf24l01+", "nrf24l01", "si24r1"
_NORDIC_DBM = (-18, -18, -12, -12, -6, -6, 0, 0)


@dataclass(frozen=True, kw_only=True)
class RadioModule:
    """How a chip differs from its kin.

    Attributes:
        name: as the board's log calls it.
        rf_setup_reset, rf_setup_mask: RF_SETUP after power-on, and its bits that can be written.
        powers_dbm: output power by the low three bits of RF_SETUP, in dBm.
        needs_activate: FEATURE and DYNPD wait for ACTIVATE.
        carrier_ns: how long a carrier must be there to be seen, in ns.
        latches_carrier: it is still seen when RX has ended, and after a packet.
        inverts_no_ack: with EN_DPL, its NO_ACK bit means the opposite of an nRF24L01+'s.
    """

    name: str
    rf_setup_reset: int = 0x0E
    rf_setup_mask: int = 0xBE
    powers_dbm: tuple[int, ...] = _NORDIC_DBM
    needs_activate: bool = False
    carrier_ns: int = 40_000
    latches_carrier: bool = True
    inverts_no_ack: bool = False


MODULES = {
    PLUS: RadioModule(name="nRF24L01+"),
    PREDECESSOR: RadioModule(
        name="nRF24L01",
        rf_setup_reset=0x0F,
        rf_setup_mask=0x1F,
        needs_activate=True,
        carrier_ns=128_000,
        latches_carrier=False,
    ),
    SI24R1: RadioModule(
        name="Si24R1",
        rf_setup_mask=0xBF,
        powers_dbm=(-12, -6, -4, 0, 1, 3, 4, 7),
        inverts_no_ack=True,
    ),
}


def module_named(name: str) -> RadioModule:
    """The module of that name.

    Raises:
        ValueError: there is none.
    """
    if name not in MODULES:
        raise ValueError(f"there is no radio module {name!r}; only {sorted(MODULES)}")
    return MODULES[name]
