"""PIO -> DMA -> ADC -> DMA -> memory: every pulse is measured, and the CPU only reads the ring afterwards."""

import array

import rp2
import uctypes
from machine import mem32
from micropython import const

_ADC_CS = const(0x4004C000)
_ADC_FCS = const(0x4004C008)
_ADC_FIFO = const(0x4004C00C)
_ADC_EN = const(1)
_FCS_DREQ_EVERY_RESULT = const(1 << 24 | 1 << 11 | 1 << 10 | 1 << 3 | 1)  # threshold 1, clear over/underflow, DREQ, enable
_FCS_EMPTY = const(1 << 8)

_PIO0_TXF3 = const(0x5020001C)
_PIO0_RXF3 = const(0x5020002C)
_DREQ_PIO0_TX3 = const(3)
_DREQ_PIO0_RX3 = const(7)
_DREQ_ADC = const(36)
_WORD = const(2)
_HALFWORD = const(1)
_ENDLESS = const(0x3FFFFFFF)  # more samples than a session of an hour at 200 Hz can make

RING_BITS = 12
RING_SAMPLES = 1 << (RING_BITS - 1)


def aligned(size: int) -> "tuple[bytearray, int]":
    """A buffer that holds `size` bytes (a power of two) at an address that is a multiple of it; the buffer and the address."""
    buffer = bytearray(2 * size)
    return buffer, (uctypes.addressof(buffer) + size - 1) & ~(size - 1)


class Sampler:
    """Three DMA channels around the ADC. Results go round a ring of RING_SAMPLES 16-bit codes."""

    def __init__(self) -> None:
        self._feed = rp2.DMA()
        self._convert = rp2.DMA()
        self._store = rp2.DMA()
        self._keep_ring, self._ring_at = aligned(1 << RING_BITS)
        self._keep_table, self._table_at = aligned(128)
        self.ring = uctypes.bytearray_at(self._ring_at, 1 << RING_BITS)
        self.codes = array.array("H", [0])  # replaced by a view below
        self.codes = memoryview_u16(self._ring_at, RING_SAMPLES)
        self._armed = False

    def arm(self, table: "list[int]") -> None:
        """Get ready for a train whose sampler machine wants `table` (DMA words, a power of two of them), over and over.

        The pulse machines must be stopped and their FIFOs empty.
        """
        self.disarm()
        for index, word in enumerate(table):
            mem32[self._table_at + 4 * index] = word
        mem32[_ADC_CS] = _ADC_EN
        while not mem32[_ADC_FCS] & _FCS_EMPTY:
            mem32[_ADC_FIFO]
        mem32[_ADC_FCS] = _FCS_DREQ_EVERY_RESULT
        bits = 2
        while 1 << bits < 4 * len(table):
            bits += 1
        store, convert, feed = self._store, self._convert, self._feed
        store.config(
            read=_ADC_FIFO,
            write=self._ring_at,
            count=_ENDLESS,
            ctrl=store.pack_ctrl(
                size=_HALFWORD, inc_read=False, inc_write=True, ring_sel=True, ring_size=RING_BITS, treq_sel=_DREQ_ADC
            ),
            trigger=True,
        )
        convert.config(
            read=_PIO0_RXF3,
            write=_ADC_CS,
            count=_ENDLESS,
            ctrl=convert.pack_ctrl(size=_WORD, inc_read=False, inc_write=False, treq_sel=_DREQ_PIO0_RX3),
            trigger=True,
        )
        feed.config(
            read=self._table_at,
            write=_PIO0_TXF3,
            count=_ENDLESS,
            ctrl=feed.pack_ctrl(
                size=_WORD, inc_read=True, inc_write=False, ring_sel=False, ring_size=bits, treq_sel=_DREQ_PIO0_TX3
            ),
            trigger=True,
        )
        self._armed = True

    def disarm(self) -> None:
        """Stop the channels; machine.ADC may be used again."""
        for channel in (self._feed, self._convert, self._store):
            channel.active(0)
        mem32[_ADC_FCS] = 0
        self._armed = False

    def taken(self) -> int:
        """Samples stored since arm(); sample n stands at `codes[n % RING_SAMPLES]`."""
        return _ENDLESS - self._store.count if self._armed else 0


def memoryview_u16(address: int, count: int) -> "memoryview":
    """The memory at `address` as `count` unsigned 16-bit numbers."""
    return memoryview(uctypes.struct(address, {"codes": (0 | uctypes.ARRAY, count | uctypes.UINT16)}).codes)
