"""amplitude, window, test, log, time, and --radio, as a user meets them."""

from __future__ import annotations

import json

import pytest
from stimbench.cli.boards import begin_with, open_board
from stimbench.client import connect_remote
from stimbench.errors import InputError, NoAnswerError
from stimfw.protocol import messages, requests, roles

KEY = bytes(32)
NOW_S = 1_800_000_000  # as in conftest


@pytest.mark.parametrize("command", ["pair", "amplitude", "window", "test", "log", "time"])
def test_every_command_explains_itself(run, command):
    assert "Usage" in run(command, "--help").stdout


def test_amplitude(run, board):
    assert "left 2500 uA, right 1000 uA" in run("amplitude", "2500", "1000").stdout
    data = json.loads(run("amplitude", "0", "25", "--json").stdout)
    assert data == {"left.amplitude_ua": 0, "right.amplitude_ua": 25}
    assert board.program.amplitude_ua == (0, 25)


@pytest.mark.parametrize("bad", [("10025", "0"), ("0", "30")])
def test_no_amplitude_is_refused_before_anything_is_sent(run, board, bad):
    assert "0 to 10000 uA in steps of 25" in run("amplitude", *bad, code=2).stderr
    assert board.calls == []


def test_an_amplitude_outside_the_window_says_so(run, board):
    board.refuse[requests.AMPLITUDE] = (messages.WRONG_STATE, bytes((0, messages.REASON_WINDOW)))
    assert "outside the amplitudes that the clinician allowed" in run("amplitude", "0", "0", code=3).stderr


def test_window(run, board):
    assert "closed" in run("window").stdout
    assert "500 to 3000 uA on the left" in run("window", "500", "3000", "0", "2000").stdout
    shown = json.loads(run("window", "--json").stdout)
    assert shown["left_max_ua"] == 3000 and shown["open"]
    assert json.loads(run("window", "--close", "--json").stdout)["open"] is False
    assert board.window == bytes(8)


SHORT_AND_LARGE = {
    "width_us": 1000, "gap_us": 500, "rate_hz": 198, "ramp_up_ms": 0, "ramp_down_ms": 0, "on_ms": 1000,
    "left.amplitude_ua": 0, "right.amplitude_ua": 75,
}  # fmt: skip
"""At most 75 uA, for 25 nA of net direct current: tests/pure/therapy/test_net_current.py."""


@pytest.mark.parametrize(
    ("command", "lead"),
    [
        (("amplitude", "100", "0"), "left"),
        (("amplitude", "0", "10000"), "right"),
        (("window", "0", "100", "0", "75"), "left"),
        (("window", "0", "75", "25", "100"), "right"),
    ],
)
def test_too_much_net_current_is_told_with_what_fits_and_nothing_is_sent(run, board, command, lead):
    board.program = before = board.program.replaced(SHORT_AND_LARGE)
    told = " ".join(run(*command, code=2).stderr.split())
    assert "The programme with these amplitudes is not a valid programme, nothing was sent" in told
    assert f"{lead}.amplitude_ua = " in told and "at most 75 uA for 25 nA of net direct current" in told
    assert board.program.values == before.values and board.window == bytes(8)
    assert {requests.AMPLITUDE, requests.SET_WINDOW}.isdisjoint(board.calls)


def test_both_leads_that_have_too_much_are_told(run, board):
    board.program = board.program.replaced(SHORT_AND_LARGE)
    told = run("amplitude", "100", "125", code=2).stderr
    assert "left.amplitude_ua = 100" in told and "right.amplitude_ua = 125" in told


def test_a_test_too_short_for_its_amplitude_is_not_sent(run, board):
    long = {"ramp_up_ms": 10_000, "ramp_down_ms": 10_000, "on_ms": 13_000, "right.amplitude_ua": 10_000}
    board.program = board.program.replaced(SHORT_AND_LARGE | long)
    told = " ".join(run("test", "1", code=2).stderr.split())
    assert "The programme, held for 1 s, is not a valid programme" in told
    # With its ramps it may have more than 75 uA.
    assert "right.amplitude_ua = 10000: allowed is at most 75 uA" not in told
    assert "right.amplitude_ua = 10000: allowed is at most" in told
    assert requests.TEST_STIMULATION not in board.calls
    run("test", "13")
    assert requests.TEST_STIMULATION in board.calls


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        (("1", "2"), "Four limits"),
        (("0", "30", "0", "0"), "left_max = 30"),
        (("100", "75", "0", "0"), "left lead's lowest amplitude 100 uA is above"),
        (("0", "0", "100", "75"), "right lead's lowest"),
        (("0", "0", "0", "0", "--close"), "or --close"),
    ],
)
def test_a_bad_window_sends_nothing(run, board, limits, sentence):
    assert sentence in run("window", *limits, code=2).stderr
    assert board.calls == []


def test_a_test_waits_for_its_end(run, board):
    begun_s = board.link.now_s()
    assert "output is off (session over)" in run("test", "3").stdout
    assert board.link.now_s() - begun_s >= 3
    assert requests.STOP not in board.calls


@pytest.mark.parametrize("seconds", ["0", "31", "2.5"])
def test_a_test_has_its_range(run, board, seconds):
    run("test", seconds, code=2)
    assert board.calls == []


def test_a_test_that_was_ended_early_exits_1(run, board):
    usual = board.do_10

    def magnet(body, now_s):
        answer = usual(body, now_s)
        board.stop_cause, board.test_until_s = messages.STOPPED_MAGNET, 0.0
        return answer

    board.do_10 = magnet
    assert "magnet" in run("test", "3", code=1).stdout
    assert json.loads(run("test", "3", "--json", code=1).stdout)["stop_cause"] == "magnet"


def test_ctrl_c_in_a_test_turns_the_output_off(run, board):
    def interrupted(_seconds):
        raise KeyboardInterrupt

    board.link.wait = interrupted
    run("test", "3", code=130)
    assert board.calls[-1] == requests.STOP and board.test_until_s == 0.0


def test_a_test_on_a_slow_bench_lasts_as_long_as_the_bench_takes(run, board):
    board.pace = 1 / 20
    begun_s = board.link.now_s()
    assert "the output is off" in run("test", "3").stdout
    assert board.link.now_s() - begun_s >= 60


def test_a_test_that_does_not_end_is_stopped(run, board):
    board.state = messages.HOLD
    assert "did not end" in run("test", "1", code=4).stderr
    assert board.calls[-1] == requests.STOP


def test_a_refused_test_stops_no_session(run, board):
    board.refuse[requests.TEST_STIMULATION] = (
        messages.WRONG_STATE,
        bytes((messages.HOLD, messages.REASON_LOCKED)),
    )
    assert "locked while the output is on" in run("test", "3", code=3).stderr
    assert requests.STOP not in board.calls


def test_log(run, board):
    board.log.add(messages.EVENT_FORBIDDEN, 3, requests.PAIR)
    board.log.add(messages.EVENT_PAIRED, messages.FROM_USB, roles.PATIENT)
    for _ in range(40):
        board.log.add(messages.EVENT_TIME_SET, messages.FROM_USB, 0)
    events = json.loads(run("log", "--json").stdout)
    assert [event["number"] for event in events] == list(range(43)), "more than one page"
    assert events[1] == {
        "number": 1, "uptime_s": 7, "event": "forbidden", "sender": "slot 3",
        "detail": requests.PAIR, "detail_text": "PAIR", "repeats": 0,
    }  # fmt: skip
    shown = run("log", "--from", "2").stdout
    assert "patient" in shown and "USB" in shown and "forbidden" not in shown
    assert run("log", "--from", "43").stdout.strip() == "No events."


def test_log_begins_at_the_last_start_unless_it_is_told_otherwise(run, board):
    for detail in (1, 2):
        for _ in range(25):
            board.log.add(messages.EVENT_LEFT_AMPLITUDE, messages.FROM_USB, detail)
        board.log.add(messages.EVENT_STARTED, messages.FROM_NOBODY, detail)
    board.log.add(messages.EVENT_CONNECTED, 2, roles.PATIENT)
    board.log.add(messages.EVENT_CONNECTED, 2, roles.PATIENT)
    events = json.loads(run("log", "--json").stdout)
    assert [event["number"] for event in events] == [52, 53] and events[1]["repeats"] == 1
    assert "1 more within a minute" in " ".join(run("log").stdout.split())
    everything = json.loads(run("log", "--from", "0", "--json").stdout)
    assert [event["number"] for event in everything] == list(range(54))


def test_log_begins_with_the_oldest_if_the_start_gave_way(run, board):
    for _ in range(5000):
        board.log.add(messages.EVENT_LEFT_AMPLITUDE, messages.FROM_USB, 1)
    for _ in range(30):
        board.log.add(messages.EVENT_STOPPED, messages.FROM_USB, 1)
        board.log.add(messages.EVENT_FORGOTTEN, messages.FROM_USB, 1)
    asked = len(board.calls)
    events = json.loads(run("log", "--json").stdout)
    assert len(events) >= 60 and events[-1]["number"] == board.log.count - 1
    assert len(board.calls) - asked < 40, "numbers that are missing are passed over fast"


def test_what_strangers_did_is_apart(run, board):
    told = json.loads(run("log", "--strangers", "--json").stdout)
    assert told == {"counts": {"forged": 0, "replayed": 0, "flood": 0}, "events": []}
    board.strangers.add(messages.EVENT_FORGED, 4, 1)
    board.strangers.add(messages.EVENT_FLOOD, messages.FROM_NOBODY, 2)
    told = json.loads(run("log", "--strangers", "--json").stdout)
    assert told["counts"] == {"forged": 1, "replayed": 0, "flood": 1}
    assert [(event["event"], event["sender"], event["detail_text"]) for event in told["events"]] == [
        ("forged", "slot 4", "hello")
    ]
    shown = " ".join(run("log", "--strangers").stdout.split())
    assert "forged frames in 1 seconds, replayed ones in 0" in shown and "claimed" in shown
    assert "forged" not in run("log").stdout


def test_time(run, board):
    assert "not set" in run("time").stdout
    assert json.loads(run("time", "--json").stdout) == {"time": None, "seconds": None, "off_s": None}
    run("time", "--set")
    assert board.clock_s == NOW_S
    board.clock_s -= 90
    assert "2027-01-15T07:58:30+00:00, -90 s" in run("time").stdout


def test_every_command_hands_on_which_remote(run, board):
    for words in (
        ["status"], ["impedance"], ["program", "show"], ["program", "set", "--set", "rate_hz=30"], ["start"],
        ["stop"], ["amplitude", "0", "0"], ["window"], ["test", "1"], ["log"], ["time"],
    ):  # fmt: skip
        board.radio = None
        run(*words, "--radio", "/dev/remote")
        assert board.radio == "/dev/remote", words


def test_a_remote_on_a_port_and_an_emulated_stimulator_do_not_meet():
    with (
        pytest.raises(InputError, match="--board bench --radio bench"),
        open_board("bench", "/dev/ttyACM0"),
    ):
        pass


def test_without_a_key_the_radio_is_refused_with_what_to_do(remote_board, keyring):
    with pytest.raises(InputError, match="stimbench pair --clinician"):
        begin_with(connect_remote(remote_board.link), keyring)


def test_of_several_stimulators_it_is_the_one_of_the_remote(board, remote_board, keyring):
    remote = connect_remote(remote_board.link)
    keyring.store(b"abcd", 0, roles.CLINICIAN, KEY)
    assert begin_with(remote, keyring).base == b"abcd", "the only one, whatever the remote is paired with"
    keyring.store(board.table.base, 0, roles.CLINICIAN, KEY)
    with pytest.raises(InputError, match="keys for 2 stimulators"):
        begin_with(remote, keyring)
    remote.pair(board.table.base, 1, roles.PATIENT, KEY)
    begun = begin_with(remote, keyring)
    assert (begun.base, begun.epoch) == (board.table.base, 1)


def test_no_port_is_opened_for_a_key_file_that_others_can_read(tmp_path, monkeypatch):
    file = tmp_path / "keys.json"
    file.write_text("{}")
    file.chmod(0o644)
    monkeypatch.setenv("STIMBENCH_KEYS", str(file))
    with pytest.raises(InputError, match="chmod 600"), open_board(None, "/dev/no-such-port"):
        pass


def test_a_lost_reply_to_a_test_stops_the_output(run, board):
    usual = board.respond
    lost = requests.TEST_STIMULATION

    def respond(line, now_s):
        answers = usual(line, now_s)
        return [] if board.calls[-1] == lost else answers

    board.link.respond = respond
    result = run("test", "3", code=NoAnswerError.exit_code)
    assert "may be on all the same" in result.stderr and board.calls[-1] == requests.STOP
