"""How fast the output goes off by a STOP over the radio."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence

from stimfw.protocol import console_frame, messages, requests
from stimfw.telemetry import frames
from stimfw.telemetry.requester import STOP_LIMIT_MS
from stimfw.therapy.event_log import KEPT

from stimbench.attacks.air import RadioPeer
from stimbench.benchmarks.harness.load import COLLECTING_IN_PERIODS
from stimbench.benchmarks.harness.model import Line, Options, Row
from stimbench.benchmarks.harness.rig import MS, Rig, programme
from stimbench.benchmarks.output.trials import (
    PROGRAM,
    TRIALS,
    Chunk,
    Trial,
    judge_trial,
    next_ns,
    seeded,
    worst_line,
)
from stimbench.client.stimulator import Stimulator

__all__ = ("STOP",)


def _stops(chunk: Chunk) -> list[Trial]:
    """Sessions that end by a STOP: pressed on the remote, or a packet at an exact phase."""
    if chunk.kind in _LATE:
        return _late_stops(chunk)
    if chunk.kind == _MEASURING:
        return _measuring_stops(chunk)
    pressed = chunk.kind == "pressed"
    boards = ("stimulator", "remote") if pressed else ("stimulator",)
    with Rig(chunk.seed, boards) as rig:
        for lead in rig.parts.leads.values():
            lead.trace.enabled = False
        stimulator = rig.execute(COLLECTING_IN_PERIODS) if chunk.kind == _COLLECTING else rig.connect()
        rig.set_program(stimulator, PROGRAM)
        rig.run_ms(100)
        if chunk.kind == _LONG:
            _fill_log(rig, stimulator)
        peer = None if pressed else _joined(rig)
        if pressed:  # so the press's first frame is the one that stops, and asks for no connection
            rig.bench.press("STATUS", 40)
            rig.run_ms(1000)
        found = []
        for number in chunk.numbers():
            first_ns = rig.restart(stimulator)
            phase_ns = chunk.phase_ns(number)
            if peer:
                event_ns = _inject(rig, chunk, first_ns, phase_ns, number, peer, stimulator)
            else:
                event_ns = _press(rig, first_ns, phase_ns)
            found.append(judge_trial(rig, chunk, first_ns, event_ns))
            if peer and peer.finish() is None:
                raise RuntimeError("the stimulator did not answer a STOP")
            rig.board.console.read()
            rig.forget()
        return found


def _fill_log(rig: Rig, stimulator: Stimulator) -> None:
    """A place has to be found for each event now, and the oldest ones are on flash alone."""
    for number in range(2 * KEPT):
        stimulator.amplitude(*_other_ua(number))
        if number == KEPT:
            rig.run_ms(_STORED_MS)
    rig.run_ms(_STORED_MS)


def _late_stops(chunk: Chunk) -> list[Trial]:
    """STOP packets near the end of a long contraction, when all the garbage that it makes has been made."""
    program, after_ms = _LATE[chunk.kind]
    found = []
    for number in chunk.numbers():
        with Rig(chunk.seed) as rig:
            for lead in rig.parts.leads.values():
                lead.trace.enabled = False
            stimulator = rig.connect()
            rig.set_program(stimulator, program)
            first_ns = rig.restart(stimulator)
            peer = _joined(rig)
            while rig.now_ns < first_ns + (after_ms - 1000) * MS:
                rig.run_ms(1000)
                rig.forget()
            event_ns = first_ns + after_ms * MS + int(chunk.share(number) * program.period_us * 1000)
            peer.frame_at(event_ns, messages.request(requests.STOP), STOP_LIMIT_MS)
            found.append(judge_trial(rig, chunk, first_ns, event_ns))
            if peer.finish() is None:
                raise RuntimeError("the stimulator did not answer a STOP")
    return found


def _measuring_stops(chunk: Chunk) -> list[Trial]:
    """STOP packets anywhere in a measurement of all electrode pairs."""
    with Rig(chunk.seed) as rig:
        stimulator = rig.connect()
        peer = _joined(rig)
        found = []
        for number in chunk.numbers():
            rig.run_ms(1200)  # for 1.1 s after a stop nobody else begins anything
            first_ns = rig.now_ns
            stimulator._ask(requests.IMPEDANCE)
            event_ns = first_ns + _MEASURED_FROM_NS + int(chunk.share(number) * _MEASURED_FOR_NS)
            peer.frame_at(event_ns, messages.request(requests.STOP), STOP_LIMIT_MS)
            found.append(judge_trial(rig, chunk, first_ns, event_ns))
            if peer.finish() is None:
                raise RuntimeError("the stimulator did not answer a STOP")
            rig.board.console.read()
            rig.forget()
        return found


def _joined(rig: Rig) -> RadioPeer:
    """A transmitter without a board, with an open connection: its packets end at exactly chosen times."""
    peer = RadioPeer(rig.bench, rig.pairing)
    if peer.ask(messages.request(requests.STATUS)) is None:
        raise RuntimeError("the stimulator does not answer its peer")
    return peer


def _press(rig: Rig, first_ns: int, phase_ns: int) -> int:
    """Press STOP on the remote; the end of its frame on the air."""
    rig.run_ms(60)  # the remote must have seen the button released
    rig.bench.run_to(next_ns(rig, first_ns, phase_ns, 0))
    pressed_ns = rig.now_ns
    rig.bench.press("STOP", 40)
    found: list[int] = []

    def heard() -> bool:
        found.extend(_stop_ends(rig, pressed_ns))
        return bool(found)

    if not rig.bench.run_until(heard, 200 * MS, MS // 2):
        raise RuntimeError("the remote sent no STOP")
    return found[0]


def _stop_ends(rig: Rig, since_ns: int) -> list[int]:
    """Ends of the first packets of a burst of REQUESTs or HELLOs since then: of a STOP, as the press was."""
    if rig.bench.air is None:
        return []
    ends = []
    for packet in reversed(rig.bench.air.tap):
        if packet.t_start_ns < since_ns:
            break
        if frames.kind_of(packet.payload) in (frames.HELLO, frames.REQUEST):
            ends.append(packet.t_end_ns)
    return sorted(ends)


def _inject(
    rig: Rig, chunk: Chunk, first_ns: int, phase_ns: int, number: int, peer: RadioPeer, stimulator: Stimulator
) -> int:
    """Put a STOP packet into the air that ends at an exact phase; for some kinds the host asks meanwhile."""
    next_event = stimulator._fields(requests.LOG, _BEYOND_ALL)[0] if chunk.kind == _LONG else 0
    # A full reply to PULSES takes as many pulses before it.
    least_ns = 900 * MS if chunk.kind == "asked pulses" else 60 * MS
    event_ns = next_ns(rig, first_ns, phase_ns, least_ns)
    if chunk.kind.startswith("asked"):
        _ask_meanwhile(rig, chunk, number, event_ns, next_event)
    peer.frame_at(event_ns, messages.request(requests.STOP), STOP_LIMIT_MS)
    return event_ns


def _ask_meanwhile(rig: Rig, chunk: Chunk, number: int, event_ns: int, next_event: int) -> None:
    """Let a request of the host arrive up to 40 ms before the packet."""
    message, span_ns = _ASKED[chunk.kind]
    if chunk.kind == _LONG:
        message = _long_request(number // chunk.step, next_event)
    line = console_frame.encode(number & 0xFF, message)
    early_ns = random.Random(f"{chunk.kind} {number} {chunk.seed}").randrange(span_ns)
    rig.bench.at(event_ns - early_ns, lambda: rig.board.console.write(line))


def _other_ua(number: int) -> tuple[int, int]:
    """Amplitudes that are not those of the trial before."""
    left_ua, right_ua = (ua - 25 * (1 + number % 2) for ua in PROGRAM.amplitude_ua)
    return left_ua, right_ua


def _long_request(number: int, next_event: int) -> bytes:
    """One of those that are done in most steps."""
    left_ua, right_ua = _other_ua(number)
    if number % 4 < 2:  # from flash, or from RAM
        first = 0 if number % 4 else next_event - 16
        return messages.request(requests.LOG, struct.pack("<I", first))
    if number % 4 == 2:
        return messages.request(requests.AMPLITUDE, struct.pack("<HH", left_ua, right_ua))
    other = PROGRAM.replaced({"left.amplitude_ua": left_ua, "right.amplitude_ua": right_ua})
    return messages.request(requests.SET_PROGRAM, other.pack())


_LONG = "asked long"
_BEYOND_ALL = 0xFFFFFFFF
_STORED_MS = 2000  # the log goes to flash while the output is off
_ASKED = {
    "asked status": (messages.request(requests.STATUS), 14 * MS),
    "asked pulses": (messages.request(requests.PULSES, b"\0\0\0\0"), 40 * MS),
    _LONG: (b"", 20 * MS),
}
"""By kind: what the host asks, and within what time before the packet's end."""
_COLLECTING = "collecting"
_MEASURING = "measuring"
_MEASURED_FROM_NS, _MEASURED_FOR_NS = 200 * MS, 1400 * MS  # it takes 1.8 s
_STOP_KINDS = {
    "pressed": ("pressed on the remote", TRIALS // 2),
    "packet": ("packet at an exact phase", TRIALS // 2),
    "asked status": ("packet while the host asks for STATUS", TRIALS // 4),
    "asked pulses": ("packet while the host asks for PULSES", TRIALS // 4),
    _LONG: ("packet while the host asks for LOG, AMPLITUDE or SET_PROGRAM, the log full", 96),
    _COLLECTING: ("packet at an exact phase, garbage collected where there is room", TRIALS // 2),
    _MEASURING: ("packet while all electrode pairs are measured", 96),
    "50 Hz": ("packet after 54 s at 50 Hz", 16),
    "200 Hz": ("packet after 9.5 s of a ramp at 200 Hz", 16),
}
_LATE = {
    "50 Hz": (programme(rate_hz=50, on_ms=60_000, off_ms=0), 54_000),
    "200 Hz": (programme(rate_hz=200, ramp_ms=10_000, on_ms=60_000, off_ms=0), 9500),
}
"""By kind: the programme, and how long after its first pulse the packet ends.

Less than 55 s: a peer that has said nothing for so long opens a new connection."""


_LINES = {
    "": ("pressed", "packet"),
    ", while the host asks": tuple(_ASKED),
    ", garbage being collected between pulses": (_COLLECTING,),
    ", late in long fast contractions": tuple(_LATE),
    ", while impedances are measured": (_MEASURING,),
}
"""What a line of the table says, and the kinds of trials that it judges."""


def _judge_stop(found: Sequence[list[Trial]], options: Options) -> list[Line]:
    every = [trial for chunk in found for trial in chunk]
    names = {kind: name for kind, (name, _) in _STOP_KINDS.items()}
    return [
        worst_line(
            "STOP packet's end -> both bridges off" + when,
            [trial for trial in every if trial.kind in kinds], 5, "ms", MS, options, names,
        )
        for when, kinds in _LINES.items()
    ]  # fmt: skip


STOP = Row(
    "stop", "STOP: end of its radio packet -> both bridges off",
    lambda o: seeded({kind: trials for kind, (_, trials) in _STOP_KINDS.items()}, o), _stops, _judge_stop,
    weight=60,
)  # fmt: skip
