"""What a person reads on a terminal, awaited with pytest-embedded's `dut.expect`."""

import re

from stimfw.protocol import console_frame, messages, requests

CTRL_C = "\x03"
CTRL_D = "\x04"
TIMEOUT_S = 60  # wall time, for a busy machine; nothing is measured by it


def expect(dut, text):
    return dut.expect_exact(text, timeout=TIMEOUT_S)


def expect_answer(dut):
    """Wait until the application answers."""
    line = console_frame.encode(77, messages.request(requests.IDENTIFY)).decode()
    for _ in range(3):  # the first may fall into the boot
        dut.write(line)
    answer = dut.expect(re.compile(rb"~([A-Za-z0-9+/=]+)\r?\n"), timeout=TIMEOUT_S)
    assert console_frame.decode(answer.group(1))[1].startswith(b"\x81\x00stimulator\0")


def test_ctrl_c_says_that_the_output_is_off_and_gives_the_repl(dut):
    expect_answer(dut)
    dut.write(CTRL_C)
    expect(dut, "stimulator stopped: output off")
    banner = dut.expect(re.compile(rb"MicroPython v1\.\d+[^\r\n]*stimbench stimulator"), timeout=TIMEOUT_S)
    assert banner
    expect(dut, ">>> ")


def test_an_error_at_the_repl_is_a_traceback(dut):
    dut.write(CTRL_C)
    expect(dut, ">>> ")
    dut.write("1 // 0\r")
    expect(dut, "Traceback (most recent call last):")
    expect(dut, "ZeroDivisionError: divide by zero")
    expect(dut, ">>> ")


def test_ctrl_d_starts_the_application_again(dut):
    dut.write(CTRL_C)
    expect(dut, ">>> ")
    dut.write(CTRL_D)
    expect(dut, "MPY: soft reboot")
    expect_answer(dut)
