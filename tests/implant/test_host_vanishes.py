"""A host that vanishes in the middle of a command: nothing has changed, or all of it; others are heard."""

import pytest
from stimfw.protocol import asking, console_frame, messages, requests
from support.implant_bench import MS, PLAN

pytestmark = pytest.mark.emulated
OTHER = PLAN.replaced({"left.amplitude_ua": 1000, "rate_hz": 25})
COMMANDS = {
    "prescription": (requests.SET_PRESCRIPTION, OTHER.values),
    "amplitudes": (requests.AMPLITUDE, (1000, 1500)),
    "start": (requests.START, ()),
}


def line_of(name):
    opcode, values = COMMANDS[name]
    body = asking.pack_body(requests.row_of(opcode), values)
    return console_frame.encode(7, messages.request(opcode, body))


def figures(implant):
    """All that a command may change: prescription, its number, state, and what is in the journal."""
    kept = implant.client.prescription()
    return kept.version, kept.prescription.values, implant.state(), implant.client.journal(0).next


def vanish(implant, data):
    """A host sends this much, and is gone; another one opens the port 2 s later."""
    console = implant.chip.console
    console.write(data)
    implant.bench.run_for(5 * MS)
    console.set_dtr(False)
    implant.bench.run_for(2000 * MS)
    console.read()
    console.set_dtr(True)
    implant.bench.run_for(100 * MS)
    console.read()


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 1.0])
def test_a_command_that_was_not_sent_whole_changes_nothing(implant, name, part):
    implant.client.measure_impedance()
    before = figures(implant)
    line = line_of(name)
    vanish(implant, line[: round(part * (len(line) - 1))])
    assert figures(implant) == before
    assert implant.is_off()
    implant.client.set_prescription(OTHER.values)
    assert implant.client.prescription().prescription.values == OTHER.values


def test_a_command_that_was_sent_whole_is_done_whole_though_nobody_reads_its_reply(implant):
    implant.client.measure_impedance()
    before = figures(implant)
    vanish(implant, line_of("prescription"))
    version, values, _, entries = figures(implant)
    assert (version, values) == (before[0] + 1, OTHER.values) and entries > before[3]
    implant.power_cycle()
    assert implant.client.prescription().prescription.values == OTHER.values


def test_a_session_goes_on_without_the_host_that_began_it(implant):
    vanish(implant, line_of("start"))
    assert implant.state() == "hold"
    implant.client.stop()
    assert implant.is_off()
