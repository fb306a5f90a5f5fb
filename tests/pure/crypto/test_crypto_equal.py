"""Comparison of secrets: its result. Its work is counted in test_crypto_hypothesis.py."""

from stimfw.crypto.equal import equal


def test_equal_is_equality():
    tag = bytes(range(250, 256)) + bytes(10)
    assert equal(tag, bytes(bytearray(tag))) is True
    assert equal(b"", b"") is True
    for i in range(len(tag)):
        for bit in range(8):
            other = bytearray(tag)
            other[i] ^= 1 << bit
            assert equal(tag, bytes(other)) is False
            assert equal(bytes(other), tag) is False


def test_two_differences_do_not_cancel():
    assert not equal(b"\x01\x01", b"\x00\x00")
    assert not equal(b"\x01\x00", b"\x00\x01")


def test_other_lengths_differ():
    assert not equal(b"a", b"ab")
    assert not equal(b"ab", b"a")
    assert not equal(b"", b"\0")


def test_buffers_will_do():
    assert equal(bytearray(b"abc"), memoryview(b"abc"))
