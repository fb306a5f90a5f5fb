"""The remote's own firmware beside an implanted stimulator's: what a person sees after STATUS and START."""

from itertools import pairwise

import pytest
from stimfw.protocol import messages, therapy_reasons
from support.implant_bench import MS, NOW_S, ImplantBench

pytestmark = pytest.mark.emulated
FIRST_BEEP_MS = 40  # from a press to its beep, with a handshake before: as tests/device/test_remote.py
LATE_MS = 15
"""A light may be longer or shorter by this: what is asked behind is sent in its time."""


def spans(seen, *wanted):
    """Whether the lights are these, each (colour, ms)."""
    return len(seen) == len(wanted) and all(
        colour == light and abs(took - ms) <= LATE_MS
        for (_, colour, took), (light, ms) in zip(seen, wanted, strict=True)
    )


class Person:
    """Presses a button, and looks at the lights."""

    def __init__(self, implant):
        self.bench = implant.bench
        self.parts = self.bench.board("remote").parts

    def press(self, button, watch_ms):
        """(ms after the press, colour, ms) of each light that was seen; `beep_ms`: the first beep."""
        start_ns = self.bench.now_ns
        self.bench.press(button, 80.0)
        self.bench.run_for(watch_ms * MS)
        seen = []
        for colour, led in self.parts.leds.items():
            log = [(at_ns, on) for at_ns, on in led.log if at_ns >= start_ns]
            for (at_ns, on), (end_ns, _) in pairwise(log):
                if on:
                    seen.append(((at_ns - start_ns) / MS, colour, round((end_ns - at_ns) / MS)))
        tones = [tone.start_ns for tone in self.parts.buzzer.tones if tone.start_ns >= start_ns]
        self.beep_ms = (tones[0] - start_ns) / MS
        return sorted(seen)


@pytest.fixture
def paired():
    with ImplantBench(paired=True) as implant:
        yield implant


@pytest.mark.control("C-65")
def test_a_person_sees_the_state_then_the_day_then_the_reason_of_a_refusal(paired):
    paired.begin()
    person = Person(paired)
    seen = person.press("STATUS", 6000)
    assert person.beep_ms <= FIRST_BEEP_MS
    assert spans(seen, ("green", 1000), ("amber", 400), ("amber", 400)), seen
    assert spans(person.press("START", 1500), ("green", 500))
    paired.run_to("hold")
    seen = person.press("STATUS", 8000)
    long = [colour for _, colour, ms in seen if abs(ms - 400) <= LATE_MS]
    assert len(long) == 6 and long[-2:] == ["green", "amber"], "four quarters, then two sessions of the day"
    assert spans(person.press("STOP", 1500), ("green", 500)) and paired.is_off()
    seen = person.press("START", 6000)
    assert spans(seen, ("amber", 600), ("amber", 250), ("amber", 250), ("amber", 250)), "wait: too soon"
    assert paired.client.therapy().reason == therapy_reasons.TOO_SOON


@pytest.mark.control("C-58")
def test_the_remote_gives_a_lost_time_back(paired):
    paired.begin()
    person = Person(paired)
    person.press("STATUS", 6000)
    paired.power_cycle()
    assert paired.client.therapy().time_s is None
    person.press("STATUS", 8000)
    time_s = paired.client.therapy().time_s
    assert NOW_S + 5 < time_s < NOW_S + 60
    assert paired.board.state() == messages.READY


def test_a_state_that_only_an_implant_has_is_shown_as_soon():
    with ImplantBench(None, paired=True) as implant:
        person = Person(implant.begin())
        seen = person.press("STATUS", 6000)
        assert person.beep_ms <= FIRST_BEEP_MS and spans(seen, ("amber", 1000)), (person.beep_ms, seen)
