"""An implant whose radio does not answer at the start: nothing begins, over USB either."""

import pytest
from stimbench.errors import WrongStateError
from stimbench.parts.wiring import StimulatorWiring
from stimfw.protocol import messages
from support.implant_bench import BRIDGES, ImplantBench


@pytest.mark.control("C-75")
@pytest.mark.parametrize("wiring", [{"absent": ("radio",)}, {"radio_module": "nrf24l01"}])
def test_it_never_starts(wiring):
    with ImplantBench(wiring={"stimulator": StimulatorWiring(**wiring)}) as implant:
        implant.begin()
        implant.run_s(3)
        status = implant.client.status()
        assert (status.state, status.failed_parts) == (messages.FAULT, ("radio",))
        assert not status.needs_host
        for ask in (implant.client.start, implant.client.measure_impedance, implant.client.self_test):
            with pytest.raises(WrongStateError):
                ask()
        for signal in BRIDGES:
            assert list(implant.bench.trace.edges("stimulator", signal, 0)) == []
