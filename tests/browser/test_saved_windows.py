"""A saved run's windows are those of the server, number for number, and so is a span of it as CSV."""

import struct

import numpy as np
import pytest
from playwright.sync_api import expect
from stimbench.capture.csv_table import read_csv, write_csv
from stimbench.web.polyline import Polyline
from stimbench.web.record import MEASURED, QUANTITIES, Record
from stimbench.web.saved_page import saved_page
from stimbench.web.saving import captured_in
from stimbench.web.scope import Scope
from stimbench.web.wire import Watch
from support.saved_runs import noisy_record, saved_of

pytestmark = pytest.mark.emulated

S = 1_000_000_000
_HEAD = struct.Struct("<BBHI3dII")
_TRACE = struct.Struct("<4BId")


def decoded(data):
    """A frame of web.scope, as static/wire.js decodes it."""
    _, _, traces, _, from_ns, to_ns, end_ns, *counts = _HEAD.unpack_from(data)
    frame, at = {"from": from_ns, "to": to_ns, "end": end_ns, "traces": [], "pulses": []}, _HEAD.size
    for _ in range(traces):
        lead, quantity, bands, age, count, origin = _TRACE.unpack_from(data, at)
        at += _TRACE.size
        columns = {"t": np.frombuffer(data, "<f8", count, at).tolist()}
        at += 8 * count
        for name in ("a", "b") if bands else ("a",):
            columns[name] = np.frombuffer(data, "<f4", count, at).tolist()
            at += 4 * count
        at += -at % 8
        frame["traces"].append(
            {"lead": lead, "quantity": quantity, "bands": bool(bands), "age": age, "origin": origin} | columns
        )
    for count in counts:
        rows = np.frombuffer(data, "<f8", 9 * count, at).reshape(count, 9)
        frame["pulses"].append([dict(zip(MEASURED.names, row, strict=True)) for row in rows.tolist()])
        at += 72 * count
    return frame


FRAME = """([wanted, now]) => {
  const plain = (k, one) => (ArrayBuffer.isView(one) ? Array.from(one) : one);
  const { view, sequence, ...frame } = stimbench.bench.windows.frame(0, wanted, now);
  return JSON.parse(JSON.stringify(frame, plain));
}"""
END_NS = 40 * S
WINDOWS = {
    "last pulse": {"mode": "pulse", "before_ns": 100e3, "span_ns": 700e3, "overlay": 1},
    "32 pulses": {
        "mode": "pulse",
        "before_ns": 1e6,
        "span_ns": 5e6,
        "overlay": 32,
        "trigger": "right",
    },
    "20 us": {"mode": "span", "from_ns": END_NS / 2, "to_ns": END_NS / 2 + 20e3},
    "1 s": {"mode": "span", "from_ns": 12.3456789e9, "to_ns": 13.3456789e9},
    "31 s, odd bounds": {"mode": "span", "from_ns": 3_000_000_001.0, "to_ns": 34_567_890_123.0},
    "beyond the end": {"mode": "span", "from_ns": 39e9, "to_ns": 55e9},
    "rolling": {"mode": "roll", "span_ns": 2e9},
    "rolling, from before the begin": {"mode": "roll", "span_ns": 60e9},
    "whole": {"mode": "all"},
}

SHORT = "a pulse's first 30 us"
BEGIN = {SHORT: {"mode": "pulse", "before_ns": 0.0, "span_ns": 30e3, "overlay": 4}}


@pytest.mark.parametrize("width", [16, 911, 4096])
@pytest.mark.parametrize("name", WINDOWS)
def test_windows_are_those_of_the_server(noisy, name, width):
    page, record = noisy
    watch = Watch(kind="watch", view=0, width=width, **WINDOWS[name])
    expected = decoded(Scope(watch).frame(record, 0))
    found = page.evaluate(FRAME, [watch.model_dump(), record.end_ns])
    assert found == expected
    assert sum(len(trace["t"]) for trace in found["traces"]) > 0


@pytest.fixture(scope="module")
def noisy(browser, tmp_path_factory):
    record = noisy_record(5, end_ns=END_NS)
    path = tmp_path_factory.mktemp("noisy") / "run.html"
    path.write_bytes(saved_page(saved_of(record)))
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"file://{path}")
    expect(page.locator("#play-go")).to_be_visible()
    yield page, record
    context.close()


def until(record, now_ns):
    """A record as it was at a time that is no point of it: what came later was not known."""
    earlier = Record()
    for name, lead in record.leads.items():
        for quantity in QUANTITIES:
            line = lead.lines[quantity]
            count = int(np.searchsorted(line.times_ns, now_ns))
            cut = Polyline()
            cut.extend(line.times_ns[:count], line.values[:count])
            cut.extend(np.array([now_ns]), np.interp([now_ns], line.times_ns, line.values))
            earlier.leads[name].lines[quantity] = cut
        pulses = lead.pulses
        ends = (
            pulses["start_ns"] + pulses["cathodic_ns"] + np.maximum(pulses["gap_ns"], 0) + pulses["anodic_ns"]
        )
        earlier.leads[name]._pulses.extend(pulses[ends <= now_ns])
    earlier.end_ns = now_ns
    return earlier


@pytest.mark.parametrize("within_ns", [-999_999, 19_999, 35_001])
@pytest.mark.parametrize("name", [*WINDOWS, SHORT])
def test_what_came_after_the_played_time_is_not_shown(noisy, name, within_ns):
    """Between two pulses, and within a pulse of the left lead: it is no pulse before it is over."""
    page, record = noisy
    now_ns = int(record.leads["left"].pulses["start_ns"][400]) + within_ns
    watch = Watch(kind="watch", view=0, width=500, **(WINDOWS | BEGIN)[name])
    expected = decoded(Scope(watch).frame(until(record, now_ns), 0))
    found = page.evaluate(FRAME, [watch.model_dump(), now_ns])
    assert found["pulses"] == expected["pulses"]
    for one, other in zip(found["traces"], expected["traces"], strict=True):
        for key, values in one.items():
            assert values == pytest.approx(other[key], rel=1e-5, abs=1e-3), key


def test_a_span_as_csv_is_that_of_the_server(noisy, tmp_path):
    page, record = noisy
    from_ns, to_ns = 17 * S + 1, 18 * S + 7
    page.evaluate(f"stimbench.scope.zoomTo({from_ns}, {to_ns})")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save as CSV").click()
    waiting.value.save_as(tmp_path / "saved.csv")
    write_csv(captured_in(record, from_ns, to_ns, {}), tmp_path / "server.csv")
    saved, server = (read_csv(tmp_path / f"{name}.csv") for name in ("saved", "server"))
    assert (saved.start_ns, saved.end_ns) == (server.start_ns, server.end_ns) == (from_ns, to_ns)
    times = np.random.default_rng(1).integers(from_ns, to_ns, 5000)
    assert sorted(saved.analog) == sorted(server.analog)
    for name in server.analog:
        found, expected = (one.waveform(name).at(times) for one in (saved, server))
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-9), name
        assert len(set(expected)) > 1000
