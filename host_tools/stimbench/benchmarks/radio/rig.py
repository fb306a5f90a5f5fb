"""A paired bench for the figures of telemetry: boards that know each other, and what they say in the air."""

from __future__ import annotations

import random
from dataclasses import dataclass

from stimfw.protocol import roles
from stimfw.telemetry import frames

from stimbench.bench.provision import pair
from stimbench.benchmarks.harness.rig import MS, Rig
from stimbench.client.remote import Remote, connect_remote
from stimbench.devices.emulated_link import EmulatedLink
from stimbench.parts.radio import Sniffed

__all__ = ("HOLD_MS", "Heard", "PairedRig")

HOLD_MS = 40
"""How long a finger is on a button."""
_COPY_NS = 3 * MS
"""A packet like the one before of its kind, so soon after it, is a copy in the same burst."""
_ANSWER_NS = 1200 * MS  # a request is given up after 1 s
_LEDS = ("GREEN", "AMBER", "RED")


@dataclass(frozen=True)
class Heard:
    """A packet of the protocol in the air.

    Attributes:
        kind: stimfw.telemetry.frames.HELLO ...; 0 for anything else.
        copy: it was sent before in the same burst.
    """

    kind: int
    start_ns: int
    end_ns: int
    copy: bool


class PairedRig(Rig):
    """A stimulator and its remote, paired before they are switched on, both running.

    Attributes:
        pairing: what both have on flash.
        rng: for what is random in the measurement.
        remote: the remote's console.
    """

    def __init__(self, seed: int, role: int = roles.PATIENT) -> None:
        """Args: seed: of all parts and of the pairing; role: of the remote."""
        super().__init__(seed, ("stimulator", "remote"))
        self.pairing = pair(self.bench, seed, role)
        self.rng = random.Random(f"telemetry {seed}")
        self.remote = self.reach_remote()

    def __enter__(self) -> PairedRig:
        return self

    def reach_remote(self) -> Remote:
        """Wait until the remote's application answers; its console."""
        remote_board = self.bench.board("remote")
        remote_board.console.read()
        return connect_remote(EmulatedLink(self.bench, "remote"), 0)

    def heard(self, since_ns: int) -> list[Heard]:
        """The packets that began since then, in order of time."""
        assert self.bench.air is not None
        found: list[Sniffed] = []
        for packet in reversed(self.bench.air.tap):
            if packet.t_start_ns < since_ns - 50 * MS:
                break
            found.append(packet)
        said: list[Heard] = []
        last: dict[bytes, int] = {}
        for packet in sorted(found, key=lambda packet: packet.t_start_ns):
            copy = packet.t_start_ns - last.get(packet.payload, packet.t_start_ns - _COPY_NS) < _COPY_NS
            last[packet.payload] = packet.t_start_ns
            if packet.t_start_ns >= since_ns:
                kind = frames.kind_of(packet.payload)
                said.append(Heard(kind, packet.t_start_ns, packet.t_end_ns, copy))
        return said

    def lights(self, color: str, since_ns: int) -> list[tuple[int, bool]]:
        """Edges of one of the remote's LEDs (`GREEN`, `AMBER`, `RED`) since then."""
        return self.bench.trace.edges("remote", f"LED_{color}", since_ns)

    def first_light(self, since_ns: int) -> tuple[str, int]:
        """Colour and bench time of the first light since then; ("", 0) if there was none."""
        begun = [
            (time_ns, color) for color in _LEDS for time_ns, level in self.lights(color, since_ns) if level
        ]
        return (min(begun)[1], min(begun)[0]) if begun else ("", 0)

    def press(self, button: str, timeout_ns: int = _ANSWER_NS) -> tuple[int, str, int]:
        """Press a button and wait for a light: time of the press, colour ("" if none), its time."""
        pressed_ns = self.now_ns
        self.bench.press(button, HOLD_MS)
        self.bench.run_until(lambda: self.first_light(pressed_ns)[0], timeout_ns, MS)
        return (pressed_ns, *self.first_light(pressed_ns))

    def connected(self) -> None:
        """Open a connection by a press of STATUS, and let go of the button.

        Raises:
            RuntimeError: it was not answered.
        """
        _, color, _ = self.press("STATUS")
        self.run_ms(300)
        if color != "GREEN":
            raise RuntimeError(f"STATUS showed {color or 'nothing'}")

    def forget(self) -> None:
        """Drop what was recorded, the air's as well."""
        super().forget()
        if self.bench.air is not None:
            self.bench.air.tap.clear()
