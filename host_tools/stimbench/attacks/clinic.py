"""What a clinician relies on: the patient's window of amplitudes, and the log."""

from __future__ import annotations

import random
import struct

from stimfw.protocol import messages, requests, roles

from stimbench.attacks.result import Result
from stimbench.attacks.stand import MS, Stand
from stimbench.attacks.transmitter import MIX, Transmitter
from stimbench.client.access_records import AmplitudeWindow
from stimbench.errors import StimbenchError

__all__ = ("outlived_window", "washed_log")

STATUS, START, STOP = (messages.request(n) for n in (requests.STATUS, requests.START, requests.STOP))
_CLINICIAN, _PATIENT = 0, 1
_MOST_UA = 3000
_CHANGES = (
    {"width_us": 1000},
    {"width_us": 150},
    {"gap_us": 50},
    {"rate_hz": 10},
    {"on_ms": 30_000},
    {"off_ms": 1000},
    {"ramp_up_ms": 500},
    {"session_s": 900},
    {"left.cathode": 2, "left.anode": 3},
    {"right.cathode": 3, "right.anode": 0},
    {"width_us": 1000, "left.cathode": 1, "left.anode": 2},
)


def outlived_window(tries: int, seed: int, code: str = "") -> Result:
    """Use the amplitudes that a clinician allowed a patient for one programme with another programme.

    By a patient, or whoever has the patient's remote. The window is opened for pulses of 100 us at 3 mA; then
    the clinician sets another width, gap, rate, time or pair of electrodes, and does not think of the window.
    Each try is one such change. Success: the patient's 3 mA are taken.
    """
    rng = random.Random(f"window {seed}")
    successes = 0
    worst = 0
    for number in range(tries):
        changes = _CHANGES[number] if number < len(_CHANGES) else rng.choice(_CHANGES)
        with Stand(seed + number, (roles.CLINICIAN, roles.PATIENT), code=code) as stand:
            patient = stand.peer(_PATIENT)
            first = {"width_us": 100, "gap_us": 100, "left.amplitude_ua": 500, "right.amplitude_ua": 500}
            stand.host.set_program(stand.host.program().replaced(first))
            stand.host.set_window(AmplitudeWindow(0, _MOST_UA, 0, _MOST_UA))
            stand.host.set_program(stand.host.program().replaced(changes))
            body = struct.pack("<HH", _MOST_UA, _MOST_UA)
            reply = patient.ask(messages.request(requests.AMPLITUDE, body))
            if reply is not None and messages.parse_reply(requests.AMPLITUDE, reply)[0] == messages.OK:
                successes += 1
                worst = max(worst, stand.host.program().width_us)
    detail = f"3 mA at {worst} us, allowed at 100 us" if worst else "each change closed the window"
    return Result("window that outlives its programme", tries, successes, detail)


_RATE_HZ = 26
_FLOOD_S = 60


def washed_log(tries: int, seed: int, code: str = "") -> Result:
    """Send forged frames until the log holds nothing but what strangers did.

    By somebody with a transmitter who wants his traces, or an accident's, out of the log. Each try: peers
    connect, a session is started and stopped, settings are made; then 26 forged and replayed frames a second
    come for a minute. Success: an event of the device or of an authentic peer is not in the log any more.
    """
    rng = random.Random(f"washed {seed}")
    successes = lost = 0
    for number in range(tries):
        with Stand(seed + number, (roles.CLINICIAN, roles.PATIENT), code=code) as stand:
            stand.start()
            peers = [stand.peer(_CLINICIAN), stand.peer(_PATIENT)]
            for peer in peers * 3:
                peer.ask(START)
                stand.run_ms(200)
                peer.ask(STOP)
                peer.restart()
            stand.host.set_window(AmplitudeWindow(0, _MOST_UA, 0, _MOST_UA))
            before = stand.host.log()
            forger = Transmitter(stand.bench, stand.pairings[_CLINICIAN], MIX, rng)
            recorded = [frame for peer in peers for frame, _ in peer.sent]
            for _ in range(_FLOOD_S * _RATE_HZ):
                frame = forger.forge() if rng.random() < 0.7 else rng.choice(recorded)
                peers[0].inject(frame)
                stand.bench.run_for(1000 * MS // _RATE_HZ)
            gone = len(set(before) - _log_of(stand))
            lost += gone
            successes += gone > 0
    return Result("washed log", tries, successes, f"{lost} events of devices and peers lost")


def _log_of(stand: Stand) -> set[object]:
    try:
        return set(stand.host.log())
    except StimbenchError:  # it holds more than one reading takes, or the board is lost
        return set()
