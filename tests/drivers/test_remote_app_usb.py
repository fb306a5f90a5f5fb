"""The remote's application without hardware: a host on USB, at its modem and its console."""

import struct

import pytest
from stimfw.protocol import asking, messages, requests
from stimfw.telemetry import addresses, frames
from stimfw.ui import feedback
from support.remote_harness import Remote, merged


@pytest.fixture
def remote():
    return Remote()


# The modem.


def frame_for_the_host(remote):
    """A HELLO of a peer that the stimulator knows, and which this remote only carries."""
    requester = remote.pairing.requester
    requester.begin(b"\2", 1000, remote.now_ms)
    return requester.poll(remote.now_ms)


def report(remote):
    """What the modem tells: state, when, now, frame."""
    code, body = remote.ask(requests.MODEM_RECEIVE)
    assert code == messages.OK
    return asking.unpack_reply(requests.row_of(requests.MODEM_RECEIVE, "remote"), body)


def carry(remote, slot=2, channel=0, frame=None):
    frame = frame or frame_for_the_host(remote)
    return remote.ask(requests.MODEM_SEND, remote.stimulator.table.base + bytes((slot, channel)) + frame)


def test_the_modem_carries_a_frame_and_its_answer(remote):
    assert report(remote) == (messages.MODEM_IDLE, 0, 0, b"")
    remote.go(40)
    assert carry(remote) == (messages.OK, struct.pack("<I", 40))
    assert report(remote) == (messages.MODEM_SENDING, 40, 40, b"")
    remote.go(20)
    state, at_ms, now_ms, frame = report(remote)
    assert (state, now_ms) == (messages.MODEM_SENT, 60) and 40 < at_ms < 60
    assert frames.kind_of(frame) == frames.CHALLENGE
    assert report(remote) == (messages.MODEM_SENT, at_ms, 60, b""), "only once"
    remote.go(200)
    assert not remote.radio.awake and remote.lights == 0


@pytest.mark.parametrize("channel", range(3))
def test_the_modem_sends_one_burst_where_the_host_says(remote, channel):
    remote.radio.delivers = False
    carry(remote, channel=channel)
    remote.go(20)
    state, at_ms, now_ms, frame = report(remote)
    assert (state, now_ms, frame) == (messages.MODEM_SENT, 20, b"") and 0 < at_ms < 20
    remote.go(500)
    assert report(remote)[1:3] == (at_ms, 520), "when it was out, and not when it was asked"
    assert [sent[3] for sent in remote.radio.sent] == [addresses.CHANNELS[channel]]
    assert not remote.radio.awake, "it is the host that tries again"


def test_the_modem_tells_a_channel_that_is_occupied_and_sends_in_the_end(remote):
    """After three in a row it sends all the same."""
    remote.radio.busy = set(addresses.CHANNELS)
    for channel in (0, 0, 1):
        carry(remote, channel=channel)
        remote.go(2)
        assert report(remote)[0] == messages.MODEM_BUSY and remote.radio.sent == []
    carry(remote)
    remote.go(2)
    assert report(remote)[0] == messages.MODEM_SENT and remote.radio.forced == 1
    carry(remote)
    remote.go(2)
    assert report(remote)[0] == messages.MODEM_BUSY, "they are counted anew"


def test_the_modem_tells_when_the_answer_came_and_not_when_it_was_fetched(remote):
    remote.radio.answers = False
    carry(remote)
    remote.go(50)
    sent = report(remote)
    assert sent[0] == messages.MODEM_SENT and sent[1] < 50 and sent[3] == b""
    remote.radio.answers = True
    remote.go(100)
    remote.go(300)
    state, at_ms, now_ms, frame = report(remote)
    assert (state, now_ms) == (messages.MODEM_SENT, 450) and frame
    assert sent[1] < at_ms <= 200, at_ms


def test_a_strangers_frame_hides_no_answer(remote):
    """Anybody may send to this remote's address: four frames are kept, in their order."""
    carry(remote)
    remote.radio.held = [bytes([k]) * 32 for k in range(3)]
    remote.go(50)
    got = [report(remote)[3] for _ in range(5)]
    assert [frame[:1] for frame in got[:3]] == [b"\0", b"\1", b"\2"]
    assert frames.kind_of(got[3]) == frames.CHALLENGE and got[4] == b""


def test_the_modem_yields_to_a_button(remote):
    remote.radio.answers = False
    carry(remote)
    remote.press("stop")
    remote.radio.answers = True
    assert carry(remote, frame=bytes(32)) == (
        messages.WRONG_STATE,
        bytes((messages.READY, messages.REASON_BUSY)),
    )
    assert report(remote)[0] == messages.MODEM_BUSY
    assert remote.watch() == merged(feedback.DELIVERED)
    assert remote.stimulator.executed == [requests.STOP]


def test_end_of_carrying_lets_the_radio_sleep_and_stops_no_button(remote):
    remote.radio.answers = False
    carry(remote)
    remote.go(10)
    assert remote.radio.awake
    assert remote.ask(requests.MODEM_CLOSE)[0] == messages.OK and not remote.radio.awake
    remote.radio.answers = True
    remote.radio.held.clear()
    remote.press("stop")
    assert remote.ask(requests.MODEM_CLOSE)[0] == messages.OK
    assert remote.watch() == merged(feedback.DELIVERED)


def test_the_modem_refuses_other_lengths_slots_and_channels(remote):
    body = remote.stimulator.table.base + b"\2\0"
    for size in (0, 1, 25, 26, 31, 33):
        assert remote.ask(requests.MODEM_SEND, body + bytes(size))[0] == messages.BAD_LENGTH
    assert carry(remote, slot=6)[0] == messages.OUT_OF_RANGE
    assert carry(remote, channel=3)[0] == messages.OUT_OF_RANGE
    assert remote.radio.sent == []


# The service console.


def test_console(remote):
    code, body = remote.ask(requests.IDENTIFY)
    assert code == messages.OK and body.startswith(b"remote\x00")
    code, body = remote.ask(requests.STATUS)
    status = asking.unpack_status(body)
    assert (status["supply_mv"], status["flags"], status["failed_parts"]) == (5000, 0, 0)
    code, body = remote.ask(requests.COUNTERS)
    assert code == messages.OK and len(body) == 4 * 9
    for opcode in (requests.START, requests.STOP):
        assert remote.ask(opcode) == (messages.UNKNOWN_OPCODE, b"")
    assert remote.ask(requests.STATUS, b"x") == (messages.BAD_LENGTH, b"")
    remote.radio.works = False
    assert asking.unpack_status(remote.ask(requests.STATUS)[1])["failed_parts"] == messages.PART_RADIO


def test_console_pairs_and_forgets(remote):
    record = remote.ask(requests.PAIRINGS)[1]
    assert record == b"rmte" + remote.stimulator.table.base + bytes((2, 2, 1)) + b"rmte"
    assert remote.ask(requests.FORGET, b"\xff")[0] == messages.OK
    assert remote.ask(requests.PAIRINGS)[1] == b"rmte"
    assert asking.unpack_status(remote.ask(requests.STATUS)[1])["flags"] == messages.FLAG_UNPAIRED
    new = b"base" + bytes((5, 1)) + bytes(32)
    assert remote.ask(requests.PAIR, new)[0] == messages.OK
    assert remote.ask(requests.PAIRINGS)[1] == b"rmte" + b"base" + bytes((5, 2, 1)) + b"rmte"
    for wrong in (new[:4] + b"\6" + new[5:], new[:5] + b"\3" + new[6:], new[:5] + b"\0" + new[6:]):
        assert remote.ask(requests.PAIR, wrong)[0] == messages.OUT_OF_RANGE
    assert remote.ask(requests.PAIR, new[:-1])[0] == messages.BAD_LENGTH


def test_the_pairing_is_not_changed_while_a_button_asks(remote):
    remote.radio.delivers = False
    remote.press("stop")
    busy = (messages.WRONG_STATE, bytes((messages.READY, messages.REASON_BUSY)))
    assert remote.ask(requests.FORGET, b"\xff") == busy
    assert remote.ask(requests.PAIR, b"base" + bytes((5, 1)) + bytes(32)) == busy
    assert remote.pairing.requester is not None


def test_the_same_key_given_again_never_repeats_a_count(remote):
    """The epoch is the same until the next start: a count that began again would repeat nonces."""
    record = remote.pairing.record
    same = record.base + bytes((record.slot, record.role)) + record.key
    remote.press("status")
    remote.go(2000)
    remote.ask(requests.FORGET, b"\xff")
    remote.ask(requests.PAIR, same)
    remote.press("status")
    remote.go(2000)
    hellos = [frame for frame, *_ in remote.radio.sent if frames.kind_of(frame) == frames.HELLO]
    assert len(hellos) == len({frame[2:10] for frame in hellos}) == 2


# A flash whose records cannot be used.


class Areas:
    """stimfw.storage.areas.Areas."""

    def __init__(self, plan=0, works=True):
        self.plan, self.works, self.asked = plan, works, []

    def diagnose(self):
        return [3, 0, 0]

    def repair(self, overwrite_later, feed):
        feed()
        self.asked.append(overwrite_later)
        if not self.works:
            raise OSError("worn")
        return self.plan


def attached(remote, areas):
    fed, restarts = [], []
    remote.serve(areas, lambda: fed.append(1), restarts.append)
    return fed, restarts


def test_buttons_of_a_remote_whose_records_are_damaged_show_the_flash():
    remote = Remote(paired=False)
    remote.pairing.usable = False
    for name in ("stop", "start", "status"):
        remote.press(name)
        shown = remote.watch()
        assert shown == merged(feedback.NO_FLASH_STOP if name == "stop" else feedback.NO_FLASH)
        # STOP that stopped nothing is red, with the low tone, before anything else.
        assert (shown[0][:2] == (feedback.RED, feedback.LOW_HZ)) == (name == "stop"), shown
    remote.press("status", hold_ms=3100)
    remote.go(1000)
    assert remote.radio.sent == [] and not remote.app.busy(), "no pairing that could not be kept"
    storage = (messages.WRONG_STATE, bytes((messages.FAULT, messages.REASON_STORAGE)))
    assert remote.ask(requests.PAIRINGS) == storage


def test_records_and_their_repair(remote):
    areas = Areas(plan=0b101)
    fed, restarts = attached(remote, areas)
    assert remote.ask(requests.RECORDS) == (messages.OK, bytes((3, 0, 0)))
    assert remote.ask(requests.REPAIR, b"\0") == (messages.OK, b"\x05")
    assert remote.ask(requests.REPAIR, b"\1") == (messages.OK, b"\x05")
    assert areas.asked == [False, True] and len(fed) == len(restarts) == 2 and min(restarts) >= 100
    assert remote.ask(requests.REPAIR) == (messages.BAD_LENGTH, b"")


def test_a_repair_that_does_nothing_or_fails_restarts_nothing(remote):
    _, restarts = attached(remote, Areas(plan=0))
    assert remote.ask(requests.REPAIR, b"\0") == (messages.OK, b"\0")
    attached(remote, Areas(plan=1, works=False))
    storage = (messages.WRONG_STATE, bytes((messages.FAULT, messages.REASON_STORAGE)))
    assert remote.ask(requests.REPAIR, b"\0") == storage and restarts == []


def test_no_repair_while_a_button_asks(remote):
    areas = Areas(plan=1)
    _, restarts = attached(remote, areas)
    remote.radio.delivers = False
    remote.press("stop")
    busy = (messages.WRONG_STATE, bytes((messages.READY, messages.REASON_BUSY)))
    assert remote.ask(requests.REPAIR, b"\0") == busy and areas.asked == [] and restarts == []
