"""The vectors of docs/telemetry.md on the board itself."""

import json

import pytest
from stimbench.attacks.vectors import PATH
from stimbench.project import find_project_root

VECTORS = json.loads((find_project_root() / PATH).read_text(encoding="utf-8"))

HANDSHAKE = """
from binascii import unhexlify as b
from stimfw.crypto.ccm import Ccm
from stimfw.telemetry import frames, keys
def check(v):
    hello, challenge = keys.handshake_keys(b(v["key"]))
    assert (hello, challenge) == (b(v["hello_key"]), b(v["challenge_key"]))
    for kind, name, key, answered in ((1, "hello", hello, b""), (2, "challenge", challenge, b(v["np"]))):
        side = "peer" if kind == 1 else "stimulator"
        random = b(v[side + "_random"])
        header = frames.handshake_header(kind, v["slot"], v[side + "_epoch"], v[side + "_count"], random)
        tag = Ccm(key).seal(frames.handshake_nonce(header), header + answered, b"")
        assert header + tag == b(v[name])
    made = keys.connection_keys(b(v["key"]), b(v["np"]), b(v["ns"]), v["slot"], v["role"])
    assert made == (b(v["request_key"]), b(v["reply_key"]))
"""
SEALED = """
from binascii import unhexlify as b
from stimfw.crypto.ccm import NotAuthenticError
from stimfw.telemetry.connection import Connection
def check(v):
    connection = Connection((b(v["key"]), b(v["key"])), v["slot"], v["connection"], 0)
    frame = b(v["frame"])
    assert connection.seal(v["kind"], v["counter"], b(v["plain"])) == frame
    assert connection.open(v["kind"], memoryview(frame)) == b(v["plain"])
    try:
        connection.open(v["kind"], frame[:31] + bytes((frame[31] ^ 1,)))
    except NotAuthenticError:
        return
    raise AssertionError("a changed tag was taken")
"""
PAIRING = """
from binascii import unhexlify as b
from stimfw.crypto import x25519
from stimfw.pairing import exchange as pk
def check(v):
    pr, ps, nr, ns = [b(v[name]) for name in ("pr", "ps", "nr", "ns")]
    assert x25519.shared(b(v["stimulator_secret"]), pr) == b(v["z"])
    assert pk.commitment(ps, pr, ns) == b(v["c"])
    said = pk.transcript(b(v["id"]), b(v["base"]), ps, pr, (ns, nr))
    assert said == b(v["t"])
    made = pk.PairingKeys(b(v["z"]), said)
    assert (made.key, made.code) == (b(v["key"]), v["code"])
    for step, state, slot, index in ((4, 1, 0, 6), (5, 3, v["slot"], 8)):
        assert b(v["frames"][index])[2:10] == made.of_remote(step)
        assert b(v["frames"][index + 1])[4:12] == made.of_stimulator(step, state, slot)
"""
CASES = [("handshakes", HANDSHAKE, 4), ("sealed", SEALED, 7), ("pairings", PAIRING, 1)]


@pytest.mark.parametrize(("name", "code", "count"), CASES, ids=[case[0] for case in CASES])
def test_the_board_makes_the_vectors(board, name, code, count):
    for vector in VECTORS[name][:count]:
        said = board.exec(f"{code}\ncheck({vector!r})\nprint('made')\nimport gc\ndel check\ngc.collect()\n")
        assert said.strip() in (b"made", "made")
