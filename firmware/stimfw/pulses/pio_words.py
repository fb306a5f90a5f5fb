"""The PIO instructions that the waveform needs, as 16-bit words (RP2040 datasheet, section 3.4).

Programmes are composed for each setting (stimfw.pulses.waveform), so they cannot be assembled beforehand.
`delay` is 0-31 further cycles of the machine's clock after the instruction.
"""

_WAIT_IRQ = 0x20C0  # wait 1 irq
_RELATIVE = 0x10  # the machine's own number is added to the flag's (section 3.4.9.2)


def _word(base: int, delay: int) -> int:
    if not 0 <= delay <= 31:
        raise ValueError("delay %d" % delay)
    return base | delay << 8


def set_pins(value: int, delay: int = 0) -> int:
    """`set pins, value`: the machine's SET pins, 0-31."""
    return _word(0xE000 | value, delay)


def set_pindirs(value: int) -> int:
    """`set pindirs, value`."""
    return 0xE080 | value


def set_x(value: int, delay: int = 0) -> int:
    """`set x, value`, 0-31."""
    return _word(0xE020 | value, delay)


def set_y(value: int, delay: int = 0) -> int:
    """`set y, value`, 0-31."""
    return _word(0xE040 | value, delay)


def jmp(address: int) -> int:
    """`jmp address`."""
    return address


def jmp_x_dec(address: int, delay: int = 0) -> int:
    """`jmp x--, address`: taken while x was not 0."""
    return _word(0x0040 | address, delay)


def jmp_y_dec(address: int, delay: int = 0) -> int:
    """`jmp y--, address`."""
    return _word(0x0080 | address, delay)


def wait_irq(flag: int) -> int:
    """`wait 1 irq flag`: stalls until the flag is set, then clears it."""
    return _WAIT_IRQ | flag


def wait_own_irq() -> int:
    """`wait 1 irq 0 rel`: the flag with the machine's own number."""
    return _WAIT_IRQ | _RELATIVE


def irq(flag: int, delay: int = 0) -> int:
    """`irq nowait flag`: sets the flag."""
    return _word(0xC000 | flag, delay)


def irq_wait(flag: int) -> int:
    """`irq wait flag`: sets the flag and stalls until somebody clears it."""
    return 0xC020 | flag


def mov_pins_low(delay: int = 0) -> int:
    """`mov pins, null`: the machine's OUT pins low."""
    return _word(0xA003, delay)


def mov_pins_high(delay: int = 0) -> int:
    """`mov pins, ~null`: the machine's OUT pins high."""
    return _word(0xA00B, delay)


def mov_isr_osr() -> int:
    """`mov isr, osr`."""
    return 0xA0C7


def mov_x_isr() -> int:
    """`mov x, isr`."""
    return 0xA026


def mov_x_osr() -> int:
    """`mov x, osr`."""
    return 0xA027


def nop(delay: int = 0) -> int:
    """`mov y, y`."""
    return _word(0xA042, delay)


def out_x_16() -> int:
    """`out x, 16`."""
    return 0x6030


def out_isr_16() -> int:
    """`out isr, 16`."""
    return 0x60D0


def out_pindirs(count: int) -> int:
    """`out pindirs, count`."""
    return 0x6080 | count


def push_noblock() -> int:
    """`push noblock`."""
    return 0x8000


def pull_block() -> int:
    """`pull block`."""
    return 0x80A0
