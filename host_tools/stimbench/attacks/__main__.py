"""The command `python -m stimbench.attacks [scale]`."""

from __future__ import annotations

from stimbench.process import run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def _load() -> Callable[[], object]:
    from stimbench.attacks.command import main

    return main


if __name__ == "__main__":
    run(_load)
