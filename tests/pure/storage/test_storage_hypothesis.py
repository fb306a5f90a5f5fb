"""Long sequences of changes and power cuts, drawn by Hypothesis."""

from hypothesis import given, settings
from hypothesis import strategies as st
from stimfw.crypto.drbg import Drbg
from stimfw.storage.blocks import DamagedError
from stimfw.storage.epochs import EpochLog
from stimfw.storage.pairings import PairingTable, RoleClashError, TableFullError
from stimfw.storage.record import MAX_PAYLOAD, Record
from support.flash_fake import FlashFake, is_cut

cuts = st.none() | st.tuples(st.integers(0, 4), st.integers(0, 256), st.integers(0, 1 << 16))
payloads = st.binary(max_size=MAX_PAYLOAD)


def attempt(flash, cut, action):
    """Do it, cut short as `cut` says; whether it came to its end."""
    if cut is not None:
        flash.cut(*cut)
    ended = not is_cut(action, flash)
    flash.power()
    return ended


@given(st.lists(st.tuples(st.sampled_from(["store", "forget", "load"]), payloads, cuts), max_size=12))
def test_a_record_is_what_was_stored_last_or_what_was_being_stored(steps):
    flash = FlashFake(2)
    held = None
    for name, payload, cut in steps:
        wanted = {"store": payload, "forget": None, "load": held}[name]
        actions = {
            "store": lambda flash, payload=payload: Record(flash, 0).store(payload),
            "forget": lambda flash: Record(flash, 0).forget(),
            "load": lambda flash: Record(flash, 0).load(),
        }
        ended = attempt(flash, cut, actions[name])
        try:
            found = Record(flash.copy(), 0).load()
        except DamagedError:
            assert name == "forget" and not ended, "nothing else can lose it"
            Record(flash, 0).forget()
            found = None
        assert found == wanted if ended else found in (held, wanted)
        held = found


@settings(max_examples=60)
@given(st.integers(0, 140), st.lists(st.tuples(st.binary(max_size=4), cuts), max_size=20))
def test_epochs_rise_and_seeds_differ(boots, steps):
    flash = FlashFake(2)
    told = [EpochLog(flash, 0).advance(b"") for _ in range(boots)]
    for material, cut in steps:
        attempt(
            flash, cut, lambda flash, material=material: told.append(EpochLog(flash, 0).advance(material))
        )
    told.append(EpochLog(flash, 0).advance(b""))
    epochs = [epoch for epoch, _ in told]
    assert epochs == sorted(set(epochs))
    assert len({seed for _, seed in told}) == len(told)


peers = st.sampled_from([b"aaaa", b"bbbb", b"cccc", b"dddd"])
changes = st.one_of(
    st.tuples(st.just("add"), peers, st.integers(1, 2), st.binary(min_size=32, max_size=32)),
    st.tuples(st.just("promote"), st.integers(0, 5)),
    st.tuples(st.just("settle"), st.integers(0, 5), st.integers(0, 3), st.binary(min_size=32, max_size=32)),
    st.tuples(st.just("forget"), st.integers(0, 5)),
    st.tuples(st.just("forget_all")),
)


def told_by(flash):
    found = PairingTable(Record(flash.copy(), 0))
    held = [(slot, found.get(slot)) for slot in found.slots()]
    return [(slot, one.state, one.role, one.peer_id, one.key, one.generation) for slot, one in held]


@given(st.lists(st.tuples(changes, cuts), max_size=15))
def test_a_table_changes_wholly_or_not_at_all(steps):
    flash = FlashFake(2)
    PairingTable(Record(flash, 0)).create(b"base")
    for (name, *values), cut in steps:

        def change(flash, name=name, values=values):
            try:
                getattr(PairingTable(Record(flash, 0)), name)(*values)
            except (TableFullError, RoleClashError):
                assert name == "add"
            except ValueError:
                assert name == "settle"  # of an older generation

        before, done = told_by(flash), flash.copy()
        change(done)
        ended = attempt(flash, cut, change)
        assert told_by(flash) == told_by(done) if ended else told_by(flash) in (before, told_by(done))
        for wanted in (1, 2):
            ids = [peer_id for _, state, _, peer_id, _, _ in told_by(flash) if state == wanted]
            assert len(ids) == len(set(ids)), "a peer has one key that it uses, and one that waits"
        owners = {(peer_id, role) for _, _, role, peer_id, _, _ in told_by(flash)}
        assert len(owners) == len({peer_id for peer_id, _ in owners}), "an id has one role"


@given(st.binary(min_size=32, max_size=32), st.lists(st.integers(0, 80), max_size=10))
def test_generators_of_one_seed_agree(seed, counts):
    one, other = Drbg(seed), Drbg(seed)
    assert [one.take(count) for count in counts] == [other.take(count) for count in counts]
