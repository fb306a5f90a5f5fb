"""The encoders against the RP2040 datasheet's instruction tables (3.4); tests/device has the assembler."""

from stimfw.pulses import pio_words as w


def test_words_of_the_datasheet():
    assert w.set_pins(1) == 0xE001 and w.set_pins(5, 31) == 0xFF05
    assert w.set_pindirs(7) == 0xE087
    assert w.set_x(31) == 0xE03F and w.set_y(2, 1) == 0xE142
    assert w.jmp(9) == 0x0009 and w.jmp_x_dec(3, 31) == 0x1F43 and w.jmp_y_dec(2) == 0x0082
    assert w.wait_irq(4) == 0x20C4 and w.wait_own_irq() == 0x20D0
    assert w.irq(2, 5) == 0xC502
    assert w.irq_wait(6) == 0xC026
    assert w.mov_pins_low() == 0xA003 and w.mov_pins_high(8) == 0xA80B
    assert w.nop() == 0xA042 and w.push_noblock() == 0x8000 and w.pull_block() == 0x80A0
    assert w.out_x_16() == 0x6030 and w.out_isr_16() == 0x60D0 and w.out_pindirs(3) == 0x6083
    assert w.mov_isr_osr() == 0xA0C7 and w.mov_x_isr() == 0xA026 and w.mov_x_osr() == 0xA027


def refused(make, delay):
    try:
        make(0, delay)
    except ValueError:
        return True
    return False


def test_a_delay_that_does_not_fit_is_refused():
    for make in (w.set_pins, w.set_x, w.set_y, w.jmp_x_dec, w.jmp_y_dec, w.irq):
        assert refused(make, 32) and refused(make, -1)
        assert not refused(make, 31) and not refused(make, 0)


def test_without_a_delay_there_is_none():
    assert w.set_pins(0) == 0xE000 and w.set_x(0) == 0xE020 and w.set_y(0) == 0xE040
    assert w.set_pindirs(0) == 0xE080 and w.set_pindirs(6) == 0xE086
    assert w.jmp_x_dec(0) == 0x0040 and w.jmp_y_dec(0) == 0x0080
    assert w.irq(0) == 0xC000 and w.nop() == 0xA042
    assert w.mov_pins_low() == 0xA003 and w.mov_pins_high() == 0xA00B
    assert w.out_pindirs(0) == 0x6080 and w.out_pindirs(2) == 0x6082


def test_a_delay_that_does_not_fit_is_told():
    try:
        w.set_x(0, 32)
    except ValueError as error:
        assert str(error) == "delay 32"
    else:
        assert False, "taken"  # noqa: B011
