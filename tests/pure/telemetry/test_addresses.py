"""Channels and addresses: apart from each other, and none that a receiver takes for noise."""

from stimfw.telemetry import addresses

BASE = b"\x1c\xd2\x6b\x97"


def refused(call, *arguments):
    try:
        call(*arguments)
    except ValueError:
        return True
    return False


def test_channels_lie_between_those_of_wifi():
    assert addresses.CHANNELS == (76, 50, 24) and addresses.PAIRING_CHANNEL in addresses.CHANNELS
    for channel in addresses.CHANNELS:
        assert min(abs(2400 + channel - centre) for centre in (2412, 2437, 2462)) > 10


def test_stations_of_a_bench_differ_in_the_first_byte_only():
    stations = [addresses.stimulator_address(BASE)] + [addresses.peer_address(BASE, k) for k in range(6)]
    assert [station[0] for station in stations] == [0x53, 0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5]
    assert {station[1:] for station in stations} == {BASE}


def test_pairing_has_fixed_addresses():
    assert addresses.PAIRING_STIMULATOR == b"\x50\x4a\x9d\x36\xc5"
    assert addresses.PAIRING_REMOTE == b"\x51\x4a\x9d\x36\xc5"


def test_impossible_slots_and_bases_are_refused():
    for slot in (-1, 6):
        assert refused(addresses.peer_address, BASE, slot)
    for base in (b"", b"\x01\x02\x03", bytes(5)):
        assert refused(addresses.stimulator_address, base) and refused(addresses.peer_address, base, 0)
        assert not addresses.good_base(base)


def test_bases_like_noise_or_a_preamble_are_not_drawn():
    """7.3.2: one level shift, or toggling as the preamble does; and the base of pairing is taken."""
    bad = [bytes(4), b"\xff" * 4, b"\xff\x0f\x00\x00", b"\x55" * 4, b"\xaa" * 4, b"\x00\x00\x00\xfe"]
    bad += [BASE[:3] + b"\x55", BASE[:3] + b"\xaa", addresses.PAIRING_REMOTE[1:]]
    assert not any(addresses.good_base(base) for base in bad)
    assert addresses.good_base(BASE) and addresses.good_base(bytearray(BASE))
    draws = bad + [BASE]
    assert addresses.draw_base(lambda count: draws.pop(0)) == BASE


def test_a_random_source_that_is_stuck_is_told():
    assert refused(addresses.draw_base, lambda count: b"*" * 2 + b"\xaa" * (count - 2))


def test_nearly_every_base_is_good():
    state, good = 12345, 0
    for _ in range(500):
        base = bytearray(4)
        for k in range(4):
            state = (state * 1103515245 + 12345) & 0x7FFFFFFF
            base[k] = state >> 16 & 0xFF
        good += addresses.good_base(bytes(base))
    assert good > 480
