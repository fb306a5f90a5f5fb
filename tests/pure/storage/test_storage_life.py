"""Which life a board has survives every cut; whatever else is there, the board gives no output."""

from stimfw.storage import layout
from stimfw.storage.blocks import BLOCK_BYTES, StorageError
from stimfw.storage.life import BENCH, IMPLANTED, UNUSABLE, Life
from support.control import control
from support.flash_fake import FlashFake, each_cut

FIRST = 1
ID = b"bench-07"
NOW = 1_800_000_000


def opened(flash):
    return Life(flash, FIRST)


def implant(flash):
    opened(flash).implant(ID, NOW, 14)


def explant(flash):
    opened(flash).explant()


def implanted():
    flash = FlashFake()
    implant(flash)
    flash.operations.clear()
    return flash


def raised(action, kind):
    try:
        action()
    except kind:
        return True
    return False


def test_a_new_board_is_on_the_bench_and_nothing_is_written():
    flash = FlashFake()
    one = opened(flash)
    assert (one.life, one.device_id, one.implanted_s, one.healing_days) == (BENCH, bytes(8), 0, 0)
    assert not flash.operations


def test_implanted_and_explanted():
    flash = implanted()
    one = opened(flash)
    assert (one.life, one.device_id, one.implanted_s, one.healing_days) == (IMPLANTED, ID, NOW, 14)
    assert one.earliest_s() == NOW + 14 * 86_400
    one.explant()
    assert one.life == BENCH and opened(flash).life == BENCH and opened(flash).device_id == ID
    opened(flash).implant(b"bench-08", NOW + 1, 0)
    assert opened(flash).device_id == b"bench-08" and opened(flash).earliest_s() == NOW + 1


def test_what_cannot_be_implanted():
    flash = implanted()
    for board, device_id, days in (
        (flash, ID, 14),
        (FlashFake(), b"short", 14),
        (FlashFake(), b"a long one", 14),
        (FlashFake(), ID, 256),
    ):  # fmt: skip
        assert raised(lambda: opened(board).implant(device_id, NOW, days), ValueError)  # noqa: B023
        assert not board.operations
    assert raised(lambda: opened(FlashFake()).implant(ID, NOW, -1), ValueError)


@control("C-69")
def test_what_lies_on_flash():
    flash = FlashFake()
    opened(flash).implant(ID, NOW, 255)
    assert opened(flash)._record.load() == b"\x01\x01bench-07" + b"\x00\xd2\x49\x6b" + b"\xff"
    explant(flash)
    assert opened(flash)._record.load()[:2] == b"\x01\x00"


@control("C-69")
def test_a_cut_leaves_the_old_life_or_the_new():
    for start, action, lives in (
        (FlashFake(), implant, {BENCH, IMPLANTED}),
        (implanted(), explant, {IMPLANTED, BENCH}),
    ):
        seen = set()
        for flash, cut in each_cut(start, action):
            seen.add(opened(flash).life)
            assert opened(flash).life in lives, cut
            if opened(flash).life == BENCH:
                implant(flash)
            assert opened(flash).device_id == ID
            explant(flash)
            assert opened(flash).life == BENCH, cut
        assert seen == lives


@control("C-69")
def test_whatever_else_is_there_is_unusable_until_it_is_explanted():
    for index in range(0, 256, 5):
        flash = implanted()
        flash.memory[FIRST * BLOCK_BYTES + index] ^= 0x41
        before = bytes(flash.memory)
        one = opened(flash)
        assert one.life == UNUSABLE
        assert raised(lambda: one.implant(ID, NOW, 14), ValueError)  # noqa: B023
        assert bytes(flash.memory) == before
        one.explant()
        assert one.life == BENCH and opened(flash).life == BENCH
        implant(flash)


def test_a_record_of_another_format_is_unusable():
    unknown = [b"\x01" + bytes((life,)) + bytes(13) for life in (2, 3, 255)]
    others = [b"\x02\x01" + bytes(13), b"\x00\x01" + bytes(13), b"\x01\x01" + bytes(14), bytes(16)]
    for payload in [b"", b"\x01\x01"] + others + unknown:
        flash = FlashFake()
        opened(flash)._record.store(payload)
        assert opened(flash).life == UNUSABLE, payload


@control("C-69")
def test_a_cut_while_what_is_unusable_is_explanted_never_makes_it_implanted():
    start = implanted()
    start.memory[FIRST * BLOCK_BYTES + 30] ^= 0x18
    for flash, cut in each_cut(start, explant, (0, 128, 250), (1,)):
        assert opened(flash).life in (UNUSABLE, BENCH), cut
        if opened(flash).life == UNUSABLE:
            explant(flash)
        assert opened(flash).life == BENCH, cut


def test_flash_that_takes_nothing_is_told():
    flash = FlashFake()
    flash.dead = {FIRST, FIRST + 1}
    assert raised(lambda: implant(flash), StorageError)
    assert opened(flash).life == BENCH
    flash = implanted()
    flash.dead = {FIRST, FIRST + 1}
    assert raised(lambda: explant(flash), StorageError)
    assert opened(flash).life == IMPLANTED


def test_it_has_its_place():
    assert layout.EPOCH_LIMIT - layout.LIFE == 2
    flash = FlashFake(layout.BLOCKS)
    Life(flash).implant(ID, NOW, 14)
    assert {block for _, block, _ in flash.operations} <= {layout.LIFE, layout.LIFE + 1}
