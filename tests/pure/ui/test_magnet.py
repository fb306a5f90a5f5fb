"""The magnet's gestures: a touch at each approach, HELD once after three seconds, LEFT; consent."""

from stimfw.ui.magnet import (
    AWAY_MS,
    CONSENT_MS,
    HELD,
    HOLD_MS,
    LEFT,
    NOTHING,
    SETTLE_MS,
    TOUCH,
    Consent,
    MagnetHold,
)
from support.control import control


def told(magnet, samples):
    """What it tells at each of `samples` (time, present), without NOTHING."""
    out = [(now_ms, magnet.update(present, now_ms)) for now_ms, present in samples]
    return [one for one in out if one[1] != NOTHING]


def test_a_touch_is_told_at_once():
    assert MagnetHold().update(True, 5) == TOUCH


def test_held_for_three_seconds_is_told_once():
    samples = [(now_ms, True) for now_ms in range(0, 10_000, 10)]
    assert told(MagnetHold(), samples) == [(0, TOUCH), (HOLD_MS, HELD)]


def test_a_pause_begins_the_three_seconds_again():
    samples = [(0, True), (2900, False), (2900 + SETTLE_MS, False), (2950, True), (5949, True), (5950, True)]
    assert told(MagnetHold(), samples) == [
        (0, TOUCH), (2900 + SETTLE_MS, LEFT), (2950, TOUCH), (5950, HELD),
    ]  # fmt: skip


def test_a_pause_is_seen_though_nobody_looked_at_its_end():
    samples = [(0, True), (2000, False), (2500, True), (3100, True), (5500, True)]
    magnet = MagnetHold()
    assert told(magnet, samples) == [(0, TOUCH), (2500, LEFT | TOUCH), (5500, HELD)]
    assert (magnet.stayed_ms, magnet.away_ms, magnet.near, magnet.since_ms) == (2000, 500, True, 2500)


def test_bounces_of_both_edges_are_one_touch():
    closing = [(0, True), (1, False), (2, True), (3, False), (5, True)]
    opening = [(500, False), (502, True), (504, False), (510, True), (511, False), (540, False)]
    magnet = MagnetHold()
    assert told(magnet, closing + opening) == [(0, TOUCH), (540, LEFT)]
    assert (magnet.stayed_ms, magnet.since_ms, magnet.near) == (511, 511, False)


def test_each_new_approach_is_a_touch():
    magnet = MagnetHold()
    for begin_ms in (0, 200, 400):
        assert magnet.update(True, begin_ms) == TOUCH
        assert magnet.update(False, begin_ms + 50) == NOTHING
        assert magnet.update(False, begin_ms + 50 + SETTLE_MS) == LEFT
        assert magnet.stayed_ms == 50 and magnet.away_ms == (150 if begin_ms else 0)


def test_a_second_hold_is_told_again():
    magnet = MagnetHold()
    samples = [(0, True), (3000, True), (4000, False), (4020, False), (5000, True), (8000, True)]
    assert told(magnet, samples) == [(0, TOUCH), (3000, HELD), (4020, LEFT), (5000, TOUCH), (8000, HELD)]


def test_a_magnet_that_was_there_first_is_no_gesture():
    magnet = MagnetHold(present=True)
    assert told(magnet, [(now_ms, True) for now_ms in range(0, 8000, 100)]) == []
    assert magnet.wait_ms(8000) == -1
    assert told(magnet, [(8000, False), (8020, False), (9000, True)]) == [(8020, LEFT), (9000, TOUCH)]


def test_it_tells_when_to_look_again():
    magnet = MagnetHold()
    assert magnet.wait_ms(0) == -1
    magnet.update(True, 100)
    assert magnet.wait_ms(100) == HOLD_MS and magnet.wait_ms(3000) == 100 and magnet.wait_ms(9000) == 0
    magnet.update(True, 3100)
    assert magnet.wait_ms(3100) == -1
    magnet.update(False, 3200)
    assert magnet.wait_ms(3205) == SETTLE_MS - 5
    magnet.update(False, 3200 + SETTLE_MS)
    assert magnet.wait_ms(3300) == -1


@control("C-45")
def test_the_clock_may_wrap():
    magnet = MagnetHold()
    assert magnet.update(True, 0x3FFFFFFF) == TOUCH
    assert magnet.wait_ms(998) == HOLD_MS - 999
    assert magnet.update(True, HOLD_MS - 2) == NOTHING and magnet.update(True, HOLD_MS - 1) == HELD


# Consent.


class Person:
    """A magnet in a hand; consent is awaited from `awaited_ms` on. The loop looks every 10 ms."""

    def __init__(self, awaited_ms=0, now_ms=0):
        self.magnet = MagnetHold()
        self.consent = Consent(self.magnet)
        self.awaited_ms = awaited_ms
        self.now_ms = now_ms
        self.outcomes = []
        self.asked = []

    def go(self, near, span_ms):
        """Hold it there, or away, for so long."""
        for _ in range(span_ms // 10):
            awaited = self.now_ms >= self.awaited_ms
            outcome = self.consent.update(self.magnet.update(near, self.now_ms), awaited)
            if outcome:
                self.outcomes.append((outcome, self.now_ms))
            self.asked.append(self.consent.asks(self.now_ms))
            self.now_ms += 10
        return self

    def does(self, *spans):
        """(near, span) after (near, span), then away for good."""
        for near, span_ms in spans:
            self.go(near, span_ms)
        self.go(False, 1000)
        return [outcome for outcome, _ in self.outcomes]


AWAY, NEAR = False, True


def test_consent_is_a_second_away_a_second_near_and_away_again():
    person = Person()
    assert person.does((NEAR, 100), (AWAY, 1000), (NEAR, 1000)) == [Consent.GIVEN]
    assert person.outcomes[0][1] == 2100 + SETTLE_MS, "on letting go"


def test_the_limits_of_consent():
    for stays_ms, outcomes in (
        (50, []), (990, []), (1000, [Consent.GIVEN]), (2990, [Consent.GIVEN]), (3000, [Consent.TOO_LONG]),
        (9000, [Consent.TOO_LONG]),
    ):  # fmt: skip
        assert Person().does((NEAR, 100), (AWAY, 1000), (NEAR, stays_ms)) == outcomes, stays_ms
    for away_ms, outcomes in ((500, []), (990, []), (1000, [Consent.GIVEN]), (5000, [Consent.GIVEN])):
        assert Person().does((NEAR, 100), (AWAY, away_ms), (NEAR, 1500)) == outcomes, away_ms


def test_a_wobble_while_the_magnet_is_taken_away_is_no_consent():
    for wobble_ms in (10, 50, 300, 900, 1000, 2000):
        opened = ((NEAR, 3500), (AWAY, 200), (NEAR, wobble_ms))
        assert Person().does(*opened) == [], wobble_ms
        assert Person().does(*opened, (AWAY, 400), (NEAR, 1500)) == [], "each time it must be away again"


def test_chatter_in_the_gesture_does_not_break_it():
    chatter = ((AWAY, 10), (NEAR, 10))
    assert Person().does(
        (NEAR, 100), (AWAY, 1000), *chatter, (NEAR, 600), *chatter, (NEAR, 600), *chatter
    ) == [Consent.GIVEN]


def test_a_magnet_that_came_before_consent_was_awaited_counts_for_nothing():
    for awaited_ms in (1210, 1300, 2000, 2200):
        person = Person(awaited_ms)
        assert person.does((NEAR, 100), (AWAY, 1100), (NEAR, 1500)) == [], awaited_ms
        assert person.does((NEAR, 1500)) == [Consent.GIVEN]
    person = Person(5000)
    assert person.does((NEAR, 100), (AWAY, 1100), (NEAR, 9000)) == [], (
        "left lying since before: no consent at all"
    )


def test_the_person_could_see_that_consent_was_awaited_before_the_magnet_came():
    """What became true in the very look that sees the magnet could not be seen."""
    magnet = MagnetHold()
    consent = Consent(magnet)
    consent.update(magnet.update(False, 5000), False)
    consent.update(magnet.update(True, 5010), True)
    consent.update(magnet.update(False, 7000), True)
    assert consent.update(magnet.update(False, 7020), True) == 0


def test_what_was_done_before_a_reset_is_none():
    person = Person()
    person.go(NEAR, 100).go(AWAY, 1500).go(NEAR, 1200)
    person.consent.reset()
    assert person.does() == [] and person.consent.asks(person.now_ms) == Consent.HOLD_IT


def test_what_the_person_is_asked_for():
    person = Person(awaited_ms=2000)
    person.go(NEAR, 100).go(AWAY, 2000).go(NEAR, 1500).go(AWAY, 500)
    told = [(at_ms * 10, asks) for at_ms, asks in enumerate(person.asked)]
    changes = [told[at] for at in range(1, len(told)) if told[at][1] != told[at - 1][1]]
    assert changes == [
        (2000, Consent.HOLD_IT),
        (2100 + CONSENT_MS, Consent.LET_GO),
        (3600 + SETTLE_MS, Consent.NOT_NOW),
    ]
    early = Person().go(NEAR, 100).go(AWAY, 500)
    assert early.consent.asks(early.now_ms) == Consent.NOT_NOW, "the magnet was away too short"
    assert early.consent.wait_ms(early.now_ms) == AWAY_MS - 500
    early.go(AWAY, 600)
    assert early.consent.asks(early.now_ms) == Consent.HOLD_IT and early.consent.wait_ms(early.now_ms) == -1
    early.go(NEAR, 300)
    assert early.consent.wait_ms(early.now_ms) == CONSENT_MS - 300
    early.go(NEAR, 800)
    assert early.consent.wait_ms(early.now_ms) == -1 and early.consent.asks(early.now_ms) == Consent.LET_GO


def test_a_hold_that_is_seen_late_is_too_long_all_the_same():
    magnet = MagnetHold()
    consent = Consent(magnet)
    for near, now_ms in ((False, 5000), (False, 5010), (True, 5020)):
        consent.update(magnet.update(near, now_ms), True)
    assert consent.update(magnet.update(False, 9000), True) == 0
    assert consent.update(magnet.update(False, 9020), True) == Consent.TOO_LONG


def test_consent_over_the_clocks_wrap():
    start_ms = 0x3FFFFFFF - 1500
    magnet = MagnetHold()
    consent = Consent(magnet)
    outcomes = []
    for later_ms in range(0, 6000, 10):
        now_ms = start_ms + later_ms & 0x3FFFFFFF
        near = later_ms < 100 or 1200 <= later_ms < 2400
        outcomes.append(consent.update(magnet.update(near, now_ms), True))
    assert [one for one in outcomes if one] == [Consent.GIVEN]
