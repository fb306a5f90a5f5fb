"""Recorded and forged frames against the real firmware on the emulated bench, from a peer without a board."""

import random
import struct

import pytest
from stimbench.attacks.air import RadioPeer
from stimbench.bench import Bench, BenchConfig, provision
from stimfw.protocol import messages, requests, roles

MS = 1_000_000
STATUS = messages.request(requests.STATUS)
FRAMES = 80
EACH_MS = 15
LATE_MS = 60


def counters(peer):
    code, body = messages.parse_reply(requests.COUNTERS, peer.ask(messages.request(requests.COUNTERS)))
    assert code == messages.OK
    values = struct.unpack(f"<{len(body) // 4}I", body)
    return dict(zip(messages.COUNTER_NAMES, values, strict=False))


@pytest.mark.control("C-24", "C-25")
@pytest.mark.emulated
def test_recorded_and_forged_frames_change_nothing():
    rng = random.Random(4)
    with Bench(BenchConfig(seed=4, boards=("stimulator",))) as bench:
        pairing = provision.add_peer(bench, roles.CLINICIAN, 4)
        bench.run_for(500 * MS)
        peer = RadioPeer(bench, pairing)
        for _ in range(3):
            assert peer.ask(STATUS) is not None
        before = counters(peer)
        recorded = [frame for frame, _ in peer.sent]
        for _ in range(FRAMES):
            frame = bytearray(rng.choice(recorded))
            if rng.random() < 0.5:
                frame[rng.randrange(len(frame))] ^= 1 << rng.randrange(8)
            peer.inject(bytes(frame))
            bench.run_for(EACH_MS * MS)
        end_ns = bench.now_ns + 20 * MS
        peer.frame_at(end_ns, messages.request(requests.STOP))
        assert peer.finish() is not None
        assert bench.now_ns - end_ns < LATE_MS * MS
        after = counters(peer)
        assert bench.late_calls == 0
    assert after["radio_connections"] == before["radio_connections"]
    refused = sum(after[name] - before[name] for name in ("radio_bad", "radio_forged", "radio_replayed"))
    assert refused >= FRAMES // 2
