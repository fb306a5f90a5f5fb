"""The demonstration from power-on to the report's files."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from stimfw.therapy.ranges import LEADS
from stimfw.version import VERSION

from stimbench.analysis import spread_of
from stimbench.capture.sigrok import write_sr
from stimbench.capture.vcd import write_vcd
from stimbench.client.on_bench import build_bench
from stimbench.demo.judgement import LIMIT, judge_recording
from stimbench.demo.measured import Measured, measure
from stimbench.demo.pictures import charts
from stimbench.demo.recording import Recording
from stimbench.demo.scenario import Reporter, Scenario
from stimbench.errors import InputError
from stimbench.report.page import Report, write_html, write_json
from stimbench.report.style import Chart, picture_of

__all__ = ("Result", "make_report", "run_demo")

TITLE = "One contraction on the emulated bench"
_SUMMARY = (
    "The stimulator's and the remote's real firmware on two emulated RP2040 boards: power-on and "
    "self-test, the impedance of every electrode pair, a programme set over USB, START on the remote, "
    "one bilateral contraction, and STOP on the remote in the middle of the next one."
)
_CAVEATS = (
    "Emulated: both RP2040 boards with flash and USB, the radios and the air between them, DAC, "
    "switches, bridges, leads, electrodes, sense amplifiers, monostable, buttons and LEDs. The firmware "
    "is the image for real boards.",
    "CPU times count the misses of the flash cache at 56 cycles each, as derived and not as measured on a "
    "board. This concerns the time to ready and the delay from the STOP packet to the bridges, not the "
    "pulses, which PIO times without the CPU.",
    "Clocks are exact on the emulated bench. A real board's crystal adds its own error, 30 ppm or so, to "
    "every time.",
    "The emulated pump has the same error in both phases, so charge imbalance and direct current show the "
    "timing and the recharge, not the mismatch that a real pump adds.",
    "Not modelled: distance between electrodes, noise of the amplifiers, leakage and temperature of the "
    "bridges.",
    "The boards are paired before power-on: records are put on both flashes as a pairing leaves them.",
    "For resistors and saline only, never for a person or an animal.",
)
_FILES = (
    ("report.json", "the figures as data"),
    ("bench.vcd", "every edge of every digital signal, currents in uA, voltages in V, for GTKWave or Surfer"),
    ("bench.sr", "the digital signals but SPI's, the same currents and voltages, for PulseView and sigrok"),
    ("spi.sr", "550 ms from START's press to the first pulses: SPI at 50 MHz, for its decoders"),
)
_SPI_SIGNALS = ("DAC_", "MATRIX_CS", "LDAC", "RADIO_")
_SPI_SPAN_NS = 550_000_000  # the self-test before a session takes 450 ms of it
_SPI_RATE_HZ = 50_000_000  # 3 samples each half of a clock of 8 MHz


@dataclass(frozen=True)
class Result:
    """What came of it."""

    report: Report
    folder: Path
    charts: list[Chart]


def run_demo(folder: Path, seed: int, reporter: Reporter) -> Result:
    """Run it all and write the report into `folder`, which is made if need be.

    Raises:
        InputError: the folder cannot be written to.
        PortError: the bench cannot be built.
        StimbenchError: the run could not go to its end; there is no report then.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("report.html", *(name for name, _ in _FILES)):
            # A run that fails must not leave an older run's good report in its place.
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{folder} cannot be written to: {error.strerror}.") from error
    with build_bench(seed) as bench:
        recording = Scenario(bench, seed, reporter).run()
    reporter.begin("Report")
    measured = measure(recording)
    report = make_report(recording, measured)
    capture, fast = recording.capture, bench.trace.spi_channels
    write_vcd(capture, folder / "bench.vcd")
    slow = [name for name in capture.digital if name not in fast]
    write_sr(capture.select(slow, capture.analog), folder / "bench.sr")
    _write_spi(recording, folder / "spi.sr")
    write_json(report, folder / "report.json")
    write_html(report, folder / "report.html")
    reporter.done(str(folder / "report.html"))
    return Result(report, folder, charts(recording, measured, LIMIT["timing_ns"]))


def _write_spi(recording: Recording, path: Path) -> None:
    """The buses with their chip selects while START goes over the air and the session begins."""
    capture, start_ns = recording.capture, recording.marks.start_pressed
    chosen = [name for name in capture.digital if name.partition(".")[2].startswith(_SPI_SIGNALS)]
    span = capture.select(chosen).between(start_ns, start_ns + _SPI_SPAN_NS)
    write_sr(span, path, _SPI_RATE_HZ)


def make_report(recording: Recording, measured: Measured) -> Report:
    """The report of a recording."""
    programme = recording.program
    leads = "; ".join(
        f"{name}: cathode {programme.cathode[k]}, anode {programme.anode[k]}, "
        f"programmed {programme.amplitude_ua[k]} uA"
        for k, name in enumerate(LEADS)
    )
    pulses = f"{programme.rate_hz} Hz, {programme.width_us} us a phase, {programme.gap_us} us between"
    cycle = (
        f"{programme.ramp_up_ms} ms up, {programme.on_ms} ms hold, {programme.ramp_down_ms} ms down, "
        f"{programme.off_ms} ms rest"
    )
    facts = [
        ("Command", f"stimbench demo --seed {recording.seed}"),
        ("Version", VERSION),
        *((f"Firmware, {known.role}", f"{known.version} ({known.build})") for known in recording.identities),
        ("Calibration", recording.calibration),
        ("Seed", f"{recording.seed} (equal seeds give equal runs)"),
        ("Pulses", pulses),
        ("Cycle", cycle),
        ("Leads", leads),
        ("Radio", _radio_fact(recording)),
        ("Emulated time", f"{recording.marks.end / 1e9:.1f} s"),
    ]
    return Report(
        title=TITLE,
        summary=_SUMMARY,
        facts=facts,
        figures=judge_recording(recording, measured),
        pictures=[picture_of(chart) for chart in charts(recording, measured, LIMIT["timing_ns"])],
        files=_FILES,
        caveats=_CAVEATS,
        extra={
            "program": programme.as_dict(),
            "marks_ns": asdict(recording.marks),
            "details": asdict(recording.details) if recording.details else None,
            "timing_ns": _timing_data(measured),
        },
    )


def _radio_fact(recording: Recording) -> str:
    """How many packets of each kind were in the air, those that were repeated included."""
    counts = Counter(packet.name for packet in recording.air if packet.name)
    kinds = ", ".join(f"{count} {name}" for name, count in counts.items()) or "no packet"
    return f"{kinds}: sealed with AES-128-CCM under a key that the two boards share since they were paired"


def _timing_data(measured: Measured) -> dict[str, dict[str, dict[str, float]]]:
    return {
        name: {field: asdict(spread_of(getattr(lead.timing, field))) for field in ("width", "gap", "period")}
        for name, lead in zip(LEADS, measured.leads, strict=True)
    }
