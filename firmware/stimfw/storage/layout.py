"""Where on flash everything is: blocks of 4096 bytes, counted as `rp2.Flash()` counts them.

MicroPython keeps the last 1408 KB of the chip for its file system: 352 blocks. The frozen `_boot` gives
littlefs the first FILESYSTEM_BLOCKS of these only; the rest belongs to this package, whose records a power
cut cannot tear. The 46 blocks behind the files are not used yet: room for a journal of some thousand entries.
"""

BLOCKS = 352
FILESYSTEM_BLOCKS = 288

EVENTS = 334
"""2 blocks, of a stimulator: stimfw.storage.event_store."""
EPOCHS = 336
"""2 blocks: stimfw.storage.epochs."""
PAIRINGS = 338
"""2 blocks: a stimulator's table, or a remote's pairing (stimfw.storage.pairings)."""
PRESCRIPTIONS = 340
"""8 blocks, not used yet: 4 slots of 2."""
JOURNAL = 348
"""2 blocks, not used yet."""
EPOCH_LIMIT = 350
"""2 blocks: stimfw.storage.epoch_limit."""
END = 352
