"""One target under Atheris, in a process of its own: `python -m stimbench.fuzz.guided SEED TARGET ...`.

The other arguments are libFuzzer's, on which Atheris stands: it changes inputs, and keeps those that take a
new way through the code, which is instrumented when it is imported. It never comes back from `Fuzz`, and ends
the process: so whatever is found is printed at once, a line of JSON each.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import atheris

INSTRUMENTED = ("stimfw", "stimbench.client")
_SHORTENINGS = 400


class Watched:
    """A target whose exceptions are told, each place once, and do not end the run."""

    def __init__(self, run: Callable[[bytes], None]) -> None:
        """Args: run: the target."""
        self._run = run
        self._places: set[str] = set()

    def __call__(self, data: bytes) -> None:
        """Run one input."""
        try:
            self._run(data)
        except Exception as error:
            where = place(error)
            if where not in self._places:
                self._places.add(where)
                data = shortened(self._run, data, where)
                text = f"{type(error).__name__}: {error}"
                print(json.dumps({"error": text, "where": where, "data": data.hex()}), flush=True)


def shortened(run: Callable[[bytes], None], data: bytes, where: str) -> bytes:
    """The shortest input found that raises in the same place: pieces are cut out as long as that helps."""
    size, tries = len(data) // 2, 0
    while size and tries < _SHORTENINGS:
        at = 0
        while at < len(data) and tries < _SHORTENINGS:
            shorter = data[:at] + data[at + size :]
            tries += 1
            if _raised_in(run, shorter) == where:
                data = shorter
            else:
                at += size
        size //= 2
    return data


def _raised_in(run: Callable[[bytes], None], data: bytes) -> str:
    try:
        run(data)
    except Exception as error:
        return place(error)
    return ""


def place(error: BaseException) -> str:
    """The innermost lines that an exception passed through: file and number of up to three."""
    frames = traceback.extract_tb(error.__traceback__)[1:][-3:]  # not who caught it
    return " > ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames)


def main(words: list[str]) -> None:
    """What the module's first lines say."""
    seed, name, *arguments = words
    with atheris.instrument_imports(include=list(INSTRUMENTED)):
        from stimbench.fuzz.registry import find
    target = find(name)
    atheris.Setup(["fuzz", f"-seed={seed}", *arguments], Watched(target.run))
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
