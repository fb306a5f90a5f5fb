"""The firmware makes what docs/telemetry-vectors.json says; its maker knows only docs/telemetry.md."""

import binascii
import json

from stimfw.crypto import x25519
from stimfw.crypto.ccm import Ccm
from stimfw.pairing import exchange as pk
from stimfw.pairing.remote_end import PairingRequester
from stimfw.pairing.stimulator_end import PairingResponder
from stimfw.telemetry import fragments, frames, keys
from stimfw.telemetry.connection import Connection
from stimfw.telemetry.requester import Requester
from stimfw.telemetry.responder import Responder
from support.link_harness import Pairing, Table

_ROOT = __file__.replace("\\", "/").rsplit("/tests/", 1)[0]
with open(_ROOT + "/docs/telemetry-vectors.json") as _file:
    VECTORS = json.load(_file)

WORK_STEPS = 2000


def b(text):
    return binascii.unhexlify(text)


def given(chunks):
    """A random source that gives these, in order."""
    left = list(chunks)

    def take(count):
        chunk = left.pop(0)
        assert len(chunk) == count
        return chunk

    return take


def test_there_are_vectors_of_every_step():
    for name, least in (("handshakes", 4), ("sealed", 7), ("pieces", 8), ("pairings", 3)):
        assert len(VECTORS[name]) >= least
    assert len(VECTORS["conversation"]["frames"]) == 12


def test_handshake_keys():
    for v in VECTORS["handshakes"]:
        assert keys.handshake_keys(b(v["key"])) == (b(v["hello_key"]), b(v["challenge_key"]))


def test_hello_and_challenge():
    for v in VECTORS["handshakes"]:
        np, ns = b(v["np"]), b(v["ns"])
        sides = (
            (frames.HELLO, "hello", "peer", "hello_key", b""),
            (frames.CHALLENGE, "challenge", "stimulator", "challenge_key", np),
        )
        for kind, name, side, key, answered in sides:
            numbers = v[side + "_epoch"], v[side + "_count"], b(v[side + "_random"])
            header = frames.handshake_header(kind, v["slot"], *numbers)
            nonce = frames.handshake_nonce(header)
            tag = Ccm(b(v[key]), frames.TAG_BYTES).seal(nonce, header + answered, b"")
            assert header + tag == b(v[name])
            assert header[2:] == (np if kind == frames.HELLO else ns)


def test_connection_keys():
    for v in VECTORS["handshakes"]:
        made = keys.connection_keys(b(v["key"]), b(v["np"]), b(v["ns"]), v["slot"], v["role"])
        assert made == (b(v["request_key"]), b(v["reply_key"]))


def test_requests_and_replies():
    for v in VECTORS["sealed"]:
        connection = Connection((b(v["key"]), b(v["key"])), v["slot"], v["connection"], 0)
        frame = b(v["frame"])
        assert connection.seal(v["kind"], v["counter"], b(v["plain"])) == frame
        assert connection.open(v["kind"], frame) == b(v["plain"])


def test_pieces():
    for v in VECTORS["pieces"]:
        message, number = b(v["message"]), v["request_id"]
        assert fragments.count(message) == len(v["plains"])
        for index, plain in enumerate(v["plains"]):
            assert fragments.cut(number, message, index) == b(plain)
        for index, plain in enumerate(v["asks"]):
            assert fragments.piece(number, fragments.ASK | index + 1, b"") == b(plain)


def test_both_ends_say_the_conversation_byte_by_byte():
    v = VECTORS["conversation"]
    replies = [b(reply) for reply in v["replies"]]
    executed = []

    def execute(message, role, slot):
        executed.append((message, role, slot))
        return replies[len(executed) - 1]

    table = Table({v["slot"]: Pairing(v["role"], b(v["key"]))})
    stimulator = Responder(table, execute, v["stimulator_epoch"], given([b(v["stimulator_random"])]))
    stimulator._count = v["stimulator_count"] - 1
    peer = Requester(v["slot"], v["role"], b(v["key"]), v["peer_epoch"], given([b(v["peer_random"])]))
    peer.count = v["peer_count"] - 1
    said = []
    for request, reply in zip(v["requests"], v["replies"]):
        peer.begin(b(request), 1000, 0)
        while peer.state == Requester.WAITING:
            frame = peer.poll(0)
            peer.sent(True, 0)
            answer = stimulator.on_frame(frame, 0)
            stimulator.make_candidates()
            said += [frame, answer]
            peer.on_frame(answer, 0)
        assert peer.reply == b(reply)
    assert said == [b(frame) for frame in v["frames"]]
    assert executed == [(b(request), v["role"], v["slot"]) for request in v["requests"]]


def test_pairing_from_both_sides_secrets():
    for v in VECTORS["pairings"]:
        pr, ps, nr, ns = [b(v[name]) for name in ("pr", "ps", "nr", "ns")]
        assert x25519.scalar_mult(b(v["remote_secret"]), x25519.BASE_POINT) == pr
        assert x25519.shared(b(v["stimulator_secret"]), pr) == b(v["z"])
        assert pk.commitment(ps, pr, ns) == b(v["c"])
        said = pk.transcript(b(v["id"]), b(v["base"]), ps, pr, (ns, nr))
        assert said == b(v["t"])
        made = pk.PairingKeys(b(v["z"]), said)
        assert (made.key, made.code) == (b(v["key"]), v["code"])


def test_both_sides_say_the_pairing_byte_by_byte():
    for v in VECTORS["pairings"]:
        stored = []

        def add(peer_id, role, key, v=v, stored=stored):
            stored.append((peer_id, role, key))
            return v["slot"]

        def store(base, slot, role, key, stored=stored):
            stored.append((base, slot, role, key))

        stimulator = PairingResponder(b(v["base"]), add, given([b(v["ns"]), b(v["stimulator_secret"])]))
        remote = PairingRequester(b(v["id"]), store, given([b(v["nr"]), b(v["remote_secret"])]))
        stimulator.open(0)
        remote.begin(0)
        said = []
        for _ in range(WORK_STEPS):
            while stimulator.compute():
                pass
            while remote.compute():
                pass
            frame = remote.poll(0)
            if remote.state == PairingRequester.COMPARING:
                stimulator.touched(0)
                remote.accept(0)
                continue
            if frame is None:
                break
            answer = stimulator.on_frame(frame, 0)
            said += [frame, answer]
            remote.on_frame(answer, 0)
        assert remote.state == PairingRequester.STORED
        assert said == [b(frame) for frame in v["frames"]]
        assert stored[0][0] == b(v["id"]) and stored[0][2] == b(v["key"])
        assert stored[1][:2] == (b(v["base"]), v["slot"]) and stored[1][3] == b(v["key"])
