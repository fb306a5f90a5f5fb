"""The clinician's key steps on once a day, and no key that opens old recordings stays in the file."""

from __future__ import annotations

import json

import pytest
from stimbench.client import keyring as module
from stimbench.client.keyring import Keyring, today
from stimfw.protocol import roles
from stimfw.telemetry.keys import next_key

BASE = b"\x01\x02\x03\x04"
KEY, NEW_KEY = bytes(range(32)), bytes(range(32, 64))
MOST_STEPS = 8


class Calendar:
    """The day that it is."""

    def __init__(self):
        self.number = 0

    def __call__(self):
        return f"2026-12-{1 + self.number:02d}"


@pytest.fixture
def calendar():
    return Calendar()


@pytest.fixture
def ring(tmp_path, calendar):
    found = Keyring(tmp_path / "keys" / "keys.json", day=calendar)
    found.store(BASE, 2, roles.CLINICIAN, KEY)
    return found


def stepped(key, count):
    for _ in range(count):
        key = next_key(key)
    return key


def told(pairing):
    return pairing.generation, pairing.steps, pairing.key


def on_disk(ring):
    return json.loads(ring.path.read_text())["pairings"][0]


def test_the_key_steps_with_the_first_run_of_a_day_and_not_again(ring, calendar):
    assert told(ring.begin(BASE)) == (0, 0, KEY), "the day of the pairing"
    calendar.number = 1
    assert told(ring.begin(BASE)) == (1, 1, next_key(KEY))
    assert told(ring.begin(BASE)) == (1, 1, next_key(KEY))
    assert KEY.hex() not in ring.path.read_text(), "it opens nothing any more"
    calendar.number = 9
    assert told(ring.begin(BASE)) == (2, 2, stepped(KEY, 2))


def test_epoch_and_generation_are_one_write(ring, calendar, monkeypatch):
    writes = []
    real = module.os.replace
    monkeypatch.setattr(module.os, "replace", lambda *args: (writes.append(1), real(*args)))
    calendar.number = 1
    begun = ring.begin(BASE)
    entry = on_disk(ring)
    assert len(writes) == 1
    assert (entry["epoch"], entry["generation"], entry["key"]) == (begun.epoch, 1, begun.key.hex())


def test_without_an_answer_it_steps_eight_times(ring, calendar):
    for calendar.number in range(1, 20):
        begun = ring.begin(BASE)
    assert told(begun) == (MOST_STEPS, MOST_STEPS, stepped(KEY, MOST_STEPS))
    ring.confirmed(begun)
    assert on_disk(ring)["steps"] == 0
    calendar.number = 20
    assert told(ring.begin(BASE)) == (MOST_STEPS + 1, 1, stepped(KEY, MOST_STEPS + 1))


def test_what_is_confirmed_already_is_not_written(ring, calendar, monkeypatch):
    begun = ring.begin(BASE)
    monkeypatch.setattr(module.os, "replace", lambda *_: pytest.fail("written"))
    ring.confirmed(begun)


def test_an_answer_to_an_earlier_run_confirms_no_later_step(ring, calendar):
    calendar.number = 1
    yesterdays = ring.begin(BASE)
    calendar.number = 2
    todays = ring.begin(BASE)
    ring.confirmed(yesterdays)
    assert on_disk(ring)["steps"] == 1
    ring.confirmed(yesterdays)
    assert on_disk(ring)["steps"] == 1
    ring.confirmed(todays)
    assert on_disk(ring)["steps"] == 0


def test_an_answer_to_a_key_that_is_gone_confirms_nothing(ring, calendar):
    calendar.number = 1
    begun = ring.begin(BASE)
    ring.store(BASE, 3, roles.CLINICIAN, NEW_KEY)
    calendar.number = 2
    ring.begin(BASE)
    ring.confirmed(begun)
    assert (on_disk(ring)["generation"], on_disk(ring)["steps"]) == (1, 1)
    ring.forget(BASE)
    ring.confirmed(begun)
    assert ring.pairings() == []


def test_a_new_key_is_of_generation_zero(ring, calendar):
    calendar.number = 1
    ring.begin(BASE)
    ring.store(BASE, 3, roles.CLINICIAN, NEW_KEY)
    assert told(ring.begin(BASE)) == (0, 0, NEW_KEY)


def test_a_calendar_that_was_wrong_stops_no_step(ring, calendar):
    calendar.number = 27
    assert ring.begin(BASE).generation == 1
    calendar.number = 3
    assert ring.begin(BASE).generation == 2


def test_the_last_generation_stays(ring, calendar):
    data = json.loads(ring.path.read_text())
    data["pairings"][0]["generation"] = 0xFFFF
    ring.path.write_text(json.dumps(data))
    calendar.number = 1
    assert told(ring.begin(BASE)) == (0xFFFF, 0, KEY)


def test_a_file_of_format_1_is_read_and_written_as_format_2(ring, calendar):
    data = json.loads(ring.path.read_text())
    data["format"] = 1
    for name in ("generation", "steps", "day"):
        del data["pairings"][0][name]
    ring.path.write_text(json.dumps(data))
    (found,) = ring.pairings()
    assert told(found) == (0, 0, KEY) and json.loads(ring.path.read_text())["format"] == 1
    assert told(ring.begin(BASE)) == (1, 1, next_key(KEY))
    assert json.loads(ring.path.read_text())["format"] == 2


class Crash(BaseException):
    """The process dies here."""


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_crash_leaves_the_generation_that_the_stimulator_knows(ring, calendar, monkeypatch, step):
    calendar.number = 1

    def die(*_args):
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(module.os, step, die)
        with pytest.raises(Crash):
            ring.begin(BASE)
    assert on_disk(ring)["key"] == KEY.hex() and on_disk(ring)["generation"] == 0
    assert told(ring.begin(BASE)) == (1, 1, next_key(KEY))


def test_the_day_is_that_of_utc():
    year, month, day = today().split("-")
    assert (len(year), len(month), len(day)) == (4, 2, 2) and int(year) > 2000
