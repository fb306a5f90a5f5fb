"""Attacks that succeed on the firmware of today: each is seen to succeed.

Whoever mends what one is about sees this test fail: move the row from SUCCEEDING to ATTACKS
(stimbench.attacks.registry), and plant the bug again in a test of tests/attacks, where the attack then
succeeds.
"""

import pytest
from stimbench.attacks import SUCCEEDING, Attack, Result

pytestmark = [pytest.mark.emulated, pytest.mark.slow]


def assert_still_succeeds(attack):
    result = attack.run(attack.least, 1)
    assert (result.name, result.tries) == (attack.name, attack.least)
    assert "Success:" in attack.goal
    assert result.successes > 0, f"mended: move it to ATTACKS. {result.detail}"


def test_what_is_known_to_succeed_still_does():
    """None is known today; what would be said of one that was mended is shown below."""
    for attack in SUCCEEDING:
        assert_still_succeeds(attack)


def test_a_mended_one_is_noticed():
    def tried(successes):
        def crowbar(tries, seed):
            """Open the lid. Success: it is open."""
            return Result("crowbar", tries, successes, "the lid")

        return Attack("crowbar", crowbar, 10, 2)

    assert_still_succeeds(tried(1))
    with pytest.raises(AssertionError, match=r"mended: move it to ATTACKS\. the lid"):
        assert_still_succeeds(tried(0))
