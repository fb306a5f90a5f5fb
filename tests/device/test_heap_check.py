"""The check after every device test can fail: it says how many bytes too many a board holds."""

import pytest
from support import device
from support.board import Board


def test_what_is_held_beyond_the_tolerance_fails_a_test(board: Board, request):
    board.exec(f"held = bytearray({2 * device.HEAP_TOLERANCE})")
    with pytest.raises(pytest.fail.Exception, match="are held"):
        device.check_heap(request.node)
    board.exec("del held")
    device.check_heap(request.node)
