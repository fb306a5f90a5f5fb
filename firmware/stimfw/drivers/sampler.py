"""PIO -> DMA -> ADC -> DMA -> memory: every pulse is measured, and the CPU only reads the ring afterwards."""

import array

import micropython
import rp2
import uctypes
from machine import mem16, mem32
from micropython import const

_ADC_CS = const(0x4004C000)
_ADC_FCS = const(0x4004C008)
_ADC_FIFO = const(0x4004C00C)
_ADC_EN = const(1)
# Threshold 1, over- and underflow cleared, DREQ, enable.
_FCS_DREQ_EVERY_RESULT = const(1 << 24 | 1 << 11 | 1 << 10 | 1 << 3 | 1)
_FCS_EMPTY = const(1 << 8)

_PIO0_TXF3 = const(0x5020001C)
_PIO0_RXF3 = const(0x5020002C)
_DREQ_PIO0_TX3 = const(3)
_DREQ_PIO0_RX3 = const(7)
_DREQ_ADC = const(36)
_WORD = const(2)
_HALFWORD = const(1)
_ENDLESS = const(0x3FFFFFFF)  # more samples than a session of an hour at 200 Hz can make

_RING_AT = const(0x2003F000)  # the last 4 KB of RAM: boards/STIMBENCH_STIMULATOR keeps them out of the heap
RING_BITS = 12
RING_SAMPLES = 1 << (RING_BITS - 1)
_RING_MASK = const(2047)


def aligned(size: int) -> "tuple[bytearray, int]":
    """A buffer with `size` bytes (a power of two) at a multiple of that; the buffer and the address."""
    buffer = bytearray(2 * size)
    return buffer, (uctypes.addressof(buffer) + size - 1) & ~(size - 1)


class Sampler:
    """Three DMA channels around the ADC. Results go round a ring of RING_SAMPLES 16-bit codes."""

    KEPT = RING_SAMPLES - 32
    """Samples that can be read back: the ring's, less those that may be overwritten meanwhile."""

    def __init__(self) -> None:
        self._feed = rp2.DMA()
        self._convert = rp2.DMA()
        self._store = rp2.DMA()
        self._keep_table, self._table_at = aligned(128)
        self._armed = False
        self._base = 0  # samples of earlier trains, rounded up to whole periods
        self._period = 1  # samples of both leads in a period

    def arm(self, table: "list[int]", fresh: bool) -> None:
        """Get ready for a train whose sampler takes `table` (a power of two of DMA words) again and again.

        The pulse machines must be stopped and their FIFOs empty. `fresh` starts the count again; else it goes
        on from the last train's, at a whole period.
        """
        taken = 0 if fresh else self.taken()
        self.disarm()
        self._period = len(table)
        self._base = (taken + self._period - 1) // self._period * self._period
        for index, word in enumerate(table):
            mem32[self._table_at + 4 * index] = word
        self._ready_converter()
        self._start_store()
        self._start_convert()
        self._start_feed(4 * len(table))
        self._armed = True

    def disarm(self) -> None:
        """Stop the channels; machine.ADC may be used again."""
        self._base = self.taken()
        self._armed = False
        for channel in (self._feed, self._convert, self._store):
            channel.active(0)
        mem32[_ADC_FCS] = 0

    def taken(self) -> int:
        """Samples stored so far."""
        return self._base + (_ENDLESS - self._left() if self._armed else 0)

    def _left(self) -> int:
        left: int = self._store.count  # type: ignore[attr-defined]  # the stubs lack it
        return left

    def code(self, number: int) -> int:
        """Sample `number`, if it is one of the last RING_SAMPLES."""
        return mem16[_RING_AT + 2 * (number & _RING_MASK)]

    def add_up(self, first: int, pulses: int, sums: "array.array[int]") -> None:
        """Add the samples of one lead's `pulses` to `sums`, position by position in the pulse.

        `first` is the number of the first pulse's first sample; the lead's next pulse is a period later.
        `sums` has an element for each sample of a pulse.
        """
        _add_up(_RING_AT, first, pulses, self._period, len(sums), sums)  # type: ignore[arg-type]

    def _ready_converter(self) -> None:
        mem32[_ADC_CS] = _ADC_EN
        while not mem32[_ADC_FCS] & _FCS_EMPTY:
            mem32[_ADC_FIFO]
        mem32[_ADC_FCS] = _FCS_DREQ_EVERY_RESULT

    def _start_store(self) -> None:
        dma = self._store
        ctrl = dma.pack_ctrl(
            size=_HALFWORD,
            inc_read=False,
            inc_write=True,
            ring_sel=True,  # the ring is on the writing side
            ring_size=RING_BITS,
            treq_sel=_DREQ_ADC,
        )
        write = _RING_AT + 2 * (self._base & _RING_MASK)
        dma.config(read=_ADC_FIFO, write=write, count=_ENDLESS, ctrl=ctrl, trigger=True)

    def _start_convert(self) -> None:
        dma = self._convert
        ctrl = dma.pack_ctrl(size=_WORD, inc_read=False, inc_write=False, treq_sel=_DREQ_PIO0_RX3)
        dma.config(read=_PIO0_RXF3, write=_ADC_CS, count=_ENDLESS, ctrl=ctrl, trigger=True)

    def _start_feed(self, table_bytes: int) -> None:
        bits = 2
        while 1 << bits < table_bytes:
            bits += 1
        dma = self._feed
        ctrl = dma.pack_ctrl(
            size=_WORD,
            inc_read=True,
            inc_write=False,
            ring_sel=False,  # the ring is on the reading side
            ring_size=bits,
            treq_sel=_DREQ_PIO0_TX3,
        )
        dma.config(read=self._table_at, write=_PIO0_TXF3, count=_ENDLESS, ctrl=ctrl, trigger=True)


@micropython.viper
def _add_up(ring: ptr16, first: int, pulses: int, period: int, samples: int, sums: ptr32):  # type: ignore # noqa: F821, ANN202
    for pulse in range(pulses):
        at = first + pulse * period
        for k in range(samples):
            sums[k] += ring[(at + k) & 2047]
