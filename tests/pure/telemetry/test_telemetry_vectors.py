"""The firmware makes what docs/telemetry-vectors.json says; its maker knows only docs/telemetry.md."""

import binascii
import json

from stimfw.crypto import x25519
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

CODE_MS = 4000
AGAIN_MS = 200
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
    for name, least in (
        ("ratchet", 3), ("handshakes", 8), ("tokens", 7), ("sealed", 7), ("pieces", 8), ("pairings", 3),
        ("requests", 35), ("refusals", 5),
    ):  # fmt: skip
        assert len(VECTORS[name]) >= least
    assert len(VECTORS["conversation"]["frames"]) == 12


def later(key, steps):
    for _ in range(steps):
        key = keys.next_key(key)
    return key


def test_keys_of_later_generations():
    for v in VECTORS["ratchet"]:
        assert later(b(v["key"]), v["steps"]) == b(v["later_key"])
    assert [v["steps"] for v in VECTORS["ratchet"]] == [1, 2, keys.MOST_GENERATIONS]


def test_handshake_keys():
    for v in VECTORS["handshakes"]:
        assert later(b(v["first_key"]), v["generation"]) == b(v["key"])
        made = keys.handshake_keys(b(v["key"]), v["slot"], v["role"])
        assert made == (b(v["hello_key"]), b(v["challenge_key"]))


def test_handshake_keys_differ_by_slot_and_by_role():
    found = VECTORS["handshakes"]
    assert {v["key"] for v in (found[0], found[3], found[4])} == {found[0]["key"]}
    for name in ("hello_key", "challenge_key", "request_key", "reply_key", "token_key"):
        assert len({v[name] for v in (found[0], found[3], found[4])}) == 3, name


def test_hello_and_challenge():
    for v in VECTORS["handshakes"]:
        np = frames.hello_nonce(v["peer_epoch"], v["peer_count"], v["wants"], b(v["peer_random"]))
        ns = frames.challenge_nonce(v["stimulator_epoch"], v["stimulator_count"], b(v["stimulator_random"]))
        assert (np, ns) == (b(v["np"]), b(v["ns"]))
        hello_tag, challenge_tag = keys.HelloTag(b(v["hello_key"])), keys.ChallengeTag(b(v["challenge_key"]))
        tags = hello_tag.make(np), challenge_tag.make(np, ns)
        hello = frames.handshake(frames.HELLO, v["slot"], v["generation"], np, tags[0])
        challenge = frames.handshake(frames.CHALLENGE, v["slot"], 0, ns, tags[1])
        assert (hello, challenge) == (b(v["hello"]), b(v["challenge"]))
        assert hello_tag.proves(frames.nonce_of(hello), frames.tag_of(hello))
        assert challenge_tag.proves(np, ns, frames.tag_of(challenge))
        assert frames.wants_of(hello) == v["wants"]


def test_a_tag_proves_nothing_that_was_changed():
    v = VECTORS["handshakes"][1]
    np, ns = b(v["np"]), b(v["ns"])
    hello_tag, challenge_tag = keys.HelloTag(b(v["hello_key"])), keys.ChallengeTag(b(v["challenge_key"]))
    proofs = frames.tag_of(b(v["hello"])), frames.tag_of(b(v["challenge"]))
    for at in range(16):
        other_np = np[:at] + bytes((np[at] ^ 1,)) + np[at + 1 :]
        other_ns = ns[:at] + bytes((ns[at] ^ 1,)) + ns[at + 1 :]
        assert not hello_tag.proves(other_np, proofs[0])
        assert not challenge_tag.proves(other_np, ns, proofs[1])
        assert not challenge_tag.proves(np, other_ns, proofs[1])
    for at in range(12):
        others = [tag[:at] + bytes((tag[at] ^ 0x80,)) + tag[at + 1 :] for tag in proofs]
        assert not hello_tag.proves(np, others[0]) and not challenge_tag.proves(np, ns, others[1])
    for size in range(12):
        assert not hello_tag.proves(np, proofs[0][:size])
        assert not challenge_tag.proves(np, ns, proofs[1][:size])


def test_connection_keys():
    for v in VECTORS["handshakes"]:
        made = keys.connection_keys(b(v["key"]), b(v["np"]), b(v["ns"]), v["slot"], v["role"])
        assert made == (b(v["request_key"]), b(v["reply_key"]), b(v["token_key"]))


def test_tokens():
    for v in VECTORS["tokens"]:
        connection = Connection((bytes(16), bytes(16), b(v["key"])), 0, 0)
        assert connection.token(frames.REQUEST, v["counter"]) == b(v["of_request"])
        assert connection.token(frames.REPLY, v["counter"]) == b(v["of_reply"])


def test_requests_and_replies():
    for v in VECTORS["sealed"]:
        triple = b(v["request_key"]), b(v["reply_key"]), b(v["token_key"])
        connection = Connection(triple, v["slot"], 0)
        frame = b(v["frame"])
        assert connection.seal(v["kind"], v["counter"], b(v["plain"])) == frame
        assert connection.open(v["kind"], v["counter"], frame) == b(v["plain"])


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
    drawn = [b(v["peer_random"])]
    peer = Requester(v["slot"], v["role"], b(v["key"]), v["peer_epoch"], given(drawn + [bytes(1)] * 6))
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
        now_ms = 0
        for _ in range(WORK_STEPS):
            while stimulator.compute():
                pass
            while remote.compute():
                pass
            frame = remote.poll(now_ms)
            if remote.state == PairingRequester.COMPARING:
                now_ms += CODE_MS
                assert remote.accept(now_ms)
                continue
            if frame is None:
                break
            answer = stimulator.on_frame(frame, now_ms)
            said += [frame, answer]
            remote.on_frame(answer, now_ms)
            if stimulator.awaits_consent(now_ms):
                stimulator.consent(now_ms)
                now_ms += AGAIN_MS
        assert remote.state == PairingRequester.STORED
        assert said == [b(frame) for frame in v["frames"]]
        assert stored[0][0] == b(v["id"]) and stored[0][2] == b(v["key"])
        assert stored[1][:2] == (b(v["base"]), v["slot"]) and stored[1][3] == b(v["key"])
