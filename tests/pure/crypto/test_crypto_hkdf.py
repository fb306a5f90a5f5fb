"""HMAC and HKDF: a vector of each, the ends of their ranges, and what is refused."""

from binascii import unhexlify

from stimfw.crypto.hkdf import MAX_OUTPUT, expand, extract, hmac_sha256


def refused(call, *values):
    try:
        call(*values)
    except ValueError:
        return True
    return False


def test_hmac_of_rfc_4231():
    short = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert hmac_sha256(b"Jefe", b"what do ya want for nothing?") == unhexlify(short)
    # Case 6: a key longer than a block is hashed first.
    long = "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    text = b"Test Using Larger Than Block-Size Key - Hash Key First"
    assert hmac_sha256(b"\xaa" * 131, text) == unhexlify(long)


def test_the_first_case_of_rfc_5869():
    prk = extract(bytes(range(13)), b"\x0b" * 22)
    assert prk == unhexlify("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5")
    wanted = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    assert expand(prk, bytes(range(0xF0, 0xFA)), 42) == unhexlify(wanted)


def test_no_salt_is_a_salt_of_zeros():
    assert extract(b"", b"secret") == extract(bytes(32), b"secret")


def test_a_shorter_key_is_the_beginning_of_a_longer_one():
    prk = extract(b"salt", b"secret")
    whole = expand(prk, b"info", MAX_OUTPUT)
    assert len(whole) == MAX_OUTPUT == 8160
    for length in (1, 16, 31, 32, 33, 64, 65):
        assert expand(prk, b"info", length) == whole[:length]


def test_another_purpose_is_another_key():
    prk = extract(b"salt", b"secret")
    keys = [expand(prk, info, 16) for info in (b"", b"a", b"b", b"ab")]
    assert len(set(keys)) == 4


def test_lengths_out_of_range_are_refused():
    prk = extract(b"salt", b"secret")
    for length in (-1, 0, MAX_OUTPUT + 1):
        assert refused(expand, prk, b"", length)
    assert refused(expand, prk[:31], b"", 16)
