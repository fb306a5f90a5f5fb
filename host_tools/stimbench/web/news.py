"""What the bench's process tells of the leads, as bytes. Light: the server loads no emulator for it."""

from __future__ import annotations

from stimbench.web import channel
from stimbench.web.record import LeadNews

__all__ = ("packed", "unpacked")


def packed(news: dict[str, LeadNews], end_ns: int) -> bytes:
    """The body of a message RECORD."""
    meta = {"end_ns": end_ns, "driven": {name: one.driven for name, one in news.items()}}
    arrays = [
        array for one in news.values() for array in (one.current, one.voltage, one.rising, *one.switches)
    ]
    return channel.pack(meta, arrays)


def unpacked(body: bytes) -> tuple[dict[str, LeadNews], int]:
    """The opposite of `packed`."""
    meta, arrays = channel.unpack(body)
    news = {}
    for at, (name, driven) in enumerate(meta["driven"].items()):
        current, voltage, rising, *switches = arrays[at * 6 : at * 6 + 6]
        news[name] = LeadNews(current, voltage, rising, driven, (switches[0], switches[1], switches[2]))
    return news, meta["end_ns"]
