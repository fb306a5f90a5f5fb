"""A board on the bench that runs watched sessions in the place of its own: for the rows on the watch.

It needs nothing that only an implanted board has: what is prescribed comes from the programme.
"""

from __future__ import annotations

__all__ = ("FAULT_LINE", "script")

FAULT_LINE = b"FAULT "

_SCRIPT = """
import gc, main
from stimfw.protocol import messages
from machine import Pin
from stimfw.stimulator.watched_session import WatchedSession
app, waiter, watchdog = main.build()
measurements = app.control._measurements
mark = Pin({mark}, Pin.OUT, value=0)
over = {over}
class Plan:
    def __init__(self, program):
        for name in ("rate_hz", "period_us", "ramp_up_ms", "ramp_down_ms", "on_ms", "off_ms", "session_s",
                     "contact_s", "amplitude_ua", "cathode", "anode"):
            setattr(self, name, getattr(program, name))
        self.most_ua = program.amplitude_ua
        self.width_us = (program.width_us, program.width_us)
        self.gap_us = (program.gap_us, program.gap_us)
        for name in over:
            setattr(self, name, over[name])
told = []
def on_fault(fault, lead, action, figures):
    mark(1)
    mark(0)
    told.append((fault, lead, action, figures))
def on_pause(what, current_ua, voltage_mv):
    told.append((100 + what, 2, 3, (current_ua, voltage_mv)))
last = [None]
def make(output, program, enter, test_s, silent_ms, lose_contact):
    last[0] = WatchedSession(output, Plan(program), enter, silent_ms, lose_contact, on_fault,
                             measurements._sense, list(measurements.base16), {history}, on_pause)
    return last[0]
app.control.make_session = make
gc.collect()
gc.threshold(-1)
print("loaded")
readable = True
while True:
    readable = waiter.wait(app.poll(readable))
    watchdog.feed()
    while told:
        print("FAULT", *told.pop(0))
    {more}
"""


def script(mark: int = 16, over: str = "{}", history: tuple[int, int] = (0, 0), more: str = "pass") -> str:
    """The script, for the board's REPL.

    Args:
        mark: GPIO of a pin without a part: pulsed at each fault that is told.
        over: a dictionary's source: attributes of what is prescribed that differ from the programme's.
        history: each lead's resistance before the session, ohm.
        more: a line of the loop.
    """
    return _SCRIPT.format(mark=mark, over=over, history=history, more=more)
