"""Where on flash everything is: blocks of 4096 bytes, counted as `rp2.Flash()` counts them.

MicroPython keeps the last 1408 KB of the chip for its file system: 352 blocks. The frozen `_boot` gives
littlefs the first FILESYSTEM_BLOCKS of these only; the rest belongs to this package, whose records a power
cut cannot tear.
"""

BLOCKS = 352
FILESYSTEM_BLOCKS = 286
FORMER_FILESYSTEM_BLOCKS = 288
"""Of firmware before there were calibrations: `_boot` knows such a file system, and formats it again."""

CALIBRATION = 286
"""2 blocks, of a stimulator: stimfw.pulses.calibration_record."""

JOURNAL = 288
"""JOURNAL_BLOCKS blocks, of an implanted stimulator: stimfw.storage.journal."""
JOURNAL_BLOCKS = 44
PROGRESS = 332
"""2 blocks, of an implanted stimulator: what its day has seen, and its battery (stimfw.therapy.schedule)."""
EVENTS = 334
"""2 blocks, of a stimulator: stimfw.storage.event_store."""
EPOCHS = 336
"""2 blocks: stimfw.storage.epochs."""
PAIRINGS = 338
"""2 blocks: a stimulator's table, or a remote's pairing (stimfw.storage.pairings)."""
PRESCRIPTIONS = 340
"""8 blocks, of an implanted stimulator: the present prescription and 3 former ones, 2 blocks each."""
LIFE = 348
"""2 blocks, of a stimulator: whether it is implanted, and since when (stimfw.storage.life)."""
EPOCH_LIMIT = 350
"""2 blocks: stimfw.storage.epoch_limit."""
END = 352
