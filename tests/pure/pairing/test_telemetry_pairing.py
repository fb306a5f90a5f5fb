"""Pairing by radio: it succeeds, in time, and whatever is interrupted leaves a pair that works."""

from stimfw.crypto import x25519
from stimfw.pairing import exchange as pk
from stimfw.pairing.remote_end import SILENCE_MS, PairingRequester
from stimfw.pairing.stimulator_end import LINGER_MS, PairingResponder
from stimfw.telemetry import frames
from support.control import control
from support.link_harness import Rng
from support.pairing_harness import BASE, REMOTE_ID, PairingHarness, QuickCurve, confirming

BUDGET_MS = 6500
"""Without the person's second with the magnet."""
SLICE_MS = 10
PASS_MS = 4000
WHOLE_MS = 600
"""The longest that one X25519 may take on the RP2040."""


def test_a_pairing_stores_one_key_on_both_sides():
    ends = PairingHarness()
    ends.pair()
    assert ends.paired_again()
    assert ends.stimulator.step == 6 and ends.stimulator.slot == 1 and ends.remote.why == 0
    assert ends.table[0][2] == b"o" * 32


class Paced:
    """X25519 in slices of a length that the test chooses."""

    BASE_POINT = x25519.BASE_POINT

    def __init__(self, slices):
        self.slices = slices

    def steps(self, secret, u):
        yield from range(self.slices)
        return x25519.scalar_mult(secret, u)

    def shared_steps(self, secret, peer):
        yield from range(self.slices)
        return x25519.shared(secret, peer)


def test_with_real_x25519_it_takes_less_than_six_and_a_half_seconds():
    ends = PairingHarness(curve=Paced(WHOLE_MS // SLICE_MS), slice_ms=SLICE_MS)
    assert ends.pair() <= BUDGET_MS
    assert ends.paired_again()


def test_the_slices_of_x25519_are_the_machines_slices():
    ends = PairingHarness(curve=x25519)
    ends.pair()
    assert ends.paired_again()


def test_frames_are_32_bytes_of_the_pairing_kinds():
    ends = PairingHarness()
    ends.pair()
    kinds = (frames.PAIR_REPLY, frames.PAIR)
    assert all([frames.kind_of(frame) == kinds[to_stimulator] for to_stimulator, frame in ends.heard])
    steps = [frame[1] for to_stimulator, frame in ends.heard if to_stimulator]
    assert steps == sorted(steps) and set(steps) == {1, 2, 3, 4, 5}


def test_no_key_comes_twice_and_none_is_in_the_air():
    keys = set()
    for seed in range(20):
        ends = PairingHarness(seed)
        ends.pair()
        key = ends.kept["key"]
        keys.add(key)
        assert not any([key[:8] in frame for _, frame in ends.heard])
    assert len(keys) == 20


def test_both_lights_begin_at_once_and_blink_alike():
    ends = PairingHarness(3)
    ends.begin()
    while not ends.comparing():
        ends.step()
    assert ends.stimulator.lit(ends.now_ms) == ends.remote.lit(ends.now_ms) == 0
    for _ in range(60):
        ends.step()
        assert ends.stimulator.lit(ends.now_ms) == ends.remote.lit(ends.now_ms)
    assert ends.stimulator.is_open(ends.now_ms)


def test_the_light_goes_on_after_the_acceptance_until_the_magnet():
    ends = PairingHarness()
    ends.begin()
    while not ends.comparing():
        ends.step()
    ends.go(4000, person=False)
    assert ends.remote.accept(ends.now_ms)
    for _ in range(30):
        ends.step()
        assert ends.stimulator.lit(ends.now_ms) == ends.remote.lit(ends.now_ms) >= 0
    assert ends.remote.state == PairingRequester.WAITING_MAGNET and ends.as_before()
    ends.stimulator.consent(ends.now_ms)
    ends.go(1000, person=False)
    assert ends.paired_again() and ends.stimulator.lit(ends.now_ms) == ends.remote.lit(ends.now_ms) == -1


def shown_whole(ends):
    """Until both have shown the code once."""
    while not ends.comparing():
        ends.step()
    ends.go(PASS_MS, person=False)


@control("C-28")
def test_consent_counts_only_after_the_code_was_shown_whole_and_the_remote_has_accepted():
    ends = PairingHarness()
    ends.stimulator.open(ends.now_ms)
    ends.stimulator.consent(ends.now_ms)
    ends.remote.begin(ends.now_ms)
    while not ends.comparing():
        ends.stimulator.consent(ends.now_ms)
        ends.step()
    began_ms = ends.now_ms
    while ends.now_ms - began_ms < PASS_MS + 500:
        ends.stimulator.consent(ends.now_ms)
        assert not ends.stimulator.awaits_consent(ends.now_ms)
        ends.step()
    assert ends.remote.accept(ends.now_ms)
    assert ends.as_before() and not ends.stimulator.awaits_consent(ends.now_ms)
    ends.go(1000, person=False)
    assert ends.as_before() and ends.stimulator.awaits_consent(ends.now_ms)
    ends.stimulator.consent(ends.now_ms)
    ends.go(1000, person=False)
    assert ends.paired_again()


def test_an_acceptance_before_the_code_was_shown_whole_is_no_consent():
    """35 ms after the code began nobody has seen a bit of it. The remote asks again until it counts."""
    ends = PairingHarness()
    ends.begin()
    while not ends.comparing():
        ends.step()
    began_ms = ends.now_ms
    early = pk.pack(frames.PAIR, pk.ACCEPT, ends.remote._keys.of_remote(pk.ACCEPT))
    for later_ms in (35, 900, PASS_MS // 2, PASS_MS - 60):
        answer = ends.stimulator.on_frame(early, began_ms + later_ms)
        assert answer[:3] == bytes((0x36, pk.ACCEPT, pk.COMPARE)) and ends.stimulator.step == 4
        assert not ends.stimulator.awaits_consent(began_ms + later_ms), later_ms
        ends.stimulator.consent(began_ms + later_ms)
    assert ends.as_before() and ends.stimulator.is_open(began_ms + PASS_MS)
    late_ms = began_ms + PASS_MS
    assert ends.stimulator.on_frame(early, late_ms)[2] == pk.WAITS_FOR_MAGNET
    assert ends.stimulator.awaits_consent(late_ms) and ends.stimulator.step == 5


def test_a_code_that_began_again_must_be_shown_whole_from_there():
    ends = confirming()
    frame, began_ms = ends.remote._frame, ends.now_ms
    ends.stimulator.on_frame(frame, began_ms)
    ends.stimulator.on_frame(frame, began_ms + 700)
    early = pk.pack(frames.PAIR, pk.ACCEPT, ends.stimulator._keys.of_remote(pk.ACCEPT))
    assert ends.stimulator.on_frame(early, began_ms + PASS_MS + 699)[2] == pk.COMPARE
    assert ends.stimulator.on_frame(early, began_ms + PASS_MS + 700)[2] == pk.WAITS_FOR_MAGNET


def test_the_remote_takes_no_acceptance_before_it_has_shown_the_code_whole():
    ends = PairingHarness()
    ends.begin()
    while not ends.comparing():
        ends.step()
    shown_ms = ends.remote._shown_ms
    for later_ms in (0, 35, 600, PASS_MS - 1):
        assert not ends.remote.accept(shown_ms + later_ms)
        assert ends.remote.state == PairingRequester.COMPARING
    assert ends.remote.accept(shown_ms + PASS_MS)
    assert ends.remote.state == PairingRequester.WAITING_MAGNET
    assert ends.remote.accept(shown_ms + PASS_MS + 1), "a second press changes nothing"


def test_a_remote_whose_acceptance_came_too_early_asks_again():
    ends = PairingHarness()
    ends.begin()
    shown_whole(ends)
    ends.stimulator._shown_ms = ends.now_ms - PASS_MS + 500  # it has begun later
    assert ends.remote.accept(ends.now_ms)
    ends.go(400, person=False)
    assert ends.remote.state == PairingRequester.WAITING_MAGNET
    assert not ends.stimulator.awaits_consent(ends.now_ms)
    ends.go(600, person=False)
    assert ends.stimulator.awaits_consent(ends.now_ms)


def test_neither_side_alone_is_enough():
    for consent, accept in ((True, False), (False, True)):
        ends = PairingHarness()
        ends.begin()
        shown_whole(ends)
        if accept:
            assert ends.remote.accept(ends.now_ms)
        for _ in range(800):
            if consent:
                ends.stimulator.consent(ends.now_ms)
            ends.go(50, person=False)
        assert ends.as_before() and ends.stimulator.outcome == PairingResponder.EXPIRED
        assert ends.remote.why == PairingRequester.TIMEOUT


def test_refused_by_the_person():
    ends = PairingHarness()
    ends.begin()
    while not ends.comparing():
        ends.step()
    ends.remote.refuse()
    assert ends.remote.state == PairingRequester.FAILED
    assert ends.remote.why == PairingRequester.REFUSED_BY_PERSON and ends.remote.wait_ms(ends.now_ms) == 0
    ends.step()
    assert ends.stimulator.outcome == PairingResponder.BROKEN and not ends.stimulator.is_open(ends.now_ms)
    assert ends.remote.poll(ends.now_ms) is None and ends.remote.wait_ms(ends.now_ms) == -1
    assert ends.as_before()


def test_a_full_table_and_a_worn_flash_are_told():
    ends = PairingHarness()
    ends.full = True
    ends.pair()
    assert ends.as_before() and ends.stimulator.outcome == PairingResponder.REFUSED
    assert ends.remote.state == PairingRequester.FAILED and ends.remote.why == PairingRequester.REFUSED
    ends = PairingHarness()
    ends.worn = True
    ends.pair()
    assert ends.remote.why == PairingRequester.REFUSED and ends.consistent()
    assert 1 in ends.table  # pending, and never used


def test_without_a_window_the_remote_gives_up_soon():
    ends = PairingHarness()
    ends.remote.begin(ends.now_ms)
    began_ms = ends.now_ms
    ends.go(40_000)
    assert ends.remote.state == PairingRequester.FAILED and ends.remote.why == PairingRequester.NO_WINDOW
    assert SILENCE_MS <= ends.now_ms - began_ms <= SILENCE_MS + 100
    assert not [1 for to_stimulator, _ in ends.heard if not to_stimulator]


def test_a_window_ends_after_thirty_seconds():
    ends = PairingHarness()
    ends.stimulator.open(ends.now_ms)
    assert ends.stimulator.wait_ms(ends.now_ms) == 0  # there is something to compute
    while ends.stimulator.compute():
        pass
    assert ends.stimulator.wait_ms(ends.now_ms) == pk.PAIRING_WINDOW_MS
    assert ends.stimulator.is_open(ends.now_ms + pk.PAIRING_WINDOW_MS - 1)
    assert not ends.stimulator.is_open(ends.now_ms + pk.PAIRING_WINDOW_MS)
    assert ends.stimulator.outcome == PairingResponder.EXPIRED and ends.stimulator.wait_ms(0) == -1
    assert not ends.stimulator.is_open(ends.now_ms)


def test_the_end_is_told_again_for_a_while():
    ends = PairingHarness()
    ends.pair()
    last = [frame for to_stimulator, frame in ends.heard if to_stimulator][-1]
    told = [frame for to_stimulator, frame in ends.heard if not to_stimulator][-1]
    assert ends.stimulator.on_frame(last, ends.now_ms) == told
    assert ends.stimulator.on_frame(last, ends.now_ms + LINGER_MS) is None
    assert ends.stimulator.outcome == PairingResponder.STORED and ends.stimulator.step == 6
    assert len(ends.table) == 2


def test_a_second_window_is_a_second_chance():
    ends = PairingHarness()
    ends.stimulator.open(ends.now_ms)
    ends.stimulator.on_frame(bytes((0x35, 9)) + bytes(30), ends.now_ms)
    assert ends.stimulator.outcome == PairingResponder.BROKEN
    ends.pair()
    assert ends.paired_again()


def test_secrets_are_gone_at_the_end():
    for worn in (False, True):
        ends = PairingHarness()
        ends.worn = worn
        ends.pair()
        ends.stimulator.is_open(ends.now_ms + LINGER_MS)
        key = ends.table[1][2]
        for machine in (ends.stimulator, ends.remote):
            values = [getattr(machine, name) for name in dir(machine) if not name.startswith("__")]
            assert key not in [value for value in values if isinstance(value, bytes)]
            assert machine._agreement is None and machine._keys is None


def test_the_private_key_is_dropped_when_it_was_used():
    agreement = pk.Agreement(b"s" * 32, QuickCurve())
    while agreement.compute():
        pass
    agreement.agree(b"p" * 32)
    assert agreement._secret == b""


# An air that loses, repeats and delays; sides that restart.


def rough_air(seed, loss, again, longest_ms):
    rng = Rng(seed)

    def air(frame, to_stimulator):
        copies = 0 if rng.below(100) < loss else 1 + (rng.below(100) < again)
        return [(rng.below(longest_ms + 1), frame) for _ in range(copies)]

    return air


def test_a_rough_air_makes_it_slower_no_more():
    for seed in range(40):
        ends = PairingHarness(seed, air=rough_air(seed, 30, 30, 80))
        ends.pair()
        assert ends.paired_again(), seed


def frames_of_a_pairing(seed):
    ends = PairingHarness(seed)
    ends.pair()
    return len(ends.heard)


class Cut:
    """An air in which something happens at frame number `at`."""

    def __init__(self, at, what):
        self.at, self.what = at, what
        self.count = 0
        self.ends = None

    def __call__(self, frame, to_stimulator):
        number = self.count
        self.count += 1
        if number == self.at and self.what == "stimulator":
            self.ends.restart_stimulator()
        if number == self.at and self.what == "remote":
            self.ends.restart_remote()
        if self.what == "silence" and number >= self.at:
            return []
        if self.what == "one" and number == self.at:
            return []
        return [(0, frame)]


def interrupted(at, what, seed=5):
    cut = Cut(at, what)
    ends = cut.ends = PairingHarness(seed, air=cut)
    ends.pair()
    return ends


def test_one_lost_frame_changes_nothing():
    for at in range(frames_of_a_pairing(5)):
        assert interrupted(at, "one").paired_again(), at


def test_silence_or_a_restart_at_any_frame_leaves_a_key_that_works():
    count = frames_of_a_pairing(5)
    for what in ("silence", "stimulator", "remote"):
        for at in range(count):
            ends = interrupted(at, what)
            assert ends.consistent(), (what, at)
            assert not ends.stimulator.is_open(ends.now_ms + pk.PAIRING_WINDOW_MS)
            assert ends.remote.state != PairingRequester.WORKING
            if at < count - (2 if what == "stimulator" else 1):  # it had stored before the last question
                assert ends.as_before() or (1 in ends.table and what != "stimulator"), (what, at)


def test_only_the_last_answer_can_leave_the_sides_apart_and_then_the_old_key_works():
    ends = interrupted(frames_of_a_pairing(5) - 1, "silence")
    assert 1 in ends.table and ends.kept["slot"] == 0 and ends.consistent()
    assert ends.remote.why == PairingRequester.TIMEOUT
    ends.air = lambda frame, to_stimulator: [(0, frame)]
    ends.pair()
    assert ends.remote.state == PairingRequester.FAILED or ends.consistent()


# The code.


def test_the_code_is_the_low_twenty_bits_of_the_last_three_bytes_little_endian():
    keys = pk.PairingKeys(b"z" * 32, b"t" * 32)
    from stimfw.crypto import hkdf

    okm = hkdf.expand(hkdf.extract(b"t" * 32, b"z" * 32), b"stimbench 3 pairing", 67)
    assert keys.key == okm[:32] and keys.code == okm[64] | okm[65] << 8 | (okm[66] & 0x0F) << 16
    assert max([pk.PairingKeys(b"z" * 32, b"t%03d" % number).code for number in range(200)]) > 1 << 19


@control("C-45")
def test_the_clock_may_wrap():
    for back_ms in (1, 500, 2000, 4500, 5500):
        ends = PairingHarness()
        ends.now_ms = 0x40000000 - back_ms
        times = []
        ends.begin()
        while not ends.over() and len(times) < 10_000:
            ends.step()
            times.append(ends.now_ms)
            ends.now_ms &= 0x3FFFFFFF
            ends.stimulator.consent(ends.now_ms)
            if ends.comparing():
                ends.remote.accept(ends.now_ms)
        assert ends.paired_again()


def test_base_may_be_bytes_or_what_gives_them():
    for base in (BASE, lambda: BASE):
        stimulator = PairingResponder(base, None, Rng(1).take, QuickCurve())
        stimulator.open(0)
        while stimulator.compute():
            pass
        begin = pk.pack(frames.PAIR, pk.BEGIN, REMOTE_ID + bytes(26))
        assert stimulator.on_frame(begin, 0)[2:6] == BASE


def test_while_its_key_is_not_ready_the_stimulator_says_nothing():
    stimulator = PairingResponder(BASE, None, Rng(1).take, QuickCurve())
    stimulator.open(0)
    begin = pk.pack(frames.PAIR, pk.BEGIN, REMOTE_ID + bytes(26))
    assert stimulator.on_frame(begin, 0) is None and stimulator.is_open(0) and stimulator.step == 0
    while stimulator.compute():
        pass
    assert stimulator.on_frame(begin, 0) is not None and stimulator.step == 1
