"""A command and its authenticated reply in an open connection, and what the cryptography of a frame takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from stimfw.telemetry import frames

from stimbench.benchmarks.harness.model import Line, Options, Relation, Row, reached
from stimbench.benchmarks.harness.rig import MS
from stimbench.benchmarks.radio.rig import PairedRig

__all__ = ("REPLY", "Found", "Reply", "ask", "judge", "seal_and_open")

_TRIALS = 50
_CASES = 2
_PAUSE_MS = 250
_GAP_MS = 80  # a button's release must have settled

# Worst cases and medians of sealing and opening frames, garbage collections of their own making included.
_SCRIPT = """
from time import ticks_diff, ticks_us
from stimfw.telemetry import frames
from stimfw.telemetry.connection import Connection
connection = Connection((bytes(range(16)), bytes(range(16, 32)), bytes(range(32, 48))), 0, 0)
plain = bytes(range(19))
sealed, opened = [], []
for counter in range({frames}):
    began = ticks_us()
    frame = connection.seal(frames.REQUEST, counter, plain)
    between = ticks_us()
    assert connection.open(frames.REQUEST, counter, frame) == plain
    opened.append(ticks_diff(ticks_us(), between))
    sealed.append(ticks_diff(between, began))
print(sealed)
print(opened)
"""


@dataclass(frozen=True)
class Reply:
    """One command, times in ns.

    Attributes:
        packet_ns: from the first bit of the REQUEST to the last bit of the REPLY's first copy.
        button_ns: from the button's first edge to the same.
        light_ns: from the button's first edge to the remote's light or sound of the answer.
    """

    packet_ns: int
    button_ns: int
    light_ns: int


@dataclass(frozen=True)
class Found:
    """What one bench gave: commands, and microseconds of sealing and opening on the stimulator's RP2040."""

    replies: list[Reply]
    seal_us: list[int]
    open_us: list[int]


def ask(rig: PairedRig) -> Reply:
    """Press STATUS and see when the answer is there.

    Raises:
        RuntimeError: it took another way than one REQUEST and one REPLY.
    """
    pressed_ns, color, light_ns = rig.press("STATUS")
    said = [packet for packet in rig.heard(pressed_ns) if not packet.copy]
    if [packet.kind for packet in said] != [frames.REQUEST, frames.REPLY] or color != "GREEN":
        raise RuntimeError(f"STATUS: {[packet.kind for packet in said]}, light {color or 'none'}")
    request, reply = said
    return Reply(reply.end_ns - request.start_ns, reply.end_ns - pressed_ns, light_ns - pressed_ns)


def seal_and_open(rig: PairedRig, count: int) -> tuple[list[int], list[int]]:
    """Seal and open `count` frames on the stimulator, whose application ends; microseconds of each."""
    lines = rig.repl().exec(_SCRIPT.format(frames=count)).decode().splitlines()
    seal_us, open_us = ([int(value) for value in line.strip("[]").split(",")] for line in lines)
    return seal_us, open_us


def _work(case: tuple[int, int]) -> Found:
    seed, count = case
    with PairedRig(seed) as rig:
        rig.connect()
        rig.connected()
        replies = []
        for _ in range(count):
            rig.run_ms(_GAP_MS + rig.rng.uniform(0, _PAUSE_MS))
            replies.append(ask(rig))
            rig.forget()
        return Found(replies, *seal_and_open(rig, count))


def _cases(options: Options) -> list[tuple[int, int]]:
    count = _TRIALS // _CASES // (5 if options.quick else 1)
    return [(options.seed + number, count) for number in range(_CASES)]


def judge(found: Sequence[Found], options: Options) -> list[Line]:
    """Four lines: in the air, from the button, seal, open."""
    replies = [reply for each in found for reply in each.replies]
    seeds = f"seeds {options.seed}-{options.seed + len(found) - 1}"
    lines = []
    for what, times in (
        ("command -> authenticated reply, first bit to last bit", [r.packet_ns for r in replies]),
        ("command -> authenticated reply, from the button's edge", [r.button_ns for r in replies]),
    ):
        lines.append(
            reached(
                what, max(times) / MS, Relation.AT_MOST, 50, "ms",
                f"worst of {len(times)} STATUS pressed on the remote, link idle, connection open; median "
                f"{median(times) / MS:.1f} ms; light after the edge: worst "
                f"{max(r.light_ns for r in replies) / MS:.1f} ms; {seeds}",
                samples_ns=times,
            )
        )  # fmt: skip
    for what, us in (
        ("seal one frame on the RP2040", [us for each in found for us in each.seal_us]),
        ("open one frame on the RP2040", [us for each in found for us in each.open_us]),
    ):
        lines.append(
            reached(
                what, max(us) / 1000, Relation.AT_MOST, 10, "ms",
                f"worst of {len(us)}, garbage collection included; median {median(us) / 1000:.2f} ms; "
                f"{seeds}. {options.cache_note}",
                samples_us=us,
            )
        )  # fmt: skip
    return lines


REPLY = Row("reply", "command -> authenticated reply", _cases, _work, judge, weight=30)
