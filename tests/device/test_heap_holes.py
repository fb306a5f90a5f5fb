"""After a collection a larger object passes all small holes; `heap.settle` and its two halves fill them."""

import ast

from support.board import Board

AT_ONCE_US = 150
SCRIPT = """
import gc, time
from stimfw.drivers import heap
module = bytearray(3000)  # what one that is given back leaves in one piece
kept = [None] * 2000
for k in range(1000):
    kept[2 * k] = bytes(14)
    kept[2 * k + 1] = bytes(33 + k % 15)
for k in range(0, 2000, 2):
    kept[k] = None
module = None
def longest_us():
    found = 0
    for k in range(24):  # more than fit into the pieces that a fresh board has below
        begun = time.ticks_us()
        bytearray(500)
        found = max(found, time.ticks_diff(time.ticks_us(), begun))
    return found
gc.collect()
holes = longest_us()
heap.settle()
settled = longest_us()
gc.collect()
target, turns = heap.collect(), 1
while not heap.fill(target):
    turns += 1
filled = longest_us()
for name in [n for n in globals() if n[0] != "_" and n not in ("holes", "settled", "filled", "turns", "gc")]:
    del globals()[name]
gc.collect()
print((holes, settled, filled, turns))
"""


def test_a_settled_heap_gives_memory_at_once(board: Board):
    holes_us, settled_us, filled_us, turns = ast.literal_eval(board.exec(SCRIPT))
    assert holes_us > 2 * AT_ONCE_US, "the holes of this script are none"
    assert settled_us <= AT_ONCE_US and filled_us <= AT_ONCE_US
    assert turns < 160, "settle would end before the holes are full"
