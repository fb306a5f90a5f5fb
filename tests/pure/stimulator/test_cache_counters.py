"""XIP at the stimulator: two counters, cleared only if asked for, and over USB only."""

import struct

from stimfw.protocol import messages, roles
from stimfw.stimulator.cache_counters import CacheCounters
from stimfw.stimulator.commands import Commands


class Log:
    def add(self, _kind, _sender, _detail):
        pass


def asked(body, role=roles.SERVICE, counted=(3, 5)):
    """Code and body of the reply, and what the reader was told."""
    cleared = []

    def read(clear):
        cleared.append(clear)
        return counted

    commands = Commands(None, None, Log())
    commands.add(CacheCounters(read).handlers())
    reply = commands.execute(messages.request(messages.XIP, body), role, messages.FROM_USB)
    return messages.parse_reply(messages.XIP, reply) + (cleared,)


def test_hits_come_first_then_accesses():
    assert asked(b"\0") == (messages.OK, struct.pack("<II", 3, 5), [False])


def test_they_are_whole_u32():
    most = (0xFFFFFFFE, 0xFFFFFFFF)
    assert asked(b"\0", counted=most)[1] == struct.pack("<II", *most)


def test_only_1_clears():
    assert [asked(bytes((value,)))[2] for value in (0, 1, 2, 255)] == [[False], [True], [False], [False]]


def test_a_body_of_another_length_reads_nothing():
    assert [asked(body) for body in (b"", b"\1\1")] == [(messages.BAD_LENGTH, b"", [])] * 2


def test_it_is_for_usb_alone():
    for role in (roles.PATIENT, roles.CLINICIAN):
        assert asked(b"\1", role) == (messages.FORBIDDEN, b"", [])
