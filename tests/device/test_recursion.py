"""A recursion that is too deep is an error of Python's, whichever stack it fills, and the board goes on."""

import pytest
from support.board import Board

KINDS = {
    "frames": "deep = lambda n: deep(n + 1)\ndeep(0)",
    "frames and C": "deep = lambda n: sorted([1, 2], key=lambda _: deep(n + 1))\ndeep(0)",
    "C": "deep = []\nfor _ in range(2000): deep = [deep]\nrepr(deep)",
    "large frames": "deep = lambda n, *a: deep(n + 1, *a, 1, 2, 3, 4, 5, 6, 7, 8)\ndeep(0)",
}
TRIED = """
import gc
kept = bytes(range(200)) * 3
try:
    exec({code!r})
    print('no end')
except RuntimeError:
    print('caught')
del deep
gc.collect()
print(kept == bytes(range(200)) * 3, sum(range(100)))
"""


@pytest.mark.control("C-40")
@pytest.mark.deep_stack
@pytest.mark.parametrize("kind", KINDS)
def test_too_deep_is_a_runtime_error_and_the_board_goes_on(board: Board, kind):
    code = TRIED.format(code=KINDS[kind])
    if "deep =" not in KINDS[kind]:
        code = code.replace("del deep\n", "")
    for _ in range(2):
        assert board.exec(code).split() == ["caught", "True", "4950"]
    board.reset()
    assert board.client.status().state_name == "ready"
