"""The pulse train on PIO block 0: loaded, started and ended here, timed by the state machines alone.

Registers by their addresses in the RP2040 datasheet, section 3.7. All of PIO block 0 belongs to this driver.
"""

from typing import TYPE_CHECKING

from machine import mem32
from micropython import const

from stimfw.pulses import pio_words as w
from stimfw.pulses.sampling import DIVIDER as SAMPLER_DIVIDER
from stimfw.pulses.waveform import FLAG_PERIOD, PACER, PULSE_DIVIDER, RIGHT_GO, SAMPLER, WORDS

if TYPE_CHECKING:
    from stimfw.pulses.pulse_pair import PairPacer
    from stimfw.pulses.waveform import Pacer

_CTRL = const(0x50200000)
_TXF0 = const(0x50200010)
_IRQ = const(0x50200030)
_INSTR_MEM = const(0x50200048)
_CLKDIV = const(0x502000C8)
_EXECCTRL = const(0x502000CC)
_SHIFTCTRL = const(0x502000D0)
_INSTR = const(0x502000D8)
_PINCTRL = const(0x502000DC)
_STRIDE = const(0x18)
_SM0_INSTR = const(0x502000D8)
_SM1_INSTR = const(0x502000F0)
_SET_PINS_OFF = const(0xE000)
_PACER_ADDR = const(0x50200104)
_INTE = const(0x5020012C)
_GPIO_CTRL = const(0x40014004)
_FUNCTION_PIO0 = const(6)
_FLAGS_TO_CPU = const(8)  # bit of flag 0 in INTR

_RESTART_ALL = const(0xF0)
_START_ALL = const(0xF0F)  # enable all four, their dividers restarted in the same cycle
_OUT_SHIFT_RIGHT = const(1 << 19)
_AUTOPULL = const(1 << 17)
_FJOIN_RX = const(1 << 31)
_BRIDGE_PINS = const(3)

_END_FLAG = const(6)


class Pulser:
    """Two bridges and LDAC, driven by PIO block 0."""

    def __init__(self, left_base: int, right_base: int, ldac: int) -> None:
        """Take the pins, all bridge outputs low before they are driven.

        Args:
            left_base: GPIO number of L_CATH; L_ANOD and L_SHORT follow it.
            right_base: of R_CATH, likewise.
            ldac: of LDAC, which idles high.
        """
        mem32[_CTRL] = 0
        for machine, base in ((0, left_base), (1, right_base)):
            # SET group: the bridge. OUT group: LDAC alone.
            self._configure(machine, PULSE_DIVIDER, 0, 0, _BRIDGE_PINS << 26 | 1 << 20 | base << 5 | ldac)
            self._execute(machine, w.set_pins(0))
            self._execute(machine, w.set_pindirs(7))
            self._execute(machine, w.mov_pins_high())
        # LDAC's direction: through the SET group of machine 0, borrowed for one instruction.
        mem32[_PINCTRL] = 1 << 26 | ldac << 5
        self._execute(0, w.set_pindirs(1))
        mem32[_PINCTRL] = _BRIDGE_PINS << 26 | 1 << 20 | left_base << 5 | ldac
        for pin in list(range(left_base, left_base + 3)) + list(range(right_base, right_base + 3)) + [ldac]:
            mem32[_GPIO_CTRL + 8 * pin] = _FUNCTION_PIO0

    def load(self, pulse: "list[int]", pacer: "Pacer | PairPacer", sampler_words: "list[int]") -> None:
        """Put the programmes of a train in place; nothing runs yet.

        Args:
            pulse: words of both leads, for address 0.
            pacer: waveform.Pacer, made for the address behind them; or pulse_pair.PairPacer, whose
                `registers` go into the leads' machines.
            sampler_words: for the address behind that.

        Raises:
            ValueError: they need more than the block's 32 words.
        """
        words = pulse + pacer.words + sampler_words
        if len(words) > WORDS:
            raise ValueError("%d PIO words" % len(words))
        self.off()
        for index, word in enumerate(words):
            mem32[_INSTR_MEM + 4 * index] = word
        pace = len(pulse)
        sample = pace + len(pacer.words)
        self._pacer = pacer
        self._starts = (0, 0, pace, sample)
        self._wrap(0, 0, pace - 1)
        self._wrap(1, 0, pace - 1)
        self._configure(PACER, PULSE_DIVIDER * pacer.cycle_us, pace, sample - 1, 0)
        self._configure(SAMPLER, SAMPLER_DIVIDER, sample, len(words) - 1, 0)

    def prepare(self) -> None:
        """Bring all machines to their first instruction with empty FIFOs; DMA may be armed after this."""
        mem32[_CTRL] = _RESTART_ALL
        mem32[_INSTR_MEM + 4 * self._starts[PACER]] = self._pacer.words[0]
        for machine in range(4):
            shift = _SHIFTCTRL + machine * _STRIDE
            plain = mem32[shift] & ~_FJOIN_RX
            mem32[shift] = plain | _FJOIN_RX  # a change of FJOIN empties the FIFOs (section 3.5.4.1)
            mem32[shift] = plain
            self._execute(machine, w.jmp(self._starts[machine]))
        self._load_registers(PACER, self._pacer.isr, self._pacer.osr)
        for machine, held in enumerate(getattr(self._pacer, "registers", ())):
            self._load_registers(machine, held[0], held[1])
        mem32[_IRQ] = 0xFF

    def start(self) -> None:
        """Start the train: the left lead's first go is one pacer cycle away."""
        mem32[_CTRL] = _START_ALL

    def off(self) -> None:
        """Stop all machines, bridges off. Allocates nothing: fit for a hard interrupt handler."""
        mem32[_CTRL] = 0
        mem32[_SM0_INSTR] = _SET_PINS_OFF
        mem32[_SM1_INSTR] = _SET_PINS_OFF

    def open(self) -> None:
        """End the recharge of both leads early: bridges off until each one's next pulse. Only between pulses.

        A machine that waits for its go does this instruction at once and goes on waiting.
        """
        mem32[_SM0_INSTR] = _SET_PINS_OFF
        mem32[_SM1_INSTR] = _SET_PINS_OFF

    def hold(self, machine: int, pins: int) -> None:
        """A lead's bridge by hand (waveform.CATHODIC ... or OFF); only while the train is off."""
        self._execute(machine, w.set_pins(pins))

    def finish(self) -> None:
        """Let the present period end and no other begin: the pacer sets a flag then and stalls."""
        mem32[_INSTR_MEM + 4 * self._starts[PACER]] = w.irq_wait(_END_FLAG)

    def finished(self) -> bool:
        """After `finish`: whether the period is over, all pulses behind it.

        The flag tells, not the pacer's address: that moves on when an instruction's delay only begins.
        """
        return mem32[_IRQ] & 1 << _END_FLAG != 0

    def left_has_gone(self) -> bool:
        """Whether the pacer is between a period's left go and its right go, not between right and left."""
        right_go = getattr(self._pacer, "right_go", RIGHT_GO)
        return 0 < (mem32[_PACER_ADDR] & 0x1F) - self._starts[PACER] <= right_go

    def running(self) -> bool:
        """Whether the machines are enabled."""
        return mem32[_CTRL] & 0xF != 0

    def latch(self) -> None:
        """Pulse LDAC by hand; only while the train is off."""
        self._execute(0, w.mov_pins_low())
        self._execute(0, w.mov_pins_high())

    def tell_periods(self, wanted: bool) -> None:
        """Interrupt the CPU at the start of each period, or not."""
        mem32[_IRQ] = 1 << FLAG_PERIOD
        mem32[_INTE] = 1 << (_FLAGS_TO_CPU + FLAG_PERIOD) if wanted else 0

    def _load_registers(self, machine: int, isr: int, osr: int) -> None:
        """ISR and OSR of a machine that stands still, its FIFO empty."""
        mem32[_TXF0 + 4 * machine] = isr
        self._execute(machine, w.pull_block())
        self._execute(machine, w.mov_isr_osr())
        mem32[_TXF0 + 4 * machine] = osr
        self._execute(machine, w.pull_block())

    def _configure(self, machine: int, divider: int, bottom: int, top: int, pins: int) -> None:
        offset = machine * _STRIDE
        mem32[_CLKDIV + offset] = divider << 16
        mem32[_SHIFTCTRL + offset] = _OUT_SHIFT_RIGHT | (_AUTOPULL if machine == SAMPLER else 0)
        mem32[_PINCTRL + offset] = pins
        self._wrap(machine, bottom, top)

    def _wrap(self, machine: int, bottom: int, top: int) -> None:
        mem32[_EXECCTRL + machine * _STRIDE] = top << 12 | bottom << 7

    def _execute(self, machine: int, word: int) -> None:
        mem32[_INSTR + machine * _STRIDE] = word
