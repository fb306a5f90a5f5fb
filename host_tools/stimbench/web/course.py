"""The tutorial's lessons on the page's bench: what to do, step by step, and how it is seen that it was done.

The numbers of the lessons are those of docs/tutorial; their texts are shown beside (web/prose.py). There a
student writes Python, here he uses the views. A check is a predicate over web.evidence.Evidence: it never
goes by what was clicked, but by what the bench did.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stimfw.telemetry import frames

from stimbench.web.evidence import Evidence

__all__ = ("COURSE", "Step", "steps_of")

Check = Callable[[Evidence], bool]
_MANY = 5
_QUIET_NS = 400_000_000
_GOES_ON_NS = 2_000_000_000
_DRY_OHM = 1000.0


@dataclass(frozen=True)
class Step:
    """One step of a lesson.

    Attributes:
        do: what to do, for the learner.
        check: whether it was done.
        seen: what it shows, told when it is done.
        view: where to do it; empty: on the scope, or in the header.
        ask: what number is asked for, with its unit; empty: none is.
    """

    do: str
    check: Check
    seen: str
    view: str = ""
    ask: str = ""


# What was done.


def _pulses(given: Evidence) -> bool:
    return given.running and min(len(found) for found in given.pulses.values()) >= _MANY


def _stopped(given: Evidence) -> bool:
    return given.state == "ready" and given.quiet_ns() >= _QUIET_NS


def _in_state(name: str) -> Check:
    return lambda given: given.state == name


def _breaks(text: str, running: bool = False) -> Check:
    """Something is broken so; in a session, if it has to be."""

    def check(given: Evidence) -> bool:
        return any(text in one for one in given.broken) and (given.running or not running)

    return check


def _whole(given: Evidence) -> bool:
    return not given.broken and given.state != ""


# What was answered. Each compares with the record.


def _cathodic_us(given: Evidence) -> float | None:
    return given.pulses["left"][-1].cathodic_ns / 1000 if given.pulses["left"] else None


def _width(given: Evidence) -> bool:
    return given.answers(_cathodic_us(given), 0.005, 1.0)


def _charge(given: Evidence) -> bool:
    width_us = _cathodic_us(given)
    if width_us is None:
        return False
    amplitudes = (given.program.get("left.amplitude_ua", 0), given.left_ua)
    return any(given.answers(width_us * ua / 1000, 0.03) for ua in amplitudes if ua)


def _is_428(given: Evidence) -> bool:
    return given.running and any(one.cathodic_ns == 428_000 for one in given.pulses["left"])


def _anodic(given: Evidence) -> bool:
    found = given.pulses["left"]
    return bool(found) and given.answers(found[-1].anodic_ns / 1000, 0.005, 1.0)


def _recharge(given: Evidence) -> bool:
    found = given.pulses["left"]
    if len(found) < 2:
        return False
    last, one = found[-2], found[-1]
    over_ns = last.start_ns + last.cathodic_ns + last.gap_ns + last.anodic_ns
    return given.answers((one.start_ns - over_ns) / 1e6, 0.03)


def _rate(given: Evidence) -> bool:
    found = given.pulses["left"]
    if len(found) < 2:
        return False
    return given.answers(1e9 / (found[-1].start_ns - found[-2].start_ns), 0.02)


def _lag(given: Evidence) -> bool:
    """Of the newest pulse of the left lead that one of the right lead has followed."""
    for left in reversed(given.pulses["left"]):
        later = [one.start_ns for one in given.pulses["right"] if one.start_ns > left.start_ns]
        if later:
            return given.answers((min(later) - left.start_ns) / 1e6, 0.03)
    return False


def _healthy_ohm(given: Evidence) -> bool:
    return given.answers(given.pair_ohm.get(("left", 1, 2)), 0.06)


def _measured(given: Evidence) -> bool:
    return given.measured_ns is not None and given.measured_ns >= given.since_ns


def _dry(given: Evidence) -> bool:
    return given.pair_ohm.get(("left", 1, 3), 0.0) > _DRY_OHM


def _goes_on(given: Evidence) -> bool:
    return given.running and bool(given.broken) and given.now_ns - given.since_ns >= _GOES_ON_NS


# The air.


def _asked(word: str) -> Check:
    """A genuine request was heard, and the keys say which."""

    def check(given: Evidence) -> bool:
        return any(
            one.kind == frames.REQUEST and not one.is_injected and one.opens.startswith(word)
            for one in given.frames
        )

    return check


def _replayed(given: Evidence) -> bool:
    sent = [one for one in given.frames if one.is_injected and one.kind == frames.REQUEST and one.opened]
    return bool(sent) and not given.running


def _guessed(given: Evidence) -> bool:
    return any(one.is_injected and one.kind == frames.REQUEST and not one.opened for one in given.frames)


_START = Step(
    "Start a session: in Clinician, press “Start a session”.",
    _pulses,
    "Pulses flow on both leads.",
    "clinician",
)
_STOP = Step("Press Esc, or STOP. It works in every view.", _stopped, "The output is off.")
_MEND = Step("Mend all that is broken.", _whole, "All is whole again.", "faults")
_MEASURE = "Measure the impedance of all pairs."
_MEASURED = "It tries each pair of the four electrodes of each lead, both ways, and reads each one's step."

COURSE: dict[int, Sequence[Step]] = {
    1: (
        _START,
        Step(
            "Read the scope: how long is the first phase of the left lead?",
            _width,
            "Three switches take turns; the first one sends the current one way for just this time.",
            ask="First phase, µs",
        ),
        Step(
            "Charge is current times time. Work out the charge of that phase from amplitude and width.",
            _charge,
            "The scope says the same, once the ramp is over: it measures the area of the phase.",
            ask="Charge, nC",
        ),
        Step(
            "Stop. Set the phase width to 428 µs, twice as much, and start again.",
            _is_428,
            "Twice the time is twice the charge, and the voltage rises for longer.",
            "clinician",
        ),
        Step(
            "By which factor has the charge of a phase grown?",
            lambda given: given.answers(2.0, 0.03),
            "Twice the current would have done the same.",
            ask="Factor",
        ),
        _STOP,
    ),
    2: (
        _START,
        Step(
            "The second phase takes back what the first one brought. How long is it?",
            _anodic,
            "Both phases are equally long, and one current makes both: their charges are equal.",
            ask="Second phase, µs",
        ),
        Step(
            "After it a switch joins both sides of the lead: the passive recharge. How long is it from the "
            "end of a pulse until the next one begins? Take the period from the scope.",
            _recharge,
            "Nearly the whole period is left for what the two phases did not balance.",
            ask="From pulse to pulse, ms",
        ),
        _STOP,
        Step(
            "Now leave the recharge no time: phase width 1000 µs, 200 Hz, 10 000 µA on the left lead. Press "
            "“Set the programme”.",
            lambda given: any("net direct current" in why for why in given.refused),
            "It is refused, whole: it would leave more than 25 nA of direct current.",
            "clinician",
        ),
        Step(
            "Find a programme of 200 Hz that is taken.",
            lambda given: given.program.get("rate_hz") == 200 and not given.refused,
            "A shorter pulse or a lower amplitude leaves less behind.",
            "clinician",
        ),
    ),
    3: (
        Step(_MEASURE, _measured, _MEASURED, "leads"),
        Step(
            "How many ohm lie between the electrodes 1 and 2 of the left lead?",
            _healthy_ohm,
            "Two electrodes of 250 ohm each: the access resistance.",
            "leads",
            "Electrodes 1 and 2, ohm",
        ),
        Step(
            "Give electrode 3 of the left lead a dry contact: in Break it, left electrode 3, a resistance of "
            "2000 ohm.",
            _dry,
            "Current still flows, but each volt drives less of it.",
            "faults",
        ),
        Step(f"{_MEASURE} Look for what stands out.", _measured, _MEASURED, "leads"),
        Step(
            "A row and a column stand out together. Which electrode do they name?",
            lambda given: given.answers(3, 0, 0.1),
            "A row and a column name one electrode; a single pair names two wires that touch.",
            "leads",
            "Electrode",
        ),
        _MEND,
    ),
    4: (
        Step(
            "Set a hold and a rest of 3000 ms, and start a session. The ramp begins.",
            _in_state("ramp up"),
            "The amplitude grows from pulse to pulse, in small steps.",
            "clinician",
        ),
        Step("Wait for the hold.", _in_state("hold"), "Now every pulse is alike."),
        Step(
            "How many pulses a second has the left lead?",
            _rate,
            "A contraction of ten seconds has some hundred pulses.",
            ask="Pulses a second",
        ),
        Step(
            "Set the scope's trigger to the left lead. How long after the left lead's pulse does the right "
            "one's come? It is half a period.",
            _lag,
            "The two leads never drive current at once.",
            ask="Right after left, ms",
        ),
        Step("Wait for the ramp down.", _in_state("ramp down"), "It ends as gently as it began."),
        Step("Wait for the rest.", _in_state("rest"), "No pulse comes; the next cycle begins by itself."),
        _STOP,
    ),
    5: (
        _START,
        Step(
            "Break a wire in the session: in Break it, left electrode 2, open.",
            _breaks("left.2 open", running=True),
            "The pump pushes with all the voltage that it has, and nothing flows.",
            "faults",
        ),
        Step(
            "Read the scope: which current flows now on the left lead?",
            lambda given: given.answers(0.0, 0, 60.0),
            "None. The voltage is at the pump's limit.",
            ask="Current, µA",
        ),
        Step(
            "Wait for two seconds. Does the stimulator stop by itself?",
            _goes_on,
            "It does not: a board on the bench measures every pulse, and leaves it to a person to stop. An "
            "implant has a watch that does (Clinician).",
        ),
        Step(
            "Mend it. Then let it touch its neighbour: left electrode 2, short, to left electrode 1.",
            lambda given: _breaks("short")(given) and not _breaks("open")(given),
            "All the current flows, but not through the saline: only the voltage tells.",
            "faults",
        ),
        _STOP,
        _MEND,
    ),
    6: (
        Step(
            "Set a programme with an amplitude, then press START on the remote.",
            _asked("START"),
            "HELLO, CHALLENGE, REQUEST, REPLY: a question, a proof, and only then the request.",
            "boards",
        ),
        Step("Press STOP on the remote.", _asked("STOP"), "Its request looks like any other.", "boards"),
        Step(
            "Look at both requests in Radio, at the left. How many bytes does each have?",
            lambda given: given.answers(frames.FRAME_BYTES, 0, 0.1),
            "Each frame has 32 bytes, whatever it asks for.",
            "radio",
            "Bytes of a request",
        ),
        Step(
            "How many of these lie open: the kind, the slot, and the token?",
            lambda given: given.answers(frames.HEADER_BYTES, 0, 0.1),
            "The rest is sealed, and looks like chance.",
            "radio",
            "Open bytes",
        ),
        Step(
            "Be the attacker: choose the START in the list (“Use it”), and send it.",
            _replayed,
            "It is counted as replayed, and the output stays off: its token was used up.",
            "radio",
        ),
        Step(
            "So guess: choose the START again, press “Guess another token”, and send it.",
            _guessed,
            "Three bytes have 16 million values, of which eight are right at a time. Behind them is the tag.",
            "radio",
        ),
    ),
    7: (
        _START,
        Step(
            "Let the processor hang in the session: in Break it, the stimulator, hung.",
            lambda given: given.hung or given.watchdog,
            "Its pins go on: PIO needs no processor. The gate is not fed any more, and closes after 120 ms.",
            "faults",
        ),
        Step(
            "Wait for the watchdog. It resets the board two seconds after the hang.",
            lambda given: given.watchdog or (not given.hung and given.state == "ready"),
            "The board starts anew, with the output off and amplitudes of zero.",
        ),
        _START,
        Step(
            "Hold the magnet to the stimulator.",
            lambda given: given.magnet and not given.running and given.quiet_ns() >= _QUIET_NS,
            "The magnet clears the gate by a wire of its own: it needs no software, no radio.",
            "boards",
        ),
        Step(
            "Take the magnet away.",
            lambda given: not given.magnet and given.state == "ready",
            "Nothing begins by itself.",
            "boards",
        ),
    ),
}
"""By the lesson's number."""


def steps_of(number: int) -> Sequence[Step]:
    """The steps of a lesson of COURSE."""
    return COURSE[number]
