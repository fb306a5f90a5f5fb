"""The view "radio": the frames on the air, a transmitter, and the named attacks."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from pydantic import Field
from stimfw.protocol import roles

from stimbench.bench.actions import ActionError, Arguments, NoArguments
from stimbench.web.background import Job
from stimbench.web.eavesdropper import KIND_NAMES, Ear, Frame
from stimbench.web.listening import Listening, air_of, listening_of
from stimbench.web.needs import Need
from stimbench.web.table import Stand, View, WebAction

__all__ = ("VIEW",)

_SHOWN = 32
"""The newest frames; a page keeps those that it has seen."""
_SOON_NS = 200_000
_AFTER_S = 0.3
"""What a frame does to the stimulator is done by then."""
_COUNTED = {
    "radio_bad": "no frame of the protocol",
    "radio_forged": "forged",
    "radio_replayed": "replayed",
    "radio_duplicates": "a copy",
    "radio_over_budget": "one too many, not looked at",
    "radio_connections": "the begin of a connection",
}
_MOST_NAME = 60


class Sent(Arguments):
    """A packet from a transmitter that anybody may have."""

    channel: int = Field(ge=0, le=125, description="2400 MHz and so many.")
    address: str = Field(pattern=r"^([0-9a-f]{2}){3,5}$", description="3 to 5 bytes in hex, as it is sent.")
    payload: str = Field(pattern=r"^([0-9a-f]{2}){1,32}$", description="1 to 32 bytes in hex.")


class Named(Arguments):
    """An attack."""

    name: str = Field(max_length=_MOST_NAME, description="Of stimbench attacks --list.")
    percent: float = Field(
        0.01, ge=0.01, le=10, description="Of its full number of tries; never fewer than make sense."
    )


def _send(stand: Stand, given: Sent) -> dict[str, Any]:
    listening, air = listening_of(stand), air_of(stand)
    before = stand.stimulator.counters()
    start_ns = stand.now_ns + _SOON_NS
    payload, address = bytes.fromhex(given.payload), bytes.fromhex(given.address)
    listening.ear.injected.add((start_ns, payload))
    air.inject(start_ns, given.channel, address, payload, enhanced=False)
    stand.stimulator.link.wait(_AFTER_S)
    after = stand.stimulator.counters()
    stand.ask_again()
    counted = [text for name, text in _COUNTED.items() if after[name] > before[name]]
    said = f"counted it as {' and '.join(counted)}" if counted else "counted nothing"
    state = stand.told.get("state", "not known")
    told = f"The frame was sent. The stimulator {said}; its state is: {state}."
    listening.last_sent = {"t_ns": start_ns, "counted": counted, "state": state, "told": told}
    return {"told": told, "counted": counted}


def _attack(stand: Stand, given: Named) -> dict[str, Any]:
    listening = listening_of(stand)
    if given.name not in {one["name"] for one in _attacks()}:
        raise ActionError(f"There is no attack {given.name!r}.")
    if listening.attack is not None and listening.attack.code is None:
        raise ActionError(f"The attack {listening.attack_name!r} is not over yet.")
    _collect(listening)
    words = ["attacks", "--only", given.name, "--share", f"{given.percent / 100:g}"]
    listening.attack = Job([*words, "--seed", str(stand.seed), "--json"])
    listening.attack_name = given.name
    return {"told": f"The attack {given.name!r} has begun, on boards of its own."}


def _end_attack(stand: Stand, _: NoArguments) -> dict[str, Any]:
    listening = listening_of(stand)
    _collect(listening)
    if listening.attack is None:
        raise ActionError("No attack is under way.")
    listening.attack.end()
    listening.attack = None
    return {"told": "The attack was ended."}


def _collect(listening: Listening) -> None:
    """Take the result of an attack that is over."""
    job = listening.attack
    if job is None or job.code is None:
        return
    listening.attack = None
    try:
        result = json.loads(job.output)["attacks"][0]
        told = {name: result[name] for name in ("tries", "successes", "detail", "seconds")}
    except (ValueError, LookupError):
        told = {"failed": job.error or f"it ended with the exit code {job.code}"}
    listening.results[listening.attack_name] = told


def _state(stand: Stand) -> dict[str, Any]:
    listening = listening_of(stand)
    _collect(listening)
    ear = listening.ear
    newest = list(ear.frames)[-_SHOWN:]
    return {
        "total": ear.total,
        "frames": [_row(ear, one) for one in newest],
        "keys": [
            {"slot": slot, "role": _role(one.role), "generation": one.generation}
            for slot, one in sorted(ear.slot_keys.items())
        ],
        "sent": listening.last_sent,
        "attack": listening.attack_name if listening.attack is not None else None,
        "results": listening.results,
    }


def _row(ear: Ear, one: Frame) -> list[Any]:
    """Number, time in ns, channel, address, whose, kind, slot, bytes, copies, by a page, opens, opened."""
    return [one.number, one.t_ns, one.channel, one.address.hex(), ear.to_text(one.address),
            KIND_NAMES[one.kind], one.slot, one.payload.hex(), one.copies, one.is_injected, one.opens,
            one.opened]  # fmt: skip


def _role(role: int) -> str:
    return roles.ROLE_NAMES[role] if role < len(roles.ROLE_NAMES) else str(role)


@cache
def _attacks() -> list[dict[str, Any]]:
    from stimbench.attacks import ATTACKS  # a fifth of a second, that a start need not wait for

    return [
        {"name": one.name, "what": one.what, "who": one.who, "success": one.success, "tries": one.tries,
         "least": one.least, "on_bench": one.on_bench}
        for one in ATTACKS
    ]  # fmt: skip


def _list_attacks(_stand: Stand, _: NoArguments) -> dict[str, Any]:
    return {"attacks": _attacks()}


VIEW = View(
    "radio",
    _state,
    (
        WebAction(
            "radio-send", Sent, "Send a packet, and see what it did.", _send, takes_time=True, needs=Need.AIR
        ),
        WebAction("radio-attack", Named, "Carry out a named attack.", _attack, enters_run=False),
        WebAction("radio-end-attack", NoArguments, "End the attack.", _end_attack, enters_run=False),
        WebAction("radio-attacks", NoArguments, "Say which there are.", _list_attacks, enters_run=False),
    ),
)
