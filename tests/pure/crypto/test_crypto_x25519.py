"""X25519: RFC 7748's vectors, its slices, and what is refused. Few multiplications: each takes its time."""

from binascii import unhexlify

from stimfw.crypto.x25519 import BASE_POINT, scalar_mult, shared, shared_steps, steps

# Section 6.1.
BOB = unhexlify("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
BOB_PUBLIC = unhexlify("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")
ALICE_PUBLIC = unhexlify("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")
SHARED = unhexlify("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")
P = (1 << 255) - 19
# u of the points whose order divides 8, and two of them unreduced.
SMALL_ORDER = (0, 1, P - 1, P, P + 1)


def raised(call, *values):
    try:
        call(*values)
    except ValueError:
        return True
    return False


def finished(generator):
    """Slices and the result."""
    count = 0
    while True:
        try:
            assert next(generator) is None
        except StopIteration as stop:
            return count, stop.value
        count += 1


def test_one_iteration_of_rfc_7748():
    wanted = "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"
    assert scalar_mult(BASE_POINT, BASE_POINT) == unhexlify(wanted)


def test_bob_of_rfc_7748():
    assert scalar_mult(BOB, BASE_POINT) == BOB_PUBLIC
    assert shared(BOB, ALICE_PUBLIC) == SHARED


def test_in_slices_it_is_the_same():
    count, result = finished(steps(BOB, BASE_POINT))
    assert result == BOB_PUBLIC and count > 128
    assert finished(shared_steps(BOB, ALICE_PUBLIC)) == (count, SHARED)


def test_two_sides_share_a_secret():
    a, b = bytes(range(32)), bytes(range(50, 82))
    assert shared(a, scalar_mult(b, BASE_POINT)) == shared(b, scalar_mult(a, BASE_POINT))


def test_the_bits_that_are_clamped_change_nothing():
    other = bytearray(BOB)
    other[0] ^= 7
    other[31] ^= 0xC0
    assert scalar_mult(bytes(other), BASE_POINT) == BOB_PUBLIC


def test_the_top_bit_of_u_is_ignored():
    other = bytearray(ALICE_PUBLIC)
    other[31] ^= 0x80
    assert shared(BOB, bytes(other)) == SHARED


def test_u_is_taken_modulo_p():
    assert scalar_mult(BOB, (P + 9).to_bytes(32, "little")) == BOB_PUBLIC


def test_public_keys_of_small_order_are_refused():
    for u in SMALL_ORDER:
        peer = u.to_bytes(32, "little")
        assert scalar_mult(BOB, peer) == bytes(32)
        assert raised(shared, BOB, peer), u
        assert raised(finished, shared_steps(BOB, peer)), u


def test_other_lengths_are_refused():
    for size in (0, 31, 33):
        assert raised(scalar_mult, bytes(size), BASE_POINT)
        assert raised(shared, BOB, bytes(size))
