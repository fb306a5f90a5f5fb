"""What happens to secrets: compared in one way only, and not kept when they are stored."""

from stimfw.crypto import ccm
from stimfw.crypto.ccm import Ccm, NotAuthenticError
from stimfw.pairing import exchange as pk
from stimfw.pairing import remote_end
from stimfw.protocol import roles
from support.pairing_harness import PairingHarness


class Spy:
    """Stands for stimfw.crypto.equal.equal in a module; notes what is compared, and may lie."""

    def __init__(self, module, answer=None):
        self.module, self.answer, self.seen = module, answer, []
        self.real = module.equal

    def __enter__(self):
        self.module.equal = self
        return self

    def __exit__(self, *_error):
        self.module.equal = self.real

    def __call__(self, a, b):
        self.seen.append((bytes(a), bytes(b)))
        return self.real(a, b) if self.answer is None else self.answer


def keys():
    return pk.PairingKeys(b"z" * 32, b"t" * 32)


def test_a_tag_is_compared_by_equal_and_nothing_else():
    cipher = Ccm(bytes(16))
    sealed = cipher.seal(bytes(13), b"header", b"text")
    wrong = sealed[:-1] + bytes((sealed[-1] ^ 1,))
    with Spy(ccm) as spy:
        assert cipher.open(bytes(13), b"header", sealed) == b"text"
        try:
            cipher.open(bytes(13), b"header", wrong)
            raise AssertionError("opened")
        except NotAuthenticError:
            pass
    assert len(spy.seen) == 2 and all([len(a) == len(b) == 8 for a, b in spy.seen])
    with Spy(ccm, True):
        assert cipher.open(bytes(13), b"header", wrong) == b"text", "its word is all that counts"
    with Spy(ccm, False):
        try:
            cipher.open(bytes(13), b"header", sealed)
            raise AssertionError("opened")
        except NotAuthenticError:
            pass


def test_confirmations_are_compared_by_equal_and_nothing_else():
    made = keys()
    for step in (pk.CONFIRM, pk.ACCEPT):
        pairs = (
            (lambda tag: made.remote_said(step, tag), made.of_remote(step)),  # noqa: B023
            (lambda tag: made.stimulator_said(step, 1, 0, tag), made.of_stimulator(step, 1, 0)),  # noqa: B023
        )
        for check, tag in pairs:
            wrong = bytes((tag[0] ^ 1,)) + tag[1:]
            with Spy(pk) as spy:
                assert check(tag) is True and check(wrong) is False
            assert spy.seen == [(tag, tag), (tag, wrong)]
            for answer in (True, False):
                with Spy(pk, answer):
                    assert check(tag) is answer and check(wrong) is answer


def test_a_whole_pairing_compares_each_secret_by_equal():
    with Spy(pk) as confirmations, Spy(remote_end) as commitments:
        ends = PairingHarness()
        ends.pair()
    assert ends.paired_again()
    # The remote's confirmation and answer at the stimulator; the stimulator's (asked again) at the remote.
    assert len(confirmations.seen) >= 4 and len(set(confirmations.seen)) >= 3
    assert len(commitments.seen) == 1
    for module, answer in ((pk, False), (remote_end, False)):
        with Spy(module, answer):
            ends = PairingHarness()
            ends.pair()
        assert not ends.paired_again()


def holds(thing, secret, depth=4):
    """Whether `secret` is anywhere in an object's attributes."""
    if isinstance(thing, (bytes, bytearray)):
        return secret in bytes(thing)
    if depth == 0 or thing is None or isinstance(thing, (bool, int, str)):
        return False
    if isinstance(thing, (list, tuple)):
        return any([holds(one, secret, depth - 1) for one in thing])
    if type(thing).__name__ not in ("PairingResponder", "PairingRequester", "PairingKeys", "Agreement"):
        return False
    names = [name for name in dir(thing) if not name.startswith("__")]
    return any([holds(getattr(thing, name, None), secret, depth - 1) for name in names])


def test_a_key_that_is_stored_is_not_kept_in_ram():
    ends = PairingHarness()
    ends.pair()
    role, key = ends.table[1][1:]
    assert ends.paired_again() and role == roles.PATIENT and len(key) == 32
    assert not holds(ends.stimulator, key), "the window is still open for the remote's questions"
    assert not holds(ends.remote, key)


def test_a_key_that_could_not_be_stored_is_not_kept_either():
    ends = PairingHarness()
    taken = []
    add = ends._add

    def refuse(peer_id, role, key):
        taken.append(key)
        ends.full = True
        return add(peer_id, role, key)

    ends._add = refuse
    ends.restart_stimulator()
    ends.pair()
    assert len(taken) == 1 and not ends.paired_again()
    assert not holds(ends.stimulator, taken[0]) and not holds(ends.remote, taken[0])


def test_the_search_for_secrets_finds_them():
    made = keys()
    assert holds(made, made.key) and holds([(made,)], made.key) and not holds(made, b"n" * 32)
    ends = PairingHarness()
    ends.begin()
    assert holds(ends.stimulator, ends.stimulator._nonce)
