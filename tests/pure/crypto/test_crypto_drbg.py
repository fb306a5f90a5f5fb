"""Bytes that look random, the same for the same seed; the past cannot be computed from the state."""

from stimfw.crypto.drbg import Drbg, KeyRandom, RandomError

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


class Source:
    """What KeyRandom draws from: counts, and fails from the `last`-th draw on."""

    def __init__(self, last=1000):
        self.drawn, self.left, self.failed = [], last, last == 0

    def draw(self, bits):
        self.drawn.append(bits)
        self.left -= 1
        self.failed = self.failed or self.left < 0
        return bytearray(bytes((len(self.drawn),)) * bits)


class Edges:
    low = bytearray(2)


def keys(last=1000):
    source, edges = Source(last), Edges()
    return KeyRandom(Drbg(SEED), source, edges), source, edges


def test_each_draw_stirs_as_many_raw_bits_in_as_it_gives():
    random, source, _ = keys()
    plain = Drbg(SEED)
    assert random.take(8) != plain.take(8)
    assert len(random.take(32)) == 32
    assert source.drawn == [64, 256]
    plain = Drbg(SEED)
    plain.stir(bytes((1,)) * 64 + bytes(2))
    assert keys()[0].take(8) == plain.take(8), "drawn and stirred in before, not after"


def test_times_of_edges_change_what_comes():
    still, (moved, _, edges) = keys()[0], keys()
    edges.low = bytearray(b"t1")
    assert still.take(8) != moved.take(8)


def refused(random):
    try:
        random.take(8)
    except RandomError:
        return True
    return False


def test_nothing_is_drawn_for_keys_from_a_source_that_failed_at_the_start():
    random, source, _ = keys(last=0)
    assert random.failed and refused(random) and source.drawn == []


def test_the_draw_that_finds_the_failure_gives_nothing_and_tells_once():
    random, _, _ = keys(last=2)
    told = []
    random.on_failure = lambda: told.append(random.failed)
    assert not refused(random) and not refused(random) and told == []
    assert refused(random) and refused(random) and told == [True]


def test_what_is_no_key_is_given_all_the_same_and_draws_no_bits():
    random, source, _ = keys(last=0)
    assert len({random.take(3) for _ in range(50)}) == 50 and source.drawn == []
    for count in (4, 7):
        try:
            random.take(count)
        except RandomError:
            continue
        raise AssertionError("%d bytes are enough for a key" % count)


def test_a_failure_at_the_start_is_not_told_again():
    random, _, _ = keys(last=0)
    told = []
    random.on_failure = lambda: told.append(1)
    assert refused(random) and told == []


def test_a_random_error_is_an_os_error():
    assert issubclass(RandomError, OSError)
