"""What was done in the three views belongs to the run: repeated from its actions, it is equal to the edge."""

from stimbench.web.channel import Kind
from stimbench.web.run_file import Run, from_link, to_link
from support.web import ready_stand, repeated, run_for

START = "33"


def ask(stand, number, name, /, **arguments):
    stand._end.said.append((Kind.DO, {"id": number, "name": name, "arguments": arguments}))
    while not any(body["id"] == number for body in stand._end.done):
        stand.step()
    return next(body for body in stand._end.done if body["id"] == number)


def all_edges(stand, end_ns):
    trace = stand.bench.trace
    return {key: trace.edges(*key, 0, end_ns) for key in trace.signals}


def test_a_run_of_all_three_views_is_repeated_to_the_edge():
    stand = ready_stand()
    ask(stand, 1, "clinician-program", fields={"left.amplitude_ua": 1000, "ramp_up_ms": 0})
    refused = ask(stand, 2, "clinician-program", fields={"rate_hz": 300})
    assert refused["field"] == "rate_hz" and "nothing was changed" in refused["error"]
    ask(stand, 3, "lesson-open", number=1)
    ask(stand, 4, "press", button="START")
    run_for(stand, 0.9)
    sent = next(one for one in stand.bench.air.tap if one.payload.hex().startswith(START))
    ask(stand, 5, "radio-send", channel=sent.channel, address=sent.address.hex(), payload=sent.payload.hex())
    ask(stand, 6, "clinician-read")
    ask(stand, 7, "stop")
    run_for(stand, 1.2)
    ask(stand, 8, "clinician-implant", implanted_s=1_790_000_000, healing_days=14)
    end_ns = stand.bench.now_ns
    run = Run(config=Run().config, actions=[tuple(one) for one in stand._end.acted], until_ns=end_ns)
    again = repeated(from_link(to_link(run)))
    assert all_edges(again, end_ns) == all_edges(stand, end_ns)
    assert [one.payload for one in again.bench.air.tap] == [one.payload for one in stand.bench.air.tap]
    assert again.memory["clinician dates"] == stand.memory["clinician dates"]
    assert again.memory["radio"].last_sent == stand.memory["radio"].last_sent
    assert again.memory["lessons"].number == 1
