"""The protocol's numbers, written out a second time from docs/telemetry.md, for both ends."""

from stimfw.pairing import blink_code, remote_end, stimulator_end
from stimfw.pairing import exchange as pk
from stimfw.protocol import messages
from stimfw.telemetry import (
    addresses,
    connection,
    fragments,
    frames,
    keys,
    peer,
    rate_limiter,
    requester,
    responder,
)
from stimfw.telemetry.connection import Connection
from stimfw.telemetry.fragments import Reassembler
from stimfw.telemetry.rate_limiter import RateLimiter

BASE = b"\x1c\xd2\x6b\x97"
KEYS = (bytes(16), bytes(16), bytes(16))
MIDDLE = 0x80  # a draw that makes a pause its nominal time


def said(action, kind=ValueError):
    try:
        action()
    except kind as error:
        return str(error)
    raise AssertionError("taken")


def test_frames():
    assert frames.VERSION == 3
    kinds = (frames.HELLO, frames.CHALLENGE, frames.REQUEST, frames.REPLY, frames.PAIR, frames.PAIR_REPLY)
    assert kinds == (1, 2, 3, 4, 5, 6)
    assert (frames.FRAME_BYTES, frames.TAG_BYTES, frames.HANDSHAKE_TAG_BYTES) == (32, 8, 12)
    assert (frames.HEADER_BYTES, frames.TOKEN_BYTES, frames.PLAIN_BYTES) == (5, 3, 19)
    assert (frames.NONCE_AT, frames.NONCE_BYTES, frames.TAG_AT, frames.RANDOM_BYTES) == (4, 16, 20, 8)
    assert (frames.WANTS_CONNECTION, frames.WANTS_STOP) == (0, 1)
    assert [frames.first(kind) for kind in kinds] == [0x31, 0x32, 0x33, 0x34, 0x35, 0x36]


def test_a_frame_is_one_only_with_its_version_and_its_length():
    for kind in range(16):
        for size in range(0, 70):
            frame = (bytes((0x30 | kind,)) + bytes(70))[:size]
            assert frames.kind_of(frame) == (kind if size == 32 and 1 <= kind <= 6 else 0), (kind, size)
        for version in (0, 1, 2, 4, 7, 15):
            assert frames.kind_of(bytes((version << 4 | kind,)) + bytes(31)) == 0


def test_the_places_in_a_handshakes_frames():
    """Written out byte by byte: epoch, count and `wants` where docs/telemetry.md has them."""
    nonce = frames.hello_nonce(0x04030201, 0x08070605, 9, b"abcdefg")
    assert nonce == b"\x01\x02\x03\x04\x05\x06\x07\x08\x09abcdefg"
    hello = frames.handshake(frames.HELLO, 5, 0x1234, nonce, b"t" * 12)
    assert hello == b"\x31\x05\x34\x00" + nonce + b"t" * 12
    for view in (hello, memoryview(hello)):
        assert bytes(frames.nonce_of(view)) == nonce and bytes(frames.tag_of(view)) == b"t" * 12
        assert frames.wants_of(view) == 9
    answer = frames.challenge_nonce(0x04030201, 0x08070605, b"ABCDEFGH")
    assert answer == b"\x01\x02\x03\x04\x05\x06\x07\x08ABCDEFGH"


def test_the_places_in_a_sealed_frame():
    header = frames.sealed_header(frames.REQUEST, 4, b"\x01\x02\x03")
    assert header == b"\x33\x04\x01\x02\x03"
    assert frames.token_number(header + bytes(27)) == 0x030201
    assert frames.token_number(b"\x33\x04\xff\xff\xff") == 0xFFFFFF
    assert frames.sealed_nonce(frames.REPLY, 4, 0x0102) == b"\x34\x04\x02\x01" + bytes(9)


def test_pieces():
    assert (fragments.DATA_BYTES, fragments.MAX_BYTES, fragments.LAST, fragments.ASK) == (16, 248, 0x80, 0x40)
    assert [fragments.count(bytes(size)) for size in (0, 1, 16, 17, 32, 33, 248)] == [1, 1, 1, 2, 2, 3, 16]
    assert fragments.cut(7, b"a" * 17, 0) == b"\x07\x00\x10" + b"a" * 16
    assert fragments.cut(7, b"a" * 17, 1) == b"\x07\x81\x01a" + bytes(15)
    assert fragments.cut(7, b"", 0) == b"\x07\x80\x00" + bytes(16)
    assert fragments.parse(b"\x07\xff\x10" + b"a" * 16) == (7, 0xC0, 0x3F, b"a" * 16)
    assert fragments.parse(b"\x07\x05\x02abc" + bytes(13)) == (7, 0, 5, b"ab")
    assert said(lambda: fragments.parse(b"\x07\x05\x11" + bytes(16))) == "piece of 17 bytes"


class Executor:
    """Remembers what it was asked, answers with `reply`."""

    def __init__(self, reply=b"\x83\x00"):
        self.asked = []
        self.reply = reply

    def __call__(self, message):
        self.asked.append(message)
        return self.reply


MISUSED = b"\x80\x02\x80\x04" + bytes(14)


def test_the_longest_request_is_executed_and_a_byte_more_is_misuse():
    for size, works in ((248, True), (249, False), (256, False)):
        exchange, execute = Reassembler(), Executor()
        message = bytes([n & 0xFF for n in range(size)])
        for number in range(16):
            answer = exchange.take(fragments.cut(1, message, number), execute, 0)
        assert execute.asked == ([message] if works else [])
        assert answer == b"\x01" + (b"\x80\x02\x83\x00" + bytes(14) if works else MISUSED)


def test_a_piece_out_of_order_is_misuse_and_the_request_begins_again():
    message = bytes(range(40))
    for order in ((1,), (0, 2), (0, 1, 1), (2,), (0, 0, 2)):
        exchange, execute = Reassembler(), Executor()
        for number in order:
            answer = exchange.take(fragments.cut(1, message, number), execute, 0)
        assert answer == b"\x01" + MISUSED and not execute.asked, order
        for number in (0, 1, 2):
            exchange.take(fragments.cut(1, message, number), execute, 0)
        assert execute.asked == [message], order


def test_a_piece_that_is_not_the_last_is_acknowledged_by_its_number():
    exchange, execute = Reassembler(), Executor()
    assert exchange.take(fragments.cut(9, bytes(40), 0), execute, 0) == b"\x09\x00\x00" + bytes(16)
    assert exchange.take(fragments.cut(9, bytes(40), 1), execute, 0) == b"\x09\x01\x00" + bytes(16)


def test_pieces_of_a_reply_are_given_on_demand_and_only_of_the_last_request():
    reply = bytes(range(100, 140))
    exchange, execute = Reassembler(), Executor(reply)
    assert exchange.take(fragments.cut(5, b"x", 0), execute, 0) == fragments.cut(5, reply, 0)
    for number in (0, 1, 2, 1):
        asked = fragments.piece(5, fragments.ASK | number, b"")
        assert exchange.take(asked, execute, 0) == fragments.cut(5, reply, number)
    for request_id, number in ((5, 3), (4, 1), (6, 1), (5, 63)):
        asked = fragments.piece(request_id, fragments.ASK | number, b"")
        assert exchange.take(asked, execute, 0) == bytes((request_id,)) + MISUSED, (request_id, number)
    assert execute.asked == [b"x"]


def test_nothing_can_be_asked_before_the_first_request():
    exchange, execute = Reassembler(), Executor()
    for request_id in (0, 1, 255):
        assert exchange.take(fragments.piece(request_id, fragments.ASK, b""), execute, 0)[1:] == MISUSED


def test_a_request_is_a_duplicate_only_if_its_id_and_its_bytes_are_the_same():
    exchange, execute = Reassembler(), Executor()
    for request_id, message, times, duplicates in (
        (1, b"b", 1, 0), (1, b"b", 1, 1), (1, b"a", 2, 1), (1, b"c", 3, 1), (2, b"c", 4, 1), (1, b"c", 5, 1),
        (1, b"c", 5, 2), (0, b"c", 6, 2),
    ):  # fmt: skip
        exchange.take(fragments.cut(request_id, message, 0), execute, 0)
        assert (len(execute.asked), exchange.duplicates) == (times, duplicates), (request_id, message)


def test_a_reply_ends_at_248_bytes():
    exchange, execute = Reassembler(), Executor(bytes(300))
    exchange.take(fragments.cut(5, b"x", 0), execute, 0)
    assert exchange.take(fragments.piece(5, fragments.ASK | 15, b""), execute, 0) == b"\x05\x8f\x08" + bytes(
        16
    )


def test_a_piece_of_impossible_length_is_misuse():
    exchange, execute = Reassembler(), Executor()
    assert exchange.take(b"\x07\x80\x11" + bytes(16), execute, 0) == b"\x07" + MISUSED


def test_a_connection_ends_after_60_and_600_seconds():
    assert (connection.IDLE_MS, connection.LIFE_MS, connection.LAST_COUNTER) == (60_000, 600_000, 0xFFFF)
    one = Connection(KEYS, 0, 1000)
    assert not one.over(60_999) and one.over(61_000)
    assert not one.over(55_999, 5000) and one.over(56_000, 5000)
    for now_ms in range(31_000, 600_000, 30_000):
        one.received(now_ms)
    one.received(590_000)
    assert not one.over(600_999) and one.over(601_000)
    assert not one.over(595_999, 5000) and one.over(596_000, 5000)


def test_a_connections_counter_ends_behind_65535():
    one = Connection(KEYS, 0, 0)
    assert one.counter == 0
    for counter, ended in ((0xFFFE, False), (0xFFFF, False), (0x10000, True)):
        one.counter = counter
        assert one.over(0) is ended


def test_addresses_and_refusals():
    assert (addresses.BASE_BYTES, messages.SLOTS, addresses.PAIRING_CHANNEL) == (4, 6, 76)
    assert said(lambda: addresses.peer_address(BASE, 6)) == "slot 6, 0 to 5 exist"
    assert said(lambda: addresses.peer_address(BASE, -1)) == "slot -1, 0 to 5 exist"
    assert said(lambda: addresses.stimulator_address(b"123")) == "base of 3 bytes, 4 expected"
    assert said(lambda: addresses.peer_address(BASE, 7)) == "slot 7, 0 to 5 exist"
    assert addresses.good_base(BASE) and not addresses.good_base(BASE + b"\x1c")


def test_a_base_has_6_to_26_level_shifts_in_the_air():
    """The air's order is the last byte first, each from its most significant bit."""
    for shifts in range(31):
        level, bits = 0, [0]
        for position in range(31):
            level ^= position >= 31 - shifts  # the alternating part comes last
            bits.append(level)
        word = 0
        for bit in bits:
            word = word << 1 | bit
        for mask in (0, 0xFFFFFFFF):
            base = (word ^ mask).to_bytes(4, "little")
            assert addresses.good_base(base) is (6 <= shifts <= 26), (shifts, mask)


def test_a_level_shift_counts_wherever_it_is():
    """5 and 6 of them, at the beginning of what is in the air."""
    for word, good in ((0x57FFFFFF, False), (0x54000000, True), (0xA8000000, False), (0xABFFFFFF, True)):
        assert addresses.good_base(word.to_bytes(4, "little")) is good, hex(word)


def test_a_hundred_draws_are_enough():
    draws = [bytes(4)] * 99 + [BASE, bytes(4)]
    assert addresses.draw_base(lambda count: draws.pop(0)) == BASE
    draws = [bytes(4)] * 100 + [BASE]
    assert said(lambda: addresses.draw_base(lambda count: draws.pop(0))) == "random source is stuck"


def test_what_an_attacker_may_cost():
    assert (rate_limiter.VERIFICATIONS, rate_limiter.RESERVED, rate_limiter.GRACE_MS) == (24, 12, 25)
    assert (rate_limiter.COST_UNVERIFIED, rate_limiter.COST_VERIFIED, rate_limiter.FORGIVE_MS) == (3, 6, 6)
    assert rate_limiter.COST_COPY == 1
    assert rate_limiter.LEVELS == ((64, 34), (32, 14), (12, 4))


def test_the_bucket_holds_128_units_and_loses_one_in_6_milliseconds():
    for cheap in (False, True):
        one = RateLimiter()
        for _ in range(100):
            one.failed(0, not cheap)
        # 128 - 64 = 64 units until level 3 ends, 96 until level 2 does, 116 until level 1 does.
        for now_ms, pause_ms, level in (
            (64 * 6 + 5, 34, 3), (65 * 6 - 1, 34, 3), (65 * 6, 14, 2), (97 * 6 - 1, 14, 2), (97 * 6, 4, 1),
            (117 * 6 - 1, 4, 1), (117 * 6, 0, 0),
        ):  # fmt: skip
            assert (one.pause_ms(now_ms, MIDDLE), one.level) == (pause_ms, level), now_ms


def test_what_is_forgiven_in_part_is_not_lost():
    one = RateLimiter(3)
    for _ in range(4):
        one.failed(3, False)
    assert one.pause_ms(8, MIDDLE) == 4 and one.pause_ms(9, MIDDLE) == 0
    one.failed(14, False)  # 14 units, of which one runs out at 15
    assert [one.pause_ms(now_ms, MIDDLE) for now_ms in (14, 20, 26, 27)] == [4, 4, 4, 0]


def test_the_budget_is_refilled_one_by_one_and_never_beyond_24():
    one = RateLimiter(100)
    for _ in range(24):
        assert one.may_verify(100)
        one.spend()
    assert not one.may_verify(111)
    assert one.may_verify(112)
    one.spend()
    assert not one.may_verify(123) and one.may_verify(124)
    assert one.may_verify(10_000)
    for _ in range(24):
        assert one.may_verify(10_000)
        one.failed(10_000, True)
    assert not one.may_verify(10_000)
    assert not one.may_verify(10_003) and one.may_verify(10_012)


def test_a_budget_that_was_overdrawn_is_used_up():
    one = RateLimiter()
    for _ in range(26):
        one.spend()
    assert not one.may_verify(0) and not one.may_verify(24) and one.may_verify(36)


def test_an_empty_bucket_is_empty():
    """Nothing is left of the last flood, and nothing is owed: four cheap frames are 12 units."""
    one = RateLimiter()
    one.failed(0, True)
    assert one.pause_ms(6000, MIDDLE) == 0
    for _ in range(4):
        one.failed(6000, False)
    assert [one.pause_ms(now_ms, MIDDLE) for now_ms in (6000, 6005, 6006)] == [4, 4, 0]


def test_grace_ends_though_nobody_looked_at_its_end():
    for late_ms, pause_ms in ((24, 0), (25, 34), (26, 34), (60, 34)):
        one = RateLimiter()
        for _ in range(40):
            one.failed(10, True)
        one.genuine(10)
        assert one.pause_ms(10 + late_ms, MIDDLE) == pause_ms, late_ms


def test_a_cheap_failure_costs_no_verification():
    one = RateLimiter()
    for _ in range(1000):
        one.failed(0, False)
    assert one.may_verify(0)


def test_the_code_is_shown_in_three_seconds():
    assert (blink_code.BITS, blink_code.BIT_MS, blink_code.BLINK_MS) == (20, 160, 80)
    assert (blink_code.MARKER_MS, blink_code.PASS_MS) == (800, 4000)


def test_times_of_both_ends():
    assert (requester.WAIT_MS, requester.WAIT_SPREAD_MS) == (12, 7)
    assert (requester.STOP_WAIT_MS, requester.STOP_WAIT_SPREAD_MS) == (8, 24)
    assert (requester.LIMIT_MS, requester.STOP_LIMIT_MS) == (1000, 3000)
    assert (messages.SLOTS, connection.WINDOW, connection.TRIES) == (6, 8, 4)
    assert (responder.REPEATS, responder.COPY_MS, fragments.REPEAT_MS) == (60, 8, 5000)
    assert (remote_end.RETRY_MS, remote_end.AGAIN_MS, remote_end.SILENCE_MS) == (60, 200, 3000)
    assert stimulator_end.LINGER_MS == 3000 and pk.PAIRING_WINDOW_MS == 30_000 and keys.KEY_BYTES == 32


def test_how_far_ahead_a_peer_may_be():
    assert (peer.EPOCHS_AHEAD, peer.COUNTS_AHEAD, peer.STRAY_MS) == (64, 4096, 1000)
    assert (keys.MOST_GENERATIONS, keys.MOST_STEPS, keys.LAST_GENERATION) == (32, 8, 0xFFFF)


def test_pairings_frames():
    assert (pk.BEGIN, pk.COMMIT, pk.REVEAL, pk.CONFIRM, pk.ACCEPT) == (1, 2, 3, 4, 5)
    assert (pk.WORKING, pk.COMPARE, pk.WAITS_FOR_MAGNET, pk.STORED, pk.REFUSED) == (0, 1, 2, 3, 4)
    assert pk.pack(frames.PAIR, 1, b"abc") == b"\x35\x01abc" + bytes(27)
    assert len(pk.pack(frames.PAIR_REPLY, 5, bytes(30))) == 32
    frame = b"\x35\x01abc" + bytes(27)
    assert pk.body_of(frame, 3) == b"abc" and pk.body_of(frame, 30) == b"abc" + bytes(27)
    assert pk.body_of(frame, 2) is None
    assert pk.body_of(b"\x35\x01" + bytes(29) + b"\x01", 29) is None
