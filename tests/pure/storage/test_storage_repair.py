"""A repair rewrites what is damaged, and nothing else; no key meets an epoch twice, wherever it is cut."""

from stimfw.storage import areas
from stimfw.storage.areas import DAMAGED, EMPTY, EPOCHS, KEYS_GO, LATER, LIMIT, ONE_BIT, PAIRINGS, SOUND
from stimfw.storage.blocks import BLOCK_BYTES
from stimfw.storage.epoch_limit import STRIDE
from stimfw.storage.epochs import MAX_EPOCH, _record
from support.damage import FILLS
from support.flash_board import BASE, KEY, PEER, at, content, damaged, key_of, opened, used
from support.flash_fake import each_cut


def test_a_repair_rewrites_what_is_damaged_and_keeps_what_is_sound():
    for board in range(2):
        for name in FILLS:
            for area in (EPOCHS, PAIRINGS):
                flash = damaged(used(board), area, name)
                other = PAIRINGS if area == EPOCHS else EPOCHS
                found = opened(flash, board)
                before = content(flash, other)
                done = found.repair()
                if name == "later":
                    assert done == 0 and content(flash, other) == before
                    continue
                assert done == 1 << area and content(flash, other) == before
                again = opened(flash, board)
                assert again.states == [SOUND] * 3
                assert key_of(again, board) == (None if area == PAIRINGS else KEY)
                assert again.epoch == (4 + 1 if area == PAIRINGS else 1 + STRIDE + 1)


def test_what_a_later_firmware_wrote_goes_only_when_it_is_asked_for():
    for board in range(2):
        for area in (EPOCHS, LIMIT, PAIRINGS):
            flash = damaged(used(board), area, "later")
            found = opened(flash, board)
            before = bytes(flash.memory)
            assert found.repair() == 0 and bytes(flash.memory) == before
            assert found.repair(True) & 1 << area
            again = opened(flash, board)
            assert again.states == [SOUND] * 3
            # A later firmware may have gone above the limit: keys that met its epochs are not used again.
            assert key_of(again, board) == (KEY if area == LIMIT else None)


def test_epochs_and_limit_lost_together_cost_the_keys():
    for board in range(2):
        for name in ("zeros", "random", "files"):
            flash = damaged(damaged(used(board), EPOCHS, name), LIMIT, name)
            found = opened(flash, board)
            assert found.states == [DAMAGED, DAMAGED, SOUND] and found.epoch == 0
            assert found.repair() == 1 << EPOCHS | 1 << LIMIT | KEYS_GO
            assert KEY not in bytes(flash.memory)
            again = opened(flash, board)
            assert again.epoch == 1 and again.states == [SOUND] * 3
            kept = again.pairings.own_id if board else again.pairings.base
            assert kept == (PEER if board else BASE), "what is no secret stays"


def test_everything_lost_is_a_new_board_after_a_repair():
    for board in range(2):
        flash = used(board)
        for area in (EPOCHS, LIMIT, PAIRINGS):
            damaged(flash, area, "random")
        found = opened(flash, board)
        assert found.states == [DAMAGED] * 3
        assert found.repair() == 7
        assert opened(flash, board).states == [SOUND] * 3


def test_epochs_end_and_a_repair_begins_again_without_the_keys():
    flash = used()
    log_start = at(EPOCHS)
    flash.memory[log_start : log_start + 2 * BLOCK_BYTES] = b"\xff" * (2 * BLOCK_BYTES)
    record = _record(MAX_EPOCH, bytes(32))
    flash.memory[log_start : log_start + len(record)] = record
    found = opened(flash)
    assert found.epoch == 0 and found.states[EPOCHS] == areas.USED_UP
    assert found.repair() == 1 << EPOCHS | 1 << LIMIT | KEYS_GO
    again = opened(flash)
    assert again.epoch == 1 and key_of(again) is None and again.pairings.base == BASE


def test_a_repair_that_is_cut_can_be_asked_for_again():
    """Wherever it is cut: no key meets an epoch that it may have met, and the second repair completes it."""
    cases = (
        (("zeros", EPOCHS),),
        (("erased", EPOCHS),),
        (("random", PAIRINGS),),
        (("random", EPOCHS), ("random", LIMIT)),
        (("random", EPOCHS), ("random", LIMIT), ("random", PAIRINGS)),
    )
    for case in cases:
        start = used()
        for name, area in case:
            damaged(start, area, name)
        for flash, cut in each_cut(start, lambda flash: opened(flash).repair(), (0, 100, 250), (1,)):
            found = opened(flash)
            assert found.epoch == 0 or found.epoch > 3 or key_of(found) is None, (case, cut)
            found.repair()
            again = opened(flash)
            assert again.states == [SOUND] * 3 and again.epoch, (case, cut)
            assert again.epoch > 3 or key_of(again) is None, (case, cut)
            if len(case) == 1 and case[0][1] == EPOCHS:
                assert key_of(again) == KEY, (case, cut)


def test_the_plan_of_every_state():
    """A key is kept only if the epochs that it met are known; a later firmware's record goes if asked."""
    every = range(len(areas.STATE_TEXTS))
    for states in [(e, li, p) for e in every for li in every for p in every]:
        for later in (False, True):
            todo = areas.plan(states, later)
            for area, state in enumerate(states):
                if state == LATER and not later:
                    assert not todo & 1 << area, states
            if todo & 1 << EPOCHS and not areas.is_limit_known(states):
                gone = todo & KEYS_GO or (todo & 1 << PAIRINGS) or states[PAIRINGS] == EMPTY
                assert gone and todo & 1 << LIMIT, states
                assert todo & KEYS_GO or states[PAIRINGS] != ONE_BIT, "it would be mended and kept"
            elif todo & KEYS_GO:
                raise AssertionError(states)
    assert areas.plan((SOUND, SOUND, SOUND), True) == 0
    assert len(areas.STATE_TEXTS) == areas.USED_UP + 1 and len(areas.AREA_NAMES) == 3
