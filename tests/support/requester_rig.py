"""A peer's end alone, with a stimulator's end of its connection at hand. Runs on MicroPython too."""

from stimfw.protocol import messages, requests, roles
from stimfw.telemetry import fragments, frames
from stimfw.telemetry.requester import Requester

from support.link_harness import LinkHarness, Rng, key_of

STOP = messages.request(requests.STOP)
SLOT = 3


def fresh(count=0, slot=SLOT):
    return Requester(slot, roles.PATIENT, key_of(slot), 1, Rng(7).take, count)


def connected():
    """Ends whose peer in SLOT has had an answer, the peer, and the stimulator's end of the connection."""
    ends = LinkHarness(((SLOT, roles.PATIENT),))
    assert ends.ask(STOP, SLOT) is not None
    return ends, ends.peers[SLOT], ends.stimulator._peers[SLOT].connection


def asking(message=STOP):
    """The same with a request under way; its counter is the third result's last one."""
    ends, peer, link = connected()
    peer.begin(message, 1000, ends.now_ms)
    peer.poll(ends.now_ms)
    peer.sent(True, ends.now_ms)
    return ends, peer, link


def say(peer, now_ms):
    """The frame that is due; it goes out."""
    frame = peer.poll(now_ms)
    peer.sent(True, now_ms)
    return frame


def counts(peer):
    return peer.frames, peer.bad, peer.stray


def reply(peer, link, data=b"\x84\x00", request_id=None, flags=fragments.LAST):
    """An authentic REPLY to what waits."""
    plain = fragments.piece(peer._id if request_id is None else request_id, flags, data)
    return link.seal(frames.REPLY, peer.counter, plain)
