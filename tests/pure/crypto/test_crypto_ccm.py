"""AES-CCM: the examples of NIST SP 800-38C, what is refused, and that nothing gets out of a forgery."""

from binascii import unhexlify

from stimfw.crypto import primitives
from stimfw.crypto.ccm import MAX_HEADER, Ccm, NotAuthenticError
from support.control import control

KEY = bytes(range(0x40, 0x50))
# Appendix C: nonce, header, plaintext, tag in bytes, sealed.
EXAMPLES = (
    (bytes(range(0x10, 0x17)), bytes(range(8)), bytes(range(0x20, 0x24)), 4, "7162015b4dac255d"),
    (
        bytes(range(0x10, 0x18)),
        bytes(range(16)),
        bytes(range(0x20, 0x30)),
        6,
        "d2a1f0e051ea5f62081a7792073d593d1fc64fbfaccd",
    ),
    (
        bytes(range(0x10, 0x1C)),
        bytes(range(20)),
        bytes(range(0x20, 0x38)),
        8,
        "e3b201a9f5b71a7a9b1ceaeccd97e70b6176aad9a4428aa5484392fbc1b09951",
    ),
)
NONCE = bytes(range(13))
HEADER = b"\x02\x01\x00\x00\x07"
PLAINTEXT = bytes(range(100, 119))


def refused(error, call, *values):
    try:
        call(*values)
    except error as caught:
        return type(caught) is error
    return False


def changed(data, index, bit=0):
    data = bytearray(data)
    data[index] ^= 1 << bit
    return bytes(data)


def test_the_examples_of_sp_800_38c():
    for nonce, header, plaintext, tag_bytes, sealed in EXAMPLES:
        ccm = Ccm(KEY, tag_bytes)
        assert ccm.seal(nonce, header, plaintext) == unhexlify(sealed)
        assert ccm.open(nonce, header, unhexlify(sealed)) == plaintext


def test_it_is_the_same_at_the_second_and_third_use():
    ccm = Ccm(KEY)
    first = ccm.seal(NONCE, HEADER, PLAINTEXT)
    assert ccm.seal(NONCE, HEADER, PLAINTEXT) == first
    assert ccm.open(NONCE, HEADER, first) == PLAINTEXT
    assert refused(NotAuthenticError, ccm.open, NONCE, HEADER, changed(first, 0))
    assert ccm.seal(NONCE, HEADER, PLAINTEXT) == first
    assert len(first) == len(PLAINTEXT) + 8


def test_every_length_and_tag_comes_back():
    for tag_bytes in range(4, 17, 2):
        ccm = Ccm(KEY, tag_bytes)
        for size in (0, 1, 15, 16, 17, 31, 32, 33, 200):
            for header in (b"", b"h", bytes(13), bytes(14), bytes(15), bytes(30)):
                sealed = ccm.seal(NONCE, header, bytes(size))
                assert len(sealed) == size + tag_bytes
                assert ccm.open(NONCE, header, sealed) == bytes(size)


@control("C-24")
def test_any_changed_bit_is_refused():
    ccm = Ccm(KEY)
    sealed = ccm.seal(NONCE, HEADER, PLAINTEXT)
    for bit in range(8):
        for i in range(len(sealed)):
            assert refused(NotAuthenticError, ccm.open, NONCE, HEADER, changed(sealed, i, bit))
        for i in range(len(HEADER)):
            assert refused(NotAuthenticError, ccm.open, NONCE, changed(HEADER, i, bit), sealed)
        for i in range(len(NONCE)):
            assert refused(NotAuthenticError, ccm.open, changed(NONCE, i, bit), HEADER, sealed)
        for i in range(16):
            assert refused(NotAuthenticError, Ccm(changed(KEY, i, bit)).open, NONCE, HEADER, sealed)


def test_a_moved_border_of_header_and_message_is_refused():
    ccm = Ccm(KEY)
    sealed = ccm.seal(NONCE, HEADER, PLAINTEXT)
    assert refused(NotAuthenticError, ccm.open, NONCE, HEADER + b"\0", sealed)
    assert refused(NotAuthenticError, ccm.open, NONCE, HEADER[:-1], sealed)
    assert refused(NotAuthenticError, ccm.open, NONCE, b"", sealed)


def test_cut_and_lengthened_ones_are_refused():
    ccm = Ccm(KEY)
    sealed = ccm.seal(NONCE, HEADER, PLAINTEXT)
    for size in range(len(sealed)):
        assert refused(NotAuthenticError, ccm.open, NONCE, HEADER, sealed[:size])
    assert refused(NotAuthenticError, ccm.open, NONCE, HEADER, sealed + b"\0")


def test_a_tag_of_another_length_is_another_tag():
    sealed = Ccm(KEY, 16).seal(NONCE, HEADER, PLAINTEXT)
    assert refused(NotAuthenticError, Ccm(KEY, 8).open, NONCE, HEADER, sealed[:-8])


def test_impossible_lengths_are_refused():
    for size in (0, 15, 17, 24, 32):
        assert refused(ValueError, Ccm, bytes(size))
    for tag_bytes in (-8, 0, 2, 3, 5, 7, 15, 17, 18):
        assert refused(ValueError, Ccm, KEY, tag_bytes)
    ccm = Ccm(KEY)
    for size in (0, 6, 14, 16):
        assert refused(ValueError, ccm.seal, bytes(size), HEADER, PLAINTEXT)
        assert refused(ValueError, ccm.open, bytes(size), HEADER, bytes(20))
    assert refused(ValueError, ccm.seal, NONCE, bytes(MAX_HEADER + 1), PLAINTEXT)
    assert refused(ValueError, ccm.seal, NONCE, HEADER, bytes(0x10000))
    assert len(ccm.seal(NONCE, HEADER, bytes(0xFFFF))) == 0xFFFF + 8


def test_a_memoryview_will_do():
    ccm = Ccm(KEY)
    sealed = ccm.seal(NONCE, HEADER, PLAINTEXT)
    packet = memoryview(bytearray(HEADER + sealed))
    assert ccm.open(NONCE, packet[:5], packet[5:]) == PLAINTEXT


def test_the_primitives_are_aes_and_sha256():
    # FIPS 197 appendix B; SP 800-38A F.2.1; FIPS 180-4's "abc".
    key = unhexlify("2b7e151628aed2a6abf7158809cf4f3c")
    block = unhexlify("3243f6a8885a308d313198a2e0370734")
    cipher = primitives.ecb(key)
    assert cipher.encrypt(block + block) == unhexlify("3925841d02dc09fbdc118597196a0b32") * 2
    assert cipher.encrypt(block) == unhexlify("3925841d02dc09fbdc118597196a0b32")
    first = unhexlify("6bc1bee22e409f96e93d7e117393172a")
    wanted = unhexlify("7649abac8119b246cee98e9b12e9197d")
    for _ in range(2):  # nothing is carried on
        assert primitives.cbc_encrypt(key, bytes(range(16)), first) == wanted
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert primitives.sha256(b"abc") == unhexlify(digest)
    assert refused(ValueError, primitives.cbc_encrypt, key, bytes(16), bytes(15))
    assert refused(ValueError, primitives.cbc_encrypt, key, bytes(15), bytes(16))
    assert refused(ValueError, primitives.ecb, bytes(32))
