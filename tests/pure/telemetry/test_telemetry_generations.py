"""Generations of a key: how far a peer may be ahead, what that costs, and what an older key still does."""

from stimfw.protocol import messages, requests, roles
from stimfw.telemetry import keys
from support.control import control
from support.link_harness import ACTIVE, LinkHarness, Pairing, key_of
from support.radio_peer import SLOT, STOP, Peer, flip

START = messages.request(requests.START)
STEP_MS = 12


def at_generation(generation):
    """A stimulator whose flash knows this generation of the peer's key (its key is then `key_of`)."""
    one = Peer()
    one.table.pairings[SLOT] = Pairing(roles.PATIENT, key_of(SLOT), b"id", ACTIVE, generation)
    return one


def join(one, low_byte, key, count=1, most=40, now_ms=0):
    """HELLOs of a generation until one is answered; how many that took, and the peer's end. 0: none was."""
    hello = one.hello(1, count, generation=low_byte, key=key)
    for tried in range(1, most + 1):
        challenge = one.say(hello, now_ms + STEP_MS * tried)
        if challenge is not None:
            one.link = one.connection(hello, challenge, now_ms + STEP_MS * tried, key)
            return tried
    return 0


def test_a_peer_may_be_32_generations_ahead_and_not_33():
    for ahead in range(40):
        one = at_generation(0)
        tried = join(one, ahead, one.key_at(ahead))
        assert tried == (ahead + 1 if ahead <= 32 else 0), ahead
        if tried:
            assert one.say(one.request(0), 500) is not None
            assert one.stimulator.used(SLOT) == (ahead, one.key_at(ahead))
        else:
            assert one.counts()[1] == 40 and one.counts()[4] == 0, "refused before anything is computed"


def test_one_that_is_behind_is_refused():
    for used in (1, 2, 32):
        one = at_generation(0)
        join(one, used, one.key_at(used))
        assert one.say(one.request(0), 500) is not None
        for behind in range(1, 200):
            bad = one.counts()[1]
            hello = one.hello(1, 50, generation=(used - behind) & 0xFF, key=one.key_at(max(0, used - behind)))
            assert one.say(hello, 600) is None and one.counts()[1] == bad + 1, (used, behind)
        assert join(one, used, one.key_at(used), 60, now_ms=1000) > 0, "the present one goes on"


def test_the_low_byte_goes_round_and_the_generation_does_not():
    for generation, low_byte, ahead in (
        (250, 4, 10), (255, 0, 1), (255, 31, 32), (255, 32, None), (256, 0, 0), (256, 255, None),
        (0xFFFE, 0xFF, 1), (0xFFFF, 0xFF, 0), (0xFFFF, 0, None), (0xFFFE, 0, None), (0xFFF0, 0, None),
    ):  # fmt: skip
        one = at_generation(generation)
        steps = (low_byte - generation) % 256 if ahead is None else ahead
        found = join(one, low_byte, one.key_at(steps if steps <= 32 else 0))
        assert found == (0 if ahead is None else ahead + 1), (generation, low_byte)
        if found:
            assert one.say(one.request(0), 500) is not None
            assert one.stimulator.used(SLOT)[0] == generation + ahead


def test_a_generation_under_another_number_is_forged():
    one = at_generation(0)
    for claimed, real in ((1, 0), (0, 1), (2, 1), (1, 2)):
        assert join(one, claimed, one.key_at(real), most=6) == 0
    assert one.counts()[2] > 10


class Counted:
    """Counts the derivations of keys, as long as it is entered."""

    names = ("next_key", "handshake_keys")

    def __enter__(self):
        self.real = [getattr(keys, name) for name in self.names]
        self.count = 0
        for name, real in zip(self.names, self.real):
            setattr(keys, name, lambda *arguments, real=real: self.of(real, arguments))
        return self

    def of(self, real, arguments):
        self.count += 1
        return real(*arguments)

    def __exit__(self, *_error):
        for name, real in zip(self.names, self.real):
            setattr(keys, name, real)


def test_each_frame_makes_one_step_within_the_budget():
    one = at_generation(0)
    forged = flip(one.hello(1, 9, generation=32, key=one.key_at(32)), 31)
    steps = []
    for _ in range(100):
        with Counted() as counted:
            assert one.say(forged, 0) is None
        steps.append(counted.count)
    assert steps == [1] + [2] * 11 + [0] * 88, "a key and what is made of it; half of the budget is kept"
    assert one.counts()[4] == 100 and one.counts()[2] == 0, "dropped unverified, each of them"
    with Counted() as counted:
        one.say(forged, 12)
        one.say(forged, 23)
        assert counted.count == 2
        one.say(forged, 24)
        assert counted.count == 4


def test_no_step_is_made_twice_whatever_is_forged():
    """Generations in turn, for minutes: all 33 keys of the peer, and then nothing more."""
    one = at_generation(0)
    forged = [flip(one.hello(1, 9, generation=n, key=one.key_at(n)), 31) for n in range(33)]
    with Counted() as counted:
        for turn in range(3000):
            one.say(forged[turn * 5 % 33], turn * 3)
    assert counted.count == 32 + 33
    peer = one.stimulator._peers[SLOT]
    assert len(peer._ahead) == 33 and len(peer._tags) <= 3, "33 keys and 3 ciphers are kept"
    left = one.stimulator._limiter._left
    for turn in range(100):
        one.say(forged[turn % 33], 9000)
    assert one.stimulator._limiter._left >= left and one.counts()[2] > 2900


def test_the_genuine_peer_is_heard_while_others_are_forged():
    """At the generation that is known and at the next one: with its first or second burst of three."""
    for ahead in (0, 1):
        one = at_generation(0)
        forged = [flip(one.hello(1, 9, generation=n, key=one.key_at(n)), 31) for n in range(33)]
        for turn in range(400):
            one.say(forged[2 + turn % 31], turn)
        assert 0 < join(one, ahead, one.key_at(ahead), most=2, now_ms=400) <= 2
        for turn in range(400):
            one.say(forged[2 + turn % 31], 500 + turn)
        assert join(one, ahead, one.key_at(ahead), count=2, most=1, now_ms=900) == 1, "its key is there"


def test_forging_other_generations_leaves_budget_for_the_genuine():
    one = at_generation(0)
    assert join(one, 0, one.key_at(0)) == 1
    one.stimulator._peers[SLOT]._handshake_keys = one.stimulator._peers[SLOT]._handshake_keys[:1]
    forged = flip(one.hello(1, 9, generation=32, key=one.key_at(32)), 31)
    for now_ms in range(20, 120):
        one.say(forged, now_ms)
    for count in range(2, 12):
        assert one.say(one.hello(1, count), 120) is not None, count


def test_a_peer_that_is_ahead_gets_in_by_itself():
    for steps in (0, 1, 2, 8, 32):
        link = LinkHarness()
        link.copies = 3
        link.start_peer(0, steps)
        began_ms = link.now_ms
        assert link.ask(START) is not None, steps
        assert link.now_ms - began_ms <= 40 + 12 * steps
        assert link.stimulator.used(0)[0] == steps


def test_the_next_generation_of_what_was_used_is_measured_from_there():
    one = at_generation(0)
    for used in (30, 60, 90):
        assert join(one, used, one.key_at(used), used, now_ms=used * 100) > 0
        assert one.say(one.request(0), used * 100 + 1000) is not None
        assert one.stimulator.used(SLOT) == (used, one.key_at(used))
    assert join(one, 90 + 33, one.key_at(123), 91, now_ms=20_000) == 0
    assert join(one, 90 + 32, one.key_at(122), 92, now_ms=30_000) > 0


@control("C-29")
def test_old_keys_are_gone_with_their_generation():
    one = at_generation(0)
    join(one, 3, one.key_at(3))
    peer = one.stimulator._peers[SLOT]
    assert one.key_at(1) in peer._ahead
    assert one.say(one.request(0), 500) is not None
    for generation in range(3):
        assert one.key_at(generation) not in peer._ahead and peer.key != one.key_at(generation)
        hello_key = keys.handshake_keys(one.key_at(generation), SLOT, roles.PATIENT)[0]
        assert hello_key not in [pair[: keys.AES_BYTES] for pair in peer._handshake_keys]
    assert peer._ahead[0] == peer.key == one.key_at(3) and peer.candidates() == []


def test_a_hello_alone_changes_no_generation():
    one = at_generation(0)
    join(one, 5, one.key_at(5))
    assert one.stimulator.used(SLOT) is None and one.stimulator.newly_connected == []
    assert join(one, 0, one.key_at(0), 2, now_ms=1000) > 0, "the known one is not behind"


# What flash does not know yet.


def test_what_was_used_is_told_until_it_is_on_flash():
    one = at_generation(7)
    assert one.stimulator.used(SLOT) is None and one.stimulator.used(0) is None
    join(one, 7, one.key_at(0))
    assert one.say(one.request(0), 100) is not None
    assert one.stimulator.used(SLOT) == (7, one.key_at(0)) and one.stimulator.newly_connected == []
    join(one, 9, one.key_at(2), 2, now_ms=1000)
    assert one.say(one.request(0), 1050) is not None
    assert one.stimulator.newly_connected == [SLOT]
    join(one, 9, one.key_at(2), 3, now_ms=2000)
    assert one.say(one.request(0), 2200) is not None
    assert one.stimulator.newly_connected == [SLOT], "once"
    settle(one)
    assert one.stimulator.newly_connected == [] and one.stimulator.used(SLOT) == (9, one.key_at(2))
    assert one.say(one.request(1), 2300) is not None, "the connection goes on"


def settle(one, slot=SLOT):
    """As the application does: what was used goes to flash, then it says so."""
    generation, key = one.stimulator.used(slot)
    pairing = one.table.pairings[slot]
    one.table.pairings[slot] = Pairing(pairing.role, key, pairing.peer_id, ACTIVE, generation)
    one.stimulator.settled(slot)


def test_the_key_that_is_told_is_that_of_the_generation_however_many_were_made():
    """Somebody forges HELLOs of all generations before and after: flash must not get one of their keys."""
    for used in (0, 1, 5):
        one = at_generation(0)
        for turn in range(60):
            one.say(flip(one.hello(1, 9, generation=20, key=one.key_at(20)), 31), turn * STEP_MS)
        assert join(one, used, one.key_at(used), now_ms=800) > 0
        assert one.say(one.request(0), 1000) is not None
        assert one.stimulator.used(SLOT) == (used, one.key_at(used))


def test_ciphers_of_the_present_and_the_next_generation_are_made_once():
    one = at_generation(0)
    forged = [flip(one.hello(1, 9, generation=n, key=one.key_at(n)), 31) for n in range(33)]
    for turn in range(400):
        one.say(forged[turn % 33], turn * 3)
    peer = one.stimulator._peers[SLOT]
    ciphers = peer._tags[0], peer._tags[1]
    for turn in range(100):
        one.say(forged[turn % 33], 2000 + turn * 3)
    assert (peer._tags[0], peer._tags[1]) == ciphers and len(peer._tags) == 3


def test_a_generation_that_is_used_while_another_is_written_is_not_forgotten():
    one = at_generation(0)
    join(one, 1, one.key_at(1))
    assert one.say(one.request(0), 100) is not None
    written = one.stimulator.used(SLOT)
    join(one, 2, one.key_at(2), 2, now_ms=1000)
    assert one.say(one.request(0), 1040) is not None
    one.table.pairings[SLOT] = Pairing(roles.PATIENT, written[1], b"id", ACTIVE, written[0])
    one.stimulator.settled(SLOT)
    assert one.stimulator.newly_connected == [SLOT] and one.stimulator.used(SLOT)[0] == 2
    settle(one)
    assert one.stimulator.newly_connected == []


def test_after_a_restart_without_power_for_the_flash_the_peer_is_still_reached():
    """The stimulator forgets a generation that it had in RAM only; the peer is ahead of it, and gets in."""
    link = LinkHarness()
    for start in range(1, 33):
        link.start_peer(0, steps=start)
        assert link.ask(START) is not None, start
        link.start_stimulator()
        link.now_ms += 2000
    assert link.ask(STOP, limit_ms=3000) is not None


def test_a_candidate_of_each_generation_has_its_own_keys():
    """One HELLO in step at one generation, one out of step at another: each gets its own CHALLENGE."""
    one = at_generation(0)
    join(one, 0, one.key_at(0), 5)
    assert one.say(one.request(0), 100) is not None
    join(one, 2, one.key_at(2), 6, now_ms=1500)
    ahead = one.link
    assert join(one, 0, one.key_at(0), 4, now_ms=1600) > 0
    one.link, behind = ahead, one.link
    assert one.say(one.request(0, START), 2000) is not None and one.stimulator.used(SLOT)[0] == 2
    one.link = behind
    assert one.say(one.request(0, START), 2100) is None
