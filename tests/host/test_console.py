"""The console on bad lines: garbage, late, duplicate, cut and missing replies, prompts and tracebacks."""

from __future__ import annotations

import pytest
from stimbench.client.console import TIMEOUT_S, TRIES, Console
from stimbench.errors import AtPromptError, NoAnswerError, ProtocolError
from stimfw.protocol import console_frame, messages, requests

OPCODE = requests.STATUS


def answer(line, body=b"yes", opcode=OPCODE, shift=0):
    number, _ = console_frame.decode(line[1:-1])
    return console_frame.encode(number + shift, messages.reply(opcode, messages.OK, body))


def ask(make_link, respond, tries=TRIES):
    link = make_link(respond)
    console = Console(link, first_number=255)
    return link, console, lambda: console.ask(OPCODE, b"x", tries)


def test_a_plain_exchange(make_link):
    link, console, go = ask(make_link, lambda line, _: [(0.1, answer(line))])
    assert go() == (messages.OK, b"yes")
    assert console_frame.decode(link.written[0][1:-1]) == (255, bytes((OPCODE,)) + b"x")
    assert go() == (messages.OK, b"yes")
    assert console_frame.decode(link.written[1][1:-1])[0] == 0, "numbers wrap at 256"
    assert console.ignored == 0


@pytest.mark.parametrize(
    "noise", [b"\x00\xff\xfe", b"~", b"~not base64!\n", b"MicroPython v1.25\r\n", b"~AAAA\n"]
)
def test_noise_before_the_reply_is_passed_over(make_link, noise):
    _, _, go = ask(make_link, lambda line, _: [(0.0, noise), (0.1, answer(line))])
    assert go() == (messages.OK, b"yes")


def test_a_reply_in_single_bytes(make_link):
    _, _, go = ask(
        make_link, lambda line, _: [(0.01 * n, bytes((byte,))) for n, byte in enumerate(answer(line))]
    )
    assert go() == (messages.OK, b"yes")


@pytest.mark.parametrize("damage", [lambda line: line[:-6] + b"\n", lambda line: line.replace(b"=", b"A")])
def test_a_damaged_reply_is_asked_for_again(make_link, damage):
    replies = iter([damage, lambda line: line])
    link, _, go = ask(make_link, lambda line, _: [(0.1, next(replies)(answer(line)))])
    assert go() == (messages.OK, b"yes")
    assert link.written[0] == link.written[1], "a retry carries the same number"


def test_the_late_reply_to_the_first_try_counts(make_link):
    delays = iter([TIMEOUT_S + 0.2, 5.0])
    link, _, go = ask(make_link, lambda line, _: [(next(delays), answer(line))])
    assert go() == (messages.OK, b"yes")
    assert len(link.written) == 2


def test_late_and_duplicate_replies_to_older_requests_are_ignored(make_link):
    def respond(line, _now):
        return [(0.0, answer(line, b"old", shift=-1)), (0.1, answer(line)), (0.1, answer(line, b"again"))]

    _, console, go = ask(make_link, respond)
    assert go() == (messages.OK, b"yes")
    assert go() == (messages.OK, b"yes"), "the duplicate of the first reply is not taken for the second"
    assert console.ignored == 3


def test_the_first_of_two_replies_in_one_piece_counts(make_link):
    _, console, go = ask(make_link, lambda line, _: [(0.1, answer(line) + answer(line, b"again"))])
    assert go() == (messages.OK, b"yes")
    assert console.ignored == 1


def test_our_own_request_echoed_by_the_line_is_no_reply(make_link):
    _, _, go = ask(make_link, lambda line, _: [(0.0, line), (0.1, answer(line))])
    assert go() == (messages.OK, b"yes")


def test_a_reply_to_another_opcode_is_a_protocol_error(make_link):
    _, _, go = ask(make_link, lambda line, _: [(0.1, answer(line, opcode=requests.STOP))])
    with pytest.raises(ProtocolError, match="another request"):
        go()


def test_silence_ends_after_all_tries(make_link):
    link, _, go = ask(make_link, lambda line, _: [])
    with pytest.raises(NoAnswerError, match=r"No answer from /dev/fake in 3 s\."):
        go()
    assert len(link.written) == TRIES
    assert link.time_s == pytest.approx(100.0 + TRIES * TIMEOUT_S)


def test_a_board_that_talks_without_end_cannot_hold_us(make_link):
    class Chatter(make_link):
        def read(self, deadline_s):
            self.time_s += 0.05
            return b"blah\r\n"

    link = Chatter(lambda line, _: [])
    with pytest.raises(NoAnswerError, match="no stimbench board"):
        Console(link).ask(OPCODE)
    assert link.time_s < 100.0 + TRIES * TIMEOUT_S + 1


def test_a_prompt_that_echoes_is_named_and_not_asked_again(make_link):
    link, _, go = ask(make_link, lambda line, _: [(0.01, line.rstrip(b"\n"))])
    with pytest.raises(AtPromptError, match="MicroPython prompt"):
        go()
    assert len(link.written) == 1


def test_a_prompt_after_a_crash_tells_the_crash(make_link):
    text = (
        b"Traceback (most recent call last):\r\n"
        b'  File "main.py", line 3, in <module>\r\n'
        b"OSError: [Errno 5] EIO\r\n>>> "
    )
    _, _, go = ask(make_link, lambda line, _: [(0.01, text)])
    with pytest.raises(AtPromptError, match=r"it printed: OSError: \[Errno 5\] EIO"):
        go()


def test_a_request_that_must_not_be_repeated_is_sent_once(make_link):
    link, _, go = ask(make_link, lambda line, _: [], tries=1)
    with pytest.raises(NoAnswerError):
        go()
    assert len(link.written) == 1
