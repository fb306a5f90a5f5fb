"""nRF24L01+: Enhanced ShockBurst against sections 7.3-7.10 of the product specification 1.0."""

import pytest
from stimbench.parts.radio import air_time_ns
from support.parts_fakes import MS, US
from support.radio_rig import ADDRESS, MAX_RT, RX_DR, SETTLING_NS, TX_DS, pair


class TestLink:
    @pytest.mark.parametrize(
        ("rf_setup", "bit_rate"), [(0x06, 1_000_000), (0x0E, 2_000_000), (0x26, 250_000)]
    )
    def test_air_time_and_moment_of_arrival(self, rf_setup, bit_rate):
        """Section 7.3: 1 preamble, 5 address, 9 bits of control, payload, 2 CRC."""
        sender, receiver, air = pair(rf_setup=rf_setup, ard=3)
        start = sender.clock.now_ns
        sender.load(bytes(10))
        sender.ce.out(True)
        span = (8 * (1 + 5 + 10 + 2) + 9) * 1_000_000_000 // bit_rate
        sender.clock.run_to(start + SETTLING_NS + span - 1)
        assert not receiver.irq
        sender.clock.run_for(1)
        assert receiver.irq and receiver.status & RX_DR
        assert not sender.status & TX_DS
        ack = air_time_ns(0, 5, 2, bit_rate)
        sender.clock.run_for(SETTLING_NS + ack - 1)
        assert not sender.irq
        sender.clock.run_for(1)
        assert sender.irq and sender.status & TX_DS
        assert [(s.payload, s.was_ack) for s in air.tap] == [(bytes(10), False), (b"", True)]

    def test_irq_is_masked_and_cleared(self):
        sender, receiver, _ = pair()
        receiver.put(0x00, 0x4F)
        sender.send(b"x")
        assert receiver.status & RX_DR and not receiver.irq
        receiver.put(0x00, 0x0F)
        assert receiver.irq
        receiver.put(0x07, TX_DS)
        assert receiver.irq, "only bits written as 1 are cleared"
        receiver.put(0x07, RX_DR)
        assert not receiver.irq

    def test_no_listener_ends_in_max_rt_after_the_retries(self):
        sender, receiver, air = pair(retries=3, ard=1)
        receiver.ce.out(False)
        sender.load(bytes(8))
        start = sender.clock.now_ns
        sender.pulse()
        sender.clock.run_for(10 * MS)
        assert sender.status & MAX_RT and not sender.status & TX_DS
        assert sender.get(0x08) == 0x13, "1 packet lost, 3 retransmissions"
        assert len(air.tap) == 4 and not sender.get(0x17) & 0x10, "the payload stays"
        span = air.tap[0].t_end_ns - air.tap[0].t_start_ns
        periods = {b.t_start_ns - a.t_start_ns for a, b in zip(air.tap, air.tap[1:], strict=False)}
        assert periods == {span + 500 * US + SETTLING_NS}
        assert air.tap[0].t_start_ns == start + SETTLING_NS

    def test_max_rt_blocks_until_cleared(self):
        sender, receiver, _ = pair()
        receiver.ce.out(False)
        sender.send(b"x")
        receiver.ce.out(True)
        sender.clock.run_for(1 * MS)
        sender.pulse()
        sender.clock.run_for(3 * MS)
        assert receiver.get(0x17) & 1
        sender.clear()
        sender.pulse()
        sender.clock.run_for(3 * MS)
        assert receiver.fetch() == b"x"

    def test_lost_count_stops_at_15_and_rf_ch_clears_it(self):
        sender, receiver, _ = pair(retries=0)
        receiver.ce.out(False)
        for _ in range(17):
            sender.clear()
            sender.spi(0xE1)
            sender.send(b"x")
        assert sender.get(0x08) == 0xF0
        sender.put(0x05, 76)
        assert sender.get(0x08) == 0

    def test_lost_ack_is_repaired_without_a_duplicate(self):
        """Sections 7.3.3.2 and 7.8: same PID and CRC: discarded, but acknowledged again."""
        sender, receiver, air = pair()
        acks = []
        air.drop = lambda packet: packet.is_ack and not acks.append(1) and len(acks) == 1
        sender.send(b"once")
        assert sender.status & TX_DS and sender.get(0x08) & 15 == 1
        assert receiver.fetch() == b"once" and receiver.get(0x17) & 1
        sender.clear()
        sender.send(b"next")
        assert sender.get(0x08) & 15 == 0, "ARC_CNT counts the present transaction only"

    def test_the_same_payload_sent_twice_arrives_twice(self):
        sender, receiver, _ = pair()
        for _ in range(2):
            sender.send(b"same")
            sender.clear()
        assert [receiver.fetch(), receiver.fetch()] == [b"same", b"same"]

    def test_noack_payload_is_done_when_sent(self):
        sender, receiver, air = pair()
        sender.send(b"quick", 0xB0)
        assert sender.status & TX_DS and receiver.fetch() == b"quick"
        assert [s.was_ack for s in air.tap] == [False]

    def test_ack_payload_comes_back_and_is_confirmed_by_the_next_packet(self):
        """Section 7.8.4."""
        sender, receiver, _ = pair(ard=2)
        receiver.load(b"answer", 0xA8)
        sender.send(b"ask")
        assert sender.status & (RX_DR | TX_DS) == RX_DR | TX_DS
        assert sender.fetch() == b"answer"
        assert not receiver.status & TX_DS, "not confirmed yet"
        receiver.fetch()
        sender.clear()
        sender.send(b"ask again")
        assert receiver.status & TX_DS
        assert receiver.get(0x17) & 0x10

    def test_ack_payload_too_long_for_ard_is_lost(self):
        """SETUP_RETR note a: above 5 bytes at 1 Mbit/s ARD must be 500 us."""
        sender, receiver, _ = pair(ard=0, retries=2)
        receiver.load(bytes(16), 0xA8)
        sender.send(b"ask")
        assert sender.status & MAX_RT

    def test_ack_payload_needs_dynamic_length_at_the_sender_too(self):
        """FEATURE note d: ACK payloads have dynamic length, so DPL_P0 must be set at the PTX."""
        sender, receiver, _ = pair(ard=2)
        sender.put(0x1C, 0)
        receiver.load(b"answer", 0xA8)
        sender.send(b"ask")
        assert sender.status & MAX_RT and sender.get(0x17) & 1
        assert receiver.fetch() == b"ask"

    def test_static_length_must_match(self):
        sender, receiver, _ = pair(dynamic=False, width=8)
        sender.send(bytes(7))
        assert sender.status & MAX_RT and receiver.get(0x17) & 1
        sender.clear()
        sender.spi(0xE1)
        sender.send(bytes(range(8)))
        assert receiver.read(0x61, 8) == bytes(range(8))

    @pytest.mark.parametrize(
        ("register", "value"), [(0x05, 77), (0x06, 0x0E), (0x0A, 0x99), (0x00, 0x0B), (0x02, 0)]
    )
    def test_different_settings_do_not_hear_each_other(self, register, value):
        """Channel, rate, address, CRC length, pipe enabled."""
        sender, receiver, _ = pair()
        receiver.put(register, value)
        receiver.clock.run_for(1 * MS)
        sender.send(b"x")
        assert receiver.get(0x17) & 1 and sender.status & MAX_RT

    def test_old_and_new_formats_do_not_hear_each_other(self):
        sender, receiver, _ = pair(retries=0, dynamic=False, width=1)
        receiver.put(0x01, 0)
        sender.send(b"x", wait_ns=1 * MS)
        assert receiver.get(0x17) & 1

    @pytest.mark.parametrize(("after_us", "taken"), [(150, True), (210, False)])
    def test_an_ack_must_be_recognised_within_250_us(self, after_us, taken):
        """SETUP_RETR note b: preamble and address take 48 us at 1 Mbit/s, so 202 us is the last start."""
        sender, receiver, air = pair(retries=0, ard=4)
        receiver.ce.out(False)
        sender.load(b"x")
        end = sender.clock.now_ns + SETTLING_NS + air_time_ns(1, 5, 2, 1_000_000)
        air.inject(end + after_us * US, 76, ADDRESS, b"", enhanced=True)
        sender.pulse()
        sender.clock.run_for(3 * MS)
        assert bool(sender.status & TX_DS) == taken, "anyone's packet will do, if it comes in time"

    def test_six_pipes_share_upper_bytes_with_pipe_1(self):
        sender, receiver, _ = pair()
        receiver.put(0x02, 0x3F)
        receiver.put(0x0B, 0xB1, 7, 7, 7, 7)
        for pipe, low in ((1, 0xB1), (2, 0xC3), (5, 0xC6)):
            for register in (0x10, 0x0A):
                sender.put(register, low, 7, 7, 7, 7)
            sender.send(bytes([pipe]))
            assert receiver.status >> 1 & 7 == pipe
            assert receiver.fetch() == bytes([pipe])
            sender.clear()

    def test_listening_must_begin_before_the_packet(self):
        sender, receiver, _ = pair(retries=0)
        receiver.ce.out(False)
        sender.load(bytes(20))
        sender.pulse()
        receiver.ce.out(True)
        sender.clock.run_for(3 * MS)
        assert receiver.get(0x17) & 1

    def test_reused_payload_goes_out_at_every_pulse(self):
        sender, receiver, _ = pair()
        sender.send(b"again")
        sender.clear()
        sender.spi(0xE3)
        assert sender.get(0x17) & 0x40
        sender.pulse()
        sender.clock.run_for(3 * MS)
        assert receiver.fetch() == b"again"
        assert receiver.get(0x17) & 1, "same PID: to the receiver it is a duplicate"
        sender.clear()
        sender.pulse()
        sender.clock.run_for(3 * MS)
        assert [s for s in sender.sent() if s] == [b"again"] * 3
        sender.load(b"new")
        assert not sender.get(0x17) & 0x40

    def test_old_shockburst_has_no_control_field_and_no_duplicates(self):
        """Section 7.10: EN_AA = 0 and ARC = 0."""
        sender, receiver, air = pair(dynamic=False, width=4, retries=0)
        for radio in (sender, receiver):
            radio.put(0x01, 0)
        for _ in range(2):
            sender.send(b"same")
        assert [receiver.read(0x61, 4), receiver.read(0x61, 4)] == [b"same", b"same"]
        assert air.tap[0].t_end_ns - air.tap[0].t_start_ns == 8 * (1 + 5 + 4 + 2) * 1000
        assert sender.status & TX_DS


class TestPipesAndPower:
    """Who is received, and so who is acknowledged (7.3.3, 7.6, 7.7), and how loud (table 28, RF_PWR)."""

    OTHER = (0x51, 0x4A, 0x9D, 0x36, 0xC5)

    def test_pipe_0_receives_at_an_address_of_its_own(self):
        sender, receiver, air = pair()
        receiver.put(0x0B, *b"\x53\x11\x22\x33\x44")
        receiver.put(0x0A, *self.OTHER)
        for register in (0x10, 0x0A):
            sender.put(register, *self.OTHER)
        sender.send(b"to pipe 0")
        assert receiver.status >> 1 & 7 == 0 and receiver.fetch() == b"to pipe 0"
        assert sender.status & TX_DS and air.tap[-1].was_ack and air.tap[-1].address == bytes(self.OTHER)

    @pytest.mark.parametrize(("register", "value"), [(0x02, 0x3E), (0x0A, 0x99)])
    def test_a_disabled_pipe_and_a_foreign_address_are_not_acknowledged(self, register, value):
        """EN_RXADDR without pipe 0; pipe 0 at another address."""
        sender, receiver, air = pair()
        receiver.put(register, value)
        sender.send(b"x")
        assert sender.status & MAX_RT and not any(packet.was_ack for packet in air.tap)
        assert not receiver.status & RX_DR and not receiver.irq

    def test_a_full_fifo_is_silent_until_it_is_read(self):
        """Section 7.5.2: no room, no ACK, whoever sends; the first repeat after a read is taken."""
        sender, receiver, air = pair(retries=15)
        for k in range(3):
            sender.send(bytes([k]))
            sender.clear()
        air.tap.clear()
        sender.send(b"late", wait_ns=3 * MS)
        assert not any(packet.was_ack for packet in air.tap) and not sender.status & TX_DS
        receiver.fetch()
        sender.clock.run_for(2 * MS)
        assert sender.status & TX_DS
        assert [receiver.fetch() for _ in range(3)] == [b"\1", b"\2", b"late"]

    def test_the_flag_that_stays_set_keeps_the_pin_low(self):
        """Section 8.4: the pin follows the flags, so a payload that is left alone asks once."""
        sender, receiver, _ = pair()
        falls = []
        receiver.board.pin("RADIO_IRQ").on_edge(lambda level, at_ns: None if level else falls.append(at_ns))
        for k in range(5):
            sender.send(bytes([k]))
            sender.clear()
            sender.spi(0xE1)
        assert len(falls) == 1

    def test_a_sender_without_pipe_0_hears_no_acknowledgement(self):
        """Section 7.6: pipe 0 receives the ACKs."""
        sender, receiver, air = pair()
        sender.put(0x02, 0x02)
        sender.send(b"x")
        assert sender.status & MAX_RT and receiver.fetch() == b"x"
        assert sum(packet.was_ack for packet in air.tap) == 4

    @pytest.mark.parametrize(("rf_pwr", "dbm"), [(0, -18), (1, -12), (2, -6), (3, 0)])
    def test_power_of_packets_and_acknowledgements(self, rf_pwr, dbm):
        sender, _, air = pair()
        sender.put(0x06, rf_pwr << 1)
        sender.send(b"x")
        assert [(packet.was_ack, packet.power_dbm) for packet in air.tap] == [(False, dbm), (True, 0)]
