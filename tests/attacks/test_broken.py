"""Attacks that succeed on the firmware of today: each is seen to succeed.

Whoever mends what one is about sees this test fail: move the row from SUCCEEDING to ATTACKS
(stimbench.attacks.registry), and plant the bug again in a test of tests/attacks, where the attack then
succeeds.
"""

import pytest
from stimbench.attacks import SUCCEEDING

pytestmark = [pytest.mark.emulated, pytest.mark.slow]


def test_what_is_known_to_succeed_still_does():
    for attack in SUCCEEDING:
        result = attack.run(attack.least, 1)
        assert (result.name, result.tries) == (attack.name, attack.least)
        assert "Success:" in attack.goal
        assert result.successes > 0, f"mended: move it to ATTACKS. {result.detail}"
