"""No garbage is collected by itself while an output may be on: a STOP that met it would be 12 ms late.

`heap.settle` collects where both bridges are off and a STOP is looked for right after it. What is allocated
between two of these must fit the heap.
"""

import ast

import pytest
from stimbench.benchmarks.harness.rig import MS, Rig, programme
from stimbench.benchmarks.therapy.rig import NOW_S, PLAN, ImplantRig
from stimfw.protocol import requests

pytestmark = pytest.mark.emulated

SCRIPT = """
import gc, main
from stimfw.drivers import heap
app, waiter, watchdog = main.build()
by_itself, least, free = 0, gc.mem_free(), 0
settle = heap.settle
def look():
    # Free memory grows in a collection only.
    global by_itself, least, free
    now = gc.mem_free()
    by_itself += free and now > free
    free, least = now, min(least, now)
def settled():
    global free
    look()
    settle()
    free = 0
heap.settle = settled
gc.threshold(-1)
print("loaded")
readable, was_busy = False, False
while True:
    wait = app.poll(readable)
    if app.control.busy():
        look()
        was_busy = True
    elif was_busy:
        print("COLLECTED", (by_itself, least))
        was_busy, free = False, 0
    readable = waiter.wait(wait)
    watchdog.feed()
"""
MOST_MS = 12_000
ROOM_BYTES = 20_000
"""A stretch between two collections leaves at least so much: heap is not alike on all boards."""


def told(rig):
    """Of what the board has just ended: collections that came by themselves, the least bytes free."""
    said = bytearray()

    def ended():
        said.extend(rig.board.console.read())
        return b"COLLECTED" in said and said.rpartition(b"COLLECTED")[2].count(b"\n")

    assert rig.bench.run_until(ended, MOST_MS * MS)
    return ast.literal_eval(said.rpartition(b"COLLECTED ")[2].split(b"\r\n")[0].decode())


def test_while_all_pairs_are_measured():
    with Rig(1) as rig:
        stimulator = rig.execute(SCRIPT)
        stimulator._ask(requests.IMPEDANCE)
        by_itself, least = told(rig)
        assert by_itself == 0
        assert least > ROOM_BYTES


def test_in_a_session_from_its_self_test_to_its_rest():
    with Rig(1) as rig:
        stimulator = rig.execute(SCRIPT)
        rig.set_program(stimulator, programme(ramp_ms=300, on_ms=1000))
        stimulator.start()
        rig.run_ms(4500)
        rig.bench.magnet(True)  # not by the console, which the script's line comes from
        by_itself, least = told(rig)
        assert by_itself == 0
        assert least > ROOM_BYTES


def test_in_a_session_of_an_implant():
    plan = PLAN.replaced({"ramp_up_ms": 1000, "ramp_down_ms": 1000, "on_ms": 3000, "off_ms": 2000})
    with ImplantRig(1, plan) as rig:
        stimulator = rig.execute(SCRIPT)
        stimulator.set_time(NOW_S)
        stimulator.start()
        rig.run_ms(9000)  # a cycle, and the second one's ramp
        rig.bench.magnet(True)
        by_itself, least = told(rig)
        assert by_itself == 0
        assert least > ROOM_BYTES
