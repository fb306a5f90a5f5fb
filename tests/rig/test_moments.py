"""When a fault came, told by a capture: a session begins with a self-test, which moves lines of its own."""

import numpy as np
import pytest
from stimbench.capture.capture import Capture
from stimbench.capture.channels import Edges
from stimbench.checks.moments import Moments, moment_of
from support.wired_rig import case_of

MS = 1_000_000
START_MS = 100.0
PULLS_MS = (162.75, 162.78, 182.50, 182.53)
"""Of the magnet's line after START, by the self-test: measured on the emulated bench."""
FIRST_MS = {"LED": 5.6, "KEEPALIVE": 21.4, "MATRIX_CS": 151.0, "L_CATH": 154.4}
"""The first edge after START, likewise."""
BEGINS_MS = 25.0
"""The most that the clock of a host may be off, besides its own requests."""


def capture_of(**edges_ms) -> Capture:
    digital = {
        f"stimulator.{name}": Edges(np.array([round((START_MS + each) * MS) for each in times], np.int64))
        for name, times in edges_ms.items()
    }
    return Capture(digital, {}, end_ns=3000 * MS)


@pytest.mark.parametrize(
    ("magnet_ms", "at_ms"),
    [
        ((900.0,), 900.0),
        ((900.0, 1400.0), 900.0),  # it was taken away while the instrument recorded
        ((900.0, 900.2, 900.5), 900.0),  # its reed bounced
        ((170.0,), 170.0 - 7.22),  # in the self-test: told a little too early, never too late
    ],
)
def test_a_magnet_is_told_from_the_self_tests_pulls_at_its_line(magnet_ms, at_ms):
    capture = capture_of(MAGNET=sorted((*PULLS_MS, *magnet_ms)))
    moment = moment_of(case_of('fault = "magnet"'), capture, Moments(0, 0, 0, 0))
    assert moment.at_ns == pytest.approx((START_MS + at_ms) * MS, abs=0.1 * MS)


def test_the_self_tests_pulls_alone_are_no_magnet():
    capture = capture_of(MAGNET=PULLS_MS)
    assert moment_of(case_of('fault = "magnet"'), capture, Moments(0, 0, 0, 0)) is None


@pytest.mark.parametrize("seen", [("KEEPALIVE", "L_CATH"), ("L_CATH",), ("MATRIX_CS", "L_CATH"), ("LED",)])
def test_the_hosts_clock_tells_stop_whichever_lines_are_recorded(seen):
    capture = capture_of(**{name: (FIRST_MS[name], FIRST_MS[name] + 0.2) for name in seen})
    moment = moment_of(case_of('fault = "stop"'), capture, Moments(0.0, 0.004, 1.254, 1.260))
    assert moment.off_ms == pytest.approx(BEGINS_MS + 4 + 6)
    assert abs(moment.at_ns / MS - (START_MS + 4 + 1250)) <= moment.off_ms


def test_the_end_of_keepalive_is_known_to_its_period_in_the_therapy_not_in_the_self_test():
    self_test = [154.0 + 1.5 * number for number in range(100)]
    therapy = [491.0 + 25.0 * number for number in range(20)]
    capture = capture_of(KEEPALIVE=sorted(at + more for at in self_test + therapy for more in (0.0, 0.01)))
    moment = moment_of(case_of('fault = "power off"'), capture, Moments(0, 0, 0, 0))
    assert moment.at_ns == pytest.approx((START_MS + therapy[-1]) * MS)
    assert moment.off_ms == pytest.approx(25.0)
