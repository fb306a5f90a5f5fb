"""The client on an emulated bench of this process, by USB and by radio."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from stimfw.protocol import roles
from stimfw.telemetry.keys import KEY_BYTES
from stimfw.therapy.program import FIELD_NAMES, Program, default

from stimbench.bench import Bench, BenchConfig
from stimbench.client.access_records import ID_BYTES
from stimbench.client.keyring import HostPairing
from stimbench.client.radio import RadioConsole
from stimbench.client.remote import connect_remote
from stimbench.client.stimulator import Stimulator, connect
from stimbench.devices.emulated_device import EmulatedDevice
from stimbench.devices.emulated_link import EmulatedLink
from stimbench.errors import BenchError, InputError, PortError

__all__ = ("build_bench", "open_bench", "open_bench_by_radio", "pair_bench", "ready_bench", "ready_program")

_READY_UA = 2000


def build_bench(seed: int) -> Bench:
    """A bench, switched on; PortError if it cannot be built (for example without a firmware image)."""
    try:
        return Bench(BenchConfig(seed=seed))
    except BenchError as error:
        raise PortError(f"The emulated bench cannot be built: {error}.") from error


@contextmanager
def ready_bench(config: BenchConfig | None = None, **fields: int) -> Iterator[tuple[Bench, Stimulator]]:
    """A bench that can be used at once: both boards booted and paired, a programme that gives pulses.

    The programme is the default one with 2000 uA on both leads. The bench ends with the context.

    Args:
        config: the bench; by default seed 1. Its boards are paired whatever it says.
        fields: of the programme, by the names of docs/commands.md with `_` for the dot: `rate_hz=30`,
            `left_amplitude_ua=1500`.

    Yields:
        The bench, and the stimulator over its USB console.

    Raises:
        BenchError: the bench cannot be built, no firmware image, say.
        InputError: no such field of a programme.
        ParameterError: a value out of range.
        NoAnswerError: the firmware does not come up.
    """
    wanted = ready_program(**fields)
    with Bench(replace(config or BenchConfig(), paired=True)) as bench:
        stimulator = connect(EmulatedLink(bench, "stimulator"), first_number=0)
        stimulator.set_program(wanted)
        yield bench, stimulator


def ready_program(**fields: int) -> Program:
    """The default programme with 2000 uA on both leads and with some fields changed; see `ready_bench`."""
    known = {name.replace(".", "_"): name for name in FIELD_NAMES}
    unknown = [name for name in fields if name not in known]
    if unknown:
        raise InputError(f"A programme has no field {unknown[0]!r}. It has: {', '.join(known)}.")
    start = {"left.amplitude_ua": _READY_UA, "right.amplitude_ua": _READY_UA}
    return default().replaced(start | {known[name]: value for name, value in fields.items()})


@contextmanager
def open_bench(seed: int = 1) -> Iterator[Stimulator]:
    """A stimulator on a bench of its own, which ends with the context.

    Raises:
        PortError: the bench cannot be built.
        NoAnswerError: the firmware does not come up.
    """
    with build_bench(seed) as bench, EmulatedDevice(bench, "stimulator") as device:
        yield connect(device.console, first_number=0)


@contextmanager
def open_bench_by_radio(seed: int = 1) -> Iterator[Stimulator]:
    """As open_bench, but spoken to by radio, with a clinician's key that ends with the bench.

    Raises:
        PortError: the bench cannot be built.
        NoAnswerError: the firmware does not come up, or the radio carries nothing.
    """
    with (
        build_bench(seed) as bench,
        EmulatedDevice(bench, "stimulator") as by_usb,
        EmulatedDevice(bench, "remote") as modem,
    ):
        usb = connect(by_usb.console, first_number=0)
        remote = connect_remote(modem.console, first_number=0)
        # Not secret: the bench is of this process alone, and the same seed shall give the same run.
        take_random = random.Random(seed).randbytes
        stimulator = Stimulator(RadioConsole(remote, pair_bench(usb, take_random), take_random))
        stimulator.require_role()
        yield stimulator


def pair_bench(usb: Stimulator, take_random: Callable[[int], bytes]) -> HostPairing:
    """A clinician's key for an emulated stimulator, given over its console and kept nowhere else."""
    peer_id, key = take_random(ID_BYTES), take_random(KEY_BYTES)
    slot, base = usb.pair(peer_id, roles.CLINICIAN, key)
    return HostPairing(base, slot, roles.CLINICIAN, key, peer_id, epoch=1)
