"""The air as the page shows it: what is heard, what the keys open, a replay, a forgery, an attack."""

import pytest
from stimbench.bench.actions import ActionError
from stimbench.parts.radio import Sniffed
from stimbench.web import eavesdropper
from stimbench.web.eavesdropper import Ear, SlotKey
from stimfw.protocol import roles
from stimfw.telemetry import frames, keys
from support.web import do, ready_stand, run_for, state_of

ROW = (
    "number", "t_ns", "channel", "address", "to", "kind", "slot", "bytes", "copies", "injected", "opens",
    "opened",
)  # fmt: skip


@pytest.fixture(scope="module")
def stand():
    """A remote has begun a session and stopped it, while somebody listened."""
    made = ready_stand()
    do(made, "clinician-program", fields={"left.amplitude_ua": 1000, "ramp_up_ms": 0})
    state_of(made, "radio")
    for button in ("START", "STOP"):
        do(made, "press", button=button)
        run_for(made, 1.0)
    return made


def heard(stand):
    return [dict(zip(ROW, one, strict=True)) for one in state_of(stand, "radio")["frames"]]


def test_every_packet_of_the_tap_is_in_the_list(stand):
    rows = heard(stand)
    assert sum(one["copies"] for one in rows) == len(stand.bench.air.tap)
    first = stand.bench.air.tap[0]
    assert (rows[0]["t_ns"], rows[0]["channel"]) == (first.t_start_ns, first.channel)
    assert (rows[0]["address"], rows[0]["bytes"]) == (first.address.hex(), first.payload.hex())


def test_the_keys_open_what_was_pressed(stand):
    rows = heard(stand)
    assert all(one["opened"] for one in rows)
    kinds = [one["kind"] for one in rows]
    assert kinds[:2] == ["HELLO", "CHALLENGE"]
    requests = [one for one in rows if one["kind"] == "REQUEST"]
    assert requests[0]["to"] == "stimulator"
    assert [one["opens"].split(";")[0].split(" ")[0] for one in requests] == ["START", "STOP"]
    replies = [one["opens"] for one in rows if one["kind"] == "REPLY"]
    assert all(": ok" in one for one in replies)


def test_a_replay_is_counted_and_does_nothing(stand):
    start = next(one for one in heard(stand) if one["opens"].startswith("START"))
    told = do(stand, "radio-send", channel=start["channel"], address=start["address"], payload=start["bytes"])
    assert told["counted"] == ["replayed"]
    assert stand.told["state"] == "ready"
    again = heard(stand)[-1]
    assert again["bytes"] == start["bytes"] and again["injected"] and again["copies"] == 1


def test_a_forged_hello_is_counted(stand):
    hello = next(one for one in heard(stand) if one["kind"] == "HELLO")
    forged = bytearray.fromhex(hello["bytes"])
    forged[-1] ^= 1
    told = do(stand, "radio-send", channel=hello["channel"], address=hello["address"], payload=forged.hex())
    assert "forged" in told["counted"]
    mine = next(one for one in heard(stand) if one["bytes"] == forged.hex())
    assert not mine["opened"]


@pytest.mark.parametrize("given", [{"payload": ""}, {"payload": "0g"}, {"address": "00"}, {"channel": 126}])
def test_what_is_no_packet_is_refused(stand, given):
    whole = {"channel": 76, "address": "aabbccddee", "payload": "00"}
    with pytest.raises(ActionError):
        do(stand, "radio-send", **(whole | given))


def test_an_attack_runs_beside_the_bench(stand):
    now_ns = stand.bench.now_ns
    do(stand, "radio-attack", name="replayed frames")
    with pytest.raises(ActionError, match="not over"):
        do(stand, "radio-attack", name="forged frames")
    assert state_of(stand, "radio")["attack"] == "replayed frames"
    stand.memory["radio"].attack.wait()
    told = state_of(stand, "radio")
    assert told["attack"] is None
    assert told["results"]["replayed frames"]["successes"] == 0
    assert told["results"]["replayed frames"]["tries"] >= 4000
    assert stand.bench.now_ns == now_ns
    with pytest.raises(ActionError, match="no attack"):
        do(stand, "radio-attack", name="spells")


# The ear alone.

BASE = b"\x01\x02\x03\x04"
KEY = bytes(range(32))


def hello(key, generation, random=b"1234567"):
    nonce = frames.hello_nonce(1, 1, frames.WANTS_CONNECTION, random)
    tag = keys.HelloTag(keys.handshake_keys(key, 0, roles.PATIENT)[0]).make(nonce)
    return frames.handshake(frames.HELLO, 0, generation, nonce, tag)


def sniffed(payload, t_ns=0, address=b"\x53" + BASE):
    return Sniffed(t_ns, t_ns + 300_000, 76, address, payload, False)


def test_a_stepped_key_is_found_and_another_pairing_is_read():
    kept = {0: SlotKey(roles.PATIENT, KEY)}
    ear = Ear(lambda: (BASE, kept))
    stepped = KEY
    for _ in range(5):
        stepped = keys.next_key(stepped)
    ear.hear([sniffed(hello(stepped, 5))])
    assert ear.frames[-1].opened and ear.slot_keys[0].generation == 5
    other = bytes(reversed(KEY))
    ear.hear([sniffed(hello(other, 0), 10**9)])
    assert not ear.frames[-1].opened
    kept[0] = SlotKey(roles.PATIENT, other)
    ear.hear([sniffed(hello(other, 0, b"7654321"), 2 * 10**9)])
    assert ear.frames[-1].opened


def test_noise_and_copies():
    ear = Ear(lambda: (b"", {}))
    ear.hear([sniffed(b"\x00\x01", at * 450_000) for at in range(3)])
    ear.hear([sniffed(b"\x00\x01", 10**9)])
    assert [(one.copies, one.kind, one.slot) for one in ear.frames] == [(3, 0, None), (1, 0, None)]
    assert ear.to_text(b"\x53" + BASE) == "unknown"


def test_the_list_has_an_end():
    ear = Ear(lambda: (BASE, {}))
    ear.hear([sniffed(bytes((at % 256, at // 256)), at * 10**7) for at in range(1000)])
    assert len(ear.frames) == eavesdropper._MOST_FRAMES and ear.total == 1000
