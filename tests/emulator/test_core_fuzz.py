"""Every opcode in random states: our core compared with rp2040py's, and with the manual."""

from collections import Counter

import pytest
from stimbench.emulator.core_pair import RARE, RARE_TIMES, Comparison
from support.core_departures import DEPARTURES, names_of

SLICES = 8
TRIES = 16
MANUAL_TRIES = 6
OPCODES = 0x10000
ASKED = 1_000_000


def opcodes(part):
    """Each eighth opcode: every slice has some of every instruction."""
    return range(part, OPCODES, SLICES)


def expected(part, tries):
    return sum(tries * (RARE_TIMES if opcode in RARE else 1) for opcode in opcodes(part))


def test_a_million_comparisons_are_made():
    assert sum(expected(part, TRIES) for part in range(SLICES)) >= ASKED


@pytest.mark.parametrize("part", range(SLICES))
def test_as_the_reference_does_it_nothing_differs(part):
    comparison = Comparison(seed=part, follow_reference=True)
    for difference in comparison.run(opcodes(part), TRIES):
        pytest.fail(f"{difference.opcode:#06x} {difference.opcode2:#06x}: {difference.fields} {difference}")
    assert comparison.count == expected(part, TRIES)


def test_by_the_manual_only_the_named_departures_differ_and_each_does():
    seen = Counter()
    comparison = Comparison(seed=100, follow_reference=False)
    for difference in comparison.run(range(OPCODES), MANUAL_TRIES):
        names = names_of(difference)
        assert len(names) == 1, f"{difference.opcode:#06x} {difference.opcode2:#06x}: {names} {difference}"
        seen[names[0]] += 1
    assert sorted(seen) == sorted(DEPARTURES)
    assert comparison.count == sum(expected(part, MANUAL_TRIES) for part in range(SLICES))
