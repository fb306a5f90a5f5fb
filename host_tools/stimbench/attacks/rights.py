"""More than the role allows."""

from __future__ import annotations

import random

from stimfw.protocol import asking, messages, requests, roles
from stimfw.telemetry import fragments, frames, keys
from stimfw.telemetry.connection import Connection

from stimbench.attacks.loopback import STOP, LoopbackLink
from stimbench.attacks.result import Result

__all__ = ("escalation",)

_PATIENT, _CLINICIAN = 0, 1


class _Application:
    """What both boards' applications do with a request: ask the table, then do it."""

    def __init__(self, link: LoopbackLink) -> None:
        self.did: list[tuple[int, int]] = []
        link.stimulator._execute = self.execute

    def execute(self, message: bytes, role: int, slot: int) -> bytes:
        if not asking.may(role, message[0]):
            return messages.reply(message[0] & 0x7F, messages.FORBIDDEN)
        self.did.append((slot, message[0]))
        return messages.reply(message[0] & 0x7F, messages.OK)


def escalation(tries: int, seed: int) -> Result:
    """Get done what a patient's key may not ask for.

    By a patient with the patient's key. Each try is a request.
    Every opcode 0-255 in order, sealed correctly; a clinician's recorded frames under the patient's
    connection and slot; a connection with the clinician's role in its keys; the clinician's slot with the
    patient's key; a clinician's plaintext sealed again as the patient's. Success: an opcode is executed
    that the patient's role lacks, or anything in the clinician's name.
    """
    rng = random.Random(f"escalation {seed}")
    link = LoopbackLink(seed, ((_PATIENT, roles.PATIENT), (_CLINICIAN, roles.CLINICIAN)))
    application = _Application(link)
    for slot in (_PATIENT, _CLINICIAN):
        link.ask(STOP, slot)
    key = link.table.pairings[_PATIENT].key
    successes = answered = 0
    for number in range(tries):
        application.did.clear()
        ways = (_by_opcode, _by_clinicians_frame, _by_role, _by_slot)
        answered += ways[number % len(ways)](link, key, number // len(ways), rng)
        allowed = {requests.STATUS, requests.UPTIME, requests.START, requests.STOP, requests.AMPLITUDE}
        allowed |= {requests.THERAPY, requests.KEPT_TIME}
        successes += sum(slot != _PATIENT or opcode not in allowed for slot, opcode in application.did)
    return Result("role escalation", tries, successes, f"{answered} were answered (FORBIDDEN, or allowed)")


def _by_opcode(link: LoopbackLink, key: bytes, number: int, rng: random.Random) -> bool:
    """Any opcode, from the patient's own peer."""
    message = bytes((number & 0xFF,)) + rng.randbytes(rng.choice((0, 1, 12, 40)))
    return link.ask(message, _PATIENT) is not None


def _by_clinicians_frame(link: LoopbackLink, key: bytes, number: int, rng: random.Random) -> bool:
    """A clinician's frame that was kept back, as the patient's own."""
    link.now_ms += 13
    link.peers[_CLINICIAN].begin(messages.request(requests.SELF_TEST), 1000, link.now_ms)
    frame = link.peers[_CLINICIAN].poll(link.now_ms)
    connection = link.peers[_PATIENT]._connection
    if frame is None or connection is None:
        return False
    token = connection.token(frames.REQUEST, connection.counter)
    return link.deliver(frame[:1] + bytes((_PATIENT,)) + token + frame[frames.HEADER_BYTES :]) is not None


def _by_role(link: LoopbackLink, key: bytes, number: int, rng: random.Random) -> bool:
    """A handshake of the patient's, and then keys for a clinician's role."""
    return _spoken(link, key, _PATIENT, roles.CLINICIAN)


def _by_slot(link: LoopbackLink, key: bytes, number: int, rng: random.Random) -> bool:
    """The patient's key, in the clinician's slot and role."""
    return _spoken(link, key, _CLINICIAN, roles.CLINICIAN)


def _spoken(link: LoopbackLink, key: bytes, slot: int, role: int) -> bool:
    """A whole handshake and a SELF_TEST, said with `key` for another slot or role."""
    link.now_ms += 100
    link.start_peer(_PATIENT)  # a later epoch: what a holder of the key can choose
    hello_key, _ = keys.handshake_keys(key, slot, role)
    ours = frames.hello_nonce(link.epochs[_PATIENT], 1, frames.WANTS_CONNECTION, link.rng.randbytes(7))
    answer = link.deliver(frames.handshake(frames.HELLO, slot, 0, ours, keys.HelloTag(hello_key).make(ours)))
    if answer is None:
        return False
    theirs = bytes(frames.nonce_of(answer))
    peer = Connection(keys.connection_keys(key, ours, theirs, slot, role), slot, link.now_ms)
    plain = fragments.cut(1, messages.request(requests.SELF_TEST), 0)
    return link.deliver(peer.seal(frames.REQUEST, 0, plain)) is not None
