"""The manual's own pseudocode (DDI 0419, ARMv6-M) for what our core and rp2040py's disagree on."""

from __future__ import annotations

MASK = 0xFFFFFFFF
N, Z, C, V = 1 << 31, 1 << 30, 1 << 29, 1 << 28


def signed(value: int) -> int:
    """SInt()."""
    return value - (1 << 32) if value >> 31 else value


def add_with_carry(x: int, y: int, carry_in: int) -> tuple[int, int, int]:
    """AddWithCarry() of A2.2.1: result, carry, overflow."""
    unsigned_sum = x + y + carry_in
    signed_sum = signed(x) + signed(y) + carry_in
    result = unsigned_sum & MASK
    return result, int(result != unsigned_sum), int(signed(result) != signed_sum)


def lsl_c(x: int, shift: int) -> tuple[int, int]:
    """LSL_C() of A2.2.1; `shift` is above 0."""
    extended = x << shift
    return extended & MASK, extended >> 32 & 1


def lsr_c(x: int, shift: int) -> tuple[int, int]:
    """LSR_C()."""
    return x >> shift & MASK, x >> (shift - 1) & 1


def asr_c(x: int, shift: int) -> tuple[int, int]:
    """ASR_C()."""
    return signed(x) >> shift & MASK, signed(x) >> (shift - 1) & 1


def ror_c(x: int, shift: int) -> tuple[int, int]:
    """ROR_C()."""
    turn = shift % 32
    result = (x >> turn | x << (32 - turn)) & MASK
    return result, result >> 31


def shift_c(value: int, shift: int, carry_in: int, kind: str) -> tuple[int, int]:
    """Shift_C(): by 0 the value and the carry stay."""
    if shift == 0:
        return value, carry_in
    return {"lsl": lsl_c, "lsr": lsr_c, "asr": asr_c, "ror": ror_c}[kind](value, shift)


def flags(apsr: int, result: int, carry: int, overflow: int | None = None) -> int:
    """The APSR after an instruction that sets N, Z, C and, unless it is None, V."""
    kept = apsr & V if overflow is None else V * overflow
    return (N if result >> 31 else 0) | (Z if result == 0 else 0) | C * carry | kept
