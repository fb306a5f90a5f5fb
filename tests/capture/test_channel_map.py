"""Which channel of an instrument is which signal: read from text, applied, and refused if it does not fit."""

import numpy as np
import pytest
from stimbench.capture.capture import Capture
from stimbench.capture.channel_map import ChannelMap, Use, parse_use
from stimbench.capture.channels import Edges, Segments, Voltages
from stimbench.capture.samples import ArrayBlocks, Samples
from stimbench.errors import InputError


@pytest.mark.parametrize(
    ("text", "use"),
    [
        ("D0=stimulator.L_CATH", Use("D0", "stimulator.L_CATH")),
        (" D1 = ! stimulator.L_ANOD ", Use("D1", "stimulator.L_ANOD", inverted=True)),
        ("CH1=I_LEFT:100ohm", Use("CH1", "I_LEFT", unit="uA", scale=10_000.0)),
        ("CH1=I_LEFT:-1e3 ohm", Use("CH1", "I_LEFT", unit="uA", scale=-1000.0)),
        ("A2=I_SENSE:6666.67uA/V@1.65V", Use("A2", "I_SENSE", unit="uA", scale=6666.67, zero_v=1.65)),
        ("A2=I_SENSE:6.5mA/V", Use("A2", "I_SENSE", unit="uA", scale=6500.0)),
        ("CH3=V_LEFT:10V/V", Use("CH3", "V_LEFT", unit="V", scale=10.0)),
        ("CH3=V_LEFT", Use("CH3", "V_LEFT")),
    ],
)
def test_uses_as_a_person_types_them(text, use):
    assert parse_use(text) == use
    assert use.analog == (use.signal[:2] in ("I_", "V_"))


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        (["D0"], "'D0' does not say which channel is which signal: write it like D0=stimulator.L_CATH"),
        (["=stimulator.L_CATH"], "does not say which channel"),
        (["D0="], "does not say which channel"),
        (["A0=!I_LEFT:100ohm"], "does not say which channel"),
        (["CH1=I_LEFT:100"], "'100' is no scale. Write a shunt like 100ohm"),
        (["CH1=I_LEFT:0ohm"], "'0ohm' is no scale"),
        (["CH1=I_LEFT:1e999ohm"], "is no scale"),
        (["CH1=I_LEFT:"], "'' is no scale"),
        (["D0=a.B", "D0=a.C"], "names the channel D0 twice"),
        (["D0=a.B", "D1=a.B"], "names the signal a.B twice"),
    ],
)
def test_a_map_that_is_wrong(texts, says):
    with pytest.raises(InputError, match=says):
        ChannelMap.of(texts)


def recording():
    return Capture(
        {"D0": Edges([100, 200]), "D1": Edges([50])},
        {
            "A0": Samples(0, 1_000_000, "V", ArrayBlocks(np.float32([1.65, 0.65, 2.65])), limits=(0, 3)),
            "A1": Voltages.of([(100, 200, 1.0, 1.0), (300, 400, -1.0, -1.0)]),
        },
        end_ns=3000,
    )  # fmt: skip


def test_channels_get_their_names_their_sense_and_their_scale():
    mapped = ChannelMap.of(
        {
            "D1": "!stimulator.L_ANOD",
            "D0": "stimulator.L_CATH",
            "A0": "I_SENSE:-1000uA/V@1.65V",
            "A1": "I_LEFT:500ohm",
        }
    ).apply(recording())
    assert mapped.digital == ("stimulator.L_ANOD", "stimulator.L_CATH")
    assert mapped.edges("stimulator.L_ANOD") == Edges([50], True)
    assert mapped.edges("stimulator.L_CATH") == Edges([100, 200])
    sense = mapped.samples("I_SENSE")
    assert sense.read(0, 3) == pytest.approx([0, 1000, -1000], abs=1e-3) and sense.unit == "uA"
    # A negative scale turns the converter's limits round, too.
    assert sense.limits == pytest.approx((-1350, 1650))
    assert mapped.current("I_LEFT") == Segments.of([(100, 200, 2000.0, 2000.0), (300, 400, -2000.0, -2000.0)])
    assert mapped.current("I_LEFT").at([250, 350]).tolist() == [0, -2000]


def test_where_a_channel_is_at_0_volts_its_signal_may_be_elsewhere():
    current = ChannelMap.of(["A1=I_LEFT:1000uA/V@0.5V"]).apply(recording()).current("I_LEFT")
    assert current.at([0, 150, 250, 350, 2999]).tolist() == [-500, 500, -500, -1500, -500]


def test_a_channel_may_be_taken_as_it_is():
    mapped = ChannelMap.of(["A0=V_LEFT", "A1=V_RIGHT"]).apply(recording())
    assert mapped.samples("V_LEFT") is not None and mapped.samples("V_RIGHT") is None
    assert mapped.voltage("V_RIGHT") == recording().voltage("A1")


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        (["D7=a.B", "X=a.C"], "the capture has no channel D7, X. It has: D0, D1, A0, A1"),
        (["d0=a.B"], r"no channel d0. .* Is D0 meant\?"),
        (["D0=I_LEFT:100ohm"], "D0 of the capture is digital: it has no scale"),
        (["A0=!V_LEFT"], "A0 of the capture is analog: a negative scale turns it round"),
    ],
)
def test_a_map_that_does_not_fit(texts, says):
    with pytest.raises(InputError, match=says):
        ChannelMap.of(texts).apply(recording())
