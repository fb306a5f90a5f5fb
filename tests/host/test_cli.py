"""The command line as a user meets it: output, JSON, sentences on stderr, exit codes."""

from __future__ import annotations

import errno
import json
import struct

import pytest
from stimbench.cli.common import Services
from stimbench.cli.main import app
from stimbench.client.program_file import to_toml
from stimbench.errors import PortError
from stimfw.protocol import messages, requests
from stimfw.therapy import program
from stimfw.version import VERSION
from typer.testing import CliRunner


def test_version(run):
    assert run("--version").stdout == f"stimbench {VERSION}\n"


@pytest.mark.parametrize(
    "command", ["demo", "status", "impedance", "start", "stop", "program show", "program set", "bench up"]
)
def test_every_command_explains_itself(run, command):
    assert "Usage" in run(*command.split(), "--help").stdout


def test_status(run, board):
    result = run("status", "--board", "/dev/x")
    assert board.named == "/dev/x"
    for text in (
        "firmware " + VERSION,
        "ready",
        "passed",
        "Programmed now  left 2000 uA, right 1500 uA",
        "Last measured   left 1998 uA, right 2003 uA (pulses 7 and 8)",
        "5.01 V",
        "25.1 degrees",
    ):
        assert text in result.stdout


def test_status_as_json_and_a_failed_self_test(run, board):
    board.failed_parts = messages.PART_RADIO
    data = json.loads(run("status", "--json", code=1).stdout)
    assert data["status"]["failed_parts"] == ["radio"]
    assert data["status"]["state"] == "ready"
    assert data["identity"]["role"] == "stimulator"
    assert data["counters"]["console_bad"] == 1
    assert data["status"]["programmed_ua"] == [2000, 1500] and "amplitude_ua" not in data["status"]
    assert data["measured"] == [
        {"number": 7, "lead": "left", "current_ua": 1998, "early_mv": -1100, "late_mv": -1200},
        {"number": 8, "lead": "right", "current_ua": 2003, "early_mv": -1000, "late_mv": -1150},
    ]


def test_status_names_a_lead_that_does_not_carry_what_is_programmed(run, board):
    board.samples = [(0, -2, -14_800, -14_900), (1, 1510, -1000, -1150)]
    board.state = messages.HOLD
    shown = run("status").stdout
    assert "2000 uA are programmed on the left lead, and -2 uA were measured" in shown
    assert "on the right lead" not in shown
    board.state = messages.RAMP_UP
    assert "are programmed" not in run("status").stdout


def test_status_without_a_pulse(run, board):
    board.samples = []
    assert "Last measured   no pulse yet" in run("status").stdout
    assert json.loads(run("status", "--json").stdout)["measured"] == []
    board.samples = [(1, 300, 0, 0)]
    assert "right 300 uA (pulse 7)" in run("status").stdout


def test_a_self_test_that_fails_names_the_part(run, board):
    board.will_fail = messages.PART_DAC
    assert "passed" in run("status").stdout
    assert requests.SELF_TEST not in board.calls
    assert "failed: dac" in run("status", "--self-test", code=1).stdout


def test_status_shows_the_flash_cache_and_clears_it(run, board):
    cleared = run("status", "--xip-clear", "--board", "/dev/x").stdout
    assert "1000 accesses, 900 hits, 100 misses (10.00 %)" in cleared
    assert "no access counted" in run("status", "--xip", "--board", "/dev/x").stdout
    board.cache = (0xFFFFFFF0, 0xFFFFFFFF)
    shown = json.loads(run("status", "--xip", "--json", "--board", "/dev/x").stdout)["flash_cache"]
    assert shown == {"hits": 0xFFFFFFF0, "accesses": 0xFFFFFFFF, "misses": 15, "saturated": True}
    assert "flash_cache" not in json.loads(run("status", "--json", "--board", "/dev/x").stdout)


def test_the_board_comes_from_the_environment(run, board, services):
    result = CliRunner().invoke(app, ["status"], obj=services, env={"STIMBENCH_BOARD": "/dev/env"})
    assert (result.exit_code, board.named) == (0, "/dev/env")


def test_impedance(run, board):
    result = run("impedance")
    assert "Left lead, ohm" in result.stdout and "Right lead, ohm" in result.stdout and "521" in result.stdout
    board.open_pairs = {(1, 0, 2)}
    assert "open" in run("impedance", code=1).stdout
    pairs = json.loads(run("impedance", "--json", code=1).stdout)
    assert [(p["lead"], p["cathode"], p["anode"]) for p in pairs if p["kind"] == "open"] == [("right", 0, 2)]


def test_program_show_toml_is_what_program_set_reads(run, board, tmp_path, other_program):
    board.program = other_program
    file = tmp_path / "p.toml"
    file.write_text(run("program", "show", "--toml").stdout)
    board.program = other_program.replaced({"rate_hz": 7})
    run("program", "set", str(file))
    assert board.program.values == other_program.values


def test_program_show_as_a_table(run):
    stdout = run("program", "show").stdout
    assert "left.amplitude_ua" in stdout and "0 to 10000 uA in steps of 25" in stdout


def test_program_set_changes_what_the_board_holds(run, board):
    data = json.loads(
        run("program", "set", "--set", "left.amplitude_ua=3000", "--set", "rate_hz=40", "--json").stdout
    )
    assert (data["left.amplitude_ua"], data["rate_hz"], data["right.amplitude_ua"]) == (3000, 40, 2000)
    assert board.program.amplitude_ua == (3000, 2000)


def test_electrodes_that_move_zero_the_amplitude_and_that_is_told(run, board, tmp_path, other_program):
    result = run("program", "set", "--set", "left.cathode=3")
    assert "left lead moved" in result.stderr and board.program.amplitude_ua == (0, 2000)
    assert (
        "set the amplitude again"
        in run("program", "set", "--set", "left.cathode=0", "--set", "left.amplitude_ua=500", code=1).stderr
    )
    file = tmp_path / "moved.toml"
    file.write_text(to_toml(other_program))
    run("program", "set", str(file), code=1)
    assert board.program.amplitude_ua[1] == 0
    run("program", "set", str(file))
    assert board.program.values == other_program.values


def test_a_bad_programme_names_all_and_sends_nothing(run, board, tmp_path):
    file = tmp_path / "bad.toml"
    text = to_toml(program.default()).replace("= 214", "= 9").replace("= 20 ", "= 900 ")
    file.write_text(text + "pulse = 3\n")
    result = run("program", "set", str(file), code=2)
    for part in (
        "width_us = 9: allowed is 20 to 1000 us",
        "rate_hz = 900: allowed is 1 to 200 Hz",
        "right.pulse = 3",
    ):
        assert part in result.stderr
    assert result.stdout == ""
    assert board.calls == []
    data = json.loads(run("program", "check", str(file), "--json", code=2).stdout)
    assert not data["valid"] and len(data["problems"]) == 3


def strict_json(text):
    def refuse(name):
        raise AssertionError(f"{name} is no JSON")

    return json.loads(text, parse_constant=refuse)


def test_values_that_json_lacks_are_text(run, tmp_path):
    file = tmp_path / "odd.toml"
    text = to_toml(program.default()).replace("= 214", "= nan").replace("= 20 ", "= -inf ")
    file.write_text(text.replace("= 1800 ", "= 2026-01-01 "))
    shown = strict_json(run("program", "check", str(file), "--json", code=2).stdout)
    values = {problem["field"]: problem["value"] for problem in shown["problems"]}
    assert (values["width_us"], values["rate_hz"]) == ("nan", "-inf") and "2026-01-01" in values.values()


def test_a_field_that_is_set_twice_is_refused(run, board):
    result = run("program", "set", "--set", "rate_hz=40", "--set", "rate_hz=50", code=2)
    assert result.stderr.startswith("Error: --set rate_hz is given twice: '40' and '50'.")
    assert board.calls == []


def test_what_the_system_refuses_is_a_sentence(run):
    def refused(*_):
        raise OSError(errno.EACCES, "Permission denied", "/some/file")

    result = run("status", code=2, obj=Services(open_board=refused))
    assert result.stderr == "Error: /some/file: Permission denied.\n"


def test_program_check_needs_no_board(run, board, tmp_path):
    file = tmp_path / "good.toml"
    file.write_text(to_toml(program.default()))
    assert "is a valid programme" in run("program", "check", str(file)).stdout
    assert board.calls == []


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ((), "Nothing to set"),
        (("/no/such.toml",), "cannot be read"),
        (("--set", "rate_hz=fast"), "rate_hz = 'fast': allowed is 1 to 200 Hz"),
        (("--set", "left.anode=1"), "left.anode = 1: allowed is another electrode than the cathode"),
    ],
)
def test_bad_input_to_program_set(run, board, args, sentence):
    assert sentence in run("program", "set", *args, code=2).stderr
    assert requests.SET_PROGRAM not in board.calls


def test_a_board_that_holds_something_else_afterwards_is_an_error(run, board):
    board.refuse[requests.SET_PROGRAM] = (messages.OK, b"")
    assert "holds another programme" in run("program", "set", "--set", "rate_hz=40", code=4).stderr


def test_start_and_stop(run, board):
    assert "state 'ramp up'" in run("start").stdout
    assert board.state == messages.RAMP_UP
    assert json.loads(run("stop", "--json").stdout)["state"] == "ready"


def test_a_refusal_exits_3_with_its_reason(run, board):
    board.refuse[requests.START] = (messages.WRONG_STATE, bytes((messages.READY, messages.REASON_MAGNET)))
    result = run("start", code=3)
    assert "a magnet is present" in result.stderr and "Traceback" not in result.output
    board.refuse[requests.SET_PROGRAM] = (messages.OUT_OF_RANGE, struct.pack("<BI", 2, 40))
    assert "rate_hz = 40" in run("program", "set", "--set", "rate_hz=40", code=3).stderr


def test_a_missing_port_exits_4_and_brackets_stay_as_they_are(run):
    def nothing(_board, _radio):
        raise PortError("There is no port /dev/[red]x.")

    assert "There is no port /dev/[red]x." in run("status", code=4, obj=Services(open_board=nothing)).stderr


def test_a_remote_exits_4(run, board):
    board.role = "remote"
    assert "is a remote, not a stimulator" in run("status", code=4).stderr


def test_ctrl_c_exits_130(run):
    def interrupted(_board, _radio):
        raise KeyboardInterrupt

    assert run("status", code=130, obj=Services(open_board=interrupted)).stderr.strip() == "Interrupted."


@pytest.mark.parametrize("command", ["impedance", "status --self-test"])
def test_ctrl_c_in_a_measurement_stops_it_on_the_board(run, board, command):
    def interrupted(_seconds):
        raise KeyboardInterrupt

    board.link.wait = interrupted
    assert run(*command.split(), code=130).stderr.splitlines()[-1] == "Interrupted."
    assert board.calls[-1] == requests.STOP


def test_ctrl_c_before_start_has_said_so_turns_the_output_off(run, board):
    sent = board.link.write

    def interrupted(data):
        sent(data)
        if board.calls[-1] == requests.START:
            raise KeyboardInterrupt

    board.link.write = interrupted
    run("start", code=130)
    assert board.calls[-2:] == [requests.START, requests.STOP]


def test_a_lost_reply_to_start_stops_nothing(run, board):
    execute = board.execute

    def silent_at_start(message, now_s):
        return b"" if message[0] == requests.START else execute(message, now_s)

    board.execute = silent_at_start
    assert "The output may be on all the same" in run("start", code=4).stderr
    assert requests.STOP not in board.calls


def test_a_board_that_cannot_be_told_to_stop_is_told_to_the_person(run, board):
    def interrupted(_seconds):
        board.link.respond = lambda data, now: []
        raise KeyboardInterrupt

    board.link.wait = interrupted
    assert run("impedance", code=130).stderr.splitlines()[-2:] == [
        "Interrupted.",
        "The output could not be told to stop: use the magnet. (No answer from /dev/fake in 5 s.)",
    ]


def test_an_unknown_option_exits_2(run):
    run("status", "--nope", code=2)


# --set, on a bench of the command's own.


def test_start_and_test_give_a_new_bench_its_programme_first(run, board):
    run("start", "--board", "bench", "--set", "left.amplitude_ua=1000", "--set", "rate_hz=40")
    assert board.program.as_dict()["rate_hz"] == 40 and board.program.amplitude_ua[0] == 1000
    assert board.calls.index(requests.SET_PROGRAM) < board.calls.index(requests.START)
    board.state = messages.READY
    run("test", "1", "--radio", "bench", "--set", "right.amplitude_ua=500")
    assert board.program.amplitude_ua == (1000, 500)


def test_electrodes_that_move_keep_the_amplitude_that_was_asked_for(run, board):
    run("start", "--board", "bench", "--set", "left.cathode=3", "--set", "left.amplitude_ua=1000")
    assert board.program.cathode[0] == 3 and board.program.amplitude_ua[0] == 1000


@pytest.mark.parametrize("where", [(), ("--board", "/dev/x"), ("--radio", "/dev/x")])
@pytest.mark.parametrize("command", [("start",), ("test", "1")])
def test_another_board_keeps_its_programme(run, board, where, command):
    result = run(*command, *where, "--set", "left.amplitude_ua=1000", code=2)
    assert "--set belongs to --board bench here" in result.stderr and board.calls == []


@pytest.mark.parametrize("change", ["left.amplitude_ua=2010", "nothing=1", "rate_hz", "rate_hz=x"])
def test_a_change_that_is_not_valid_starts_nothing(run, board, change):
    run("start", "--board", "bench", "--set", change, code=2)
    assert requests.START not in board.calls and requests.SET_PROGRAM not in board.calls


def test_a_new_bench_without_amplitudes_says_how_it_gets_them(run, board):
    refused = bytes((messages.READY, messages.REASON_NO_AMPLITUDE))
    board.refuse[requests.START] = (messages.WRONG_STATE, refused)
    hint = "add --set left.amplitude_ua=2000"
    assert hint in " ".join(run("start", "--board", "bench", code=3).stderr.split())
    assert hint not in run("start", "--board", "/dev/x", code=3).stderr


class TestWithoutRadio:
    """What runs on a board without a radio ends with its host."""

    @pytest.fixture
    def usb_only(self, board):
        board.failed_parts = messages.PART_RADIO
        return board

    def over_after(self, board, asked, cause):
        status = board.do_02

        def counted(body, now_s):
            if board.calls.count(requests.STATUS) > asked:
                board.state, board.stop_cause = messages.READY, cause
            return status(body, now_s)

        board.do_02 = counted

    def test_start_stays_until_the_session_is_over(self, run, usb_only):
        self.over_after(usb_only, 5, messages.STOPPED_SESSION_OVER)
        begun_s = usb_only.link.now_s()
        result = run("start")
        assert "No radio (no answer): the session ends with this command" in result.stderr
        assert "Ended: the stimulator is in the state 'ready'." in result.stdout
        assert usb_only.calls.count(requests.STATUS) == 6
        assert 4 * 0.9 <= usb_only.link.now_s() - begun_s < 4 * 1.0, "twice in each 2 s"

    def test_what_else_ends_it_exits_1(self, run, usb_only):
        self.over_after(usb_only, 3, messages.STOPPED_MAGNET)
        assert json.loads(run("start", "--json", code=1).stdout)["stop_cause"] == "magnet"

    def test_ctrl_c_turns_it_off(self, run, usb_only):
        def interrupted(_seconds):
            raise KeyboardInterrupt

        usb_only.link.wait = interrupted
        run("start", code=130)
        assert usb_only.calls[-1] == requests.STOP

    def test_status_says_so(self, run, usb_only):
        shown = " ".join(run("status", code=1).stdout.split())
        assert "Radio no answer; USB only, where what runs ends when the host is silent for 2 s" in shown

    def test_status_names_a_module_that_is_not_used(self, run, usb_only):
        usb_only.magnet = messages.FLAG_RADIO_NEEDS_ACTIVATE
        assert "Radio needs ACTIVATE: no nRF24L01+; USB only" in " ".join(
            run("status", code=1).stdout.split()
        )
        status = json.loads(run("status", "--json", code=1).stdout)["status"]
        assert status["radio"] == "needs ACTIVATE: no nRF24L01+" and not status["magnet"]
