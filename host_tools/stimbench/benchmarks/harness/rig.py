"""A bench set up for a measurement, and the steps that measurements share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from stimfw.protocol import messages, roles
from stimfw.therapy import net_current
from stimfw.therapy.program import Program

from stimbench.analysis import LEAD_SIGNALS, pulses_of
from stimbench.analysis.pulses import Pulses
from stimbench.bench import Bench, BenchConfig, provision
from stimbench.capture.capture import Capture
from stimbench.capture.channels import Edges, Times
from stimbench.client.stimulator import Stimulator, connect
from stimbench.devices.emulated_device import EmulatedDevice
from stimbench.devices.repl import BoardTransport
from stimbench.emulator.board import EmulatedBoard
from stimbench.emulator.chip import Core, XipConfig
from stimbench.emulator.nets import Net
from stimbench.parts.tolerances import Tolerance
from stimbench.parts.wiring import StimulatorWiring

__all__ = (
    "BOARDS",
    "BRIDGE",
    "MARK_GPIO",
    "MS",
    "SIDES",
    "Rig",
    "image_of",
    "most_ua",
    "programme",
    "use_images",
    "use_xip",
)

BOARDS = ("stimulator", "remote")

MARK_GPIO = 16
"""A pin without a part."""
MS = 1_000_000
"""Nanoseconds in a millisecond."""
SIDES = LEAD_SIGNALS
BRIDGE = tuple(signal for signals in SIDES.values() for signal in signals)
_UP_MS = 1000


def programme(
    width_us: int = 214,
    gap_us: int = 0,
    rate_hz: int = 20,
    ramp_ms: int = 0,
    on_ms: int = 10_000,
    off_ms: int = 1000,
    session_s: int = 3600,
    amplitude_ua: tuple[int, int] = (2000, 2000),
    electrodes: tuple[int, int] = (1, 2),
    contact_s: int = 0,
) -> Program:
    """A programme of both leads; what is not given is the default programme's, but for ramps and rest."""
    left, right = amplitude_ua
    shared = (width_us, gap_us, rate_hz, ramp_ms, ramp_ms, on_ms, off_ms, session_s)
    return Program((*shared, left, *electrodes, right, *electrodes, contact_s))


def most_ua(program: Program) -> int:
    """The highest amplitude that contractions like a programme's may have: stimfw.therapy.net_current."""
    return net_current.most_ua(
        program.width_us,
        program.gap_us,
        program.period_us,
        program.ramp_up_ms,
        program.on_ms,
        program.ramp_down_ms,
    )


_images: dict[str, Path] = {}


def use_images(folder: Path | None) -> None:
    """Let every rig of this process take its images from `folder`; None: from the build folder."""
    _images.clear()
    if folder is not None:
        _images.update({board: folder / f"{board}.uf2" for board in BOARDS})


def image_of(board: str) -> Path:
    """The firmware of a board that every rig of this process takes.

    Raises:
        BenchError: it is not there.
    """
    return _images.get(board) or BenchConfig().firmware_path(board)


_xip: list[XipConfig] = ["cache"]


def use_xip(xip: XipConfig) -> None:
    """Let a miss of the flash cache cost this in every rig of this process; see BenchConfig."""
    _xip[:] = [xip]


class Rig:
    """A bench with a stimulator, switched on.

    Attributes:
        pairing: of the remote if there is one on the bench, else of a peer without a board.
    """

    def __init__(
        self,
        seed: int,
        boards: tuple[str, ...] = ("stimulator",),
        wiring: StimulatorWiring | None = None,
        role: int = roles.PATIENT,
        core: Core | None = None,
        tolerance: Tolerance = "typical",
    ) -> None:
        """Build it.

        Args:
            seed: of all parts and of the pairing.
            boards: on the bench.
            wiring: the stimulator's, if special.
            role: that the pairing is for.
            core: which CPU core runs the firmware, if not the one by default.
            tolerance: where each part lies in it, see BenchConfig.
        """
        given = {"stimulator": wiring} if wiring else {}
        config = BenchConfig(
            seed=seed, boards=boards, wiring=given, firmware=_images, xip=_xip[0], tolerance=tolerance
        )
        config.core = core or config.core
        self.bench = Bench(config)
        if "remote" in boards:
            self.pairing = provision.pair(self.bench, seed, role)
        else:
            self.pairing = provision.add_peer(self.bench, role, seed)
        self.board: EmulatedBoard = self.bench.board("stimulator")
        self.parts: Any = self.board.parts
        self.device = EmulatedDevice(self.bench, "stimulator").open()
        self._joined: list[tuple[int, bool]] = [(0, False)]
        self.parts.matrix.on_change(self._on_matrix)

    def __enter__(self) -> Rig:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bench.close()

    @property
    def now_ns(self) -> int:
        """Bench time."""
        return self.bench.now_ns

    def run_ms(self, duration_ms: float) -> None:
        """Let time pass."""
        self.bench.run_for(round(duration_ms * MS))

    def connect(self) -> Stimulator:
        """Wait for the application; its console."""
        return connect(self.device.console, 0)

    def repl(self) -> BoardTransport:
        """Interrupt the application; the raw REPL."""
        self.bench.run_until(lambda: self.board.usb_connected, _UP_MS * MS)
        self.run_ms(300)
        return self.device.enter_repl()

    def execute(self, script: str, marker: bytes = b"loaded") -> Stimulator:
        """Run `script`, which goes on serving the application, from the raw REPL; its console.

        Raises:
            RuntimeError: the script did not print `marker` within two seconds.
        """
        self.repl().exec_raw_no_follow(script)
        seen = bytearray()

        def ready() -> bool:
            seen.extend(self.board.console.read())
            return marker in seen

        if not self.bench.run_until(ready, 5000 * MS):
            raise RuntimeError(f"the script on the board said {bytes(seen)!r}")
        return self.connect()

    def start(self, stimulator: Stimulator, wanted: Program) -> int:
        """Give it a programme and start it by the console; the bench time of the first therapy pulse."""
        self.set_program(stimulator, wanted)
        return self.restart(stimulator)

    def set_program(self, stimulator: Stimulator, wanted: Program) -> None:
        """Give it a programme: twice, as moved electrodes cost the amplitude the first time."""
        stimulator.set_program(wanted)
        if stimulator.program().values != wanted.values:
            stimulator.set_program(wanted)

    def restart(self, stimulator: Stimulator) -> int:
        """Start a session by the console; the bench time of the first therapy pulse.

        Raises:
            RuntimeError: no pulse came.
        """
        begin = self.now_ns
        stimulator.start()
        self.until_pulsing(begin)
        return int(self.edges(SIDES["left"][0], max(begin, self._joined[-1][0])).times_ns[0])

    def until_pulsing(self, since_ns: int) -> None:
        """Let time pass until a therapy pulse has begun on the left lead.

        Raises:
            RuntimeError: none came.
        """
        signal = SIDES["left"][0]

        def pulsing() -> bool:
            # Asked every millisecond: the recorder knows without a capture of all channels.
            first_ns = max(since_ns, self._joined[-1][0])
            return self.joined and bool(self.bench.trace.edges("stimulator", signal, first_ns))

        if not self.bench.run_until(pulsing, 2000 * MS, MS):
            raise RuntimeError("no pulse came after START")

    def capture(self, from_ns: int = 0, to_ns: int | None = None) -> Capture:
        """What was recorded in a span."""
        return self.bench.trace.capture(from_ns, to_ns)

    def edges(self, signal: str, from_ns: int = 0, to_ns: int | None = None) -> Edges:
        """Edges of one of the stimulator's signals."""
        return self.capture(from_ns, to_ns).edges(f"stimulator.{signal}")

    def pulses(self, side: str, from_ns: int, to_ns: int | None = None) -> Pulses:
        """All pulses of a lead."""
        return pulses_of(self.capture(from_ns, to_ns), side)

    def therapy(self, side: str, from_ns: int, to_ns: int | None = None) -> Pulses:
        """Pulses of a lead through a pair of electrodes: those of the self-test cross the switches alone."""
        pulses = self.pulses(side, from_ns, to_ns)
        times = np.array([time_ns for time_ns, _ in self._joined])
        joined = np.array([joined for _, joined in self._joined])
        found: Pulses = pulses[joined[np.searchsorted(times, pulses["start_ns"], side="right") - 1]]
        return found

    @property
    def joined(self) -> bool:
        """Whether both leads' switches join a pair of electrodes to the outputs now."""
        return self._joined[-1][1]

    def _on_matrix(self, _chip: int, time_ns: int) -> None:
        masks = [self.parts.matrix.mask(chip) for chip in range(len(SIDES))]
        joined = all(0 not in (mask & 0xF, mask >> 4) and mask & 0xF != mask >> 4 for mask in masks)
        if joined != self._joined[-1][1]:
            self._joined.append((time_ns, joined))

    def off_ns(self, after_ns: int) -> int:
        """When the last bridge pin went low after `after_ns`; `after_ns` if all were low.

        Raises:
            RuntimeError: one is still high.
        """
        still = [signal for signal in BRIDGE if self.board.pin(signal).level]
        if still:
            raise RuntimeError(f"still high: {', '.join(still)}")
        times = self._bridge_times(after_ns)
        return max([after_ns, *(int(each[-1]) for each in times if len(each))])

    def bridge_edges(self, from_ns: int, to_ns: int | None = None, rising: bool = False) -> int:
        """How many edges (or rising ones) there were on the six bridge pins."""
        return sum(map(len, self._bridge_times(from_ns, to_ns, rising)))

    def _bridge_times(self, from_ns: int, to_ns: int | None = None, rising: bool = False) -> list[Times]:
        capture = self.capture(from_ns, to_ns)
        found = [capture.edges(f"stimulator.{signal}") for signal in BRIDGE]
        return [edges.rises_ns if rising else edges.times_ns for edges in found]

    def current_until_ns(self, from_ns: int) -> int:
        """When a current last flowed in either lead after `from_ns`; `from_ns` if none did."""
        ends = [lead.trace.segments[-1][1] for lead in self.parts.leads.values() if lead.trace.segments]
        return int(max([from_ns, *ends]))

    def mark(self) -> list[int]:
        """Times at which a script on the board drove the spare pin MARK_GPIO high, as they come."""
        times: list[int] = []
        net = Net(self.board, "MARK", self.board.mcu.gpio[MARK_GPIO])
        net.on_edge(lambda level, time_ns: times.append(time_ns) if level else None)
        return times

    def forget(self) -> None:
        """Drop edges and currents recorded so far: a long run would search them again and again."""
        self.bench.trace.forget_before(self.now_ns)
        for lead in self.parts.leads.values():
            lead.trace.clear()

    def await_state(
        self, stimulator: Stimulator, state: int = messages.READY, timeout_ms: int = 5000, poll_ms: float = 50
    ) -> bool:
        """Poll until the stimulator says that it is in `state`; whether it did in time."""
        reached: Callable[[], bool] = lambda: stimulator.status().state == state  # noqa: E731
        end_ns = self.now_ns + timeout_ms * MS
        while not reached():
            if self.now_ns > end_ns:
                return False
            self.run_ms(poll_ms)
        return True
