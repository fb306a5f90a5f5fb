"""A wired bench for other processes: an emulated board behind a pty by the wall's clock, and an analyser.

The analyser is a program in the place of sigrok-cli (fake_sigrok), which asks here for what it would have
seen.
"""

import json
import os
import socket
import sys
import threading
from concurrent import futures
from pathlib import Path

from stimbench.bench import Bench, BenchConfig
from stimbench.bench.pty_server import serve
from stimbench.capture.capture import Capture
from stimbench.capture.samples import Samples
from stimbench.capture.sigrok import sample_waveform, write_sr

from support.wired_rig import CHANNELS, CURRENTS, LONG_S, MS, bench_toml, source_toml

RATE_HZ = 500_000
_OHM = 100
_LISTING = "fx2lafw - Saleae Test 8 with 8 channels: D0 D1 D2 D3 D4 D5 A0 A1\n"


class ServedWired:
    """The bench, its pty, its bench.toml, and a folder with the program for PATH.

    Attributes:
        bench: only its own thread touches it: `do`.
        captures: begin on the bench's clock, and what was recorded, of each capture that was handed over.
        missing: whether the analyser is unplugged.
    """

    def __init__(self, folder: Path) -> None:
        self.bench = Bench(BenchConfig(boards=("stimulator",)))
        self.bench.run_for(1_000 * MS)
        self.captures: list[tuple[int, Capture]] = []
        self.missing = False
        self._due: list = []
        self._stop, self._deaf = threading.Event(), threading.Event()
        self._place = folder / "analyser"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._place))
        self._listener.listen()
        ports: futures.Future = futures.Future()
        self._threads = [
            threading.Thread(
                target=serve,
                args=(self.bench, ports.set_result, 1.0, self._stop),
                kwargs={"poll": self._poll},
            ),
            threading.Thread(target=self._listen),
        ]
        for one in self._threads:
            one.start()
        self.port = ports.result(LONG_S)["stimulator"]
        self.programs = folder / "bin"
        self.programs.mkdir()
        program = self.programs / "sigrok-cli"
        fake = Path(__file__).with_name("fake_sigrok.py")
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{fake}" "{self._place}" "$@"\n')
        program.chmod(0o755)
        self.file = folder / "bench.toml"
        source = source_toml(CHANNELS | CURRENTS, RATE_HZ)
        self.file.write_text(bench_toml(source, where=f'port = "{self.port}"'))

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}"}

    def do(self, action, at_ns: int = 0):
        """Do it on the bench's own thread, once its time is there."""
        done: futures.Future = futures.Future()
        self._due.append((at_ns, action, done))
        return done.result(LONG_S)

    def close(self) -> None:
        self._deaf.set()
        with socket.socket(socket.AF_UNIX) as last:  # wakes the listener, which waits for the bench's time
            last.connect(str(self._place))
        self._threads[1].join(LONG_S)
        self._stop.set()
        self._threads[0].join(LONG_S)
        self._listener.close()
        self.bench.close()

    def _poll(self) -> None:
        for one in [due for due in self._due if due[0] <= self.bench.now_ns]:
            self._due.remove(one)
            try:
                one[2].set_result(one[1]())
            except Exception as error:
                one[2].set_exception(error)

    # The analyser.

    def _listen(self) -> None:
        while not self._deaf.is_set():
            link, _ = self._listener.accept()
            with link:
                try:
                    line = link.makefile().readline()
                    if line:
                        self._answer(link, json.loads(line))
                except (OSError, futures.TimeoutError):
                    pass  # the program was ended: somebody does not want the capture any more

    def _answer(self, link: socket.socket, asked: dict) -> None:
        def tell(**told):
            link.sendall(json.dumps(told).encode() + b"\n")

        if self.missing:
            tell(err="No devices found.\n", code=1)
        elif asked["show"]:
            tell(out=_LISTING, code=0)
        else:
            begin_ns = self.do(lambda: self.bench.now_ns)
            tell(err="cli: Received SR_DF_HEADER.\n")
            end_ns = begin_ns + asked["samples"] * 1_000_000_000 // asked["rate_hz"]
            raw = self.do(lambda: self.bench.trace.capture(begin_ns, end_ns), end_ns)
            self._write(raw.shifted(-begin_ns, "the analyser"), asked)
            self.captures.append((begin_ns, raw))
            tell(code=0)

    def _write(self, capture: Capture, asked: dict) -> None:
        uses = {name: use.partition(":")[0] for name, use in (CHANNELS | CURRENTS).items()}
        digital = {name: capture.edges(uses[name]) for name in asked["channels"] if name.startswith("D")}
        analog = {}
        for name in asked["channels"]:
            if name.startswith("A"):
                ua = sample_waveform(capture.waveform(uses[name]), 0, asked["samples"], asked["rate_hz"])
                analog[name] = Samples.of(ua * 1e-6 * _OHM, 0, asked["rate_hz"], "V")
        made = Capture(digital, analog, end_ns=capture.end_ns, source="the analyser")
        write_sr(made, asked["path"], asked["rate_hz"], compression=1)
