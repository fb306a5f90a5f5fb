"""Values that nobody should send, or that should not be on flash."""

from __future__ import annotations

import random
import struct

from stimfw.protocol import asking, messages, refusals, requests, roles
from stimfw.storage.blocks import StorageError
from stimfw.storage.pairings import ACTIVE, PairingTable
from stimfw.storage.record import Record

from stimbench.attacks.result import Result
from stimbench.attacks.rollback import Nor
from stimbench.attacks.stand import Stand

__all__ = ("extreme_values", "unknown_roles")

_PAIRINGS_BLOCKS = 2
_VERSION_1_BYTES = 239  # of a table as the firmware before this one wrote it
_STATE, _ROLE_SHIFT, _MOST_ROLE = 0x1F, 5, 7
_VALUES = {"H": (0, 1, 0x7FFF, 0x8000, 0xFFFF), "B": (0, 1, 0x7F, 0x80, 0xFF)}
_WORDS = (0, 1, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFF)


def unknown_roles(tries: int, seed: int) -> Result:
    """Put a role that no key has into the table of pairings on flash: service (3), or an unknown one.

    By a firmware with a bug, or somebody who had the board for a minute. Each try is a table whose record is
    sound but for that, in the form of today or of the firmware before. Success: the slot is taken for a
    pairing, so that whoever has its key has that role.
    """
    rng = random.Random(f"roles {seed}")
    successes = 0
    powers = set()
    for number in range(tries):
        nor = Nor(rng, _PAIRINGS_BLOCKS)
        record = Record(nor, 0)  # type: ignore[arg-type]
        role = roles.SERVICE if number % 4 < 2 else rng.randint(roles.SERVICE + 1, _MOST_ROLE)
        if number % 2:
            slot = struct.pack("<BB4s32s", ACTIVE, role, rng.randbytes(4), rng.randbytes(32))
            record.store((b"\x01" + rng.randbytes(4) + bytes(6) + slot).ljust(_VERSION_1_BYTES, b"\0"))
        else:
            record.store(_of_today(nor, role, rng))
        try:
            pairing = PairingTable(Record(nor, 0)).get(0)  # type: ignore[arg-type]
        except StorageError:
            continue
        if pairing is not None and pairing.role not in roles.KEY_ROLES:
            successes += 1
            powers |= {opcode for opcode in range(256) if asking.may(pairing.role, opcode)}
    return Result("unknown roles", tries, successes, f"{len(powers)} requests are such a role's")


def _of_today(nor: Nor, role: int, rng: random.Random) -> bytes:
    """A table with a clinician, whose role is another then: above the state in the byte before the id."""
    table = PairingTable(Record(nor, 0))  # type: ignore[arg-type]
    table.create(rng.randbytes(4))
    peer_id = rng.randbytes(4)
    table.add(peer_id, roles.CLINICIAN, rng.randbytes(32))
    payload = bytearray(Record(nor, 0).load() or b"")  # type: ignore[arg-type]
    head = payload.index(peer_id) - 1
    payload[head] = payload[head] & _STATE | role << _ROLE_SHIFT
    return bytes(payload)


def extreme_values(tries: int, seed: int, code: str = "") -> Result:
    """Ask for programmes and windows with the least and the greatest numbers that their fields hold.

    By whoever may ask: a clinician's host with a bug. Each try is a request with one or more such numbers.
    Success: a value in the refusal is not one that was sent, there is no answer, or the packing of a refusal
    raises what it does not declare.
    """
    rng = random.Random(f"extreme {seed}")
    successes = 0
    told: set[str] = set()
    with Stand(seed, (roles.CLINICIAN,), code=code) as stand:
        peer = stand.peer()
        for _ in range(tries):
            opcode = rng.choice((requests.SET_PROGRAM, requests.SET_WINDOW, requests.AMPLITUDE))
            row = requests.row_of(opcode)
            values = _some(row, stand.host.program().values, rng)
            reply = peer.ask(messages.request(opcode, struct.pack(row[requests.BODY], *values)))
            wrong = {_wrong(opcode, values, reply), _wrong_on_a_desk(row, values)} - {""}
            successes += bool(wrong)
            told |= wrong
    detail = "; ".join(sorted(told)[:3]) or "each refusal tells what was sent"
    return Result("extreme values", tries, successes, detail)


def _some(row: requests.Row, programme: tuple[int, ...], rng: random.Random) -> list[int]:
    """A programme of which one or two fields are extreme; or all fields, where the request is none."""
    letters = row[requests.BODY][1:]
    values = list(programme) if row[requests.OPCODE] == requests.SET_PROGRAM else [0] * len(letters)
    wide = [field for field, letter in enumerate(letters) if letter == "I"]
    fields = wide if wide and rng.random() < 0.5 else rng.sample(range(len(letters)), rng.choice((1, 1, 2)))
    for field in fields:
        values[field] = rng.choice(_VALUES.get(letters[field], _WORDS))
    return values


def _wrong(opcode: int, values: list[int], reply: bytes | None) -> str:
    """What is wrong with a board's answer; nothing, if it is right."""
    if reply is None:
        return "no answer"
    code, body = messages.parse_reply(opcode, reply)
    refusal = refusals.unpack(code, body)
    if code != messages.OUT_OF_RANGE or refusal is None:
        return ""
    field, told = refusal
    sent = [values[field]] if opcode == requests.SET_PROGRAM and field != refusals.NO_FIELD else values
    return "" if told in sent else f"{max(sent)} is refused as {told}"


def _wrong_on_a_desk(row: requests.Row, values: list[int]) -> str:
    """The same refusal packed in this process."""
    try:
        refusals.pack(row, refusals.out_of_range(max(values)))
    except Exception as error:
        return f"{type(error).__module__}.{type(error).__name__} on CPython"
    return ""
