"""Lesson 6, what an eavesdropper sees: frames in the air, what of them is open, and a replay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stimfw.telemetry import frames

from stimbench.lessons.model import Drawing, Findings, Number, Step
from stimbench.parts.radio import Sniffed
from stimbench.report.style import ACCENT, INK, LEAD_COLORS, MUTED, RAMP, Chart

__all__ = ("STEPS",)

_AIR_US = (1 + 5 + 32 + 2) * 8  # at 1 Mbit/s: preamble, address, payload, CRC
_COPIES = 3  # of a frame in a burst
_TOKEN = slice(2, frames.HEADER_BYTES)
_CHANCE = 2  # of 27 bytes, so many at most are equal by chance
_ROW = 16  # bytes in a row: 32 would be too small to read
_NEXT_FRAME = 2.6  # rows from one frame to the next
_LEGEND = (
    ("open: kind, slot, token", LEAD_COLORS[0]),
    ("sealed: which request", INK),
    ("tag", MUTED),
)
_LEGEND_AT = (1.6, 9.2, 14.4)


def what_is_heard(heard: Sequence[Sniffed], presses: Sequence[Sequence[bytes]]) -> Findings:
    """The frames of a START and a STOP. `presses`: the frames from the remote after each."""
    start, stop = (next(frame for frame in sent if _kind(frame) == frames.REQUEST) for sent in presses)
    sealed = slice(frames.HEADER_BYTES, None)
    same = _alike(start[sealed], stop[sealed])
    request = next(packet for packet in heard if packet.payload == start)
    numbers = {
        "frames": Number(
            "frames heard",
            len({packet.payload for packet in heard}),
            "",
            0,
            6,
            0,
            "HELLO, CHALLENGE, and 2 x question and answer",
        ),
        "copies": Number("packets for each", len(heard) / 6, "", 0, _COPIES, 0, "a burst is of three copies"),
        "start_bytes": Number(
            "bytes of START", len(start), "", 0, frames.FRAME_BYTES, 0, "each request has 32"
        ),
        "stop_bytes": Number("bytes of STOP", len(stop), "", 0, frames.FRAME_BYTES, 0, "each request has 32"),
        "air_us": Number(
            "START in the air",
            (request.t_end_ns - request.t_start_ns) / 1000,
            "us",
            0,
            _AIR_US,
            0,
            "bits at 1 Mbit/s",
        ),
        "open_bytes": Number("open bytes", frames.HEADER_BYTES, "", 0),
        "sealed_bytes": Number("sealed bytes", len(start[sealed]), "", 0),
        "same_bytes": Number("of these alike in START and STOP", same, "", 0, 0, _CHANCE, "chance"),
        "same_token": Number(
            "bytes of the tokens alike", _alike(start[_TOKEN], stop[_TOKEN]), "", 0, 0, _CHANCE, "chance"
        ),
    }
    return Findings(numbers, _picture(start, stop))


def _kind(frame: bytes) -> int:
    return frames.kind_of(frame)


def _alike(one: bytes, other: bytes) -> int:
    return sum(left == right for left, right in zip(one, other, strict=True))


def _picture(start: bytes, stop: bytes) -> Drawing:
    def paint(drawn: Any, _: Any) -> None:
        axes = drawn.add_subplot()
        axes.grid(visible=False)
        for top, name, frame in ((0.0, "START", start), (_NEXT_FRAME, "STOP", stop)):
            axes.text(-0.5, top - 0.75, name, color=ACCENT, va="center")
            for at, byte in enumerate(frame):
                _draw_byte(axes, at % _ROW, top + at // _ROW, byte, *_colors_of(at, len(frame)))
        for x, (text, color) in zip(_LEGEND_AT, _LEGEND, strict=True):
            axes.text(x, -0.75, text, color=color, va="center", fontsize="small")
        axes.set(xlim=(-0.6, _ROW - 0.4), ylim=(4.2, -1.2))
        axes.set_axis_off()

    return Drawing(
        "6-frames.svg",
        Chart("Two frames", "", "", (190, 190), paint),
        {"start": list(start), "stop": list(stop)},
    )


def _colors_of(at: int, length: int) -> tuple[str, str]:
    """Of the byte `at` of a frame: its own colour and that of its text."""
    if at < frames.HEADER_BYTES:
        return RAMP, INK
    return (MUTED if at >= length - frames.TAG_BYTES else INK), "white"


def _draw_byte(axes: Any, x: float, y: float, byte: int, color: str, ink: str) -> None:
    axes.barh(y, 0.94, 0.86, left=x - 0.47, color=color)
    axes.text(x, y, f"{byte:02x}", ha="center", va="center", color=ink, fontsize="small")


def replayed(before: dict[str, int], after: dict[str, int], states: Sequence[str], sent: int) -> Findings:
    """What became of the frames that were sent again. `states`: the stimulator's, after each of them."""
    return Findings(
        {
            "sent_again": Number("frames sent again", sent, "", 0, 3, 0, "all that the remote had sent"),
            "executed": Number(
                "of these executed", sum(state != "ready" for state in states), "", 0, 0, 0, "none"
            ),
            "refused": Number(
                "counted as replayed",
                after["radio_replayed"] - before["radio_replayed"],
                "",
                0,
                1,
                0,
                "the START",
            ),
        }
    )


STEPS: dict[str, Step] = {"what_is_heard": what_is_heard, "replayed": replayed}
