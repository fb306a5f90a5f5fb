"""The vectors of docs/telemetry.md on the board itself."""

import json

import pytest
from stimbench.attacks.vectors import PATH
from stimbench.project import find_project_root

VECTORS = json.loads((find_project_root() / PATH).read_text(encoding="utf-8"))

HANDSHAKE = """
from binascii import unhexlify as b
from stimfw.telemetry import frames, keys
def check(v):
    key = b(v["key"])
    hello_key, challenge_key = keys.handshake_keys(key, v["slot"], v["role"])
    assert (hello_key, challenge_key) == (b(v["hello_key"]), b(v["challenge_key"]))
    np = frames.hello_nonce(v["peer_epoch"], v["peer_count"], v["wants"], b(v["peer_random"]))
    ns = frames.challenge_nonce(v["stimulator_epoch"], v["stimulator_count"], b(v["stimulator_random"]))
    tag = keys.HelloTag(hello_key).make(np)
    assert frames.handshake(frames.HELLO, v["slot"], v["generation"], np, tag) == b(v["hello"])
    tag = keys.ChallengeTag(challenge_key).make(np, ns)
    assert frames.handshake(frames.CHALLENGE, v["slot"], 0, ns, tag) == b(v["challenge"])
    hello = memoryview(b(v["hello"]))
    assert keys.HelloTag(hello_key).proves(frames.nonce_of(hello), frames.tag_of(hello))
    made = keys.connection_keys(key, np, ns, v["slot"], v["role"])
    assert made == (b(v["request_key"]), b(v["reply_key"]), b(v["token_key"]))
"""
RATCHET = """
from binascii import unhexlify as b
from stimfw.telemetry import keys
def check(v):
    key = b(v["key"])
    for _ in range(v["steps"]):
        key = keys.next_key(key)
    assert key == b(v["later_key"])
"""
SEALED = """
from binascii import unhexlify as b
from stimfw.crypto.ccm import NotAuthenticError
from stimfw.telemetry.connection import Connection
def check(v):
    triple = b(v["request_key"]), b(v["reply_key"]), b(v["token_key"])
    connection = Connection(triple, v["slot"], 0)
    frame = b(v["frame"])
    assert connection.seal(v["kind"], v["counter"], b(v["plain"])) == frame
    assert connection.open(v["kind"], v["counter"], frame) == b(v["plain"])
    try:
        connection.open(v["kind"], v["counter"], frame[:31] + bytes((frame[31] ^ 1,)))
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
    for step, state, slot, index in ((4, 1, 0, 6), (5, 2, 0, 8), (5, 3, v["slot"], 10)):
        assert b(v["frames"][index])[2:10] == made.of_remote(step)
        assert b(v["frames"][index + 1])[4:12] == made.of_stimulator(step, state, slot)
"""
CASES = [
    ("ratchet", RATCHET, 3),
    ("handshakes", HANDSHAKE, 8),
    ("sealed", SEALED, 7),
    ("pairings", PAIRING, 1),
]


# A board does not keep the modules of a pairing; neither shall this test.
BEFORE = "import sys\n_had, _names = set(sys.modules), set(globals())\n"
AFTER = """
for _name in [n for n in globals() if n not in _names and n[0] != "_"]:
    del globals()[_name]
for _name in [n for n in sys.modules if n not in _had]:
    _module = sys.modules.pop(_name)
    _at = _name.rfind(".")
    if _at > 0 and _name[:_at] in sys.modules:
        delattr(sys.modules[_name[:_at]], _name[_at + 1 :])
del _module, _had, _names
import gc
gc.collect()
"""


@pytest.mark.parametrize(("name", "code", "count"), CASES, ids=[case[0] for case in CASES])
def test_the_board_makes_the_vectors(board, name, code, count):
    for vector in VECTORS[name][:count]:
        said = board.exec(f"{BEFORE}{code}\ncheck({vector!r})\nprint('made')\n_module = None\n{AFTER}")
        assert said.strip() in (b"made", "made")
