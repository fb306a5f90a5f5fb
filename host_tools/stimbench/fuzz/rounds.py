"""Random rounds, without coverage. Runs on MicroPython too.

`micropython rounds.py SEED SECONDS EXECUTIONS MODULE:TARGET...` prints a line of JSON for each target.
"""

import gc
import json
import sys
import time

from stimbench.fuzz.mutation import MOST_BYTES, mutated
from stimbench.fuzz.script import Dice

_KEPT = 16
_A_LOOK = 16
"""Executions between two looks at the clock."""


def random_input(dice: Dice, kept: "list[bytes]") -> bytes:
    """A new input: fresh bytes, or one of `kept` changed. `kept` is a pool that goes round."""
    if not kept or not dice.below(4):
        found = dice.take(1 + dice.below(MOST_BYTES))
    else:
        found = mutated(dice, kept[dice.below(len(kept))], kept[dice.below(len(kept))])
    if len(kept) < _KEPT:
        kept.append(found)
    else:
        kept[dice.below(_KEPT)] = found
    return found


def rounds(run: object, seed: int, seconds: float, executions: int) -> "dict[str, object]":
    """Run a target on random inputs until the time is over or so many are done; 0 is no limit.

    The first exception ends it.

    Returns:
        executions, seconds; memory_bytes: the most heap that was live after one (MicroPython only); error,
        data: of an exception, else empty.
    """
    dice, kept = Dice(seed), []  # type: ignore[var-annotated]
    began_ms, done, memory, error, data = _now_ms(), 0, 0, "", b""
    while not error and (not executions or done < executions):
        if seconds and done % _A_LOOK == 0 and _now_ms() - began_ms >= 1000 * seconds:
            break
        data = random_input(dice, kept)
        try:
            run(data)  # type: ignore[operator]
        except MemoryError:
            error = "MemoryError"
        except Exception as caught:
            error = "%s: %s" % (type(caught).__name__, caught)
        done += 1
        if done % _A_LOOK == 0:
            memory = max(memory, _live_heap())
    return {
        "executions": done,
        "seconds": (_now_ms() - began_ms) / 1000,
        "memory_bytes": memory,
        "error": error,
        "data": "".join(["%02x" % byte for byte in data]) if error else "",
    }


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _live_heap() -> int:
    """Bytes that are in use without garbage; 0 on CPython."""
    if not hasattr(gc, "mem_alloc"):
        return 0
    gc.collect()
    used: int = gc.mem_alloc()
    return used


def main(words: "list[str]") -> None:
    """What the module's first lines say."""
    seed, seconds, executions = int(words[0]), float(words[1]), int(words[2])
    for name in words[3:]:
        gc.collect()
        print(json.dumps(dict(rounds(_target(name), seed, seconds, executions), target=name)))


def _target(name: str) -> object:
    """The target `MODULE:NAME`. No other module is imported: all of them would fill a heap of 512 KB.

    Raises:
        KeyError: there is none.
    """
    module, _, own = name.partition(":")
    try:
        imported = __import__("stimbench.fuzz." + module, None, None, ("TARGETS",))
    except ImportError:
        raise KeyError(name) from None
    return dict(imported.TARGETS)[own]


if __name__ == "__main__":
    main(sys.argv[1:])
