"""What is sold as an nRF24L01+: the models of its predecessor and of a clone (parts.nrf24_modules)."""

import pytest
from stimbench.parts.nrf24_modules import MODULES, PLUS, PREDECESSOR, SI24R1
from stimbench.parts.radio import AirChannel
from support.parts_fakes import MS, US, FakeClock
from support.radio_rig import MAX_RT, RESET_NS, RX_DR, SETTLING_NS, TX_DS, Radio

FEATURE, DYNPD, RF_SETUP, CARRIER = 0x1D, 0x1C, 0x06, 0x09
EN_DPL, RF_DR_LOW = 0x04, 0x20
SENT = b"payload!"


def radio(module, clock=None, air=None):
    one = Radio(clock or FakeClock(), air or AirChannel(), module=module)
    one.clock.run_to(RESET_NS)
    return one


def two(sender, receiver, **options):
    clock, air = FakeClock(), AirChannel()
    both = Radio(clock, air, module=sender), Radio(clock, air, module=receiver)
    clock.run_to(RESET_NS)
    for one, prx in zip(both, (False, True), strict=True):
        one.set_up(prx=prx, **options)
    return *both, air


def listening(module):
    one = radio(module)
    one.put(0x05, 76)
    one.put(0x00, 0x0F)
    one.clock.run_for(2 * MS)
    one.ce.out(True)
    return one


def test_there_is_no_other_module():
    with pytest.raises(ValueError, match="no radio module 'cc2500'"):
        radio("cc2500")


@pytest.mark.parametrize(("module", "reset"), [(PLUS, 0x0E), (PREDECESSOR, 0x0F), (SI24R1, 0x0E)])
def test_rf_setup_after_power_on(module, reset):
    assert radio(module).get(RF_SETUP) == reset


@pytest.mark.parametrize(("module", "kept"), [(PLUS, 0xBE), (PREDECESSOR, 0x1F), (SI24R1, 0xBF)])
def test_bits_of_rf_setup_that_a_write_changes(module, kept):
    one = radio(module)
    one.put(RF_SETUP, 0xFF)
    assert one.get(RF_SETUP) == kept


@pytest.mark.parametrize("register", [FEATURE, DYNPD])
class TestActivate:
    def test_a_predecessor_takes_nothing_before_it(self, register):
        one = radio(PREDECESSOR)
        one.put(register, EN_DPL)
        assert one.get(register) == 0

    def test_it_opens_the_registers_and_a_second_one_shuts_them(self, register):
        one = radio(PREDECESSOR)
        one.spi(0x50, 0x73)
        one.put(register, EN_DPL)
        assert one.get(register) == EN_DPL
        one.spi(0x50, 0x73)
        assert one.get(register) == 0

    @pytest.mark.parametrize("data", [(), (0x53,), (0x73, 0x73)])
    def test_other_data_opens_nothing(self, register, data):
        one = radio(PREDECESSOR)
        one.spi(0x50, *data)
        one.put(register, EN_DPL)
        assert one.get(register) == 0

    def test_the_supply_takes_it_back(self, register):
        one = radio(PREDECESSOR)
        one.spi(0x50, 0x73)
        one.chip.power(False)
        one.chip.power(True)
        one.clock.run_for(RESET_NS)
        one.put(register, EN_DPL)
        assert one.get(register) == 0

    @pytest.mark.parametrize("module", [PLUS, SI24R1])
    def test_the_others_need_none_and_know_none(self, register, module):
        one = radio(module)
        one.put(register, EN_DPL)
        one.spi(0x50, 0x73)
        assert one.get(register) == EN_DPL


class TestCarrier:
    """After CE rose: 130 us of settling, then the filter."""

    @pytest.mark.parametrize(("module", "filter_us"), [(PLUS, 40), (PREDECESSOR, 128), (SI24R1, 40)])
    def test_it_is_seen_after_the_filters_time(self, module, filter_us):
        one = listening(module)
        one.air.jam(76, one.clock.now_ns, one.clock.now_ns + MS)
        one.clock.run_for(SETTLING_NS + (filter_us - 8) * US)
        assert one.get(CARRIER) == 0
        one.clock.run_for(20 * US)
        assert one.get(CARRIER) == 1

    @pytest.mark.parametrize(("module", "after"), [(PLUS, 1), (PREDECESSOR, 0), (SI24R1, 1)])
    def test_only_a_predecessor_forgets_it_with_the_end_of_rx(self, module, after):
        one = listening(module)
        one.air.jam(76, one.clock.now_ns, one.clock.now_ns + MS)
        one.clock.run_for(500 * US)
        one.ce.out(False)
        assert one.get(CARRIER) == after

    def test_the_firmwares_look_of_200_us_is_too_short_for_a_predecessor(self):
        one = listening(PREDECESSOR)
        one.air.jam(76, one.clock.now_ns, one.clock.now_ns + MS)
        one.clock.run_for(200 * US)
        assert one.get(CARRIER) == 0


@pytest.mark.parametrize(
    ("module", "powers"),
    [
        (PLUS, (-18, -18, -12, -12, -6, -6, 0, 0)),
        (PREDECESSOR, (-18, -18, -12, -12, -6, -6, 0, 0)),
        (SI24R1, (-12, -6, -4, 0, 1, 3, 4, 7)),
    ],
)
def test_the_power_on_the_air(module, powers):
    sender, _, air = two(module, PLUS, dynamic=False, width=8, retries=0)
    sender.put(0x01, 0)  # EN_AA
    for setting in range(8):
        sender.put(RF_SETUP, setting)
        sender.send(SENT)
        sender.clear()
    assert [packet.power_dbm for packet in air.tap] == list(powers)


class TestNoAck:
    @pytest.mark.parametrize("modules", [(PLUS, SI24R1), (SI24R1, PLUS)])
    def test_with_dynamic_length_a_clone_and_an_original_disagree(self, modules):
        sender, receiver, _ = two(*modules)
        sender.send(SENT)
        assert sender.status & (TX_DS | MAX_RT) == MAX_RT
        assert receiver.status & RX_DR, "the packet itself arrives"

    @pytest.mark.parametrize("modules", [(PLUS, PLUS), (SI24R1, SI24R1)])
    def test_two_of_a_kind_agree(self, modules):
        sender, _, _ = two(*modules)
        sender.send(SENT)
        assert sender.status & (TX_DS | MAX_RT) == TX_DS

    def test_with_static_length_all_agree(self):
        sender, _, _ = two(SI24R1, PLUS, dynamic=False, width=8)
        sender.send(SENT)
        assert sender.status & (TX_DS | MAX_RT) == TX_DS


@pytest.mark.parametrize("sender", MODULES)
@pytest.mark.parametrize("receiver", MODULES)
def test_the_older_format_is_common_to_all(sender, receiver):
    """EN_AA = 0 and ARC = 0, as the boards use it: no NO_ACK bit, no FEATURE."""
    first, second, _ = two(sender, receiver, dynamic=False, width=8, retries=0)
    for one in (first, second):
        one.put(0x01, 0)
    first.send(SENT)
    assert first.status & TX_DS and second.status & RX_DR
    assert second.read(0x61, 8) == SENT
