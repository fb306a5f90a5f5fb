"""Our AES-CCM, HKDF and X25519 against the published vectors and the package `cryptography`; equal's work."""

import gc
import hashlib
import hmac
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given, settings
from hypothesis import strategies as st
from stimfw.crypto import x25519
from stimfw.crypto.ccm import Ccm, NotAuthenticError
from stimfw.crypto.equal import equal
from stimfw.crypto.hkdf import expand, extract, hmac_sha256
from support import vectors

KEYS = st.binary(min_size=16, max_size=16)
NONCES = st.binary(min_size=7, max_size=13)
SHORT = st.binary(max_size=70)
TAGS = st.sampled_from(range(4, 17, 2))
KEYS_32 = st.binary(min_size=32, max_size=32)
# RFC 7748 section 5.2
ITERATED_1000 = "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"


def opened(case):
    """What a vector opens to, or None."""
    try:
        return Ccm(case.key, case.tag_bytes).open(case.nonce, case.header, case.sealed)
    except NotAuthenticError:
        return None


def test_every_vector_of_nist_for_ccm():
    counts = {}
    for name in vectors.CCM_FILES:
        cases = vectors.ccm_cases(name)
        counts[name] = (len(cases), sum(case.good for case in cases))
        for case in cases:
            # Cases that must fail have no plaintext.
            assert opened(case) == (case.plaintext if case.good else None), (name, case)
            if case.good:
                sealed = Ccm(case.key, case.tag_bytes).seal(case.nonce, case.header, case.plaintext)
                assert sealed == case.sealed, (name, case)
    assert counts == {
        "DVPT128.rsp": (240, 80),
        "VADT128.rsp": (330, 330),
        "VNT128.rsp": (70, 70),
        "VPT128.rsp": (250, 250),
        "VTT128.rsp": (70, 70),
    }


def test_every_vector_of_rfc_5869_and_rfc_7748():
    cases = vectors.hkdf_cases()
    assert len(cases) == vectors.HKDF_CASES
    for case in cases:
        assert extract(case["salt"], case["IKM"]) == case["PRK"]
        assert expand(case["PRK"], case["info"], case["L"]) == case["OKM"]
    products = vectors.x25519_cases()
    assert len(products) == vectors.X25519_CASES
    for scalar, u, wanted in products:
        assert x25519.scalar_mult(scalar, u) == wanted


def test_a_thousand_iterations_of_x25519():
    k = u = x25519.BASE_POINT
    for _ in range(1000):
        k, u = x25519.scalar_mult(k, u), k
    assert k.hex() == ITERATED_1000


@given(KEYS, NONCES, SHORT, SHORT, TAGS)
def test_sealed_is_what_cryptography_seals(key, nonce, header, plaintext, tag_bytes):
    sealed = Ccm(key, tag_bytes).seal(nonce, header, plaintext)
    assert sealed == AESCCM(key, tag_bytes).encrypt(nonce, plaintext, header)
    assert Ccm(key, tag_bytes).open(nonce, header, sealed) == plaintext


@given(KEYS, NONCES, SHORT, st.binary(min_size=4, max_size=60), TAGS)
def test_noise_is_refused_where_cryptography_refuses_it(key, nonce, header, noise, tag_bytes):
    try:
        wanted = AESCCM(key, tag_bytes).decrypt(nonce, noise, header)
    except (InvalidTag, ValueError):
        wanted = None
    try:
        found = Ccm(key, tag_bytes).open(nonce, header, noise)
    except NotAuthenticError:
        found = None
    assert found == wanted


@given(SHORT, SHORT, SHORT, st.integers(1, 300))
def test_keys_are_those_of_cryptography(salt, secret, info, length):
    wanted = HKDF(hashes.SHA256(), length, salt, info).derive(secret)
    assert expand(extract(salt, secret), info, length) == wanted


@given(st.binary(max_size=150), SHORT)
def test_hmac_is_that_of_python(key, data):
    assert hmac_sha256(key, data) == hmac.new(key, data, hashlib.sha256).digest()


@settings(max_examples=40, deadline=None)
@given(KEYS_32, KEYS_32)
def test_secrets_are_those_of_cryptography(secret, peer):
    try:
        wanted = X25519PrivateKey.from_private_bytes(secret).exchange(X25519PublicKey.from_public_bytes(peer))
    except ValueError:
        wanted = bytes(32)
    assert x25519.scalar_mult(secret, peer) == wanted


def work(call, *values):
    """The bytecodes that a call runs, in their order: places in the code."""
    places = []

    def tracer(frame, event, _):
        frame.f_trace_opcodes = True
        if event == "opcode":
            places.append((frame.f_code.co_name, frame.f_lasti))
        return tracer

    before, collects = sys.gettrace(), gc.isenabled()
    gc.disable()  # a collection in between calls what others have hung onto it, and that is traced as well
    sys.settrace(tracer)
    try:
        call(*values)
    finally:
        sys.settrace(before)
        if collects:
            gc.enable()
    return places


@given(st.integers(0, 40).flatmap(lambda n: st.tuples(*[st.binary(min_size=n, max_size=n)] * 2)))
def test_equal_runs_the_same_bytecodes_whatever_it_compares(pair):
    a, b = pair
    same = work(equal, a, a)
    assert work(equal, a, b) == same
    assert len(same) >= 5 * len(a)


def test_equal_does_not_stop_at_the_first_difference():
    tag = bytes(16)
    places = [work(equal, tag, tag)]
    for i in (0, 7, 15):
        places.append(work(equal, tag, bytes(i) + b"\xff" + bytes(15 - i)))
    assert all(found == places[0] for found in places)


def test_opening_a_forgery_does_the_same_wherever_its_tag_is_wrong():
    ccm = Ccm(bytes(16))
    sealed = ccm.seal(bytes(13), b"head", b"message")

    def attempt(forged):
        try:
            ccm.open(bytes(13), b"head", forged)
        except NotAuthenticError:
            pass

    places = []
    for i in (-8, -5, -1):
        forged = bytearray(sealed)
        forged[i] ^= 0xFF
        places.append(work(attempt, bytes(forged)))
    assert places[0] and all(found == places[0] for found in places)
