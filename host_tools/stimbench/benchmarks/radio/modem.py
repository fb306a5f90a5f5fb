"""How long a clinician's requests take by radio, a remote on USB as the modem: for comparison, no limit."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from stimfw.protocol import roles

from stimbench.bench.provision import add_peer
from stimbench.benchmarks.harness.model import Line, Options, Row, compared
from stimbench.benchmarks.harness.rig import MS, Rig
from stimbench.client.keyring import HostPairing
from stimbench.client.radio import RadioConsole
from stimbench.client.remote import connect_remote
from stimbench.client.stimulator import Stimulator
from stimbench.devices.emulated_link import EmulatedLink

__all__ = ("MODEM", "Modem", "judge", "measure_modem")

_STATUSES = 20
_QUICK_STATUSES = 5


@dataclass(frozen=True)
class Modem:
    """Times in ms: the first STATUS, which makes a connection; those after it; the impedance of all pairs."""

    seed: int
    first: float
    statuses: list[float]
    impedance: float
    impedance_usb: float
    pairs: int


def measure_modem(case: tuple[int, int]) -> Modem:
    """Ask by radio. Args: case: seed, number of STATUS requests."""
    seed, count = case
    with Rig(seed, ("stimulator", "remote")) as rig:
        given = add_peer(rig.bench, roles.CLINICIAN, seed)
        usb = rig.connect()
        remote = connect_remote(EmulatedLink(rig.bench, "remote"), 0)
        pairing = HostPairing(given.base, given.slot, given.role, given.key, given.peer_id, epoch=1)
        by_radio = Stimulator(RadioConsole(remote, pairing, random.Random(seed).randbytes))
        times = []
        for _ in range(1 + count):
            times.append(_timed(rig, by_radio.status))
            rig.forget()
        impedance, pairs = _measured(rig, by_radio)
        impedance_usb, _ = _measured(rig, usb)
        return Modem(seed, times[0], times[1:], impedance, impedance_usb, pairs)


def _timed(rig: Rig, action: Callable[[], object]) -> float:
    begun_ns = rig.now_ns
    action()
    return (rig.now_ns - begun_ns) / MS


def _measured(rig: Rig, stimulator: Stimulator) -> tuple[float, int]:
    found: list[object] = []
    return _timed(rig, lambda: found.extend(stimulator.measure_impedance())), len(found)


def judge(found: Sequence[Modem], options: Options) -> list[Line]:
    """Two lines: status, impedance."""
    modem = found[0]
    return [
        compared(
            "clinician's STATUS by radio, a remote as the modem",
            f"median {median(modem.statuses):.0f} ms, worst {max(modem.statuses):.0f} ms",
            f"{len(modem.statuses)} requests in an open connection; the first one, which opens it, "
            f"{modem.first:.0f} ms; from the host's call to its return; seed {modem.seed}",
            statuses_ms=modem.statuses, first_ms=modem.first,
        ),
        compared(
            "clinician's impedance of all pairs by radio", f"{modem.impedance / 1000:.2f} s",
            f"{modem.pairs} pairs, the measurement and the questions whether it is over included; over "
            f"USB {modem.impedance_usb / 1000:.2f} s; seed {modem.seed}",
            impedance_ms=modem.impedance, impedance_usb_ms=modem.impedance_usb,
        ),
    ]  # fmt: skip


MODEM = Row(
    "modem", "a clinician by radio",
    lambda o: [(o.seed, _QUICK_STATUSES if o.quick else _STATUSES)], measure_modem, judge, weight=30,
)  # fmt: skip
