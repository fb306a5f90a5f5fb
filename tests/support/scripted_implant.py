"""An implanted stimulator that answers a host by a script, with the firmware's own rules and records."""

from __future__ import annotations

import struct

from stimfw.protocol import messages, requests, therapy_reasons
from stimfw.pulses.impedance import PAIRS
from stimfw.storage.prescriptions import Prescriptions
from stimfw.therapy import rules
from stimfw.therapy.schedule import UNKNOWN_S

from support.flash_fake import FlashFake
from support.scripted_stimulator import LATENCY_S, FakeBoard

HEALED_S = 1_700_000_000
TRAIN = messages.STATE_NAMES.index("test train")
GUARD_S = 0.4


class FakeImplant(FakeBoard):
    """Attributes beside FakeBoard's: `ohm` and `capacitance_nf` of every pair; `told` by THERAPY's fields."""

    def __init__(self) -> None:
        super().__init__()
        self.implanted = True
        self.implants: list[tuple[bytes, int, int]] = []
        self.prescriptions = Prescriptions(FlashFake(8), 0)
        self.clock_s = 1_800_000_000
        self.is_measured = True
        self.ohm, self.capacitance_nf = 500, 2500
        self.earliest_s = HEALED_S
        self.mode = 0
        self.told = {
            "reason": 0, "sessions_left": 2, "sessions_a_day": 2, "next_s": 0, "session_s": 1800,
            "elapsed_s": 0, "cycles": 0, "ended_cause": messages.STOPPED_SESSION_OVER, "fault": 0,
            "fault_lead": 255, "battery": 0, "clock_known": 1, "time_s": 1_800_000_000,
        }  # fmt: skip
        self.trains: list[tuple[int, ...]] = []
        self.train_begun_s = self.held_s = 0.0
        self.train_pulses = self.train_hz = 0
        self.held_at: list[float] = []
        self.contractions_ended = 30
        self.ledgers = ((600, 513_600, 30, 4000, 3990, 4020, 1), (598, 0, 30, 0, 0, 0, 0))

    def execute(self, message, now_s, role=3):
        opcode = message[0]
        self._end_train(now_s)
        if 0x31 <= opcode <= 0x3D and opcode != requests.JOURNAL and not self.implanted:
            code = bytes((self.state, therapy_reasons.NOT_IMPLANTED))
            return messages.reply(opcode, messages.WRONG_STATE, code)
        return super().execute(message, now_s, role)

    def do_08(self, body, _now_s):
        kind = messages.KIND_OK if self.is_measured else messages.KIND_NOT_MEASURED
        records = b""
        for cathode, anode in PAIRS:
            one = messages.KIND_OPEN if (body[0], cathode, anode) in self.open_pairs else kind
            values = cathode << 2 | anode, one, self.ohm, self.capacitance_nf, 1000
            records += struct.pack(requests.PAIR_RECORD, *values)
        return messages.OK, records

    def do_30(self, body, _now_s):
        if self.implanted:
            return messages.WRONG_STATE, bytes((self.state, therapy_reasons.IMPLANTED))
        self.implants.append(struct.unpack("<8sBI", body))
        self.implanted = True
        return messages.OK, b""

    def do_31(self, _body, _now_s):
        self.implanted = False
        return messages.OK, b""

    def do_32(self, _body, now_s):
        return self.do_3a(b"\0", now_s)

    def do_3a(self, body, _now_s):
        found = self.prescriptions.history(body[0])
        if found is None:
            return messages.OK, struct.pack("<HBI", 0, messages.FROM_NOBODY, 0)
        version, sender, set_s, packed = found
        return messages.OK, struct.pack("<HBI", version, sender, set_s) + packed

    def do_33(self, body, now_s):
        values = struct.unpack(requests.PRESCRIPTION, body)
        pairs = tuple(
            {
                (pair >> 2, pair & 3): (kind, ohm, capacitance_nf)
                for pair, kind, ohm, capacitance_nf, _ in struct.iter_unpack(
                    requests.PAIR_RECORD, self.do_08(bytes((lead,)), now_s)[1]
                )
            }
            for lead in (0, 1)
        )
        readings = rules.Readings(pairs, self.earliest_s)
        failed = rules.failed_bits(rules.failures(values, readings))
        if failed:
            return messages.OK, struct.pack("<HHHHHI", 0, 0, 0, 0, 0, failed)
        kept, clamps = rules.accepted(values, readings)
        version = self.prescriptions.store(kept.pack(), messages.FROM_USB, self.clock_s)
        allowed, by = [0, 0], [0, 0]
        for lead in (0, 1):
            _, ohm, capacitance_nf = readings.of(lead, kept.cathode[lead], kept.anode[lead])
            allowed[lead] = rules.allowed_ua(lead, kept, ohm, capacitance_nf)[0]
        for lead, _, ua, rule in clamps:
            allowed[lead], by[lead] = ua, rule
        return messages.OK, struct.pack("<HHHHHI", version, *allowed, *by, 0)

    def do_34(self, _body, _now_s):
        told = self.told if self.told["next_s"] is not None else self.told | {"next_s": UNKNOWN_S}
        row = requests.row_of(requests.THERAPY)
        return messages.OK, struct.pack(row[requests.REPLY], self.state, *told.values())

    def do_35(self, body, _now_s):
        self.mode = body[0]
        self.state = (messages.READY, 12, 13)[self.mode]
        return messages.OK, b""

    def do_36(self, body, now_s):
        values = struct.unpack("<BBBHHHBB", body)
        self.trains.append(values)
        self.train_hz, self.train_pulses = values[6], values[7]
        self.train_begun_s = self.held_s = now_s
        self.state = TRAIN
        self.stop_cause = messages.STOPPED_NEVER_ON
        return messages.OK, b""

    def do_37(self, _body, now_s):
        if self.state == TRAIN:
            self.held_s = now_s
            self.held_at.append(now_s)
        return messages.OK, struct.pack("<H", self._delivered(now_s))

    def do_04(self, body, now_s):
        if self.state == TRAIN:
            self.stop_cause = messages.STOPPED_HOST
            self.train_pulses = self._delivered(now_s)
        return super().do_04(body, now_s)

    def _delivered(self, now_s):
        return min(self.train_pulses, int((now_s - self.train_begun_s) * self.train_hz))

    def _end_train(self, now_s):
        if self.state != TRAIN:
            return
        if now_s - self.held_s > GUARD_S:
            self.train_pulses = self._delivered(self.held_s + GUARD_S)
            self.state, self.stop_cause = messages.READY, messages.STOP_NAMES.index("host gone")
        elif self._delivered(now_s) == self.train_pulses:
            self.state, self.stop_cause = messages.READY, messages.STOPPED_SESSION_OVER

    def do_39(self, body, _now_s):
        return messages.OK, struct.pack("<IIHHHHH", *self.ledgers[body[0]])

    def do_3e(self, body, _now_s):
        lead, first = struct.unpack("<BH", body)
        numbers = range(first, min(first + 14, self.contractions_ended))
        records = b"".join(
            struct.pack("<HHHHII", 20 + n, 4000 + lead, 3990, 4020 + n, 17_000 + n, 16_990) for n in numbers
        )
        return messages.OK, struct.pack("<HH", first, self.contractions_ended) + records

    def do_3b(self, body, _now_s):
        (self.clock_s,) = struct.unpack("<I", body)
        return messages.OK, b""

    def do_3c(self, body, _now_s):
        figures = (self.told["fault"], 4000, 3990 + body[0], 3985, -2100, -2500, -12, 505, 77)
        return messages.OK, struct.pack("<BhhhhhhHI", *figures)

    def do_3d(self, _body, _now_s):
        self.told["fault"], self.told["fault_lead"] = 0, 255
        return messages.OK, b""


__all__ = ("HEALED_S", "LATENCY_S", "FakeImplant")
