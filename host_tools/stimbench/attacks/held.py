"""A START that was kept from arriving, and arrives when the output has been stopped since."""

from __future__ import annotations

import random
from collections.abc import Callable

from stimfw.protocol import messages, requests, roles
from stimfw.telemetry import frames

from stimbench.attacks.air import RadioPeer
from stimbench.attacks.result import Result
from stimbench.attacks.stand import Stand
from stimbench.devices.emulated_device import EmulatedDevice

__all__ = ("held_back",)

START, STATUS, STOP = (messages.request(n) for n in (requests.START, requests.STATUS, requests.STOP))
_LONGEST_MS = 45_000  # a connection lives for 60 s after its last authentic frame
_OWNER, _OTHER = 0, 1


def _magnet(stand: Stand, other: RadioPeer) -> None:
    stand.bench.magnet(True)
    stand.run_ms(200)
    stand.bench.magnet(False)


def _by_other_peer(stand: Stand, other: RadioPeer) -> None:
    other.ask(STOP)


def _by_host(stand: Stand, other: RadioPeer) -> None:
    stand.host.stop()


def _by_console(stand: Stand, other: RadioPeer) -> None:
    """Ctrl-C at the console; then the application is started again, without a reset."""
    repl = EmulatedDevice(stand.bench, "stimulator").open().enter_repl()
    repl.exec_raw_no_follow("import main\nmain.main()")
    stand.run_ms(700)


_STOPS: tuple[tuple[str, Callable[[Stand, RadioPeer], None]], ...] = (
    ("magnet", _magnet), ("other peer", _by_other_peer), ("USB", _by_host), ("console", _by_console),
)  # fmt: skip


def held_back(tries: int, seed: int, code: str = "") -> Result:
    """Keep a genuine START from arriving, wait until somebody stops the output, and then let it arrive.

    By somebody who jams and records, without a key. In half of the tries the START is the first REQUEST of a
    connection whose handshake he let pass. Each try is a session that runs, a START that is held back, a stop
    by another way (magnet, another peer, USB, Ctrl-C), and up to 45 s later the frame. Success: pulses.
    """
    rng = random.Random(f"held back {seed}")
    won: dict[str, int] = {}
    for number in range(tries):
        name, stop = _STOPS[number % len(_STOPS)]
        with Stand(seed + number, (roles.PATIENT, roles.CLINICIAN), code=code) as stand:
            owner, other = stand.peer(_OWNER), stand.peer(_OTHER)
            other.ask(STATUS)
            if number // len(_STOPS) % 2 == 0:
                owner.ask(STATUS)
            stand.start()
            kept = _frame_of_start(stand, owner)
            stop(stand, other)
            if stand.is_pulsing():
                raise RuntimeError(f"the {name} did not stop the output")
            stand.run_ms(rng.randrange(_LONGEST_MS))
            for frame in kept:
                owner.inject(frame)
                stand.run_ms(20)
            if stand.is_pulsing():
                won[name] = won.get(name, 0) + 1
    detail = "; ".join(f"after a stop by {name}: {count}" for name, count in won.items()) or "none started"
    return Result("START held back", tries, sum(won.values()), detail)


def _frame_of_start(stand: Stand, owner: RadioPeer) -> list[bytes]:
    """What the owner's START is sent as. All is delivered but the REQUEST, which is kept."""
    kept: list[bytes] = []
    owner.requester.begin(START, 1000, stand.now_ns // 1_000_000)
    for _ in range(8):
        frame = owner.requester.poll(stand.now_ns // 1_000_000)
        if frame is not None and frames.kind_of(frame) == frames.REQUEST:
            kept.append(frame)
            break
        if frame is not None:
            owner.inject(frame)
            owner.requester.sent(True, stand.now_ns // 1_000_000)
        stand.run_ms(30)
    if not kept:
        raise RuntimeError("the owner sent no REQUEST")
    return kept
