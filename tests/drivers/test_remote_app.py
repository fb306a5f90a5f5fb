"""The remote's application without hardware: which request goes out when, and what is shown for it."""

import pytest
from stimfw.logic import feedback, messages, radio_frame
from stimfw.logic.link import TIMEOUT_MS, Requester
from stimfw.remote.app import LONGEST_SLEEP_MS, STOP_TRIES, TRIES, App, Display, Key
from stimfw.remote.commands import Commands


class Button:
    def __init__(self):
        self.closed = self.edge = False

    def down(self):
        return self.closed

    def take_edge(self):
        edge, self.edge = self.edge, False
        return edge

    def release(self):
        self.closed = False


class Port:
    def __init__(self):
        self.sent, self.awake, self.works, self.tx_failed = [], False, True, 0

    def revive(self, requester):
        return self.works

    def send(self, frame, now_ms):
        self.sent.append(radio_frame.decode(frame))
        self.awake = True

    def service(self, now_ms):
        assert self.awake

    def sleep(self):
        self.awake = False


class Remote:
    def __init__(self):
        self.names = ("stop", "start", "status")
        self.buttons = {name: Button() for name in self.names}
        self.lights = self.tone_hz = 0
        self.supply_mv = 5000
        self.port, self.requester = Port(), Requester(radio_frame, 0)
        opcodes = (messages.STOP, messages.START, messages.STATUS)
        keys = tuple(Key(self.buttons[n], opcode) for n, opcode in zip(self.names, opcodes, strict=True))
        display = Display(self, self)
        self.app = App(keys, display, self.port, self.requester, lambda: self.supply_mv)
        self.now_ms = 0
        hello = self.requester.begin(b"x", 1, 0)
        number = radio_frame.decode(hello)[1]
        self.requester.on_frame(radio_frame.encode(radio_frame.NUMBER, number, b"\x00\x00"), 0)
        self.requester.poll(TIMEOUT_MS)  # in step and idle now

    def show(self, lights):
        self.lights = lights

    def sound(self, tone_hz):
        self.tone_hz = tone_hz

    def step(self, now_ms=None):
        self.now_ms = self.now_ms if now_ms is None else now_ms
        return self.app.step(self.now_ms)

    def press(self, *names):
        for name in names:
            self.buttons[name].closed = self.buttons[name].edge = True
        self.step()

    def let_go(self):
        for button in self.buttons.values():
            button.edge, button.closed = button.closed, False
        self.step()
        self.step(self.now_ms + 30)

    def answer(self, code, body=b""):
        _, number, message = self.port.sent[-1]
        reply = messages.reply(message[0], code, body)
        self.requester.on_frame(radio_frame.encode(radio_frame.REPLY, number, reply), self.now_ms)
        self.step()

    def asked(self):
        return [message[0] for _, _, message in self.port.sent]

    def blinks(self):
        """How often amber comes on from now until all is dark."""
        count, was = 0, 0
        for now_ms in range(self.now_ms, self.now_ms + 6000):
            self.step(now_ms)
            amber = self.lights & feedback.AMBER
            count, was = count + (amber and not was), amber
        return count


@pytest.fixture
def remote():
    return Remote()


@pytest.mark.parametrize(("name", "opcode"), [("start", 3), ("stop", 4), ("status", 2)])
def test_a_button_asks_once_and_at_once(remote, name, opcode):
    remote.press(name)
    remote.step(20)
    assert remote.asked() == [opcode]


def test_nothing_to_do_means_a_long_sleep_with_the_radio_off(remote):
    assert remote.step() == LONGEST_SLEEP_MS and not remote.port.awake
    remote.press("start")
    assert remote.step() <= TIMEOUT_MS and remote.port.awake
    remote.answer(messages.OK)
    assert not remote.port.awake


def test_delivered(remote):
    remote.press("start")
    remote.answer(messages.OK)
    assert (remote.lights, remote.tone_hz) == (feedback.GREEN, feedback.HIGH_HZ)


def test_refused_blinks_its_reason(remote):
    remote.press("start")
    remote.answer(messages.WRONG_STATE, bytes((messages.READY, messages.REASON_NO_AMPLITUDE)))
    assert remote.tone_hz == feedback.HIGH_HZ and remote.app.refused == 1
    assert remote.blinks() == messages.REASON_NO_AMPLITUDE


def test_replies_that_make_no_sense_are_refusals_without_a_reason(remote):
    for code, body in (
        (messages.UNKNOWN_OPCODE, b""),
        (messages.WRONG_STATE, b"\x01"),
        (messages.OK, b"short"),
    ):
        remote.press("status")
        remote.answer(code, body)
        remote.let_go()
        assert remote.blinks() == 1
    assert remote.app.refused == 3


def test_no_answer(remote):
    remote.press("start")
    for now_ms in range(0, TRIES * TIMEOUT_MS + 1, 5):
        remote.step(now_ms)
    assert remote.asked() == [messages.START] * TRIES
    assert len({number for _, number, _ in remote.port.sent}) == 1
    assert (remote.lights, remote.tone_hz) == (feedback.RED, feedback.LOW_HZ)


def test_stop_takes_the_place_of_start_and_is_tried_for_longer(remote):
    remote.press("start")
    remote.step(10)
    remote.press("stop")
    for now_ms in range(10, 10 + STOP_TRIES * TIMEOUT_MS + 1, 5):
        remote.step(now_ms)
    assert remote.asked() == [messages.START] + [messages.STOP] * STOP_TRIES


def test_both_at_once_is_stop(remote):
    remote.press("start", "stop")
    assert remote.asked() == [messages.STOP]


def test_nothing_takes_the_place_of_stop(remote):
    remote.press("stop")
    remote.press("start", "status")
    assert remote.asked() == [messages.STOP]
    remote.answer(messages.OK)
    remote.step(5000)
    assert remote.asked() == [messages.STOP]


def test_stop_again_begins_anew(remote):
    remote.press("stop")
    remote.let_go()
    remote.press("stop")
    assert len({number for _, number, _ in remote.port.sent}) == 2


def test_a_late_reply_to_start_is_not_taken_for_stop(remote):
    remote.press("start")
    _, number, _ = remote.port.sent[0]
    remote.press("stop")
    late = radio_frame.encode(radio_frame.REPLY, number, messages.reply(messages.START, messages.OK))
    remote.requester.on_frame(late, 1)
    remote.step(2)
    assert remote.lights == 0 and remote.port.awake


def test_status_shows_the_state_and_a_low_battery(remote):
    remote.supply_mv = 3000
    remote.press("status")
    values = (messages.READY, 0, 0, 0, 2000, 2000, 0, 5000)
    remote.answer(messages.OK, messages.pack_status(values))
    assert remote.tone_hz == feedback.HIGH_HZ
    assert remote.blinks() == 2  # with red


def test_a_dead_radio_is_told_at_each_press(remote):
    remote.port.works = False
    remote.press("stop")
    assert remote.port.sent == [] and remote.lights == feedback.RED


def test_close_leaves_all_dark(remote):
    remote.press("start")
    remote.app.close(5)
    assert (remote.lights, remote.tone_hz, remote.port.awake) == (0, 0, False)


def test_console(remote):
    commands = Commands(remote.app, remote.port, remote.requester, lambda: 4987)
    code, body = messages.parse_reply(messages.IDENTIFY, commands.execute(b"\x01"))
    assert code == messages.OK and body.startswith(b"remote\x00")
    code, body = messages.parse_reply(messages.STATUS, commands.execute(b"\x02"))
    assert messages.unpack_status(body)["supply_mv"] == 4987
    code, body = messages.parse_reply(messages.COUNTERS, commands.execute(b"\x0b"))
    assert code == messages.OK and len(body) == 4 * 9
    assert commands.execute(b"\x03") == bytes((0x83, messages.UNKNOWN_OPCODE))
    assert commands.execute(b"\x02x") == bytes((0x82, messages.BAD_LENGTH))
    remote.port.works = False
    _, body = messages.parse_reply(messages.STATUS, commands.execute(b"\x02"))
    assert messages.unpack_status(body)["failed_parts"] == messages.PART_RADIO
