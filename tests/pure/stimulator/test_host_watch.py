"""A board without a radio: when a host that falls silent ends what runs."""

from stimfw.protocol import messages
from stimfw.stimulator.host_watch import HOST_GONE, SILENT_MS, HostWatch

WRAP_MS = 1 << 30


class Bench:
    """A control that is on or off, and a console that counts frames."""

    def __init__(self, spared=messages.PART_RADIO):
        self.spared, self.on, self.frames, self.stops = spared, True, 1, []
        self.watch = HostWatch(self, lambda: self.frames)

    def busy(self):
        return self.on

    def stop(self, cause):
        self.stops.append(cause)
        self.on = False


def test_the_cause_has_its_name():
    assert messages.STOP_NAMES[HOST_GONE] == "host gone"


def test_two_seconds_are_promised():
    assert SILENT_MS == 2000


def test_silence_ends_it_at_its_time_and_not_before():
    for now_ms in (0, 5, WRAP_MS - 1, WRAP_MS - SILENT_MS):
        bench = Bench()
        assert bench.watch.poll(now_ms) == SILENT_MS
        assert bench.watch.poll((now_ms + SILENT_MS - 1) % WRAP_MS) == 1 and bench.stops == []
        assert bench.watch.poll((now_ms + SILENT_MS) % WRAP_MS) == 0
        assert bench.stops == [HOST_GONE]
        assert bench.watch.poll((now_ms + SILENT_MS + 1) % WRAP_MS) == -1 and bench.stops == [HOST_GONE]


def test_each_frame_begins_it_anew():
    bench = Bench()
    for now_ms in range(0, 10 * SILENT_MS, SILENT_MS - 1):
        bench.frames += 1
        assert bench.watch.poll(now_ms) == SILENT_MS
    assert bench.stops == []


def test_what_is_off_is_not_watched_but_the_host_is_heard():
    bench = Bench()
    bench.on = False
    assert bench.watch.poll(0) == -1
    bench.frames += 1
    assert bench.watch.poll(10 * SILENT_MS) == -1
    bench.on = True
    assert bench.watch.poll(10 * SILENT_MS + 1) == SILENT_MS - 1


def test_with_a_radio_nobody_has_to_ask():
    for spared in (0, messages.PART_DAC, messages.PART_RANDOM):
        bench = Bench(spared)
        for now_ms in (0, SILENT_MS, 10 * SILENT_MS):
            assert bench.watch.poll(now_ms) == -1
        assert bench.stops == [] and bench.on
