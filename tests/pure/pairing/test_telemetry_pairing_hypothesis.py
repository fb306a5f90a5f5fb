"""Anything at all, from anybody, in any order: no exception out of either side, nothing stored."""

from hypothesis import given, settings
from hypothesis import strategies as st
from stimfw.pairing import blink_code
from stimfw.pairing import exchange as pk
from stimfw.pairing.remote_end import PairingRequester
from stimfw.pairing.stimulator_end import PairingResponder
from stimfw.telemetry import frames
from support.link_harness import Rng
from support.pairing_harness import BASE, REMOTE_ID, PairingHarness, QuickCurve

CODES = st.integers(0, 0xFFFFF)
TIMES = st.integers(0, 20_000)
PAIRISH = st.builds(
    lambda kind, step, body: pk.pack(kind, step, body),
    st.sampled_from((frames.PAIR, frames.PAIR_REPLY)),
    st.integers(0, 7),
    st.binary(max_size=30),
)
FRAMES = st.one_of(st.binary(max_size=40), PAIRISH)
ACTIONS = st.lists(
    st.one_of(
        FRAMES,
        st.sampled_from(("open", "close", "begin", "accept", "refuse", "consent", "compute", "poll")),
    ),
    max_size=40,
)


def act(action, stimulator, remote, now_ms):
    {
        "open": lambda: stimulator.open(now_ms),
        "close": stimulator.close,
        "begin": lambda: remote.begin(now_ms),
        "accept": lambda: remote.accept(now_ms),
        "refuse": remote.refuse,
        "consent": lambda: stimulator.consent(now_ms),
        "compute": lambda: [None for _ in range(10) if stimulator.compute() | remote.compute()],
        "poll": lambda: remote.poll(now_ms),
    }[action]()


@settings(max_examples=300, deadline=None)
@given(ACTIONS, st.integers(0, 5000))
def test_garbage_raises_nothing_and_stores_nothing(actions, step_ms):
    stored = []
    stimulator = PairingResponder(BASE, lambda *pairing: stored.append(pairing), Rng(1).take, QuickCurve())
    remote = PairingRequester(REMOTE_ID, lambda **pairing: stored.append(pairing), Rng(2).take, QuickCurve())
    now_ms = 0
    for action in actions:
        now_ms += step_ms
        if isinstance(action, bytes):
            answer = stimulator.on_frame(action, now_ms)
            assert answer is None or frames.kind_of(answer) == frames.PAIR_REPLY
            remote.on_frame(action, now_ms)
        else:
            act(action, stimulator, remote, now_ms)
        assert stimulator.wait_ms(now_ms) >= -1 and remote.wait_ms(now_ms) >= -1
        assert stimulator.lit(now_ms) == remote.lit(now_ms) == -1
    assert not stored


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.booleans(), st.one_of(st.none(), FRAMES, st.tuples(TIMES, CODES))),
        max_size=6,
    )
)
def test_a_hostile_air_leaves_a_key_that_works(attacks):
    """At frame n: something is put in front, the frame is lost or not, or a bit of it is changed."""
    plan = {number: (lost, what) for number, lost, what in attacks}
    count = 0

    def air(frame, to_stimulator):
        nonlocal count
        lost, what = plan.get(count, (False, None))
        count += 1
        if isinstance(what, bytes):
            return [(0, what)] + ([] if lost else [(0, frame)])
        if what is not None:
            changed = bytearray(frame)
            changed[what[0] % 32] ^= 1 << what[1] % 8
            return [(0, bytes(changed))] + ([] if lost else [(0, frame)])
        return [] if lost else [(0, frame)]

    ends = PairingHarness(3, air=air)
    ends.pair()
    assert ends.consistent()
    assert ends.as_before() or ends.table[1][0] == REMOTE_ID
    if ends.remote.state == PairingRequester.STORED:
        assert ends.paired_again()


@given(CODES, TIMES)
def test_the_light_is_the_code(code, since_ms):
    begin_ms = since_ms - since_ms % blink_code.PASS_MS + blink_code.MARKER_MS
    bits = [blink_code.lit(code, begin_ms + bit * blink_code.BIT_MS) for bit in range(blink_code.BITS)]
    assert int("".join(map(str, bits)), 2) == code


@given(CODES, TIMES)
def test_the_next_change_is_the_next(code, since_ms):
    wait_ms = blink_code.wait_ms(code, since_ms)
    assert 0 < wait_ms <= blink_code.PASS_MS
    now = blink_code.lit(code, since_ms)
    assert blink_code.lit(code, since_ms + wait_ms) != now == blink_code.lit(code, since_ms + wait_ms - 1)
