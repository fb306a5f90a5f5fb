"""Pairing under attack: somebody in between, replays, false keys, two remotes, frames that are none."""

from stimfw.crypto import x25519
from stimfw.pairing import exchange as pk
from stimfw.pairing.remote_end import PairingRequester
from stimfw.pairing.stimulator_end import PairingResponder
from stimfw.telemetry import frames
from support.control import control
from support.link_harness import Rng
from support.pairing_harness import BASE, LOOK_MS, REMOTE_ID, PairingHarness, QuickCurve

P = (1 << 255) - 19
SMALL_ORDER = (
    0,
    1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
    P - 1,
    P,
    P + 1,
)
"""All u of order 1, 2, 4 and 8 on Curve25519 and its twist, in 255 bits (RFC 7748 section 6.1)."""


def new_stimulator(seed=1, curve=None, stored=None):
    stored = [] if stored is None else stored
    stimulator = PairingResponder(
        BASE, lambda *pairing: stored.append(pairing), Rng(seed).take, curve or QuickCurve()
    )
    stimulator.open(0)
    while stimulator.compute():
        pass
    return stimulator


def pair_frame(step, body=b""):
    return pk.pack(frames.PAIR, step, body)


def forged(frame, at, mask=1):
    out = bytearray(frame)
    out[at] ^= mask
    return bytes(out)


class Between:
    """A man in the middle: his own stimulator for the remote, his own remote for the stimulator."""

    def __init__(self, seed):
        self.ends = PairingHarness(seed)
        self.rng = Rng(seed + 1000)
        self.taken = []
        curve = self.ends.curve
        self.stimulator = PairingResponder(BASE, self._add, self.rng.take, curve)
        self.remote = PairingRequester(REMOTE_ID, self._store, self.rng.take, curve)

    def _add(self, *pairing):
        self.taken.append(pairing)
        return 1

    def _store(self, base, slot, role, key):
        self.taken.append((base, slot, role, key))

    def go(self, until_ms):
        """Both sides speak with him alone. He accepts what he can, on his remote and his stimulator."""
        ends = self.ends
        ends.begin()
        self.stimulator.open(ends.now_ms)
        self.remote.begin(ends.now_ms)
        while ends.now_ms < until_ms:
            for machine in (ends.stimulator, ends.remote, self.stimulator, self.remote):
                machine.compute()
            self._exchange(ends.remote, self.stimulator)
            self._exchange(self.remote, ends.stimulator)
            self.remote.accept(ends.now_ms)
            self.stimulator.consent(ends.now_ms)
            ends.now_ms += 10

    def _exchange(self, remote, stimulator):
        frame = remote.poll(self.ends.now_ms)
        answer = frame and stimulator.on_frame(frame, self.ends.now_ms)
        if answer:
            remote.on_frame(answer, self.ends.now_ms)


@control("C-28")
def test_a_man_in_the_middle_is_seen():
    for seed in range(12):
        between = Between(seed)
        ends = between.ends
        between.go(ends.now_ms + 1000)
        assert ends.comparing(), seed
        assert not ends.alike(), seed
        ends.remote.refuse()
        ends.now_ms += LOOK_MS
        assert ends.as_before() and not between.taken


def test_both_lights_are_alike_only_without_him():
    ends = PairingHarness(7)
    ends.begin()
    while not ends.comparing():
        ends.step()
    assert ends.alike()


def test_a_number_other_than_the_one_committed_to_is_a_mismatch():
    for at in (2, 9, 17):
        ends = PairingHarness()

        def air(frame, to_stimulator, at=at):
            return [(0, frame if to_stimulator or frame[1] != pk.REVEAL else forged(frame, at))]

        ends.air = air
        ends.pair()
        assert ends.remote.why == PairingRequester.MISMATCH and ends.as_before()
        assert ends.stimulator.outcome == PairingResponder.BROKEN


def mutate(number, at, mask):
    """A pairing in which one bit of frame `number` was changed on its way."""
    count = [0]

    def air(frame, to_stimulator):
        count[0] += 1
        return [(0, forged(frame, at, mask) if count[0] == number + 1 else frame)]

    ends = PairingHarness(2, air=air)
    ends.pair()
    return ends


def test_a_changed_bit_anywhere_stores_nothing_or_the_right_key():
    clean = PairingHarness(2)
    clean.pair()
    for number in range(len(clean.heard)):
        to_stimulator, frame = clean.heard[number]
        for at in range(0, 32, 3):
            ends = mutate(number, at, 1 << (at + number) % 8)
            assert ends.consistent(), (number, at)
            assert ends.as_before() or ends.paired_again() or 1 in ends.table, (number, at)
            assert not (to_stimulator and at and ends.paired_again()), (number, at)


def test_a_changed_id_base_key_or_number_ends_it():
    substance = ((0, 2), (0, 6), (1, 2), (1, 6), (2, 2), (3, 2), (3, 8), (4, 2), (5, 2), (6, 2), (7, 4))
    for number, at in substance:
        ends = mutate(number, at, 0x40)
        assert ends.as_before(), (number, at)
        assert ends.remote.state == PairingRequester.FAILED, (number, at)


def test_lengths_orders_and_unused_bytes_that_are_wrong_close_the_window():
    begin = pair_frame(pk.BEGIN, REMOTE_ID + b"r" * 26)
    for wrong in (
        begin[:-1],
        begin + b"\0",
        begin[:1],
        begin[:2],
        pair_frame(0),
        pair_frame(2, b"r" * 6),
        pair_frame(3, b"n" * 16),
        pair_frame(4, b"c" * 8),
        pair_frame(5, b"a" * 8),
        pair_frame(6),
        pair_frame(255),
    ):
        stimulator = new_stimulator()
        assert stimulator.on_frame(wrong, 0) is None
        assert not stimulator.is_open(0) and stimulator.outcome == PairingResponder.BROKEN
        assert stimulator.on_frame(begin, 0) is None
    stimulator = new_stimulator()
    stimulator.on_frame(begin, 0)
    assert stimulator.on_frame(forged(pair_frame(2, b"r" * 6), 31), 0) is None
    assert not stimulator.is_open(0)


def test_a_wrong_order_closes_the_window_before_the_key_is_ready_too():
    stimulator = PairingResponder(BASE, None, Rng(1).take, QuickCurve())
    stimulator.open(0)
    stimulator.on_frame(pair_frame(5), 0)
    assert stimulator.outcome == PairingResponder.BROKEN


def test_what_is_no_pair_frame_is_passed_over():
    stimulator = new_stimulator()
    for other in (b"", b"\x31" * 26, b"\x33" * 32, b"\x36" + bytes(31), b"\x25" + bytes(31), bytes(32)):
        assert stimulator.on_frame(other, 0) is None and stimulator.is_open(0)


def test_a_closed_window_answers_nothing():
    ends = PairingHarness()
    ends.pair()
    said = [frame for to_stimulator, frame in ends.heard if to_stimulator]
    never = PairingResponder(BASE, None, Rng(1).take, QuickCurve())
    closed = new_stimulator()
    closed.close()
    expired = new_stimulator()
    for stimulator, now_ms in ((never, 0), (closed, 0), (expired, pk.PAIRING_WINDOW_MS)):
        for frame in said:
            assert stimulator.on_frame(frame, now_ms) is None
        stimulator.consent(now_ms)
        assert not stimulator.compute() and stimulator.step == 0
        assert stimulator.lit(now_ms) == stimulator.wait_ms(now_ms) == -1
    assert closed.outcome == PairingResponder.CLOSED and never.outcome == PairingResponder.NOTHING


def test_a_second_remote_closes_the_window():
    for other in (b"othr" + b"r" * 26, REMOTE_ID + b"R" * 26):
        stimulator = new_stimulator()
        assert stimulator.on_frame(pair_frame(1, REMOTE_ID + b"r" * 26), 0) is not None
        assert stimulator.on_frame(pair_frame(1, other), 0) is None
        assert stimulator.outcome == PairingResponder.BROKEN


def test_two_remotes_at_once_pair_neither():
    ends = PairingHarness()
    stored = []
    other = PairingRequester(b"othr", lambda **pairing: stored.append(pairing), Rng(99).take, ends.curve)
    ends.begin()
    other.begin(ends.now_ms)
    end_ms = ends.now_ms + 35_000
    while ends.now_ms < end_ms and not ends.over():
        ends.step()
        ends.person()
        other.compute()
        frame = other.poll(ends.now_ms)
        answer = frame and ends.stimulator.on_frame(frame, ends.now_ms)
        if answer:
            other.on_frame(answer, ends.now_ms)
    assert ends.as_before() and not stored
    assert ends.stimulator.outcome == PairingResponder.BROKEN


def test_a_recorded_pairing_is_worth_nothing_in_a_new_window():
    ends = PairingHarness()
    ends.pair()
    assert ends.paired_again()
    said = [frame for to_stimulator, frame in ends.heard if to_stimulator]
    before = dict(ends.table)
    ends.stimulator.open(ends.now_ms)
    while ends.stimulator.compute():
        pass
    for frame in said:
        ends.stimulator.on_frame(frame, ends.now_ms)
        while ends.stimulator.compute():
            pass
        ends.stimulator.consent(ends.now_ms)
    assert ends.table == before and ends.stimulator.outcome == PairingResponder.BROKEN
    assert ends.stimulator.step == pk.CONFIRM


def test_a_recorded_stimulator_is_worth_nothing_to_a_new_attempt():
    ends = PairingHarness()
    ends.pair()
    told = [frame for to_stimulator, frame in ends.heard if not to_stimulator]
    kept = ends.kept
    ends.remote.begin(ends.now_ms)
    for _ in range(100):
        ends.remote.compute()
        ends.remote.poll(ends.now_ms)
        for frame in told:
            ends.remote.on_frame(frame, ends.now_ms)
        ends.remote.accept(ends.now_ms)
        ends.now_ms += 10
    assert ends.remote.why == PairingRequester.MISMATCH and ends.kept is kept


def test_an_answer_to_another_step_is_passed_over():
    ends = PairingHarness()
    ends.begin()
    while not ends.heard:
        ends.step()
    for step in (0, 3, 4, 5, 6, 255):
        ends.remote.on_frame(pk.pack(frames.PAIR_REPLY, step, b"x" * 10), ends.now_ms)
    ends.go(40_000)
    assert ends.paired_again()


def test_a_wrong_confirmation_closes_the_window_and_stores_nothing():
    for step in (pk.CONFIRM, pk.ACCEPT):
        ends = PairingHarness()

        def air(frame, to_stimulator, step=step):
            return [(0, forged(frame, 9) if to_stimulator and frame[1] == step else frame)]

        ends.air = air
        ends.pair()
        assert ends.as_before() and ends.stimulator.outcome == PairingResponder.BROKEN
        assert ends.remote.why == PairingRequester.TIMEOUT


def test_nobody_begins_the_code_again_once_a_bit_was_shown():
    ends = PairingHarness()
    ends.begin()
    while not ends.comparing():
        ends.step()
    confirm = [frame for to_stimulator, frame in ends.heard if to_stimulator][-1]
    began_ms = ends.now_ms
    ends.stimulator.on_frame(confirm, began_ms + 790)
    lights = [ends.stimulator.lit(began_ms + ms) for ms in range(1600, 6000, 40)]
    for ms in range(900, 6000, 100):
        assert ends.stimulator.on_frame(confirm, began_ms + ms)[2] == pk.COMPARE
        assert lights == [ends.stimulator.lit(began_ms + at_ms) for at_ms in range(1600, 6000, 40)]
    assert 1 in lights


def test_a_forged_stored_is_not_believed():
    for state in (2, 3, 4):
        ends = PairingHarness()
        ends.begin()
        while not ends.comparing():
            ends.step()
        ends.go(LOOK_MS, person=False)
        assert ends.remote.accept(ends.now_ms)
        ends.remote.on_frame(pk.pack(frames.PAIR_REPLY, pk.ACCEPT, bytes((state, 1)) + b"f" * 8), ends.now_ms)
        assert ends.remote.why == PairingRequester.MISMATCH and ends.as_before()


def test_the_remotes_word_is_not_the_stimulators():
    keys = pk.PairingKeys(b"z" * 32, b"t" * 32)
    words = [keys.of_remote(pk.CONFIRM), keys.of_remote(pk.ACCEPT)]
    for step in (pk.CONFIRM, pk.ACCEPT):
        for state in (1, 2, 3, 4):
            words += [keys.of_stimulator(step, state, slot) for slot in (0, 1)]
    assert len(set(words)) == 2 + 2 * 4 * 2
    assert keys.remote_said(pk.CONFIRM, words[0]) and not keys.remote_said(pk.ACCEPT, words[0])
    assert keys.stimulator_said(pk.CONFIRM, 1, 0, words[2])
    assert not keys.stimulator_said(pk.CONFIRM, 1, 1, words[2])


# Keys of small order: whoever sends one knows Z without any secret.


def test_points_of_small_order_give_no_shared_secret():
    for point in SMALL_ORDER:
        agreement = pk.Agreement(b"secret" * 5 + b"42", x25519)
        while agreement.compute():
            pass
        agreement.agree(point.to_bytes(32, "little"))
        while agreement.compute():
            pass
        assert agreement.failed and agreement.shared is None, point


def test_the_stimulator_closes_its_window_at_such_a_key():
    stimulator = new_stimulator()
    stimulator.on_frame(pair_frame(1, REMOTE_ID + bytes(26)), 0)
    assert stimulator.on_frame(pair_frame(2, bytes(6)), 0) is not None
    while stimulator.compute():
        pass
    assert stimulator.outcome == PairingResponder.BROKEN and not stimulator.is_open(0)
    assert stimulator.on_frame(pair_frame(3, b"n" * 16), 0) is None


def test_the_remote_ends_at_such_a_key():
    remote = PairingRequester(REMOTE_ID, None, Rng(1).take, QuickCurve())
    remote.begin(0)
    while remote.compute():
        pass
    assert remote.poll(0) is not None
    remote.on_frame(pk.pack(frames.PAIR_REPLY, 1, BASE + bytes(26)), 0)
    assert remote.poll(0) is not None
    remote.on_frame(pk.pack(frames.PAIR_REPLY, 2, bytes(6) + b"c" * 16), 0)
    while remote.compute():
        pass
    assert remote.state == PairingRequester.FAILED and remote.why == PairingRequester.MISMATCH
