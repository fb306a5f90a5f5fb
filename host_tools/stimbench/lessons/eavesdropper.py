"""Lesson 6, what an eavesdropper sees: the frames in the air, what of them is open, and what a replay does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stimfw.telemetry import frames

from stimbench.lessons.model import Drawing, Findings, Number, Step
from stimbench.parts.radio import Sniffed
from stimbench.report.style import ACCENT, INK, LEAD_COLORS, MUTED, Chart

__all__ = ("STEPS",)

_AIR_US = (
    1 + 5 + 32 + 2
) * 8 + 9  # of 32 bytes at 1 Mbit/s: preamble, address, payload, CRC, 9 bits of control
_CHANCE = 2  # of 27 bytes, so many at most are equal by chance
_OPEN, _SEALED, _TAG = "#e6eef7", "#1d2733", "#5b6773"


def what_is_heard(heard: Sequence[Sniffed], presses: Sequence[Sequence[bytes]]) -> Findings:
    """The frames of a START and a STOP. `presses`: the frames from the remote after each."""
    start, stop = (next(frame for frame in sent if _kind(frame) == frames.REQUEST) for sent in presses)
    sealed = slice(frames.HEADER_BYTES, None)
    same = sum(one == other for one, other in zip(start[sealed], stop[sealed], strict=True))
    request = next(packet for packet in heard if packet.payload == start)
    sent = [packet for packet in heard if not packet.was_ack]
    numbers = {
        "frames": Number("frames heard", len(sent), "", 0, 6, 0, "HELLO, CHALLENGE, and 2 x question and answer"),
        "start_bytes": Number("bytes of START", len(start), "", 0, frames.SEALED_BYTES, 0, "each request has 32"),
        "stop_bytes": Number("bytes of STOP", len(stop), "", 0, frames.SEALED_BYTES, 0, "each request has 32"),
        "air_us": Number("START in the air", (request.t_end_ns - request.t_start_ns) / 1000, "us", 0, _AIR_US, 0, "bits at 1 Mbit/s"),
        "open_bytes": Number("open bytes", frames.HEADER_BYTES, "", 0),
        "sealed_bytes": Number("sealed bytes", len(start[sealed]), "", 0),
        "same_bytes": Number("of these alike in START and STOP", same, "", 0, 0, _CHANCE, "chance"),
        "counter": Number("STOP's counter after START's", _counter(stop) - _counter(start), "", 0, 1, 0, "one more each time"),
    }  # fmt: skip
    return Findings(numbers, _picture(start, stop))


def _kind(frame: bytes) -> int:
    return frames.kind_of(frame)


def _counter(frame: bytes) -> int:
    return int.from_bytes(frame[3:5], "little")


def _picture(start: bytes, stop: bytes) -> Drawing:
    def paint(drawn: Any, _: Any) -> None:
        axes = drawn.add_subplot()
        axes.grid(visible=False)
        for row, (name, frame) in enumerate((("START", start), ("STOP", stop))):
            for at, byte in enumerate(frame):
                # Two lines of 16: one line of 32 would be too small to read.
                x, y = at % 16, row * 2.6 + at // 16
                color = (
                    _OPEN if at < frames.HEADER_BYTES else _TAG if at >= 32 - frames.TAG_BYTES else _SEALED
                )
                axes.barh(y, 0.94, 0.86, left=x - 0.47, color=color)
                ink = INK if at < frames.HEADER_BYTES else "white"
                axes.text(x, y, f"{byte:02x}", ha="center", va="center", color=ink, fontsize="small")
            axes.text(-0.5, row * 2.6 - 0.75, name, color=ACCENT, va="center")
        legend = (
            ("open: kind, slot, connection, counter", LEAD_COLORS[0]),
            ("sealed: which request", INK),
            ("tag", MUTED),
        )
        for x, (text, color) in zip((1.6, 9.2, 14.4), legend, strict=True):
            axes.text(x, -0.75, text, color=color, va="center", fontsize="small")
        axes.set(xlim=(-0.6, 15.6), ylim=(4.2, -1.2))
        axes.set_axis_off()

    return Drawing(
        "6-frames.svg",
        Chart("Two frames", "", "", (190, 190), paint),
        {"start": list(start), "stop": list(stop)},
    )


def replayed(before: dict[str, int], after: dict[str, int], states: Sequence[str], sent: int) -> Findings:
    """What became of the frames that were sent again. `states`: the stimulator's, after each of them."""
    return Findings(
        {
            "sent_again": Number("frames sent again", sent, "", 0, 3, 0, "all that the remote had sent"),
            "executed": Number("of these executed", sum(state != "ready" for state in states), "", 0, 0, 0, "none"),
            "refused": Number(
                "counted as replayed", after["radio_replayed"] - before["radio_replayed"], "", 0, 2, 0,
                "the two requests",
            ),
        }
    )  # fmt: skip


STEPS: dict[str, Step] = {"what_is_heard": what_is_heard, "replayed": replayed}
