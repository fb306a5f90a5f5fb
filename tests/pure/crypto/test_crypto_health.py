"""Health tests of the random source: the cutoffs by their formulas, and which sources fail them."""

import math

from stimfw.crypto import health
from stimfw.crypto.health import CheckedBits
from stimfw.crypto.primitives import sha256
from support.control import control

H = 0.5
ALPHA = 2.0**-20
STARTS = 200


def dice(seed, count):
    """`count` numbers below 256, the same for the same seed."""
    out = b""
    index = 0
    while len(out) < count:
        out += sha256(b"%d %d" % (seed, index))
        index += 1
    return out[:count]


class Source:
    """A register that gives bits of which `ones` in 256 are 1; each of them `repeats` times."""

    def __init__(self, seed, ones=128, repeats=1):
        self.seed, self.ones, self.repeats = seed, ones, repeats
        self.read = 0
        self.noise, self.bit = b"", 0

    def __getitem__(self, index):
        assert index == 0
        if self.read % self.repeats == 0:
            at = self.read // self.repeats
            if at % 1024 == 0:
                self.noise = dice(self.seed * 1000 + at // 1024, 1024)
            self.bit = 1 if self.noise[at % 1024] < self.ones else 0
        self.read += 1
        return self.bit


class Given:
    """A register that gives these bits."""

    def __init__(self, bits):
        self.bits, self.read = bits, 0

    def __getitem__(self, index):
        self.read += 1
        return self.bits[self.read - 1]


def starts_that_fail(**kind):
    failed = 0
    for seed in range(STARTS):
        bits = CheckedBits(Source(seed, **kind))
        bits.start()
        failed += bits.failed
    return failed


def test_the_repetition_cutoff_is_that_of_the_standard():
    """SP 800-90B 4.4.1: C = 1 + ceil(-log2(alpha) / H)."""
    assert health.REPETITIONS == 1 + math.ceil(20 / H)


def test_the_proportion_cutoff_is_that_of_the_standard():
    """SP 800-90B 4.4.2: C = 1 + critbinom(W, 2**-H, 1 - alpha)."""
    n, p = health.WINDOW_BITS, 2.0**-H
    assert n == 1024, "4.4.2: for a source of two values"
    term, exceeds, k = p**n, 0.0, n
    while exceeds + term <= ALPHA:
        exceeds += term
        term *= k / (n - k + 1) * (1 - p) / p
        k -= 1
    assert health.MOST_ALIKE == 1 + k


def test_a_start_tests_enough_bits():
    """SP 800-90B 4.3, requirement 4: at least 1024 samples."""
    assert health.START_BITS >= 1024 and health.START_BITS % health.BLOCK_BITS == 0
    assert health.WINDOW_BITS % health.BLOCK_BITS == 0
    source = Source(1)
    assert len(CheckedBits(source).start()) == source.read == health.START_BITS


def failed_by(bits):
    tested = CheckedBits(Given(bits))
    tested.draw(len(bits))
    return tested.failed


def test_a_run_of_41_equal_bits_fails_and_one_of_40_does_not():
    for bit in (0, 1):
        for before in range(1, 64):
            rest = [1 - bit, bit] * 64
            for length in (40, 41):
                bits = ([bit, 1 - bit] * 32)[-before:] + [bit] * length + rest
                assert failed_by(bits[:128]) == (length == 41), (bit, before, length)


def test_a_run_that_begins_with_the_first_bit_counts_from_there():
    for bit in (0, 1):
        assert not failed_by([bit] * 40 + [1 - bit, bit] * 12)
        assert failed_by([bit] * 41 + [1 - bit] + [0, 1] * 11)


def test_a_run_at_the_end_of_what_is_drawn_and_one_over_three_draws_fail():
    assert failed_by([0, 1] * 12 + [0] * 40) is False
    assert failed_by([0, 1] * 11 + [0, 1] + [1] * 40)
    tested = CheckedBits(Given([0, 1] * 22 + [0] * 20 + [1] * 20 + [0, 1] * 22 + [1] * 64))
    tested.draw(128)
    assert not tested.failed
    tested.draw(64)
    assert tested.failed


def window(ones):
    """1024 bits of which so many are 1, without a long run."""
    bits = [1] * 1024
    zeros = 1024 - ones
    for index in range(zeros):
        bits[index * 1024 // zeros] = 0
    return bytes(bits)


def test_793_equal_bits_of_1024_fail_and_792_do_not():
    assert not failed_by(window(792)) and failed_by(window(793))
    assert not failed_by(window(1024 - 792)) and failed_by(window(1024 - 793))


def test_each_window_is_counted_on_its_own():
    assert not failed_by(window(792) + window(792)), "1584 of 2048"
    assert failed_by(window(500) + window(793))
    half = window(792)
    assert not failed_by(half[512:] + half[:512]), "792 of 1024 again"


def test_a_source_that_failed_stays_failed():
    source = Source(3, ones=256)
    tested = CheckedBits(source)
    tested.draw(64)
    assert tested.failed
    source.ones = 128
    for _ in range(3):
        tested.start()
    assert tested.failed


def test_fair_bits_pass():
    assert starts_that_fail(ones=128) == 0
    assert starts_that_fail(ones=141) == 0, "0.55, as others have measured"


@control("C-32")
def test_a_stuck_or_biased_source_fails_at_each_start():
    assert starts_that_fail(ones=0) == starts_that_fail(ones=256) == STARTS
    assert starts_that_fail(ones=230) == STARTS, "0.9 ones"
    assert starts_that_fail(ones=26) == STARTS, "0.9 zeros"


def test_a_slow_source_fails_if_its_bits_come_often_enough():
    assert starts_that_fail(repeats=41) == STARTS
    assert starts_that_fail(repeats=16) > STARTS * 9 // 10


def test_what_is_drawn_is_what_was_read_in_whole_blocks():
    source = Source(5)
    read = bytes([source[0] for _ in range(256)])
    tested = CheckedBits(Source(5))
    assert bytes(tested.draw(1)) == read[:64] and bytes(tested.draw(64)) == read[64:128]
    assert bytes(tested.draw(65)) == read[128:]
    assert not tested.failed and tested.draw(0) == b""
