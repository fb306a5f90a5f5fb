"""The campaign of power cuts: the supply fails at many moments of each write to flash.

Each record then holds what it held before, or what was written: never something else. The patient's window
and the log are in RAM, so a start closes the window and begins the log anew; each case checks that, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from stimfw.storage.blocks import StorageError

from stimbench.bench import BenchConfig
from stimbench.campaign.jobs import Job, make_job
from stimbench.checks.campaigns.writes import WRITES, Scene, Snapshot, Write, snapshot
from stimbench.emulator.flash import FlashOperation
from stimbench.errors import NoAnswerError, StimbenchError

__all__ = ("cut_at", "power_cut", "power_cut_jobs")

_WORK = "stimbench.checks.campaigns.power_cuts:power_cut"
_MS = 1_000_000
_DARK_NS = 100 * _MS
"""So long the supply is off."""
_WATCHED_NS = 300 * _MS
"""So long the output is watched after the board has answered."""
_BRIDGE = ("L_CATH", "L_ANOD", "R_CATH", "R_ANOD")


def power_cut_jobs(seeds: int, moments: int, firmware_hashes: Mapping[str, str]) -> list[Job]:
    """Each write, cut at each moment, with each seed.

    Args:
        seeds: how many, from 1 on.
        moments: of each write; see `cut_at`.
        firmware_hashes: by board.
    """
    return [
        make_job(
            _WORK,
            {
                "name": f"{write}, moment {moment}, seed {seed}",
                "group": write,
                "write": write,
                "moment": moment,
                "seed": seed,
            },
            firmware_hashes,
        )
        for seed in range(1, seeds + 1)
        for write in WRITES
        for moment in range(moments)
    ]


def cut_at(operations: tuple[FlashOperation, ...], moment: int) -> tuple[int, str]:
    """When to cut: the moments go round operations and the pauses before them, deeper each time.

    The first round cuts each in the middle, the second ones at a quarter, at three quarters, and so on: more
    moments are the same ones and some more.

    Args:
        operations: of one write, in order, with times since it was asked for, ns.
        moment: its number, from 0.

    Returns:
        The time since the write was asked for, in ns, and in words what is cut.
    """
    pieces: list[tuple[int, int, str]] = []
    end_ns = 0
    for number, each in enumerate(operations, 1):
        pieces.append((end_ns, each.start_ns, f"before {each.kind} {number} of {len(operations)}"))
        pieces.append((each.start_ns, each.end_ns, f"in {each.kind} {number} of {len(operations)}"))
        end_ns = each.end_ns
    pieces = pieces[1::2] + pieces[0::2]  # the operations first: a pause has fewer ways to go wrong
    begin, end, where = pieces[moment % len(pieces)]
    share = _spread(moment // len(pieces) + 1)
    return begin + round(share * (end - begin)), f"{where}, at {share:.0%}"


def power_cut(payload: dict[str, Any], firmware: Mapping[str, Path]) -> dict[str, Any]:
    """Cut the supply once, switch it on again, and look at what is left.

    Args:
        payload: of `power_cut_jobs`.
        firmware: the stimulator's image.

    Returns:
        PASS or FAIL, with a sentence, and `found`: `old` or `new`.
    """
    write, seed = WRITES[payload["write"]], int(payload["seed"])
    operations = _rehearsed(payload["write"], seed, firmware["stimulator"])
    after_ns, where = cut_at(operations, int(payload["moment"]))
    about = {"cut_ns": after_ns, "cut": where}
    with Scene(_config(seed, firmware["stimulator"]), write) as scene:
        before = snapshot(scene.chip.flash)
        begin_ns = scene.bench.now_ns
        scene.bench.at(begin_ns + after_ns, scene.chip.power_off)
        scene.carry_out()
        scene.bench.run_to(max(scene.bench.now_ns, begin_ns + after_ns))
        cut = snapshot(scene.chip.flash)
        scene.bench.run_for(_DARK_NS)
        on_ns = scene.bench.now_ns
        scene.switch_on()
        try:
            wrong = _wrong_board(scene, on_ns)
        except NoAnswerError as error:
            return about | {"verdict": "FAIL", "told": f"Cut {where}: it does not start again: {error}"}
        found, record = _found(write, before, cut, snapshot(scene.chip.flash), scene.wanted)
    wrong += record
    told = (
        f"Cut {where}: the record is the {found} one." if not wrong else f"Cut {where}: {'; '.join(wrong)}."
    )
    return about | {"verdict": "FAIL" if wrong else "PASS", "told": told, "found": found}


@lru_cache(maxsize=32)
def _rehearsed(write: str, seed: int, image: Path) -> tuple[FlashOperation, ...]:
    """What the write does to the flash if nobody cuts it. Runs are equal, so a process asks once."""
    with Scene(_config(seed, image), WRITES[write]) as scene:
        begin_ns, count = scene.bench.now_ns, len(scene.chip.flash.operations)
        scene.carry_out()
        scene.bench.run_for(_WATCHED_NS)
        operations = scene.chip.flash.operations[count:]
    if not operations:
        raise RuntimeError(f"{write} wrote nothing on flash")
    return tuple(
        FlashOperation(each.kind, each.address, each.size, each.start_ns - begin_ns, each.end_ns - begin_ns)
        for each in operations
    )


def _wrong_board(scene: Scene, on_ns: int) -> list[str]:
    """What is wrong with the board that was switched on again.

    Raises:
        NoAnswerError: it does not answer.
    """
    stimulator = scene.connect()
    wrong = []
    try:
        status, log = stimulator.status(), stimulator.log()
        if status.state_name != "ready" or status.failed_parts:
            wrong.append(f"its state is {status.state_name} ({', '.join(status.failed_parts)})")
        if not log or log[0].event != "started":
            wrong.append("its log does not begin with its start")
        if any(vars(stimulator.window()).values()):
            wrong.append("the patient's window is open")
        records = stimulator.records()
        wrong += [f"{name}: {state}" for name, state, is_good in records.named() if not is_good]
    except NoAnswerError:
        raise
    except StimbenchError as error:
        wrong.append(str(error))
    scene.bench.run_for(_WATCHED_NS)
    moved = [name for name in _BRIDGE if len(scene.bench.trace.edges("stimulator", name, on_ns))]
    if moved:
        wrong.append(f"its bridge has moved: {', '.join(moved)}")
    return wrong


def _found(
    write: Write, before: Snapshot, cut: Snapshot, after: Snapshot, wanted: Any
) -> tuple[str, list[str]]:
    """Whether the record is the `old` or the `new` one, and what is wrong with it."""
    try:
        found = write.judge(before, after, wanted)
        epochs = (before.next_epoch(), cut.next_epoch(), after.next_epoch())
    except StorageError as error:
        return "damaged", [f"a record cannot be read: {error}"]
    wrong = [] if found in ("old", "new") else [f"the record is neither the old nor the new one: {found}"]
    if epochs[2] <= max(epochs[:2]):
        wrong.append(f"an epoch comes twice: the next one was {epochs[0]}, {epochs[1]}, then {epochs[2]}")
    return found if found in ("old", "new") else "other", wrong


def _config(seed: int, image: Path) -> BenchConfig:
    return BenchConfig(seed=seed, boards=("stimulator",), firmware={"stimulator": image})


def _spread(number: int) -> float:
    """1/2, 1/4, 3/4, 1/8, 5/8 ...: the number's bits behind the point, in reverse (van der Corput)."""
    share, weight = 0.0, 0.5
    while number:
        share += weight * (number & 1)
        number >>= 1
        weight /= 2
    return share
