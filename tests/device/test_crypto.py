"""The cryptography on the board: some of the published vectors, and what it costs in time and heap."""

import ast

import pytest
from support import vectors
from support.board import Board

# What is promised, times of the board's own clock.
FRAME_US = 10_000  # seal or open: 5 bytes of header, nonce of 13, 19 of plaintext
HKDF_US = 20_000  # extract and expand to 32 bytes
X25519_MS = 600
SLICE_US = 10_000  # 19 of 20 slices
LONGEST_SLICE_US = 20_000  # one in which the heap is collected: 11 ms of it are the collection's
CLOCK_US = 1
CCM_HEAP = 1024  # bytes that a Ccm keeps

EVERY_NTH = 12  # of NIST's vectors

LEAVE = """
import sys, gc
for name in [n for n in globals() if n[0] != "_" and n not in ("sys", "gc")]:
    del globals()[name]
gc.collect()
"""
CHECK_CCM = """
from binascii import unhexlify as h
from stimfw.crypto.ccm import Ccm, NotAuthenticError
def check(key, nonce, header, plaintext, sealed, tag_bytes, good):
    one = Ccm(h(key), tag_bytes)
    try:
        opened = one.open(h(nonce), h(header), h(sealed))
    except NotAuthenticError:
        return not good
    return good and opened == h(plaintext) and one.seal(h(nonce), h(header), opened) == h(sealed)
"""
TIME_FRAME = """
import gc, time
from stimfw.crypto import ccm, hkdf
gc.collect()
free = gc.mem_free()
one = ccm.Ccm(bytes(16))
sealed = one.seal(bytes(13), bytes(5), bytes(range(19)))
del sealed
gc.collect()
heap = free - gc.mem_free()
def took(call):
    gc.collect()
    start = time.ticks_us()
    result = call()
    return time.ticks_diff(time.ticks_us(), start), result
seal, sealed = took(lambda: one.seal(bytes(13), bytes(5), bytes(range(19))))
opened, _ = took(lambda: one.open(bytes(13), bytes(5), sealed))
keys, _ = took(lambda: hkdf.expand(hkdf.extract(b"s" * 32, b"k" * 32), b"info", 32))
print((heap, seal, opened, keys))
"""
TIME_X25519 = """
import gc, time
from stimfw.crypto.x25519 import shared_steps
gc.collect()
steps = shared_steps({secret}, {peer})
spans = []
while True:
    start = time.ticks_us()
    try:
        next(steps)
        spans.append(time.ticks_diff(time.ticks_us(), start))
    except StopIteration as stop:
        spans.append(time.ticks_diff(time.ticks_us(), start))
        result = stop.value
        break
print((sum(spans), sorted(spans), result))
"""
TIME_EQUAL = """
import gc, time
from stimfw.crypto.equal import equal
def took(a, b):
    start = time.ticks_us()
    equal(a, b)
    return time.ticks_diff(time.ticks_us(), start)
tag = bytes(range(16))
others = [tag, b"x" + tag[1:], tag[:-1] + b"x", tag[:8] + b"x" + tag[9:], bytes(16)]
gc.collect()
# The first of a row finds the flash cache as printing left it: it is run once more before.
print([[took(tag, other) for other in [tag] + others][1:] for _ in range(5)])
"""


def ask(board, code, timeout_s=10):
    """What `code` prints, as a value; afterwards its names are gone from the board."""
    try:
        return ast.literal_eval(board.exec(code, timeout_s))
    finally:
        board.exec(LEAVE)


def plain(value):
    return value.hex() if isinstance(value, bytes) else value


def test_vectors_of_nist_for_ccm(board: Board):
    cases = [case for name in vectors.CCM_FILES for case in vectors.ccm_cases(name)[::EVERY_NTH]]
    board.exec(CHECK_CCM)
    wrong = [c for c in cases if board.exec(f"print(check{tuple(map(plain, c))})").strip() != "True"]
    board.exec(LEAVE)
    assert not wrong
    assert len(cases) >= 80 and {case.good for case in cases} == {True, False}


def test_vectors_of_rfc_5869(board: Board):
    for case in vectors.hkdf_cases():
        code = (
            "from stimfw.crypto import hkdf\n"
            f"prk = hkdf.extract({case['salt']}, {case['IKM']})\n"
            f"print((prk, hkdf.expand(prk, {case['info']}, {case['L']})))"
        )
        assert ask(board, code) == (case["PRK"], case["OKM"])


def test_a_frame_is_sealed_and_opened_in_time(board: Board):
    heap, seal_us, open_us, keys_us = ask(board, TIME_FRAME)
    print(f"Ccm {heap} bytes, seal {seal_us} us, open {open_us} us, keys {keys_us} us")
    assert heap <= CCM_HEAP
    assert 0 < seal_us <= FRAME_US
    assert 0 < open_us <= FRAME_US
    assert 0 < keys_us <= HKDF_US


def test_x25519_is_right_and_lets_the_loop_turn(board: Board):
    secret, peer, wanted = vectors.x25519_cases()[0]
    total_us, spans, result = ask(board, TIME_X25519.format(secret=secret, peer=peer), 30)
    usual_us, longest_us = spans[len(spans) * 19 // 20], spans[-1]
    print(f"X25519 {total_us} us, {len(spans)} slices, 95 % {usual_us} us, longest {longest_us} us")
    assert result == wanted
    assert total_us <= X25519_MS * 1000
    assert usual_us <= SLICE_US
    assert longest_us <= LONGEST_SLICE_US


@pytest.mark.emulated
def test_equal_takes_the_same_time_wherever_two_values_differ(board: Board, bench):
    rounds = ask(board, TIME_EQUAL)
    print(rounds)
    # Interrupts come in between now and then: the least of five is without. The clock counts whole us.
    least = [min(column) for column in zip(*rounds, strict=True)]
    assert max(least) - min(least) <= CLOCK_US, rounds
