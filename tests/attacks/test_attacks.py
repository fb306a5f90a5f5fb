"""No attack succeeds with few tries, and many are seen to succeed on a channel that was weakened for them."""

import struct
import types

import pytest
from stimbench.attacks import (
    ATTACKS,
    Attack,
    Result,
    consent,
    forgery,
    forgotten,
    handshakes,
    listening,
    lockout,
    pairing,
    registry,
    replay,
    rights,
    rollback,
    run_all,
    table,
    values,
)
from stimbench.attacks.exhaustion import draining, flooded
from stimbench.attacks.listening import opened_with_pairing_key
from stimfw.crypto import ccm
from stimfw.crypto.ccm import Ccm
from stimfw.pairing import exchange as pk
from stimfw.pairing.remote_end import PairingRequester
from stimfw.protocol import asking, requests, roles
from stimfw.storage import pairing_format
from stimfw.storage.areas import Areas
from stimfw.telemetry import connection, fragments, frames, keys, peer, rate_limiter, responder
from stimfw.telemetry.requester import Requester
from stimfw.telemetry.responder import Responder

SCALE = 0.001


ON_BENCH = (pytest.mark.emulated, pytest.mark.slow)


@pytest.mark.control("C-25")
@pytest.mark.parametrize(
    "attack",
    [pytest.param(each, id=each.name, marks=ON_BENCH if each.on_bench else ()) for each in ATTACKS],
)
def test_no_attack_succeeds(attack):
    tries = max(attack.least, round(attack.tries * SCALE))
    result = attack.run(tries, 1)
    assert (result.name, result.tries) == (attack.name, tries)
    assert result.successes == 0, result.detail
    assert "Success:" in attack.goal


def test_forged_frames_do_reach_the_tag_check():
    detail = forgery.forged(5000, 2).detail
    assert int(detail.split()[0]) >= 1500, detail


def test_the_table_has_a_row_for_each():
    quick = [attack for attack in ATTACKS if attack.least <= 60 and not attack.on_bench]
    rows = table([attack.run(attack.least, 3) for attack in quick]).splitlines()
    assert len(rows) == 2 + len(quick)


def test_all_attacks_are_run_in_their_order_with_their_share_of_tries(monkeypatch):
    ran = []

    def attack(name, least):
        def run(tries, seed):
            ran.append((name, tries, seed))
            return Result(name, tries, 0, "")

        return Attack(name, run, 1000, least)

    monkeypatch.setattr(registry, "ATTACKS", (attack("one", 50), attack("two", 200)))
    results = run_all(0.1, 7)
    assert ran == [("one", 100, 7), ("two", 200, 7)]
    assert [(result.name, result.tries) for result in results] == [("one", 100), ("two", 200)]


def test_a_stolen_pairing_key_opens_what_was_recorded():
    # docs/telemetry.md: there is no forward secrecy.
    opened, sealed = opened_with_pairing_key(1)
    assert opened == sealed > 0


# The same attacks on weakened channels.


def test_tags_that_nobody_checks(monkeypatch):
    def careless(self, nonce, header, sealed):
        size = len(sealed) - self.tag_bytes
        return self.seal(nonce, header, sealed[:size])[:size]

    monkeypatch.setattr(Ccm, "open", careless)
    assert forgery.forged(5000, 1).successes > 20


def test_a_tag_of_which_one_byte_is_checked(monkeypatch):
    for module in (ccm, keys):
        monkeypatch.setattr(module, "equal", lambda a, b: a[0] == b[0])
    assert forgery.forged(5000, 1).successes > 0


def test_a_hello_of_which_wants_is_not_authenticated(monkeypatch):
    make = keys.HelloTag.make

    def made(self, nonce):
        return make(self, bytes(nonce[:8]) + bytes(8))

    monkeypatch.setattr(keys.HelloTag, "make", made)
    assert forgery.forged(5000, 1).successes > 0


def test_tokens_that_are_not_spent(monkeypatch):
    def taken(self, counter):
        self.counter = counter + 1
        self._expect()

    monkeypatch.setattr(connection.ListeningConnection, "taken", taken)
    assert replay.replayed(4000, 1).successes > 100
    assert replay.delayed(60, 1).successes > 0


class Forgetful(Responder):
    """Takes an old HELLO, and with it always draws the same numbers."""

    def _on_hello(self, peer, frame, now_ms):
        peer.seen = peer.proven = None
        peer.drop_candidates()
        self._count = 0
        return super()._on_hello(peer, frame, now_ms)


class SameHello(Requester):
    """Counts each HELLO as the first one."""

    def _make_hello(self):
        self.count = 0
        return super()._make_hello()


def test_both_sides_count_from_the_start_again():
    assert listening.nonces_reused(500, 1, Forgetful, SameHello).successes > 0
    # One of them alone does no harm: the other's nonce makes the keys new.
    assert listening.nonces_reused(500, 1, Forgetful).successes == 0
    assert listening.nonces_reused(500, 1, requester=SameHello).successes == 0


class SameCounter(Requester):
    """Seals each request under counter 0."""

    def _send_piece(self):
        if self._connection is not None:
            self._connection.counter = 0
        super()._send_piece()


def test_a_peer_that_does_not_count():
    assert listening.nonces_reused(500, 1, requester=SameCounter).successes > 0


class Twice(fragments.Reassembler):
    """Executes what it has executed."""

    def _whole(self, request_id, request, execute, now_ms):
        self._id = -1
        return super()._whole(request_id, request, execute, now_ms)


def test_requests_that_are_executed_again(monkeypatch):
    monkeypatch.setattr(peer, "Reassembler", Twice)
    assert replay.reordered(500, 1).successes > 0


def test_epochs_that_are_forgotten():
    result = rollback.rolled_back(50, 1, memory=False)
    assert result.successes > 50 and " 0 nonces used twice" not in result.detail


def test_a_table_of_roles_that_allows_too_much(monkeypatch):
    monkeypatch.setattr(asking, "may", lambda role, opcode: True)
    assert rights.escalation(1024, 1).successes > 200


def test_keys_without_the_role(monkeypatch):
    made = keys.connection_keys
    monkeypatch.setattr(keys, "connection_keys", lambda key, np, ns, slot, role: made(key, np, ns, slot, 0))
    clinician = roles.CLINICIAN
    monkeypatch.setattr(asking, "may", lambda role, opcode: role == clinician or opcode == requests.STOP)
    # The clinician's keys are then the patient's, but the role still is the pairing's at the stimulator.
    assert rights.escalation(1024, 1).successes == 0


def test_plaintext_in_the_air(monkeypatch):
    monkeypatch.setattr(Ccm, "seal", lambda self, nonce, header, plain: plain + bytes(8))
    monkeypatch.setattr(Ccm, "open", lambda self, nonce, header, sealed: sealed[:-8])
    assert listening.eavesdropping(10, 1).successes > 0


def test_pauses_that_are_longer_than_a_stop_is_tried(monkeypatch):
    assert flooded(10, 1).successes == 0
    monkeypatch.setattr(rate_limiter.RateLimiter, "pause_ms", lambda self, now_ms, draw: 3500)
    assert flooded(10, 1).successes > 0


def test_answers_without_end(monkeypatch):
    monkeypatch.setattr(responder, "REPEATS", 100_000)
    assert draining(8000, 1).successes > 500


def test_one_answer_too_many_to_each_frame(monkeypatch):
    monkeypatch.setattr(responder, "REPEATS", 61)  # docs/telemetry.md: 60
    assert draining(8000, 1).successes == 11  # the peer's last frame, and each of ten recorded HELLOs


class Elsewhere(Responder):
    """Answers its peer's last frame 10 times, and old ones 40 times: 50 answers, where 60 are allowed."""

    given = 0

    def _repeat_answer(self, peer, answer, now_ms):
        return super()._repeat_answer(peer, answer, now_ms) if peer.repeats < 10 else None

    def on_frame(self, frame, now_ms):
        before = self.replayed
        answer = super().on_frame(frame, now_ms)
        if answer is None and self.replayed > before and self.given < 40:
            self.given += 1
            return bytes(32)
        return answer


def test_answers_that_one_frame_did_not_draw_are_not_allowed_to_another():
    assert draining(4000, 5).successes == 0  # a seed without a restart
    assert draining(4000, 5, Elsewhere).successes == 40


class Trusting(PairingRequester):
    """Does not check that the number is the one committed to."""

    def _on_reveal(self, body):
        self._commitment = pk.commitment(self._peer_public, self._public, body)
        super()._on_reveal(body)


def test_a_commitment_that_is_not_checked():
    assert pairing.middle(1, 14, Trusting, grind=True).successes == 1, "116 030 tries with this seed"
    assert pairing.middle(1, 14, grind=True).successes == 0


def test_a_curve_that_takes_small_order(monkeypatch):
    def shared(secret, peer):
        return bytes(32)

    monkeypatch.setattr(pairing.Curve, "shared", staticmethod(shared))
    assert pairing.small_order(28, 1).successes > 0


def test_kinds_that_share_their_keys_are_told_apart_by_their_first_byte():
    assert len({frames.first(kind) for kind in range(1, 7)}) == 6


def test_a_stop_that_is_taken_for_a_duplicate(monkeypatch):
    monkeypatch.setattr(peer, "is_repeatable", lambda request: False)
    assert lockout.duplicate_stop(20, 1).successes == 0, "the HELLO that wants STOP has stopped the output"
    monkeypatch.setattr(frames, "wants_of", lambda hello: frames.WANTS_CONNECTION)
    assert lockout.duplicate_stop(20, 1).successes > 0


class Strict(Responder):
    """Takes a HELLO for genuine only if it is above every one before."""

    def _on_hello(self, peer, frame, now_ms):
        mark = struct.unpack_from("<II", frame, frames.NONCE_AT)
        if peer.seen is not None and mark < peer.seen:
            return None
        return super()._on_hello(peer, frame, now_ms)


def test_a_stimulator_that_the_highest_number_locks():
    assert lockout.highest_numbers(20, 1, Strict).successes > 10


# Handshakes.


class AnyStop(Responder):
    """Stops for every HELLO that wants it and is genuine, in step or not."""

    def _on_hello(self, peer, frame, now_ms):
        tag = peer.hello_tag(0)
        genuine = tag is not None and tag.proves(frames.nonce_of(frame), frames.tag_of(frame))
        if genuine and frames.wants_of(frame) == frames.WANTS_STOP:
            self._execute(bytes((requests.STOP,)), peer.pairing.role, peer.slot)
        return super()._on_hello(peer, frame, now_ms)


def test_a_stop_that_can_be_wanted_again():
    assert handshakes.wanted_again(400, 1, AnyStop).successes > 100


def test_tokens_that_are_never_spent(monkeypatch):
    monkeypatch.setattr(connection, "TRIES", 1000)
    assert handshakes.overheard_tokens(30, 1).successes > 10


class Eager(Responder):
    """Makes the keys of a generation anew with each HELLO that claims it."""

    def _on_hello(self, peer, frame, now_ms):
        del peer._ahead[1:], peer._handshake_keys[:]
        peer._tags.clear()
        return super()._on_hello(peer, frame, now_ms)


def test_keys_that_are_made_again_for_each_forgery():
    assert handshakes.other_generations(1800, 1, Eager).successes > 0


def test_a_ratchet_that_does_not_turn(monkeypatch):
    monkeypatch.setattr(keys, "next_key", lambda key: key)
    assert handshakes.old_generations(4, 1).successes > 0


def test_two_codes_of_sixteen_bits_without_a_marker(monkeypatch):
    old = types.SimpleNamespace(
        PASS_MS=3000,
        lit=lambda code, at: 0 if at % 3000 < 600 else code >> 15 - (at % 3000 - 600) // 150 & 1,
    )
    monkeypatch.setattr(consent, "blink_code", old)
    monkeypatch.setattr(pk, "_CODE_MASK", 0xFFFF)
    assert consent.alike_codes(1_000_000, 1).successes > 300


def test_a_table_that_takes_any_role(monkeypatch):
    monkeypatch.setattr(pairing_format, "KEY_ROLES", range(1, 256))
    assert values.unknown_roles(12, 1).successes == 12


class NewBoard(Areas):
    """Takes a board whose log and limit were erased for a new one."""

    def _holds_keys(self):
        return 0


def test_keys_without_epochs_that_are_no_fault():
    assert forgotten.forgotten_epochs(20, 1, NewBoard).successes > 0
