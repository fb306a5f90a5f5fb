"""What only an emulated bench can do on demand. On a wired target these tests are skipped."""

OFF_WITHIN_NS = 150_000_000
"""After the processor hangs; the hardware gate closes by itself."""


def last_current_ns(bench, lead):
    return max(end_ns for _, end_ns, _, _ in bench.board("stimulator").parts.leads[lead].trace.segments)


def pulsing(bench, stimulator):
    stimulator.amplitude(2000, 2000)
    stimulator.start()
    bench.run_for(1_000_000_000)


def test_a_broken_wire_is_found(bench, stimulator):
    bench.board("stimulator").parts.leads["left"].electrodes[2].open()
    broken = {
        (pair.lead_name, pair.cathode, pair.anode)
        for pair in stimulator.measure_impedance()
        if pair.kind_name != "ok"
    }
    assert broken and all(lead == "left" and 2 in pair for lead, *pair in broken)


def test_a_magnet_turns_the_output_off(bench, stimulator):
    pulsing(bench, stimulator)
    bench.magnet(True)
    held_ns = bench.now_ns
    bench.run_for(1_000_000_000)
    assert stimulator.status().stop_name == "magnet"
    assert last_current_ns(bench, "left") <= held_ns + OFF_WITHIN_NS


def test_a_hung_processor_cannot_keep_the_output_on(bench, stimulator):
    pulsing(bench, stimulator)
    bench.board("stimulator").hang()
    hung_ns = bench.now_ns
    bench.run_for(1_000_000_000)
    for lead in ("left", "right"):
        assert last_current_ns(bench, lead) <= hung_ns + OFF_WITHIN_NS
