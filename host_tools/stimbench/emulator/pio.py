"""PIO that is exact to the system clock, whatever the CPU does meanwhile.

The emulator steps PIO from the CPU's instruction loop, at most one PIO instruction per CPU instruction
or sleep, so that edges wander and long sleeps eat whole pulses. Here each PIO block is stepped by a
clock alarm at its own due time and the CPU's loop never sees it. Besides, the state machines are held
to what the datasheet says of their clocks (section 3.5.5): a machine acts on the ticks of its own
free-running divider only, also when a stall ends, and it sees another's IRQ flag one cycle late.
See docs/decisions/0003-exact-pio.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rp2040py.peripherals.pio import RPPIO, StateMachine, WaitType
from rp2040py.utils.fifo import FIFO

if TYPE_CHECKING:
    from rp2040py.rp2040 import RP2040

__all__ = ("CYCLE_NS", "NEVER", "ExactMachine", "ExactPio", "install")

CYCLE_NS = 8
"""One system clock at 125 MHz, the only frequency that the emulator knows."""
NEVER = 1 << 62
"""A due time beyond any run; times of this module are in 1/256 system clocks ("fp")."""
_CYCLE_FP = 256

_CTRL = 0x000
_SM_FIRST, _SM_LAST, _SM_STRIDE = 0x0C8, 0x124, 0x18
_SM_CLKDIV, _SM_SHIFTCTRL, _SM_INSTR = 0x00, 0x08, 0x10
_FJOIN_TX, _FJOIN_RX = 1 << 30, 1 << 31
_INPUT_SYNC_FP = 2 * _CYCLE_FP
"""GPIO inputs pass two flip-flops before a state machine sees them (3.5.6.3)."""
_EXEC_STALLED = 1 << 31


class ExactMachine(StateMachine):
    """One state machine that acts on the ticks of its own divider only."""

    pio: ExactPio

    def __init__(self, rp2040: RP2040, pio: ExactPio, index: int) -> None:
        super().__init__(rp2040, pio, index)
        self.origin_fp = 0
        """When the divider was last restarted; tick n is at origin + n * divisor, n >= 1."""
        self.retry_fp = NEVER
        """The tick at which a stalled instruction is tried again, once something may have ended the stall."""
        self.parked_ticks = 0
        """Ticks of delay that were left when the machine was disabled."""
        self.stepping = False
        self._loop: tuple[int, int, bool, int] | None = None

    def next_tick(self, earliest_fp: int) -> int:
        """The first tick of this machine's divider at or after a time."""
        count = -((self.origin_fp - earliest_fp) // self.div_fp)
        return self.origin_fp + max(count, 1) * self.div_fp

    def check_wait(self) -> None:
        """Called by the emulator when a stall may have ended: settle it on a tick, not now."""
        if not self.waiting:
            return
        if self.stepping:
            StateMachine.check_wait(self)
            if self.waiting and self.wait_type == WaitType.PIN:
                self.pio.watches_pins = True
        else:
            self.pio.request_retry(self)

    def reads_irq_flags(self) -> bool:
        """Whether its next action reads an IRQ flag."""
        if self.waiting:
            return bool(self.wait_type == WaitType.IRQ)
        return (self.pio.instructions[self.pc] & 0xE060) == 0x2040

    def act(self) -> None:
        """One tick: try the stalled instruction again, or execute the next one."""
        self._loop = None
        if self.waiting:
            self._retry()
            return
        opcode = self.pio.instructions[self.pc]
        pc = self.pc
        start_fp = self.next_due_fp
        self.stepping = True
        self.step()
        self.stepping = False
        # JMP X--/Y-- to itself: the commonest way to wait, and nothing to see until it falls through.
        if opcode & 0xE01F == pc and opcode & 0xE0 in (0x40, 0x80) and self.pc == pc:
            self._skip_loop(bool(opcode & 0x40), self.next_due_fp - start_fp)

    def _retry(self) -> None:
        pc = self.pc if self.exec_ctrl & _EXEC_STALLED else None
        self.retry_fp = NEVER
        StateMachine.check_wait(self)
        if pc is not None and not self.waiting:
            self.pc = pc  # the instruction came from SMx_INSTR: it has no successor

    def _skip_loop(self, in_x: bool, period_fp: int) -> None:
        left = self.x if in_x else self.y
        if not left:
            return
        self._loop = (self.next_due_fp, period_fp, in_x, left)
        self.next_due_fp += left * period_fp
        self._set_counter(in_x, 0)

    def _set_counter(self, in_x: bool, value: int) -> None:
        if in_x:
            self.x = value
        else:
            self.y = value

    def settle(self, now_fp: int) -> None:
        """Make the registers say what a skipped counting loop has counted so far."""
        if self._loop is None:
            return
        first_fp, period_fp, in_x, count = self._loop
        self._loop = None
        done = min(count, max(0, (now_fp - first_fp) // period_fp + 1))
        self._set_counter(in_x, count - done)
        self.next_due_fp = first_fp + done * period_fp

    def execute_now(self, opcode: int) -> None:
        """An instruction written to SMx_INSTR: it replaces a stalled one and moves no program counter."""
        self.waiting = False
        self.retry_fp = NEVER
        self.exec_ctrl &= ~_EXEC_STALLED
        pc, due_fp = self.pc, self.next_due_fp
        self.stepping = True
        StateMachine.write_uint32(self, _SM_INSTR, opcode)
        self.stepping = False
        self.next_due_fp = due_fp
        if opcode >> 13 == 1 and not self.waiting:
            self.pc = pc

    def set_enabled(self, enabled: bool, now_fp: int) -> None:
        """Start or stop on the machine's own grid; the delay that was left is kept."""
        if enabled and not self.enabled:
            first_fp = self.next_tick(now_fp + _CYCLE_FP)
            self.next_due_fp = first_fp + self.parked_ticks * self.div_fp
            if self.waiting:
                self.retry_fp = first_fp
        elif self.enabled and not enabled:
            ahead_fp = self.next_due_fp - self.next_tick(now_fp + _CYCLE_FP)
            self.parked_ticks = max(0, ahead_fp // self.div_fp)
        self.enabled = enabled

    def restart(self) -> None:
        """CTRL.SM_RESTART: clears delay, stall and shift counters, not the divider."""
        StateMachine.restart(self)
        self.exec_ctrl &= ~_EXEC_STALLED
        self.retry_fp = NEVER
        self.parked_ticks = 0
        self.next_due_fp = self.next_tick(self.pio.now_fp + _CYCLE_FP)

    def restart_divider(self, now_fp: int) -> None:
        """CTRL.CLKDIV_RESTART: the grid starts now, and what was due keeps its count of ticks."""
        ahead = max(0, (self.next_due_fp - self.next_tick(now_fp + _CYCLE_FP)) // self.div_fp)
        self.origin_fp = now_fp
        self.next_due_fp = self.next_tick(now_fp + _CYCLE_FP) + ahead * self.div_fp
        if self.retry_fp < NEVER:
            self.retry_fp = self.next_tick(now_fp + _CYCLE_FP)

    def set_divider(self, value: int, now_fp: int) -> None:
        """SMx_CLKDIV: the running period ends as it began, the next one has the new length."""
        edge_fp = self.next_tick(now_fp)
        ahead = max(0, (self.next_due_fp - edge_fp) // self.div_fp)
        StateMachine.write_uint32(self, _SM_CLKDIV, value)
        self.origin_fp = edge_fp - self.div_fp
        self.next_due_fp = edge_fp + ahead * self.div_fp

    def set_shift_control(self, value: int) -> None:
        """SMx_SHIFTCTRL: a change of either FJOIN bit empties both FIFOs and splits them again (3.5.4.1)."""
        if (value ^ self.shift_ctrl) & (_FJOIN_RX | _FJOIN_TX):
            joined_rx, joined_tx = bool(value & _FJOIN_RX), bool(value & _FJOIN_TX)
            self.tx_fifo = FIFO(0 if joined_rx and not joined_tx else 4 + 4 * joined_tx)
            self.rx_fifo = FIFO(0 if joined_tx and not joined_rx else 4 + 4 * joined_rx)
            self.rp2040.dma.clear_dreq(self.pio.dreq_rx[self.index])
            if not self.tx_fifo.full:
                self.rp2040.dma.set_dreq(self.pio.dreq_tx[self.index])
        StateMachine.write_uint32(self, _SM_SHIFTCTRL, value)

    def reset(self) -> None:
        """The whole machine to its power-on state."""
        StateMachine.reset(self)
        self.origin_fp = 0
        self.retry_fp = NEVER
        self.parked_ticks = 0
        self._loop = None


class ExactPio(RPPIO):
    """A PIO block that a clock alarm steps at its own due times."""

    machines: list[ExactMachine]  # type: ignore[assignment]

    def __init__(self, rp2040: RP2040, name: str, first_irq: int, index: int) -> None:
        # The compiled base takes its arguments in __new__; see its declaration.
        super().__init__()  # type: ignore[call-arg]
        self._tick_fp: int | None = None
        self._armed_fp = NEVER
        self._due_fp = [NEVER] * 4
        """When each machine has something to do next, as of the last `_rearm`."""
        self._acting = False
        self.watches_pins = False
        """Whether a machine ever stalled on a GPIO level, so that output pins must be looped back."""
        self.machines = [ExactMachine(rp2040, self, i) for i in range(4)]
        self._clock = rp2040.clock
        self._alarm = rp2040.clock.create_alarm(self._fire)

    @property
    def now_fp(self) -> int:
        """Now, in 1/256 system clocks: the acting machine's exact tick, else the next whole clock."""
        if self._tick_fp is not None:
            return self._tick_fp
        return -int(-self._clock.nanos // CYCLE_NS) * _CYCLE_FP

    @property
    def cycle_fp(self) -> int:  # type: ignore[override]
        """What the emulator's state machines read as the present time; shadows a counter of its own."""
        return self.now_fp

    def _fire(self) -> None:
        last_fp = self._armed_fp | (_CYCLE_FP - 1)
        self._armed_fp = NEVER
        self._acting = True
        due = [pair for pair in zip(self.machines, self._due_fp, strict=True) if pair[1] <= last_fp]
        if len(due) == 1:
            before = self.irq
            self._act(*due[0])
            if before & ~self.irq:
                self.irq_updated()
        else:
            self._act_together(due)
        self._acting = False
        self.check_changed_pins()
        self._rearm()

    def _act(self, machine: ExactMachine, due_fp: int) -> None:
        self._tick_fp = due_fp
        machine.act()
        self._tick_fp = None

    def _act_together(self, due: list[tuple[ExactMachine, int]]) -> None:
        """Machines that act in one clock all see the flags as they stood before it."""
        before = self.irq
        taken = 0
        later = []
        for machine, due_fp in due:
            if machine.reads_irq_flags():
                self.irq = before
                self._act(machine, due_fp)
                taken |= before & ~self.irq
            else:
                later.append((machine, due_fp))
        self.irq = before & ~taken
        for machine, due_fp in later:
            self._act(machine, due_fp)
        if before & ~self.irq:
            self.irq_updated()

    def request_retry(self, machine: ExactMachine) -> None:
        """Let a stalled machine try again at its next tick after this clock."""
        delay_fp = 0
        if machine.wait_type == WaitType.IRQ:
            if bool(self.irq >> machine.wait_index & 1) != machine.wait_polarity:
                return
        elif machine.wait_type == WaitType.PIN and not self.input_sync_bypass >> machine.wait_index & 1:
            delay_fp = _INPUT_SYNC_FP
        earliest_fp = (self.now_fp | (_CYCLE_FP - 1)) + 1 + delay_fp
        machine.retry_fp = min(machine.retry_fp, machine.next_tick(earliest_fp))
        self._rearm()

    def _rearm(self) -> None:
        if self._acting:
            return
        self._due_fp = [
            (each.retry_fp if each.waiting else each.next_due_fp) if each.enabled else NEVER
            for each in self.machines
        ]
        due_fp = min(self._due_fp)
        if due_fp == self._armed_fp:
            return
        self._armed_fp = due_fp
        if due_fp >= NEVER:
            self._alarm.cancel()
        else:
            # A divided clock's ticks fall on whole system clocks: the fraction only decides which.
            self._alarm.schedule(max(0.0, (due_fp >> 8) * CYCLE_NS - self._clock.nanos))

    def recompute_due(self) -> None:
        """The emulator's word for: some machine's due time changed."""
        self._rearm()

    def notify_due(self, due_fp: int) -> None:
        """The emulator's word for: a machine's stall ended."""
        self._rearm()

    def write_uint32(self, offset: int, value: int) -> None:
        """A register write, at the present instant; pins change before it returns."""
        if offset == _CTRL:
            self._write_ctrl(value)
        elif _SM_FIRST <= offset <= _SM_LAST:
            self._write_machine(*divmod(offset - _SM_FIRST, _SM_STRIDE), value)
        else:
            RPPIO.write_uint32(self, offset, value)
            return
        self.check_changed_pins()
        self._rearm()

    def _write_ctrl(self, value: int) -> None:
        now_fp = self.now_fp
        for index, machine in enumerate(self.machines):
            machine.settle(now_fp)
            if value >> (8 + index) & 1:
                machine.restart_divider(now_fp)
            if value >> (4 + index) & 1:
                machine.restart()
            machine.set_enabled(bool(value >> index & 1), now_fp)

    def _write_machine(self, index: int, register: int, value: int) -> None:
        machine = self.machines[index]
        now_fp = self.now_fp
        machine.settle(now_fp)
        if register == _SM_INSTR:
            machine.execute_now(value & 0xFFFF)
        elif register == _SM_CLKDIV:
            machine.set_divider(value, now_fp)
        elif register == _SM_SHIFTCTRL:
            machine.set_shift_control(value)
        else:
            machine.write_uint32(register, value)

    def reset(self) -> None:
        """The whole block to its power-on state; nothing stays due."""
        RPPIO.reset(self)
        self.watches_pins = False
        self._rearm()


def install(rp2040: RP2040, irqs: tuple[int, int]) -> list[ExactPio]:
    """Replace a chip's PIO blocks by exact ones, before anything ran on it."""
    blocks = [ExactPio(rp2040, f"PIO{i}", irqs[i], i) for i in range(2)]
    rp2040.pio = list(blocks)
    rp2040.peripherals[0x50200] = blocks[0]
    rp2040.peripherals[0x50300] = blocks[1]
    return blocks
