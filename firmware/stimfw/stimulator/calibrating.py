"""A board's calibration: taken from its flash at the start, and written when a host has measured a new one.

Loaded by a board that has one, or that is given one: no other has heap to spare for it.
"""

import sys
from typing import TYPE_CHECKING

from stimfw.protocol import refusals
from stimfw.pulses import calibration_record
from stimfw.stimulator.output import CALIBRATED, CALIBRATION_DAMAGED
from stimfw.storage import layout
from stimfw.storage.record import Record

if TYPE_CHECKING:
    from stimfw.protocol.refusals import Answer
    from stimfw.stimulator.output import Output
    from stimfw.storage.blocks import BlockDevice


def use(flash: "BlockDevice", output: "Output") -> None:
    """Let the output go by the record on flash; if that cannot be used, by the nominal factors."""
    output.calibration = CALIBRATION_DAMAGED
    try:
        found = calibration_record.unpack(Record(flash, layout.CALIBRATION).peek() or b"")
    except (OSError, ValueError):  # damaged, of a later firmware, or of no board
        return
    for lead in range(2):
        found.leads[lead].apply(output.scales[lead])
        output.codes16[lead] = output.scales[lead].codes16
    output.calibration = CALIBRATED


def store(flash: "BlockDevice", payload: bytes) -> "Answer":
    """Keep a record; whole or not at all. The next start uses it.

    Raises:
        StorageError: the flash did not take it; the former one holds.
    """
    try:
        calibration_record.unpack(payload)
    except ValueError:
        return refusals.out_of_range(0)
    record = Record(flash, layout.CALIBRATION)
    try:
        record.peek()
    except OSError:
        record.forget()  # it cannot be used: nothing is lost
    record.store(payload)
    return refusals.done()


def unload() -> None:
    """Give back these two modules' 1.5 KB of heap; the factors stay. They can be imported again."""
    for package, name in (("stimfw.stimulator", "calibrating"), ("stimfw.pulses", "calibration_record")):
        if sys.modules.pop(package + "." + name, None):
            delattr(sys.modules[package], name)
