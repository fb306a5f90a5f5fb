"""A key that was given anew: its first use ends the old one, and nothing that the old one does ends it."""

from stimfw.protocol import messages, requests, roles
from stimfw.telemetry import keys
from support.link_harness import ACTIVE, PENDING, Pairing, key_of
from support.radio_peer import Peer

START = messages.request(requests.START)
OLD, NEW, ELSE = 1, 3, 4


def rekeyed(new_role=roles.PATIENT, new_id=b"id", new_state=PENDING):
    """A stimulator whose flash has an old key of a peer, a new one that was not used, and another peer's."""
    one = Peer()
    one.table.pairings.clear()
    one.table.pairings[OLD] = Pairing(roles.PATIENT, key_of(OLD), b"id", ACTIVE)
    one.table.pairings[NEW] = Pairing(new_role, key_of(NEW), new_id, new_state)
    one.table.pairings[ELSE] = Pairing(roles.PATIENT, key_of(ELSE), b"xx", ACTIVE)
    one.links = {}
    return one


def join(one, slot, count=1, now_ms=0, role=roles.PATIENT):
    """A handshake under the slot's key; whether it was answered."""
    hello_key = keys.handshake_keys(key_of(slot), slot, role)[0]
    hello = one.hello(1, count, slot=slot)
    if role != roles.PATIENT:
        hello = hello[:20] + keys.HelloTag(hello_key).make(hello[4:20])
    challenge = one.say(hello, now_ms)
    if challenge is None:
        return False
    made = keys.connection_keys(key_of(slot), hello[4:20], challenge[4:20], slot, role)
    one.links[slot] = type(one.connection(hello, challenge))(made, slot, now_ms)
    return True


def ask(one, slot, counter, now_ms=0):
    """A START under the slot's connection; whether it was answered."""
    one.link = one.links[slot]
    return one.say(one.request(counter, START), now_ms) is not None


def test_the_first_request_under_a_new_key_ends_the_old_one_at_once():
    one = rekeyed()
    assert join(one, OLD) and ask(one, OLD, 0) and join(one, ELSE) and ask(one, ELSE, 0)
    assert join(one, NEW) and ask(one, NEW, 0)
    assert not ask(one, OLD, 1) and not join(one, OLD, 2) and not join(one, OLD, 2, 5000)
    assert ask(one, ELSE, 1) and ask(one, NEW, 1)
    retired = (messages.EVENT_KEY_RETIRED, OLD, roles.PATIENT)
    assert one.notes.count(retired) == 1 and len(one.notes) == 4
    assert one.stimulator.newly_connected == [NEW]
    assert one.stimulator.used(OLD) is None and one.stimulator.used(NEW) == (0, key_of(NEW))


def test_a_hello_under_the_new_key_alone_ends_nothing():
    one = rekeyed()
    assert join(one, OLD) and ask(one, OLD, 0)
    assert join(one, NEW)
    assert ask(one, OLD, 1) and join(one, OLD, 2) and ask(one, OLD, 0)
    assert one.stimulator.newly_connected == [] and one.stimulator.used(NEW) is None


def test_handshakes_of_the_old_key_end_too():
    one = rekeyed()
    assert join(one, OLD) and join(one, NEW) and ask(one, NEW, 0)
    assert not ask(one, OLD, 0) and one.stimulator.connections == 1


def test_the_old_key_ends_nothing_of_the_new_one():
    """Its thief connects, again and again, before the new key was used for the first time."""
    one = rekeyed()
    for count in range(1, 6):
        assert join(one, OLD, count) and ask(one, OLD, 0)
    assert one.stimulator.newly_connected == [] and not one.stimulator.silent_ms(NEW, 0) == 0
    assert join(one, NEW) and ask(one, NEW, 0)
    assert not join(one, OLD, 9)


def test_an_active_key_retires_no_other():
    one = rekeyed(new_state=ACTIVE)
    assert join(one, OLD) and ask(one, OLD, 0) and join(one, NEW) and ask(one, NEW, 0)
    assert ask(one, OLD, 1) and one.stimulator.newly_connected == []


def test_a_key_of_another_role_or_of_another_peer_is_not_replaced():
    """Whoever is paired by radio may claim a clinician's id: that ends no clinician's key."""
    for role, peer_id in ((roles.CLINICIAN, b"id"), (roles.PATIENT, b"ie")):
        one = rekeyed(role, peer_id)
        assert join(one, OLD) and ask(one, OLD, 0)
        assert join(one, NEW, role=role) and ask(one, NEW, 0)
        assert ask(one, OLD, 1), (role, peer_id)
        assert [note[0] for note in one.notes] == [messages.EVENT_CONNECTED] * 2


def test_a_used_old_key_that_was_not_settled_is_not_settled_after_its_end():
    """Its generation was used, and the output is on: when it is off, only the new key goes to flash."""
    one = rekeyed()
    later = keys.next_key(key_of(OLD))
    hello = one.hello(1, 1, slot=OLD, generation=1, key=later)
    challenge = one.say(hello) or one.say(hello)
    one.links[OLD] = one.connection(hello, challenge, 0, later)
    assert ask(one, OLD, 0) and one.stimulator.newly_connected == [OLD]
    assert join(one, NEW) and ask(one, NEW, 0)
    assert one.stimulator.newly_connected == [NEW]


def settle_new(one):
    """As the application does when the output is off: one write."""
    del one.table.pairings[OLD]
    one.table.pairings[NEW] = Pairing(roles.PATIENT, key_of(NEW), b"id", ACTIVE)
    one.stimulator.settled(NEW)


def test_the_slot_of_the_old_key_can_be_given_again():
    for forgets in (False, True):
        one = rekeyed()
        assert join(one, OLD) and ask(one, OLD, 0) and join(one, NEW) and ask(one, NEW, 0)
        settle_new(one)
        assert one.stimulator.newly_connected == [] and not join(one, OLD, 2)
        assert ask(one, NEW, 1), "the connection goes on"
        one.table.pairings[OLD] = Pairing(roles.PATIENT, key_of(OLD), b"third", PENDING)
        if forgets:
            one.stimulator.forget(OLD)
        assert join(one, OLD, 3) and ask(one, OLD, 0), forgets


def test_what_flash_freed_is_gone_from_ram_too():
    """The old key, not retired because the new one was used before this start, was connected meanwhile."""
    one = rekeyed(new_state=ACTIVE)
    assert join(one, OLD) and ask(one, OLD, 0) and join(one, NEW) and ask(one, NEW, 0)
    settle_new(one)
    assert not ask(one, OLD, 1) and not join(one, OLD, 2) and ask(one, NEW, 1)


def test_a_pairing_that_was_changed_begins_anew():
    one = rekeyed()
    assert join(one, NEW) and ask(one, NEW, 0)
    one.table.pairings[NEW] = Pairing(roles.PATIENT, key_of(ELSE), b"id", PENDING)
    one.stimulator.forget(NEW)
    assert one.stimulator.newly_connected == [] and not ask(one, NEW, 1) and not join(one, NEW, 2)
    hello = one.hello(1, 1, slot=NEW, key=key_of(ELSE))
    assert one.say(hello) is not None
