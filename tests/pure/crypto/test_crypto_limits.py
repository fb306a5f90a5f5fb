"""Where the cryptography's lengths end, what refusals say, and that no block is computed needlessly."""

from stimfw.crypto import hkdf, primitives, x25519
from stimfw.crypto.ccm import Ccm, NotAuthenticError
from stimfw.crypto.equal import equal

KEY = bytes(range(16))
LONGEST_HEADER = 65_279  # NIST SP 800-38C, appendix A.2.2: two bytes of length up to there


def said(action, kind=ValueError):
    try:
        action()
    except kind as error:
        return str(error)
    raise AssertionError("taken")


def test_the_longest_header_is_taken_and_a_longer_one_is_not():
    one = Ccm(KEY)
    sealed = one.seal(bytes(13), bytes(LONGEST_HEADER), b"x")
    assert one.open(bytes(13), bytes(LONGEST_HEADER), sealed) == b"x"
    text = "header of 65280 bytes, at most 65279"
    assert said(lambda: one.seal(bytes(13), bytes(LONGEST_HEADER + 1), b"x")) == text


def test_a_short_nonce_leaves_room_for_long_plaintexts():
    one = Ccm(KEY)
    for nonce_bytes in range(7, 14):
        plaintext = bytes(range(256)) * 2
        sealed = one.seal(bytes(nonce_bytes), b"", plaintext)
        assert one.open(bytes(nonce_bytes), b"", sealed) == plaintext, nonce_bytes
    long = bytes(0x10000)
    assert len(one.seal(bytes(12), b"", long)) == len(long) + 8
    assert said(lambda: one.seal(bytes(13), b"", long)) == "65536 bytes are too many for a nonce of 13"
    assert len(one.seal(bytes(13), b"", long[:-1])) == len(long) + 7


def test_only_the_tags_of_the_standard_exist():
    for tag_bytes in range(0, 20):
        if tag_bytes in (4, 6, 8, 10, 12, 14, 16):
            assert len(Ccm(KEY, tag_bytes).seal(bytes(13), b"", b"")) == tag_bytes
        else:
            text = "tag of %d bytes, 4, 6, ... 16 are allowed" % tag_bytes
            assert said(lambda tag_bytes=tag_bytes: Ccm(KEY, tag_bytes)) == text


def test_refusals_say_what_was_given():
    one = Ccm(KEY)
    assert said(lambda: one.seal(bytes(6), b"", b"")) == "nonce of 6 bytes, 7 to 13 are allowed"
    assert said(lambda: one.seal(bytes(14), b"", b"")) == "nonce of 14 bytes, 7 to 13 are allowed"
    short = said(lambda: one.open(bytes(13), b"", bytes(7)), NotAuthenticError)
    assert short == "7 bytes, shorter than the tag"
    assert said(lambda: Ccm(bytes(15))) == "key of 15 bytes, 16 wanted"
    assert said(lambda: Ccm(bytes(24))) == "key of 24 bytes, 16 wanted"
    assert said(lambda: primitives.ecb(b"")) == "key of 0 bytes, 16 wanted"
    assert said(lambda: hkdf.expand(bytes(31), b"", 1)) == "pseudorandom key of 31 bytes, 32 at least"
    assert said(lambda: hkdf.expand(bytes(32), b"", 0)) == "0 bytes of key, 1 to 8160"
    assert said(lambda: hkdf.expand(bytes(32), b"", 8161)) == "8161 bytes of key, 1 to 8160"


def test_the_key_stream_is_as_long_as_it_is_needed():
    """A block for the tag, and one for each 16 bytes."""

    class Counting:
        blocks = 0

        def __init__(self, inner):
            self.inner = inner

        def encrypt(self, blocks):
            Counting.blocks = len(blocks) // 16
            return self.inner.encrypt(blocks)

    one = Ccm(KEY)
    one._ecb = Counting(one._ecb)
    for size, blocks in ((0, 1), (1, 2), (16, 2), (17, 3), (19, 3), (32, 3), (33, 4)):
        one.seal(bytes(13), b"head", bytes(size))
        assert Counting.blocks == blocks, size


def test_a_pseudorandom_key_may_be_longer_than_a_hash():
    assert len(hkdf.expand(bytes(33), b"", 16)) == 16
    assert hkdf.expand(bytes(64), b"a", 32) != hkdf.expand(bytes(64), b"b", 32)


def test_a_key_of_one_block_is_not_hashed():
    """RFC 2104: only longer ones are; shorter ones are filled with zeros."""
    assert hkdf.hmac_sha256(b"k" * 63 + b"\0", b"data") == hkdf.hmac_sha256(b"k" * 63, b"data")
    assert hkdf.hmac_sha256(b"k" * 65, b"data") == hkdf.hmac_sha256(primitives.sha256(b"k" * 65), b"data")


def test_the_modes_are_micropythons_numbers():
    """extmod/modcryptolib.c: ECB 1, CBC 2."""
    assert (primitives._MODE_ECB, primitives._MODE_CBC) == (1, 2)


def test_the_last_difference_counts_as_much_as_the_first():
    for at in range(8):
        for bit in range(8):
            other = bytearray(8)
            other[at] = 1 << bit
            assert equal(bytes(8), bytes(other)) is False and equal(bytes(other), bytes(other)) is True


def test_x25519_takes_32_bytes_and_no_others():
    for sizes in ((31, 32), (32, 31), (32, 33), (33, 32), (0, 0)):
        secret, u = [bytes(size) for size in sizes]
        for call in (x25519.scalar_mult, x25519.shared):
            assert said(lambda call=call, secret=secret, u=u: call(secret, u)) == "32 bytes wanted"
    assert said(lambda: x25519.shared(b"\x01" * 32, bytes(32))) == "public key of small order"


def test_x25519_takes_291_slices():
    """255 steps of the ladder, then the inverse: 250 squarings, at most 8 in a slice."""
    count = 0
    for nothing in x25519.steps(b"\x05" * 32, x25519.BASE_POINT):
        assert nothing is None
        count += 1
    assert count == 255 + 36
