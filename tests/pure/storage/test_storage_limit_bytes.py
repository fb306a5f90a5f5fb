"""The limit of the epochs byte by byte, as boards in the field have it on flash."""

from stimfw.storage import epoch_limit
from stimfw.storage.blocks import DamagedError, LaterError
from stimfw.storage.epoch_limit import EpochLimit, value_of
from stimfw.storage.record import Record
from support.flash_fake import FlashFake

FIRST = 1


def said(action, kind):
    try:
        action()
    except kind as error:
        return str(error)
    raise AssertionError("taken")


def test_a_limit_is_five_bytes():
    flash = FlashFake()
    limit = EpochLimit(flash, FIRST)
    assert limit.read() == 0
    for epoch, expected, payload in (
        (1, 4097, b"\x01\x01\x10\x00\x00"),
        (4097, 8193, b"\x01\x01\x20\x00\x00"),
        (0xFFFFEFFE, 0xFFFFFFFE, b"\x01\xfe\xff\xff\xff"),
        (0xFFFFEFFF, 0xFFFFFFFF, b"\x01\xff\xff\xff\xff"),
        (0xFFFFFFFF, 0xFFFFFFFF, b"\x01\xff\xff\xff\xff"),
    ):
        assert limit.renew(epoch) == expected and limit.read() == expected
        assert Record(flash, FIRST).peek() == payload
    assert epoch_limit.STRIDE == 4096


def test_no_record_is_no_limit_and_other_payloads_are_told():
    assert value_of(None) == 0 and value_of(b"\x01\x00\x00\x00\x00") == 0
    assert value_of(b"\x01\x01\x02\x03\x04") == 0x04030201
    for payload in (b"", b"\x00", b"\x00\1\1\1\1", b"\x01", b"\x01\1\1\1", b"\x01\1\1\1\1\1"):
        text = said(lambda payload=payload: value_of(payload), DamagedError)
        assert text == "epoch limit of another format", payload
    for payload in (b"\x02", b"\x02\1\1\1\1", b"\xff\1\1\1\1", b"\x02\1\1\1\1\1"):
        text = said(lambda payload=payload: value_of(payload), LaterError)
        assert text == "epoch limit of a later format", payload


def test_a_damaged_limit_is_renewed_and_a_later_one_stays():
    for payload in (b"\x01\1\1\1", b"\x00\1\1\1\1"):
        flash = FlashFake()
        Record(flash, FIRST).store(payload)
        assert EpochLimit(flash, FIRST).renew(7) == 4103 == EpochLimit(flash, FIRST).read()
    flash = FlashFake()
    Record(flash, FIRST).store(b"\x02\1\1\1\1")
    assert said(lambda: EpochLimit(flash, FIRST).renew(7), LaterError) == "epoch limit of a later format"
    assert Record(flash, FIRST).peek() == b"\x02\1\1\1\1"
