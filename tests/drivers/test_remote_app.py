"""The remote's application without hardware: which request goes out when, and what is shown for it."""

import pytest
from stimfw.logic import feedback, messages
from stimfw.remote.app import LONGEST_SLEEP_MS, PAIR_HOLD_MS
from stimfw.telemetry import frames
from stimfw.telemetry.requester import LIMIT_MS, STOP_LIMIT_MS
from support.remote_desk import Remote, merged

PRESSES = [("start", messages.START), ("stop", messages.STOP), ("status", messages.STATUS)]


def status_body(state=messages.READY, flags=0):
    return messages.pack_status((state, flags, 0, 0, 2000, 2000, 0, 5000))


@pytest.fixture
def remote():
    return Remote()


@pytest.mark.parametrize(("name", "opcode"), PRESSES)
def test_a_button_asks_once(remote, name, opcode):
    remote.press(name)
    remote.go(2000)
    assert remote.stimulator.executed == [opcode]
    assert remote.kinds() == [frames.HELLO, frames.REQUEST]


def test_in_an_open_connection_a_press_is_one_frame(remote):
    remote.press("status")
    remote.go(2000)
    said = len(remote.radio.sent)
    remote.press("stop")
    remote.go(2000)
    assert remote.kinds()[said:] == [frames.REQUEST]


def test_nothing_to_do_means_a_long_sleep_with_the_radio_off(remote):
    assert remote.app.step(0) == LONGEST_SLEEP_MS and not remote.radio.awake
    remote.down("start")
    assert remote.radio.awake
    remote.up("start")
    remote.go(3000)
    assert remote.app.step(remote.now_ms) == LONGEST_SLEEP_MS and not remote.radio.awake


# Patterns.


@pytest.mark.parametrize("name", ["start", "stop"])
def test_delivered(remote, name):
    remote.press(name)
    assert remote.watch() == merged(feedback.DELIVERED)


@pytest.mark.parametrize("reason", range(1, len(messages.REASON_TEXTS)))
def test_refused_blinks_its_reason(remote, reason):
    remote.stimulator.code, remote.stimulator.body = messages.WRONG_STATE, bytes((messages.READY, reason))
    remote.press("start")
    assert remote.watch() == merged(feedback.refused(reason))
    assert remote.app.refused == 1


@pytest.mark.parametrize(
    ("code", "body"),
    [
        (messages.UNKNOWN_OPCODE, b""),
        (messages.WRONG_STATE, b"\1"),
        (messages.FORBIDDEN, b""),
        (messages.OK, b"no"),
    ],
)
def test_replies_that_make_no_sense_are_refusals_without_a_reason(remote, code, body):
    remote.stimulator.code, remote.stimulator.body = code, body
    remote.press("status")
    assert remote.watch() == merged(feedback.refused(0))
    assert remote.app.refused == 1


@pytest.mark.parametrize("flags", [0, messages.FLAG_MAGNET])
@pytest.mark.parametrize("state", range(len(messages.STATE_NAMES)))
def test_status_shows_the_state(remote, state, flags):
    remote.stimulator.body = status_body(state, flags)
    remote.press("status")
    assert remote.watch() == merged(feedback.status(state, bool(flags)))


def test_a_low_battery_is_told_after_status_whatever_came_of_it(remote):
    remote.supply_mv = 3000
    remote.stimulator.body = status_body()
    remote.press("status")
    assert remote.watch() == merged(feedback.status(messages.READY, False) + feedback.LOW_BATTERY)
    remote.radio.delivers = False
    remote.press("status")
    assert remote.watch() == merged(feedback.NO_ANSWER + feedback.LOW_BATTERY)


@pytest.mark.parametrize("arrives", [True, False])
@pytest.mark.parametrize(("name", "limit_ms"), [("start", LIMIT_MS), ("stop", STOP_LIMIT_MS)])
def test_no_answer(remote, name, limit_ms, arrives):
    """Whether nobody acknowledges, or the answers are lost."""
    remote.radio.delivers, remote.radio.answers = arrives, False
    remote.press(name)
    remote.go(limit_ms - 10)
    assert remote.lights == 0 and remote.radio.awake
    assert remote.watch() == merged(feedback.NO_ANSWER)
    assert len(remote.radio.sent) > limit_ms // 50 and not remote.radio.awake


@pytest.mark.parametrize("name", ["start", "stop", "status"])
def test_an_unpaired_remote_says_so_and_sends_nothing(name):
    remote = Remote(paired=False)
    remote.press(name)
    assert remote.watch() == merged(feedback.NOT_PAIRED)
    assert remote.radio.sent == []


@pytest.mark.parametrize("name", ["start", "stop", "status"])
def test_a_dead_radio_is_told_at_each_press(remote, name):
    remote.radio.works = False
    for _ in range(2):
        remote.press(name)
        assert remote.watch() == merged(feedback.NO_RADIO)
    assert remote.radio.sent == []
    remote.radio.works = True
    remote.press("start")
    assert remote.watch() == merged(feedback.DELIVERED)


# One thing at a time.


def test_stop_takes_the_place_of_start(remote):
    remote.radio.delivers = False
    remote.press("start")
    remote.go(100)
    remote.press("stop")
    remote.radio.delivers = True
    assert remote.watch() == merged(feedback.DELIVERED)
    assert remote.stimulator.executed == [messages.STOP]


def test_both_at_once_is_stop(remote):
    remote.press("start", "stop")
    remote.go(2000)
    assert remote.stimulator.executed == [messages.STOP]


def test_nothing_takes_the_place_of_stop(remote):
    remote.radio.delivers = False
    remote.press("stop")
    remote.press("start", "status")
    remote.go(500)
    remote.radio.delivers = True
    remote.go(5000)
    assert remote.stimulator.executed == [messages.STOP]


def test_stop_again_begins_anew(remote):
    remote.press("stop", hold_ms=40)
    remote.go(40)
    remote.press("stop")
    remote.go(2000)
    assert remote.stimulator.executed == [messages.STOP] * 2


def test_a_late_reply_to_start_is_not_taken_for_stop(remote):
    remote.press("status")
    remote.go(2000)
    remote.radio.answers = False
    remote.press("start")
    remote.go(10)
    assert remote.stimulator.executed[-1] == messages.START and len(remote.radio.held) == 1
    remote.radio.delivers = False
    remote.press("stop")
    remote.radio.answers = True
    remote.go(200)
    assert remote.lights == 0 and remote.radio.awake, "it was shown as delivered"


def test_close_leaves_all_dark(remote):
    remote.press("start")
    remote.go(20)
    assert remote.lights
    remote.app.close(remote.now_ms)
    assert (remote.lights, remote.tone_hz, remote.radio.awake) == (0, 0, False)


# Pairing.


def begin_pairing(remote, window=True):
    if window:
        remote.stimulator.window.open(remote.now_ms)
    remote.stimulator.body = status_body()
    remote.press("status", hold_ms=PAIR_HOLD_MS + 50)


def until_the_code(remote):
    client = remote.pairing.client
    for _ in range(600):
        if client.state == client.COMPARING:
            return
        remote.go(10)
    raise AssertionError("no code")


def test_status_held_shorter_does_not_pair(remote):
    remote.stimulator.body = status_body()
    remote.press("status", hold_ms=PAIR_HOLD_MS - 50)
    remote.go(3000)
    assert remote.stimulator.executed == [messages.STATUS] and frames.PAIR not in remote.kinds()


def test_a_held_status_pairs_at_low_power_and_uses_the_new_key(remote):
    begin_pairing(remote)
    until_the_code(remote)
    said = [(frame, low) for frame, _, _, low in remote.radio.sent if frames.kind_of(frame) == frames.PAIR]
    assert said and all(low for _, low in said)
    executed = len(remote.stimulator.executed)
    remote.press("start")
    remote.stimulator.window.touched(remote.now_ms)
    assert [step for step in remote.watch() if step[1]][-3:] == merged(feedback.PAIRED)[:3]
    assert remote.pairing.record.slot == 3
    assert remote.pairing.record.key == remote.stimulator.table.pairings[3].key
    assert remote.stimulator.executed[executed:] == [messages.STATUS] and remote.stimulator.slots[-1] == 3
    remote.press("start")
    assert remote.watch() == merged(feedback.DELIVERED)
    assert remote.stimulator.slots[-1] == 3


def test_the_code_is_shown_in_amber(remote):
    begin_pairing(remote)
    until_the_code(remote)
    seen = set()
    for _ in range(400):
        remote.go(10)
        lit = remote.pairing.lit(remote.now_ms)
        remote.app.step(remote.now_ms)
        assert remote.lights == (feedback.AMBER if lit > 0 else 0)
        seen.add(lit)
    assert seen == {0, 1}


def test_stop_refuses_a_pairing_and_changes_nothing(remote):
    begin_pairing(remote)
    until_the_code(remote)
    kept = remote.pairing.record.key
    remote.press("stop")
    remote.stimulator.window.touched(remote.now_ms)
    refused = feedback.pairing_failed(feedback.FAILED_NOT_ALIKE)
    assert remote.watch() == merged(feedback.DELIVERED + refused)
    assert remote.pairing.record.key == kept and remote.stimulator.executed[-1] == messages.STOP
    assert not remote.stimulator.window.is_open(remote.now_ms)
    remote.press("stop")
    assert remote.watch() == merged(feedback.DELIVERED)


def test_without_a_window_a_pairing_says_so(remote):
    begin_pairing(remote, window=False)
    assert remote.watch(40_000)[-3:] == merged(feedback.pairing_failed(feedback.FAILED_NO_WINDOW))[-3:]


def test_start_before_the_code_is_shown_accepts_nothing(remote):
    begin_pairing(remote)
    remote.press("start")
    until_the_code(remote)
    remote.stimulator.window.touched(remote.now_ms)
    remote.go(3000)
    assert remote.pairing.client.state == remote.pairing.client.COMPARING
    assert messages.START not in remote.stimulator.executed


def test_a_stop_under_way_is_not_given_up_for_a_pairing(remote):
    remote.down("status")
    remote.go(PAIR_HOLD_MS - 100)
    remote.radio.delivers = False
    remote.press("stop")
    remote.go(1000)
    remote.radio.delivers = True
    remote.go(3000)
    assert remote.stimulator.executed[-1] == messages.STOP and frames.PAIR not in remote.kinds()


def test_a_dead_radio_is_told_at_a_pairing_too(remote):
    remote.stimulator.body = status_body()
    remote.down("status")
    remote.go(PAIR_HOLD_MS - 20)
    remote.radio.works = False
    remote.go(100)
    remote.up("status")
    assert remote.lights == feedback.RED and not remote.app.busy()


# The modem.


def frame_for_the_host(remote):
    """A HELLO of a peer that the stimulator knows, and which this remote only carries."""
    requester = remote.pairing.requester
    requester.begin(b"\2", 1000, remote.now_ms)
    return requester.poll(remote.now_ms)


def carry(remote, slot=2, frame=None):
    frame = frame or frame_for_the_host(remote)
    return remote.ask(messages.MODEM_SEND, remote.stimulator.table.base + bytes((slot,)) + frame)


def test_the_modem_carries_a_frame_and_its_answer(remote):
    assert remote.ask(messages.MODEM_RECEIVE) == (messages.OK, bytes((messages.MODEM_IDLE,)))
    assert carry(remote)[0] == messages.OK
    assert remote.ask(messages.MODEM_RECEIVE)[1] == bytes((messages.MODEM_SEARCHING,))
    remote.go(20)
    code, body = remote.ask(messages.MODEM_RECEIVE)
    assert (code, body[0]) == (messages.OK, messages.MODEM_DELIVERED)
    assert frames.kind_of(body[1:]) == frames.CHALLENGE
    assert remote.ask(messages.MODEM_RECEIVE)[1] == bytes((messages.MODEM_DELIVERED,)), "only once"
    assert not remote.radio.awake and remote.lights == 0


def test_the_modem_tells_what_nobody_acknowledged(remote):
    remote.radio.delivers = False
    carry(remote)
    remote.go(20)
    assert remote.ask(messages.MODEM_RECEIVE)[1] == bytes((messages.MODEM_UNDELIVERED,))
    remote.go(500)
    assert len(remote.radio.sent) == 1 and not remote.radio.awake, "it is the host that tries again"


def test_the_modem_yields_to_a_button(remote):
    remote.radio.answers = False
    carry(remote)
    remote.press("stop")
    remote.radio.answers = True
    assert carry(remote, frame=bytes(32)) == (
        messages.WRONG_STATE,
        bytes((messages.READY, messages.REASON_BUSY)),
    )
    assert remote.ask(messages.MODEM_RECEIVE)[1] == bytes((messages.MODEM_UNDELIVERED,))
    assert remote.watch() == merged(feedback.DELIVERED)
    assert remote.stimulator.executed == [messages.STOP]


def test_end_of_carrying_lets_the_radio_sleep_and_stops_no_button(remote):
    remote.radio.answers = False
    carry(remote)
    remote.go(10)
    assert remote.radio.awake
    assert remote.ask(messages.MODEM_CLOSE)[0] == messages.OK and not remote.radio.awake
    remote.radio.answers = True
    remote.radio.held.clear()
    remote.press("stop")
    assert remote.ask(messages.MODEM_CLOSE)[0] == messages.OK
    assert remote.watch() == merged(feedback.DELIVERED)


def test_the_modem_refuses_other_lengths_and_slots(remote):
    body = remote.stimulator.table.base + b"\2"
    for size in (0, 1, 25, 27, 31, 33):
        assert remote.ask(messages.MODEM_SEND, body + bytes(size))[0] == messages.BAD_LENGTH
    assert carry(remote, slot=6)[0] == messages.OUT_OF_RANGE
    assert remote.radio.sent == []


# The service console.


def test_console(remote):
    code, body = remote.ask(messages.IDENTIFY)
    assert code == messages.OK and body.startswith(b"remote\x00")
    code, body = remote.ask(messages.STATUS)
    status = messages.unpack_status(body)
    assert (status["supply_mv"], status["flags"], status["failed_parts"]) == (5000, 0, 0)
    code, body = remote.ask(messages.COUNTERS)
    assert code == messages.OK and len(body) == 4 * 9
    for _, opcode in PRESSES[:2]:
        assert remote.ask(opcode) == (messages.UNKNOWN_OPCODE, b"")
    assert remote.ask(messages.STATUS, b"x") == (messages.BAD_LENGTH, b"")
    remote.radio.works = False
    assert messages.unpack_status(remote.ask(messages.STATUS)[1])["failed_parts"] == messages.PART_RADIO


def test_console_pairs_and_forgets(remote):
    record = remote.ask(messages.PAIRINGS)[1]
    assert record == b"rmte" + remote.stimulator.table.base + bytes((2, 2, 1)) + b"rmte"
    assert remote.ask(messages.FORGET, b"\xff")[0] == messages.OK
    assert remote.ask(messages.PAIRINGS)[1] == b"rmte"
    assert messages.unpack_status(remote.ask(messages.STATUS)[1])["flags"] == messages.FLAG_UNPAIRED
    new = b"base" + bytes((5, 1)) + bytes(32)
    assert remote.ask(messages.PAIR, new)[0] == messages.OK
    assert remote.ask(messages.PAIRINGS)[1] == b"rmte" + b"base" + bytes((5, 2, 1)) + b"rmte"
    for wrong in (new[:4] + b"\6" + new[5:], new[:5] + b"\3" + new[6:], new[:5] + b"\0" + new[6:]):
        assert remote.ask(messages.PAIR, wrong)[0] == messages.OUT_OF_RANGE
    assert remote.ask(messages.PAIR, new[:-1])[0] == messages.BAD_LENGTH


def test_the_pairing_is_not_changed_while_a_button_asks(remote):
    remote.radio.delivers = False
    remote.press("stop")
    busy = (messages.WRONG_STATE, bytes((messages.READY, messages.REASON_BUSY)))
    assert remote.ask(messages.FORGET, b"\xff") == busy
    assert remote.ask(messages.PAIR, b"base" + bytes((5, 1)) + bytes(32)) == busy
    assert remote.pairing.requester is not None


def test_the_same_key_given_again_never_repeats_a_count(remote):
    """The epoch is the same until the next start: a count that began again would repeat nonces."""
    record = remote.pairing.record
    same = record.base + bytes((record.slot, record.role)) + record.key
    remote.press("status")
    remote.go(2000)
    remote.ask(messages.FORGET, b"\xff")
    remote.ask(messages.PAIR, same)
    remote.press("status")
    remote.go(2000)
    hellos = [frame for frame, *_ in remote.radio.sent if frames.kind_of(frame) == frames.HELLO]
    assert len(hellos) == len({frame[2:10] for frame in hellos}) == 2
