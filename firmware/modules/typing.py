"""What the firmware imports of CPython's typing: on a board nothing is type-checked."""

TYPE_CHECKING = False
