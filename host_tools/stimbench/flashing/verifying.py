"""What lies on a board's flash, read back by the board itself."""

from __future__ import annotations

import hashlib

from stimbench.devices.repl import BoardTransport, TransportError
from stimbench.errors import NoAnswerError
from stimbench.firmware_build.uf2 import FLASH_START, Uf2Image

__all__ = ("holds_image",)

_HASH = """
import hashlib, uctypes
_h = hashlib.sha256()
for _at in range(0, {size}, 4096):
 _h.update(uctypes.bytearray_at({start} + _at, min(4096, {size} - _at)))
print(_h.digest().hex())
"""
_TIMEOUT_S = 30.0
"""It takes half a second; one of an emulated bench on a busy machine takes longer."""


def holds_image(repl: BoardTransport, image: Uf2Image) -> bool:
    """Whether a board's flash begins with all of an image. What it tells of itself is only a text in there.

    Args:
        repl: the board's raw REPL.
        image: what was written.

    Raises:
        NoAnswerError: the board did not answer.
    """
    code = _HASH.format(size=len(image.payload), start=FLASH_START)
    try:
        answer, error = repl.exec_raw(code, _TIMEOUT_S)
    except TransportError as failure:
        raise NoAnswerError(f"The board's flash could not be read back: {failure}.") from failure
    if error:
        raise NoAnswerError(f"The board's flash could not be read back: {error.decode('ascii', 'replace')}.")
    return bool(answer.decode("ascii", "replace").strip() == hashlib.sha256(image.payload).hexdigest())
