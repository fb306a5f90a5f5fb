"""Our CPU core against rp2040py's: how much faster it is, and whether it does the same."""

from __future__ import annotations

from collections.abc import Sequence

from stimbench.benchmarks.emulator.core_loads import LOADS, cpu_s
from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, reached
from stimbench.emulator.chip import Core
from stimbench.emulator.core_pair import RARE, RARE_TIMES, Comparison

__all__ = ("COMPARISONS", "RATIOS")

_REACH = {"busy": 12, "pulsing": 4, "boot": 8, "radio": 6, "idle": 15}
_RUNS = 3
_OPCODES, _SLICES = 0x10000, 8
_ASKED = 5_000_000


def _ratio(case: tuple[str, int]) -> tuple[float, float]:
    """The processor time of a load on the reference core and on ours: the least of some runs of each."""
    load, seed = case
    return (
        min(cpu_s(load, seed, Core.REFERENCE) for _ in range(_RUNS - 1)),
        min(cpu_s(load, seed, Core.NATIVE) for _ in range(_RUNS)),
    )


def _judge_ratios(found: Sequence[tuple[float, float]], options: Options) -> list[Line]:
    return [
        reached(
            f"own core over the reference core: {load}", reference / ours, Relation.AT_LEAST, _REACH[load],
            "",
            f"{reference:.2f} s of processor time on the reference core, {ours:.2f} s on ours, which counts "
            f"the misses of the flash's cache besides; seed {options.seed}",
            reference_s=reference, own_s=ours,
        )
        for load, (reference, ours) in zip(LOADS, found, strict=True)
    ]  # fmt: skip


RATIOS = Row(
    "cores",
    "own core over the reference core",
    lambda options: [(load, options.seed) for load in LOADS],
    _ratio,
    _judge_ratios,
    weight=25,
    alone=True,
)


def _compare(case: tuple[int, int, int]) -> tuple[int, int]:
    """Comparisons made and differences found, over an eighth of the opcodes."""
    part, tries, seed = case
    comparison = Comparison(seed * _SLICES + part, follow_reference=True)
    different = sum(1 for _ in comparison.run(range(part, _OPCODES, _SLICES), tries))
    return comparison.count, different


def _asked(options: Options) -> int:
    return _ASKED // 10 if options.quick else _ASKED


def _comparison_cases(options: Options) -> list[tuple[int, int, int]]:
    each = _OPCODES + len(RARE) * (RARE_TIMES - 1)
    tries = -(-_asked(options) // each)
    return [(part, tries, options.seed) for part in range(_SLICES)]


def _judge_comparisons(found: Sequence[tuple[int, int]], options: Options) -> list[Line]:
    made, different = (sum(numbers) for numbers in zip(*found, strict=True))
    detail = f"every opcode in random states, one instruction on each core; seed {options.seed}"
    return [
        reached("comparisons of the two cores", made, Relation.AT_LEAST, _asked(options), "", detail),
        reached("of which the cores differ in", different, Relation.AT_MOST, 0, "", detail),
    ]


COMPARISONS = Row(
    "core-comparisons",
    "our core does what the reference core does",
    _comparison_cases,
    _compare,
    _judge_comparisons,
    weight=6,
)
