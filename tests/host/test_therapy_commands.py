"""implant, explant, program prescribe ..., therapy, mode, train, fault and ledger, as a user meets them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from stimbench.client import prescription_file
from stimbench.client.stimulator import connect
from stimfw.protocol import messages, requests, therapy_reasons
from stimfw.storage.prescriptions import Prescriptions
from stimfw.therapy import program, rules
from stimfw.therapy.prescription import Prescription
from support.prescriptions import values
from support.scripted_implant import TRAIN, FakeImplant

NOW_S = 1_800_000_000  # as in conftest
ONE = Prescription(values(contact_s=300))


@pytest.fixture
def implant():
    return FakeImplant()


@pytest.fixture
def ask(run, services, implant):
    """`run` on an implanted stimulator."""

    def invoke(*args, **more):
        return run(*args, obj=replace(services, open_board=implant.open), **more)

    return invoke


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "plan.toml"

    def write(wanted=ONE, text=None):
        path.write_text(prescription_file.to_toml(wanted) if text is None else text, "utf-8")
        return str(path)

    return write


def words(text):
    return " ".join(text.split())


@pytest.mark.parametrize(
    "command",
    ["implant", "explant", "mode", "therapy", "train", "fault clear", "fault show", "ledger"]
    + ["program " + name for name in ("prescribe", "prescription", "compare", "history", "check")],
)
def test_every_command_explains_itself(run, command):
    assert "Usage" in run(*command.split(), "--help").stdout


# Implanted, and not.


def test_implant(ask, implant):
    implant.implanted = False
    data = json.loads(
        ask("implant", "--id", "00112233445566ff", "--healing-days", "3", "--yes", "--json").stdout
    )
    assert implant.implants == [(bytes.fromhex("00112233445566ff"), 3, NOW_S)]
    assert data == {"device_id": "00112233445566ff", "implanted_s": NOW_S, "earliest_s": NOW_S + 3 * 86_400}


def test_implant_draws_an_id_and_heals_for_14_days(ask, implant):
    implant.implanted = False
    assert "2027-01-29 08:00:00 UTC" in words(ask("implant", "--yes").stdout)
    device_id, days, _ = implant.implants[0]
    assert any(device_id) and days == 14


@pytest.mark.parametrize("bad", ["00" * 8, "0011", "xx" * 8])
def test_a_bad_id_sends_nothing(ask, implant, bad):
    assert "16 hexadecimal digits" in ask("implant", "--id", bad, "--yes", code=2).stderr
    assert implant.calls == []


def test_implanting_asks_first(ask, implant):
    implant.implanted = False
    assert "Nothing was implanted" in words(ask("implant", code=2, answer="n\n").stderr)
    ask("implant", answer="y\n")
    assert len(implant.implants) == 1


def test_implanting_twice_is_refused(ask):
    assert "the stimulator is implanted" in words(ask("implant", "--yes", code=3).stderr)


def test_explant(ask, implant):
    assert "Nothing was explanted" in words(ask("explant", code=2, answer="n\n").stderr)
    ask("explant", "--yes")
    assert not implant.implanted
    assert "the stimulator is not implanted" in words(ask("therapy", code=3).stderr)


# Prescriptions.


def test_prescribe(ask, implant, file):
    shown = words(ask("program", "prescribe", file()).stdout)
    assert "Kept as version 1" in shown and "2023-11-14 22:13:20 UTC" in shown
    assert "highest amplitude of the left lead is 9100 uA" in shown
    version, sender, set_s, _ = implant.prescriptions.history(0)
    assert (version, sender, set_s) == (1, messages.FROM_USB, NOW_S)


def test_prescribe_changes(ask, file):
    data = json.loads(ask("program", "prescribe", file(), "--set", "left.amplitude_ua=1500", "--json").stdout)
    assert data["prescription"]["left.amplitude_ua"] == 1500 and data["clamped"] == []
    assert data["version"] == 1 and data["allowed_ua"] == [9100, 9100]
    again = json.loads(ask("program", "prescribe", "--set", "rate_hz=40", "--json").stdout)
    assert again["version"] == 2
    assert (again["prescription"]["rate_hz"], again["prescription"]["left.amplitude_ua"]) == (40, 1500)


def test_a_clamp_says_its_rule_and_exits_1(ask, implant, file):
    implant.ohm = 6000
    told = ask("program", "prescribe", file(), code=1)
    assert "The left lead is clamped from 3000 to 1950 uA: compliance." in words(told.stderr)
    assert (
        json.loads(ask("program", "prescription", "--json").stdout)["prescription"]["left.amplitude_ua"]
        == 1950
    )
    data = json.loads(ask("program", "prescribe", file(), "--json", code=1).stdout)
    assert data["clamped"][1] == {"lead": "right", "allowed_ua": 1950, "rule": "compliance"}


def test_a_file_that_fails_is_not_sent(ask, implant, file):
    bad = file(text=prescription_file.to_toml(ONE).replace("off_ms = 20000", "off_ms = 0"))
    assert "rule 11 (duty)" in words(ask("program", "prescribe", bad, code=2).stderr)
    ask("program", "prescribe", file(), "--set", "left.colour=3", code=2)
    ask("program", "prescribe", code=2)
    assert implant.calls == []


def test_what_the_board_refuses_is_explained_by_its_impedances(ask, implant, file):
    ask("program", "prescribe", file())
    implant.open_pairs = {(0, 1, 2)}
    implant.earliest_s = NOW_S + 5
    wanted = Prescription(values(activation_s=NOW_S))
    told = words(ask("program", "prescribe", file(wanted), code=3).stderr)
    assert "keeps the one that it had" in told
    assert "rule 6 (contact): the left lead's pair is open" in told
    assert "rule 16 (activation): the first session does not come before the healing time is over" in told
    assert implant.prescriptions.newest() == 1


def test_prescribing_before_the_impedances_were_measured(ask, implant, file):
    implant.is_measured = False
    told = words(ask("program", "prescribe", file(), code=3).stderr)
    assert told.count("was not measured: run `stimbench impedance`") == 2


def test_a_board_that_keeps_something_else_is_found_out(ask, implant, file):
    store = implant.prescriptions.store
    implant.prescriptions.store = lambda packed, *rest: store(b"\x15" + packed[1:], *rest)
    assert "another prescription" in ask("program", "prescribe", file(), code=4).stderr


def test_changes_to_nothing(ask):
    assert "has no prescription" in words(ask("program", "prescribe", "--set", "rate_hz=40", code=2).stderr)


def test_show(ask, file):
    assert "no prescription" in ask("program", "prescription", code=1).stderr
    assert json.loads(ask("program", "prescription", "--json", code=1).stdout) is None
    ask("program", "prescribe", file())
    assert "Prescription 1, given by USB at 2027-01-15" in words(ask("program", "prescription").stdout)
    text = ask("program", "prescription", "--toml").stdout
    assert "contact_s = 300" in text
    ask("program", "prescribe", file(text=text))


def test_compare(ask, file):
    ask("program", "prescribe", file())
    kept = ask("program", "prescription", "--toml").stdout
    assert "keeps as version 1" in words(ask("program", "compare", file(text=kept)).stdout)
    assert "keeps as version 1" in words(ask("program", "compare", file()).stdout), "an activation of 0"
    other = file(text=kept.replace("rate_hz = 20 ", "rate_hz = 25 "))
    assert "rate_hz" in ask("program", "compare", other, code=1).stdout
    data = json.loads(ask("program", "compare", other, "--json", code=1).stdout)
    assert data == {
        "version": 1,
        "same": False,
        "differences": [{"field": "rate_hz", "file": 25, "board": 20}],
    }


def test_history(ask, implant, file):
    assert "no prescription" in ask("program", "history").stdout
    ask("program", "prescribe", file())
    assert "the first one" in ask("program", "history").stdout
    for rate in (20, 25, 30, 35, 40):
        ask("program", "prescribe", file(ONE.replaced({"rate_hz": rate})))
    shown = words(ask("program", "history").stdout)
    assert "rate_hz 35 -> 40" in shown and "not known any more" in shown
    data = json.loads(ask("program", "history", "--json").stdout)
    assert [one["version"] for one in data] == [6, 5, 4, 3] and data[0]["sender"] == "USB"
    assert isinstance(implant.prescriptions, Prescriptions)


# Check.


def test_check_without_a_board(ask, implant, file):
    shown = words(ask("program", "check", file()).stdout)
    assert "fails no rule that can be judged here" in shown
    assert "Not judged without measured impedances" in shown and "compliance" in shown
    assert implant.calls == []


def test_check_names_every_rule_at_once(ask, file):
    text = prescription_file.to_toml(ONE).replace("off_ms = 20000", "off_ms = 0")
    text = text.replace("between_s = 14400", "between_s = 0").replace("rate_hz = 20 ", "rate_hz = 0 ")
    told = words(ask("program", "check", file(text=text), code=2).stderr)
    assert "fails 3 rules" in told and "rule 1 (range)" in told and "rule 11" in told and "rule 14" in told
    data = json.loads(ask("program", "check", file(text=text), "--json", code=2).stdout)
    assert not data["valid"] and {one["rule"] for one in data["failed"]} == {1, 11, 14}


def test_check_against_impedances_from_a_file(ask, implant, file, tmp_path):
    implant.ohm = 6000
    listed = ask("impedance", "--json").stdout
    (tmp_path / "pairs.json").write_text(listed, "utf-8")
    shown = words(ask("program", "check", file(), "--impedance", str(tmp_path / "pairs.json")).stdout)
    assert "highest amplitude of the left lead is 1950 uA (compliance)" in shown
    assert "The right lead is clamped from 2500 to 1950 uA: compliance." in shown
    for text in ("[{}]", "3", "{", '[{"lead": "middle"}]'):
        (tmp_path / "pairs.json").write_text(text, "utf-8")
        ask("program", "check", file(), "--impedance", str(tmp_path / "pairs.json"), code=2)


def test_check_against_a_board(ask, implant, file):
    implant.is_measured = False
    assert "rule 5 (measured)" in words(ask("program", "check", file(), "--board", "x", code=2).stderr)
    implant.is_measured = True
    data = json.loads(ask("program", "check", file(), "--board", "x", "--json").stdout)
    assert data["valid"] and data["highest"][0] == {"lead": "left", "amplitude_ua": 9100, "rule": "Shannon"}


def test_a_programme_is_still_checked_as_one(ask, tmp_path):
    from stimbench.client import program_file

    path = tmp_path / "bench.toml"
    path.write_text(program_file.to_toml(program.default()), "utf-8")
    assert "is a valid programme" in words(ask("program", "check", str(path)).stdout)
    assert "only a prescription" in words(ask("program", "check", str(path), "--board", "x", code=2).stderr)


# Therapy.


def test_therapy(ask, implant):
    shown = words(ask("therapy").stdout)
    assert "2 of 2 sessions left" in shown and "may begin now" in shown and "Fault none" in shown
    implant.told |= {"reason": therapy_reasons.TOO_SOON, "next_s": 3661, "sessions_left": 1}
    shown = words(ask("therapy").stdout)
    assert "the last session was too short a time ago (in 1 h 2 min)" in shown
    implant.told |= {"reason": therapy_reasons.CLOCK_UNKNOWN, "next_s": None, "clock_known": 0, "time_s": 0}
    assert "it does not know the time" in words(ask("therapy").stdout)
    data = json.loads(ask("therapy", "--json").stdout)
    assert data["next_s"] is None and data["time_s"] is None and data["last_end"] == "session over"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(1, "1 min"), (14_399, "4 h 0 min"), (86_400, "1 d 0 h 0 min"), (90_061, "1 d 1 h 2 min")],
)
def test_times_are_rounded_up(ask, implant, seconds, shown):
    implant.told |= {"reason": therapy_reasons.TOO_SOON, "next_s": seconds}
    assert f"(in {shown})" in words(ask("therapy").stdout)


def test_therapy_in_a_session(ask, implant):
    implant.state = messages.HOLD
    implant.told |= {"elapsed_s": 95, "cycles": 3}
    assert "95 of 1800 s, 3 contractions" in words(ask("therapy").stdout)


def test_a_fault_says_what_it_means_and_exits_1(ask, implant):
    implant.told |= {"fault": 1, "fault_lead": 1, "reason": therapy_reasons.FAULT}
    assert "open lead on the right lead: call the clinic" in words(ask("therapy", code=1).stdout)
    data = json.loads(ask("therapy", "--json", code=1).stdout)
    assert (data["fault"], data["fault_lead"], data["fault_meaning"]) == (
        "open lead",
        "right",
        "call the clinic",
    )
    assert "3990" in ask("fault", "show", code=1).stdout
    assert json.loads(ask("fault", "show", "--json", code=1).stdout)["watch"][1]["cathodic_ua"] == 3991
    assert "Cleared: open lead." in words(ask("fault", "clear").stdout)
    assert "No fault stood." in words(ask("fault", "clear").stdout)
    assert "No fault stands." in words(ask("fault", "show").stdout)
    assert json.loads(ask("fault", "clear", "--json").stdout) == {
        "cleared": {"fault": None, "fault_lead": None, "fault_meaning": None}, "state": "ready",
    }  # fmt: skip


def test_a_fault_that_this_host_does_not_know(ask, implant):
    implant.told |= {"fault": 200}
    assert "unknown (200)" in words(ask("therapy", code=1).stdout)


def test_a_battery_that_is_low_exits_1(ask, implant):
    implant.told |= {"battery": 1}
    assert "replace soon" in ask("therapy", code=1).stdout


@pytest.mark.parametrize(
    ("mode", "state"), [("normal", "ready"), ("mri", "mri mode"), ("storage", "storage")]
)
def test_mode(ask, implant, mode, state):
    assert f"'{state}'" in ask("mode", mode).stdout
    assert json.loads(ask("mode", mode, "--json").stdout)["state"] == state
    ask("mode", "sleep", code=2)


# Test trains.


def test_a_train_is_held_until_its_last_pulse(ask, implant):
    shown = ask(
        "train", "left", "2000", "--pulses", "40", "--rate", "20", "--cathode", "0", "--anode", "3"
    ).stdout
    assert implant.trains == [(0, 0, 3, 2000, 214, 0, 20, 40)]
    assert "40 of 40 pulses on the left lead; it ended: session over." in words(shown)
    gaps = [b - a for a, b in zip(implant.held_at, implant.held_at[1:], strict=False)]
    assert len(gaps) >= 8 and max(gaps) <= 0.21 and min(gaps) >= 0.19
    assert requests.STOP not in implant.calls


def test_a_train_that_something_else_ended_exits_1(ask, implant):
    usual = implant.do_37

    def magnet(body, now_s):
        reply = usual(body, now_s)
        if len(implant.held_at) == 3:
            implant.state, implant.stop_cause = messages.READY, messages.STOPPED_MAGNET
        return reply

    implant.do_37 = magnet
    data = json.loads(ask("train", "right", "500", "--pulses", "100", "--json", code=1).stdout)
    assert data["ended"] == "magnet" and data["delivered"] < 100 and data["lead"] == "right"


def test_ctrl_c_in_a_train_turns_the_output_off(ask, implant):
    def interrupted(_seconds):
        raise KeyboardInterrupt

    implant.link.wait = interrupted
    ask("train", "left", "2000", "--pulses", "100", code=130)
    assert implant.calls[-1] == requests.STOP and implant.state != TRAIN


def test_a_refused_train_stops_nothing(ask, implant):
    implant.refuse[requests.TRAIN] = (messages.WRONG_STATE, bytes((messages.HOLD, messages.REASON_LOCKED)))
    assert "locked while the output is on" in words(ask("train", "left", "2000", code=3).stderr)
    assert requests.STOP not in implant.calls


@pytest.mark.parametrize(
    "bad",
    [("10025",), ("30",), ("100", "--width", "10"), ("100", "--gap", "600"), ("100", "--anode", "1"),
     ("100", "--rate", "51"), ("100", "--pulses", "201"), ("100", "--pulses", "0")],
)  # fmt: skip
def test_a_train_that_is_none_sends_nothing(ask, implant, bad):
    ask("train", "left", *bad, code=2)
    assert implant.calls == []


# The client.


def test_kept_time(implant):
    stimulator = connect(implant.link, first_number=1)
    stimulator.keep_time(NOW_S + 7)
    assert implant.clock_s == NOW_S + 7


def test_rules_of_a_newer_board_have_numbers(ask, implant, file):
    implant.refuse[requests.SET_PRESCRIPTION] = (
        messages.OK, b"\0" * 10 + (1 << 25 | 1 << rules.NET_DC).to_bytes(4, "little"),
    )  # fmt: skip
    told = words(ask("program", "prescribe", file(), code=3).stderr)
    assert "rule 25 (unknown (24)): this host does not know it" in told
    assert "rule 15 (net DC): the net direct current stays below its limit" in told
