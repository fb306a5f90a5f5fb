"""Where rp2040py's core departs from the ARMv6-M manual (DDI 0419) and ours does not, each by its name.

The comparison of the two cores lets these differ and nothing else. What the manual asks is in
tests/emulator/test_core_manual.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from stimbench.emulator.core_pair import Difference

_CARRY = 1 << 29
_NEAR = 0x7FFFFFFF
_THREAD = 0


@dataclass(frozen=True)
class Departure:
    """One of them: which differences it explains, and in which fields of the state alone."""

    applies: Callable[[Difference], bool]
    fields: frozenset[str]

    def explains(self, difference: Difference) -> bool:
        return difference.fields <= self.fields and self.applies(difference)


def _low(difference: Difference) -> int:
    """The register in bits 0-2."""
    return difference.start.register(difference.opcode & 7)


def _middle(difference: Difference) -> int:
    """The register in bits 3-5."""
    return difference.start.register(difference.opcode >> 3 & 7)


def _is(difference: Difference, mask: int, bits: int) -> bool:
    return difference.opcode & mask == bits


def _shift_by_0(bits: int) -> Callable[[Difference], bool]:
    return lambda d: _is(d, 0xFFC0, bits) and _middle(d) & 0xFF == 0


def _mrs(d: Difference) -> bool:
    return d.opcode == 0xF3EF and d.opcode2 >> 12 == 8


def _msr(d: Difference) -> bool:
    return _is(d, 0xFFF0, 0xF380) and d.opcode2 >> 8 == 0x88


def _special(d: Difference) -> int:
    return d.opcode2 & 0xFF


def _unprivileged(d: Difference) -> bool:
    return d.start.mode == _THREAD and d.start.n_priv


def _with_pc(d: Difference) -> bool:
    return 15 in (d.opcode >> 3 & 15, d.opcode >> 4 & 8 | d.opcode & 7)


_APSR = frozenset({"apsr"})
_LOW_REGISTERS = frozenset(f"r{n}" for n in range(8))
_ANY_REGISTER = frozenset(f"r{n}" for n in range(15))

DEPARTURES: dict[str, Departure] = {
    "ADCS, V of 0x7FFFFFFF and carry": Departure(
        lambda d: _is(d, 0xFFC0, 0x4140) and _low(d) == _NEAR and bool(d.start.apsr & _CARRY), _APSR
    ),
    "SBCS, V of 0x7FFFFFFF and borrow": Departure(
        lambda d: _is(d, 0xFFC0, 0x4180) and _middle(d) == _NEAR and not d.start.apsr & _CARRY, _APSR
    ),
    "LSLS by more than 32, C": Departure(lambda d: _is(d, 0xFFC0, 0x4080) and _middle(d) & 0xFF > 32, _APSR),
    "LSRS by 0, C": Departure(_shift_by_0(0x40C0), _APSR),
    "ASRS by 0, C": Departure(_shift_by_0(0x4100), _APSR),
    "RORS by 0, C": Departure(_shift_by_0(0x41C0), _APSR),
    "STMIA with its base in the list": Departure(
        lambda d: _is(d, 0xF800, 0xC000) and bool(d.opcode >> (d.opcode >> 8 & 7) & 1), _LOW_REGISTERS
    ),
    "BLX LR": Departure(lambda d: d.opcode == 0x47F0, frozenset({"r15"})),
    "BX PC": Departure(lambda d: d.opcode == 0x4778, frozenset({"r15"})),
    "CMP with PC": Departure(lambda d: _is(d, 0xFF00, 0x4500) and _with_pc(d), _APSR),
    "PUSH with LR, cycles": Departure(lambda d: _is(d, 0xFF00, 0xB500), frozenset({"cycles"})),
    "POP with PC, cycles": Departure(lambda d: _is(d, 0xFF00, 0xBD00), frozenset({"cycles"})),
    "MSR, IPSR written": Departure(lambda d: _msr(d) and _special(d) in (3, 5), frozenset({"ipsr"})),
    "MSR, APSR by IAPSR and EAPSR": Departure(lambda d: _msr(d) and _special(d) in (1, 2), _APSR),
    "MSR, stack pointer not aligned": Departure(
        lambda d: _msr(d) and _special(d) in (8, 9) and not _unprivileged(d), frozenset({"banked_sp"})
    ),
    "MSR without privilege": Departure(
        lambda d: _msr(d) and _special(d) >= 8 and _unprivileged(d),
        frozenset({"r13", "banked_sp", "sp_sel", "pm", "n_priv", "interrupts_updated"}),
    ),
    "MRS, EPSR not zero": Departure(lambda d: _mrs(d) and _special(d) == 3, _ANY_REGISTER),
    "MRS, unknown parts of xPSR": Departure(lambda d: _mrs(d) and _special(d) in (1, 2, 6, 7), _ANY_REGISTER),
    "MRS without privilege": Departure(
        lambda d: _mrs(d) and _special(d) in (8, 9, 16) and _unprivileged(d), _ANY_REGISTER
    ),
    "CPS without privilege": Departure(
        lambda d: d.opcode in (0xB662, 0xB672) and _unprivileged(d), frozenset({"pm", "interrupts_updated"})
    ),
    "WFI, for what is pending": Departure(lambda d: d.opcode == 0xBF30, frozenset({"interrupts_updated"})),
}


def names_of(difference: Difference) -> list[str]:
    """The departures that explain it: one, or none."""
    return [name for name, departure in DEPARTURES.items() if departure.explains(difference)]
