"""The newest whole prescription holds; a cut leaves the old one or the new; damage loses one and no other."""

from stimfw.protocol import messages
from stimfw.storage import layout
from stimfw.storage.blocks import BLOCK_BYTES, LaterError, StorageError
from stimfw.storage.prescriptions import PRESCRIPTION_BYTES, RECORDS, Prescriptions
from stimfw.storage.record import Record
from stimfw.therapy import prescription
from support.control import control
from support.flash_fake import FlashFake, each_cut

BLOCKS = 2 * RECORDS
SENDER = messages.FROM_USB


def body(number):
    return bytes((number & 0xFF, number >> 8)) + b"p" * (PRESCRIPTION_BYTES - 2)


def opened(flash):
    return Prescriptions(flash, 0)


def holding(count, first=1):
    flash = FlashFake(BLOCKS)
    for number in range(first, first + count):
        opened(flash).store(body(number), SENDER, 1000 + number)
    flash.operations.clear()
    return flash


def kept(flash):
    """All numbers that can be read, newest first; each with its own content."""
    one = opened(flash)
    found = []
    for back in range(RECORDS):
        record = one.history(back)
        if record is None:
            break
        number, sender, set_s, content = record
        assert (sender, set_s, content) == (SENDER, 1000 + number, body(number))
        found.append(number)
    assert one.history(len(found)) is None and one.newest() == (found[0] if found else 0)
    return found


def damage(flash, at):
    """Spoil record `at`, in whichever of its blocks it lies."""
    for block in (2 * at, 2 * at + 1):
        for index in (20, 21, 30):
            flash.memory[block * BLOCK_BYTES + index] ^= 0x55
    return flash


def raised(action, kind):
    try:
        action()
    except kind:
        return True
    return False


def test_it_holds_what_a_prescription_packs():
    assert PRESCRIPTION_BYTES == prescription.PACKED_BYTES
    for size in (0, 48, 50):
        flash = FlashFake(BLOCKS)
        assert raised(lambda: opened(flash).store(bytes(size), SENDER, 0), ValueError)  # noqa: B023
        assert not flash.operations


def test_what_lies_on_flash():
    flash = FlashFake(BLOCKS)
    assert opened(flash).store(body(7), 3, 0x01020304, after=0x0201) == 0x0202
    assert Record(flash, 0).load() == b"\x01\x02\x02\x03\x04\x03\x02\x01" + body(7)
    one = opened(flash)
    assert (one.states, one.numbers) == ([1, 0, 0, 0], [0x0202, 0, 0, 0])
    assert opened(damage(flash, 0)).states == [2, 0, 0, 0]


def test_lengths_are_told():
    try:
        opened(FlashFake(BLOCKS)).store(bytes(48), SENDER, 0)
    except ValueError as error:
        assert str(error) == "prescription of 48 bytes"
    else:
        raise AssertionError("taken")


def test_a_new_board_has_none():
    flash = FlashFake(BLOCKS)
    one = opened(flash)
    assert (one.newest(), one.history(0), one.lost()) == (0, None, 0)
    assert not flash.operations


def test_the_present_one_and_three_former_ones():
    for count in range(1, 11):
        newest_first = list(range(count, max(0, count - RECORDS), -1))
        assert kept(holding(count)) == newest_first
    assert opened(holding(2)).history(-1) is None


def test_numbers_go_round_past_0():
    flash = holding(1, 1)
    assert opened(flash).store(body(2), SENDER, 1002, after=0xFFFD) == 2, "that one was before the first"
    flash = FlashFake(BLOCKS)
    opened(flash).store(body(0x7001), SENDER, 1000 + 0x7001, after=0x7000)
    opened(flash).store(body(0xE001), SENDER, 1000 + 0xE001, after=0xE000)
    for number in (0xFFFE, 0xFFFF, 1, 2, 3):
        after = 0xFFFD if number == 0xFFFE else 0
        assert opened(flash).store(body(number), SENDER, 1000 + number, after=after) == number
    assert kept(flash) == [3, 2, 1, 0xFFFF]


def test_a_number_that_was_given_out_before_does_not_come_again():
    flash = damage(holding(4), 3)
    assert kept(flash) == [3, 2, 1]
    assert opened(flash).store(body(5), SENDER, 1005, after=4) == 5
    assert kept(flash) == [5, 3, 2, 1]


def store_next(flash):
    one = opened(flash)
    one.store(body(one.newest() + 1), SENDER, 1001 + one.newest())


@control("C-54")
def test_a_cut_leaves_the_old_or_the_new_and_all_others():
    for count in (0, 1, 4, 5):
        before = kept(holding(count))
        after = [count + 1] + before[: RECORDS - 1]
        # The oldest one goes as the new one comes; a cut may leave it.
        allowed = (before, after)
        seen = []
        for flash, cut in each_cut(holding(count), store_next, (0, 128, 250), (1,)):
            found = kept(flash)
            assert found in allowed, (count, cut, found)
            seen.append(found)
            assert not opened(flash).lost(), cut
            store_next(flash)
            assert kept(flash)[0] == found[0] + 1 if found else kept(flash) == [1]
        assert before in seen and after in seen


def test_a_cut_while_a_cut_is_tidied_up_loses_nothing():
    for torn, first in each_cut(holding(5), store_next, (8, 250), (1,)):
        expected = kept(torn.copy())
        for flash, second in each_cut(torn, opened, (100,), (3,)):
            assert kept(flash) == expected, (first, second)


def test_damage_loses_one_and_no_other():
    for count in (4, 6):
        whole = kept(holding(count))
        for at in range(RECORDS):
            flash = damage(holding(count), at)
            one = opened(flash)
            gone = [number for number in whole if (number - 1) % RECORDS == at]
            assert kept(flash) == [number for number in whole if number not in gone]
            assert one.lost() == 1 and not flash.operations


@control("C-54")
def test_a_damaged_record_takes_the_next_one():
    for at in range(RECORDS):
        flash = damage(holding(4), at)
        for _ in range(RECORDS):
            store_next(flash)
        assert len(kept(flash)) == RECORDS and opened(flash).lost() == 0


def test_a_cut_while_a_damaged_record_takes_the_next_one():
    start = damage(holding(4), 0)
    for flash, cut in each_cut(start, store_next, (0, 128, 250), (1,)):
        assert kept(flash) in ([4, 3, 2], [5, 4, 3, 2]), cut
        store_next(flash)
        assert len(kept(flash)) == RECORDS


def test_what_is_no_prescription_is_damage():
    nine = bytes((1, 9, 0))
    short, long, old = nine + bytes(53), nine + bytes(55), b"\x00" + nine[1:] + bytes(54)
    for payload in (b"", b"\x01", bytes((1, 0, 0)) + bytes(54), short, long, old, bytes(57)):
        flash = holding(2)
        Record(flash, 4).store(payload)
        one = opened(flash)
        assert one.lost() == 1 and kept(flash) == [2, 1], payload


def test_what_a_later_firmware_wrote_stays():
    flash = holding(2)
    Record(flash, 4).store(b"\x02" + bytes(60))
    assert opened(flash).lost() == 1 and kept(flash) == [2, 1] and opened(flash).states == [1, 1, 3, 0]
    assert raised(lambda: store_next(flash), LaterError)
    assert Record(flash, 4).load() == b"\x02" + bytes(60)


def test_flash_that_takes_nothing_is_told_and_the_old_one_holds():
    flash = holding(4)
    flash.dead = {0, 1}
    assert raised(lambda: store_next(flash), StorageError)
    assert kept(flash)[0] == 4


def test_damage_after_the_start_is_none_of_history():
    flash = holding(3)
    one = opened(flash)
    damage(flash, 2)
    assert one.history(0) is None and one.history(1)[0] == 2


def test_they_have_their_place():
    assert layout.PRESCRIPTIONS + BLOCKS == layout.LIFE
    flash = FlashFake(layout.BLOCKS)
    for number in range(1, 6):
        Prescriptions(flash).store(body(number), SENDER, 0)
    used = {block for _, block, _ in flash.operations}
    assert used == set(range(layout.PRESCRIPTIONS, layout.LIFE))
