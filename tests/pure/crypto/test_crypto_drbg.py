"""Bytes that look random, the same for the same seed; the past cannot be computed from the state."""

from stimfw.crypto.drbg import Drbg

SEED = bytes(range(32))


def test_same_seed_same_bytes_and_another_seed_others():
    first, again, other = Drbg(SEED), Drbg(SEED), Drbg(bytes(32))
    assert first.take(100) == again.take(100) != other.take(100)


def test_any_count():
    generator = Drbg(SEED)
    for count in (0, 1, 31, 32, 33, 64, 65, 1000):
        assert len(generator.take(count)) == count


def test_nothing_comes_twice():
    generator = Drbg(SEED)
    taken = [generator.take(16) for _ in range(500)]
    long = generator.take(3200)
    taken += [long[at : at + 16] for at in range(0, 3200, 16)]
    assert len(set(taken)) == len(taken)


def test_bits_are_balanced():
    taken = Drbg(SEED).take(8000)
    ones = sum([sum([byte >> bit & 1 for bit in range(8)]) for byte in taken])
    assert abs(ones - 32000) < 4 * 127  # 4 standard deviations of 64 000 fair bits


def test_a_state_that_is_seen_later_tells_nothing_of_before():
    generator = Drbg(SEED)
    before = generator.take(32)
    again = Drbg(SEED)
    again._key = generator._key
    assert again.take(32) != before and generator._key != SEED


def test_stirring_changes_what_comes():
    plain, stirred, otherwise = Drbg(SEED), Drbg(SEED), Drbg(SEED)
    stirred.stir(b"a")
    otherwise.stir(b"b")
    assert len({plain.take(16), stirred.take(16), otherwise.take(16)}) == 3


def test_a_short_seed_is_refused():
    for seed in (b"", bytes(31), bytes(33)):
        try:
            Drbg(seed)
        except ValueError:
            continue
        raise AssertionError("taken: %d bytes" % len(seed))
