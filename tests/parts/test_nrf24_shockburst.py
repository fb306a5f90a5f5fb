"""nRF24L01+: the older ShockBurst format (product specification 1.0, 7.10), and bursts through the TX FIFO.

Where the specification leaves something open, the less kind reading is tested, and the test says so.
"""

import pytest
from stimbench.parts.radio import AirChannel
from support.parts_fakes import MS, US, FakeClock
from support.radio_rig import ADDRESS, RESET_NS, RX_DR, SETTLING_NS, TX_DS, Radio

WIDTH = 32
AIR_NS = 320 * US  # 1 byte of preamble, 5 of address, 32 of payload, 2 of CRC at 1 Mbit/s: 7.10.1 has no more
COPY_NS = SETTLING_NS + AIR_NS
TX_EMPTY, TX_FULL, RX_EMPTY, RX_FULL = 0x10, 0x20, 0x01, 0x02


def old(width=WIDTH, **options):
    """A sender and a receiver with EN_AA = 0 and ARC = 0, and their air."""
    clock, air = FakeClock(), AirChannel()
    sender, receiver = Radio(clock, air), Radio(clock, air)
    clock.run_to(RESET_NS)
    for radio, prx in ((sender, False), (receiver, True)):
        radio.put(0x01, 0)
        radio.set_up(prx=prx, width=width, dynamic=False, retries=0, **options)
    return sender, receiver, air


@pytest.fixture
def two():
    return old()


def payload(number):
    return bytes([number]) * WIDTH


def burst(sender, *payloads, wait_ns=3 * MS):
    sender.ce.out(False)
    for one in payloads:
        sender.load(one)
    sender.ce.out(True)
    sender.clock.run_for(wait_ns)


def test_a_packet_has_neither_control_field_nor_acknowledgement(two):
    sender, receiver, air = two
    start = sender.clock.now_ns
    burst(sender, payload(1), wait_ns=0)
    sender.clock.run_to(start + SETTLING_NS + AIR_NS - 1)
    assert not receiver.irq and not sender.irq
    sender.clock.run_for(1)
    assert receiver.irq and sender.irq and sender.status & TX_DS, "done when it is sent (7.10)"
    sender.clock.run_for(5 * MS)
    assert [(s.payload, s.was_ack) for s in air.tap] == [(payload(1), False)]
    assert sender.get(0x08) == 0, "OBSERVE_TX: nothing lost, nothing sent again"


def test_three_payloads_go_out_one_after_the_other_while_ce_is_high(two):
    """The unkind reading: 130 us of settling before each, also inside a burst."""
    sender, receiver, air = two
    start = sender.clock.now_ns
    burst(sender, payload(1), payload(2), payload(3))
    assert [s.payload for s in air.tap] == [payload(1), payload(2), payload(3)]
    assert [s.t_start_ns - start for s in air.tap] == [SETTLING_NS + k * COPY_NS for k in range(3)]
    assert [receiver.read(0x61, WIDTH) for _ in range(3)] == [payload(1), payload(2), payload(3)]
    assert sender.chip.spoilt == 0


def test_ce_may_rise_after_the_first_of_them_is_loaded(two):
    sender, _, air = two
    sender.load(payload(1))
    sender.ce.out(True)
    sender.clock.run_for(200 * US)
    sender.load(payload(2))
    sender.clock.run_for(3 * MS)
    starts = [s.t_start_ns for s in air.tap]
    assert len(starts) == 2 and starts[1] - starts[0] == COPY_NS


def test_fifo_status_and_flag_of_a_burst(two):
    """Table 28: TX_DS with each packet that is sent; TX_EMPTY when the last one is."""
    sender, _, _ = two
    burst(sender, *[payload(1)] * 3, wait_ns=0)
    assert sender.get(0x17) & (TX_FULL | TX_EMPTY) == TX_FULL and sender.status & 1
    sender.clock.run_for(COPY_NS)
    assert sender.status & TX_DS and sender.get(0x17) & (TX_FULL | TX_EMPTY) == 0 and not sender.status & 1
    sender.clear()
    assert not sender.irq
    sender.clock.run_for(COPY_NS)
    assert sender.irq, "a new edge for the second one"
    sender.clock.run_for(COPY_NS - 1)
    assert not sender.get(0x17) & TX_EMPTY, "the last bit is still in the air"
    sender.clock.run_for(1)
    assert sender.get(0x17) & TX_EMPTY


def test_a_burst_ends_in_standby_and_goes_on_when_more_is_loaded(two):
    sender, _, air = two
    burst(sender, payload(1))
    sender.clock.run_for(10 * MS)
    burst(sender, payload(2))
    assert len(air.tap) == 2 and sender.chip.mode.value == "standby"


def test_ce_low_in_a_burst_ends_it_after_the_packet_in_the_air(two):
    sender, receiver, air = two
    burst(sender, *[payload(1)] * 3, wait_ns=SETTLING_NS + 10 * US)
    sender.ce.out(False)
    sender.clock.run_for(3 * MS)
    assert len(air.tap) == 1 and receiver.irq and not sender.get(0x17) & TX_EMPTY


def test_a_receiver_takes_each_copy(two):
    """No packet identity, so no duplicates (7.10 against 7.5.2): the application tells copies."""
    sender, receiver, _ = two
    burst(sender, *[payload(7)] * 3)
    assert receiver.get(0x17) & (RX_FULL | RX_EMPTY) == RX_FULL
    assert [receiver.read(0x61, WIDTH) for _ in range(3)] == [payload(7)] * 3
    assert receiver.get(0x17) & (RX_FULL | RX_EMPTY) == RX_EMPTY


def test_a_fourth_packet_is_lost_without_a_word(two):
    sender, receiver, _ = two
    burst(sender, payload(1), payload(2), payload(3))
    receiver.put(0x07, RX_DR)
    burst(sender, payload(4))
    assert not receiver.status & RX_DR and not receiver.irq, "no flag for what was not kept"
    assert [receiver.read(0x61, WIDTH) for _ in range(4)][:3] == [payload(1), payload(2), payload(3)]


def test_the_flag_that_was_taken_back_rises_with_the_next_packet(two):
    """Also while others wait in the FIFO: an edge for each arrival after the flag was cleared."""
    sender, receiver, _ = two
    burst(sender, payload(1))
    receiver.put(0x07, RX_DR)
    assert not receiver.irq and not receiver.get(0x17) & RX_EMPTY
    burst(sender, payload(2))
    assert receiver.irq


@pytest.mark.parametrize("width", [0, 31])
def test_another_width_is_not_received(width):
    """RX_PW: the CRC is sought behind as many bytes; 0: the pipe is not used (table 28)."""
    sender, receiver, air = old(width)
    burst(sender, payload(1))
    assert len(air.tap) == 1 and receiver.get(0x17) & RX_EMPTY


def test_pipe_0_and_pipe_1_have_widths_of_their_own(two):
    sender, receiver, _ = two
    receiver.put(0x0B, *b"\x99\x88\x77\x66\x55")
    sender.put(0x10, *b"\x99\x88\x77\x66\x55")
    burst(sender, payload(1))
    assert receiver.get(0x17) & RX_EMPTY, "RX_PW_P1 is 0"
    receiver.put(0x12, WIDTH)
    burst(sender, payload(2))
    assert receiver.status >> 1 & 7 == 1 and receiver.read(0x61, WIDTH) == payload(2)


@pytest.mark.parametrize(("en_aa", "arc", "hears"), [(0, 0, True), (0, 3, False), (1, 0, False)])
def test_the_format_is_that_of_en_aa_and_arc_together(two, en_aa, arc, hears):
    """7.10: both must be 0."""
    sender, receiver, _ = two
    sender.put(0x01, en_aa)
    sender.put(0x04, arc)
    burst(sender, payload(1))
    assert bool(receiver.status & RX_DR) == hears


def test_there_is_no_older_format_at_2_mbit():
    """7.10: "1Mbps or 250kbps". The unkind reading: nothing is received then."""
    for rf_setup, heard in ((0x06, True), (0x26, True), (0x0E, False)):
        sender, receiver, _ = old(rf_setup=rf_setup)
        burst(sender, payload(1), wait_ns=5 * MS)
        assert bool(receiver.status & RX_DR) == heard, hex(rf_setup)


def test_crc_is_two_bytes_without_auto_acknowledgement_too(two):
    """CONFIG: EN_CRC is forced by EN_AA only; CRCO gives two bytes."""
    sender, receiver, _ = two
    receiver.put(0x00, 0x0B)
    burst(sender, payload(1))
    assert not receiver.status & RX_DR


def test_dynamic_length_needs_auto_acknowledgement(two):
    """DYNPD: "Requires EN_DPL and ENAA_Px"."""
    sender, receiver, _ = two
    receiver.put(0x1D, 0x04)
    receiver.put(0x1C, 0x3F)
    receiver.put(0x11, 31)
    burst(sender, payload(1))
    assert not receiver.status & RX_DR


# How it is driven.


def test_more_than_4_ms_in_tx_lose_their_packets():
    """6.1.5: never longer than 4 ms at a time. The unkind reading: what is on its way then is lost."""
    sender, receiver, _ = old()
    clock = sender.clock
    sent = received = 0
    sender.ce.out(True)
    for _ in range(120):
        if not sender.status & 1:
            sender.load(payload(sent))
            sent += 1
        clock.run_for(100 * US)
        while not receiver.get(0x17) & RX_EMPTY:
            receiver.read(0x61, WIDTH)
            received += 1
    assert sent > 20 and received == (4 * MS) // COPY_NS == 8
    assert sender.chip.spoilt > 10


def test_a_pause_between_bursts_begins_the_4_ms_anew(two):
    sender, receiver, _ = two
    for number in range(10):
        burst(sender, *[payload(number)] * 3, wait_ns=3 * COPY_NS + 10 * US)
        receiver.spi(0xE2)
    assert sender.chip.spoilt == 0


@pytest.mark.parametrize(("register", "value"), [(0x05, 76), (0x06, 0x06), (0x00, 0x0F)])
def test_settings_that_are_written_in_tx_lose_the_packet(two, register, value):
    """Table 20: W_REGISTER in standby and power down only. The unkind reading, also for the same value."""
    sender, receiver, air = two
    burst(sender, payload(1), wait_ns=SETTLING_NS + 100 * US)
    sender.put(register, value)
    sender.clock.run_for(1 * MS)
    assert len(air.tap) == 1 and not receiver.status & RX_DR and sender.chip.spoilt == 1


def test_status_may_be_written_in_tx(two):
    """Flags are cleared as each packet is done: there is no other way to hear of the next one."""
    sender, receiver, _ = two
    burst(sender, payload(1), wait_ns=SETTLING_NS + 100 * US)
    sender.clear()
    sender.clock.run_for(1 * MS)
    assert receiver.status & RX_DR and sender.chip.spoilt == 0


def test_the_power_detector_is_latched_by_a_packet_that_nobody_acknowledges(two):
    """6.4: and so it stays until RX mode is entered again."""
    sender, receiver, _ = two
    burst(sender, payload(1))
    receiver.clock.run_for(50 * MS)
    assert receiver.get(0x09) == 1
    receiver.ce.out(False)
    assert receiver.get(0x09) == 1
    receiver.ce.out(True)
    receiver.clock.run_for(SETTLING_NS + 40 * US)
    assert receiver.get(0x09) == 0


def test_what_begins_before_the_receiver_has_settled_is_not_received(two):
    """A receiver that is started again between two copies takes the next whole one."""
    sender, receiver, air = two
    burst(sender, *[payload(1)] * 3, wait_ns=SETTLING_NS + 100 * US)
    receiver.ce.out(False)
    receiver.ce.out(True)
    sender.clock.run_for(3 * MS)
    assert len(air.tap) == 3
    assert len([1 for _ in range(3) if not receiver.get(0x17) & RX_EMPTY and receiver.read(0x61, WIDTH)]) == 2


def test_an_injected_packet_is_received_as_any_other(two):
    _, receiver, air = two
    air.inject(receiver.clock.now_ns + US, 76, ADDRESS, payload(9))
    receiver.clock.run_for(1 * MS)
    assert receiver.read(0x61, WIDTH) == payload(9)
