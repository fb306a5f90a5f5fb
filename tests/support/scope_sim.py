"""A simulated oscilloscope: pyvisa-sim, and beside it what its YAML files cannot say.

pyvisa-sim answers with text, and the same query always with the same: so the order of a capture (armed,
triggered, stopped), and samples of all 256 codes, come from here. All goes through PyVISA's own sessions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pyvisa
from pyvisa.rname import to_canonical_name
from pyvisa_sim.component import NoResponse
from stimbench.instruments.visa_resource import Resource, opened_with_pyvisa

NAME = "TCPIP::scope::INSTR"
FOLDER = Path(__file__).resolve().parents[1] / "instruments"
PATIENT_MS, GONE_MS = 10_000, 20
"""How long an answer may take, and how long one waits for an instrument that has gone."""


class Clock:
    """Time passes when somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


@dataclass
class Make:
    """One make's answers in a capture."""

    yaml: str
    armed: tuple[str, str]
    """The query, and the answer once it is armed."""
    done: tuple[str, str, str]
    """The query, the answers before and after the capture."""
    preamble: str
    """With the number of points to come."""
    to_code: object
    """Volts to codes."""


RIGOL = Make(
    "rigol_ds1000z.yaml",
    (":TRIGger:STATus?", "WAIT"),
    (":TRIGger:STATus?", "TD", "STOP"),
    # 0.02 V a code; code 127 + 10 is 0 V; from 1 ms before the trigger on, 1 us apart.
    "0,2,{points},1,1.000000e-06,-1.000000e-03,0,2.000000e-02,10,127",
    lambda volts: volts / 0.02 + 137,
)
KEYSIGHT = Make(
    "keysight_infiniivision.yaml",
    (":AER?", "1"),
    (":OPERegister:CONDition?", "40", "32"),
    # 0.02 V a code; code 128 is -0.18 V.
    "+0,+0,+{points},+1,+1.00000000E-006,-1.00000000E-003,+0,+2.00000000E-002,-1.80000000E-001,+128",
    lambda volts: (volts + 0.18) / 0.02 + 128,
)


@dataclass
class ScopeSim:
    """An oscilloscope with something on its channels."""

    make: Make
    volts: dict[int, np.ndarray] = field(default_factory=dict)
    triggers: bool = True
    polls_before_trigger: int = 2
    gone_at: str = ""
    """The query at which it loses its supply."""
    answers: dict[str, bytes] = field(default_factory=dict)
    """Other answers than its own."""
    said: list[str] = field(default_factory=list)
    clock: Clock = field(default_factory=Clock)
    manager: pyvisa.ResourceManager | None = None
    _polls: int = 0
    _armed: bool = False
    _gone: bool = False

    def open(self, name: str, backend: str) -> Resource:
        """What ScopeSource asks for; the backend is the simulated one."""
        library = f"{FOLDER / self.make.yaml}@sim"
        # PyVISA keeps a library, and so its devices, as long as somebody holds the manager.
        self.manager = pyvisa.ResourceManager(library)
        device = self.manager.visalib.devices[to_canonical_name(NAME)]
        device._output_buffers.clear()
        device._match = lambda query: self._answer(device, query, partial(type(device)._match, device))
        return opened_with_pyvisa(name, library, GONE_MS if self.gone_at else PATIENT_MS)

    def codes(self, channel: int) -> np.ndarray:
        return np.clip(np.rint(self.make.to_code(self.volts[channel])), 0, 255).astype(np.uint8)

    def _answer(self, device, query, usual):
        text = query.decode()
        self.said.append(text)
        self._gone = self._gone or text == self.gone_at
        if self._gone:
            return NoResponse
        if text in self.answers:
            return self.answers[text]
        if text == ":SINGle":
            self._armed, self._polls = True, 0
        if text in (self.make.armed[0], self.make.done[0]):
            return self._state(text).encode()
        if text == ":WAVeform:PREamble?":
            return self.make.preamble.format(points=len(self._source(device))).encode()
        if text == ":WAVeform:DATA?":
            return self._block(device)
        return usual(query)

    def _state(self, query: str) -> str:
        if not self._armed:
            return "0" if query == ":AER?" else self.make.done[2]
        self._polls += 1
        if self._polls == 1:
            return self.make.armed[1]
        if not self.triggers or self._polls <= self.polls_before_trigger:
            return "WAIT" if "STATus" in query else self.make.done[1]
        return self.make.done[1 if self._polls == self.polls_before_trigger + 1 else 2]

    def _source(self, device) -> np.ndarray:
        return self.codes(int(device._properties["source"].get_value().removeprefix("CHANnel")))

    def _block(self, device) -> bytes:
        values = {name: each.get_value() for name, each in device._properties.items()}
        # It answers in another form unless it was told which.
        assert values["format"] == "BYTE"
        codes = self._source(device)
        if "first" in values:
            assert values["mode"] == "RAW"
            codes = codes[int(values["first"]) - 1 : int(values["last"])]
            assert len(codes) <= 250_000
        else:
            assert (values["points_mode"], values["unsigned"]) == ("RAW", "ON")
        return f"#8{len(codes):08d}".encode() + codes.tobytes()
