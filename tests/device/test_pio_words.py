"""Our encoders and MicroPython's own assembler make the same words."""

import ast

from stimfw.pulses import pio_words as w
from support.board import Board

# Assembler source and our word. `irq(clear...)` and the like are not ours.
CASES = (
    ("set(pins, 5)", w.set_pins(5)),
    ("set(pins, 1) [31]", w.set_pins(1, 31)),
    ("set(pindirs, 7)", w.set_pindirs(7)),
    ("set(x, 31) [2]", w.set_x(31, 2)),
    ("set(y, 15)", w.set_y(15)),
    ('jmp("first")', w.jmp(0)),
    ('jmp(x_dec, "first") [31]', w.jmp_x_dec(0, 31)),
    ('jmp(y_dec, "first")', w.jmp_y_dec(0)),
    ("wait(1, irq, 4)", w.wait_irq(4)),
    ("wait(1, irq, rel(0))", w.wait_own_irq()),
    ("irq(2) [9]", w.irq(2, 9)),
    ("irq(block, 6)", w.irq_wait(6)),
    ("mov(pins, null)", w.mov_pins_low()),
    ("mov(pins, invert(null)) [8]", w.mov_pins_high(8)),
    ("mov(isr, osr)", w.mov_isr_osr()),
    ("mov(x, isr)", w.mov_x_isr()),
    ("mov(x, osr)", w.mov_x_osr()),
    ("nop() [3]", w.nop(3)),
    ("out(x, 16)", w.out_x_16()),
    ("out(isr, 16)", w.out_isr_16()),
    ("out(pindirs, 3)", w.out_pindirs(3)),
    ("push(noblock)", w.push_noblock()),
    ("pull(block)", w.pull_block()),
)
ASSEMBLE = """
import rp2
@rp2.asm_pio()
def words():
    label("first")
    {body}
print([w for w in words[0]])
del words
"""


def test_the_words_are_the_assemblers(board: Board):
    body = "\n    ".join(source for source, _ in CASES)
    assembled = ast.literal_eval(board.exec(ASSEMBLE.format(body=body)))
    ours = [word for _, word in CASES]
    assert [f"{source}: {word:04x}" for (source, _), word in zip(CASES, assembled, strict=True)] == [
        f"{source}: {word:04x}" for (source, _), word in zip(CASES, ours, strict=True)
    ]
