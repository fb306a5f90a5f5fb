"""The air: look-ahead, loss, jamming, collisions, eavesdropping and injection."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stimbench.parts.radio import AirChannel, air_time_ns
from support.parts_fakes import MS, US, FakeClock
from support.radio_rig import ADDRESS, MAX_RT, RESET_NS, SETTLING_NS, TX_DS, Radio, pair


class TestAir:
    def test_announced_130_us_before_the_first_bit(self):
        sender, _, air = pair()
        ahead = []
        air.on_announce = lambda packet: ahead.append(packet.start_ns - sender.clock.now_ns)
        sender.send(b"x")
        assert len(ahead) == 2 and min(ahead) >= air.LOOKAHEAD_NS

    def test_boards_on_their_own_clocks_agree_on_the_time(self):
        """The receiver's clock may lag: the packet arrives at its own absolute time."""
        air = AirChannel()
        here, there = FakeClock(), FakeClock()
        sender, receiver = Radio(here, air), Radio(there, air)
        for radio in (sender, receiver):
            radio.clock.run_to(RESET_NS)
        sender.set_up(prx=False)
        receiver.set_up(prx=True)
        here.run_to(there.now_ns)
        sender.load(b"x")
        sender.ce.out(True)
        due = here.now_ns + SETTLING_NS + air_time_ns(1, 5, 2, 1_000_000)
        there.run_to(due - 1)
        assert not receiver.irq
        there.run_to(due)
        assert receiver.irq

    def test_jamming_is_told_and_ended(self):
        sender, receiver, air = pair()
        now = sender.clock.now_ns
        air.jam(76, now, now + 100 * MS)
        air.jam(None, now + 50 * MS, now + 200 * MS)
        assert air.jammed(now) == [76] and air.jammed(now + 60 * MS) == [76, None]
        assert air.jammed(now + 150 * MS) == [None] and air.jammed(now + 200 * MS) == []
        sender.send(b"x")
        assert not receiver.irq
        sender.clear()
        air.stop_jamming(sender.clock.now_ns)
        assert air.jammed(sender.clock.now_ns) == air.jammed(now + 60 * MS) == []
        sender.send(b"y")
        assert receiver.irq

    def test_loss_is_a_share_and_repeats_by_seed(self):
        def run(seed):
            sender, receiver, _air = pair(AirChannel(seed=seed, loss=0.3), retries=0)
            lost = []
            for _ in range(200):
                sender.send(b"x", 0xB0)
                lost.append(bool(receiver.get(0x17) & 1))
                sender.clear()
                receiver.spi(0xE2)
            return lost

        assert sum(run(1)) / 200 == pytest.approx(0.3, abs=0.08)
        assert run(1) == run(1) != run(2)

    def test_jamming_kills_its_channel_for_its_time(self):
        sender, receiver, air = pair(retries=0)
        now = sender.clock.now_ns
        air.jam(75, now, now + 100 * MS)
        sender.send(b"neighbour")
        assert receiver.fetch() == b"neighbour"
        sender.clear()
        air.jam(None, sender.clock.now_ns, sender.clock.now_ns + 10 * MS)
        sender.send(b"x")
        assert sender.status & MAX_RT and receiver.get(0x09) == 1, "RPD sees the carrier"
        sender.clear()
        sender.clock.run_for(10 * MS)
        sender.pulse()
        sender.clock.run_for(5 * MS)
        assert receiver.fetch() == b"x"

    def test_overlapping_packets_destroy_each_other(self):
        sender, receiver, air = pair(retries=0)
        start = sender.clock.now_ns + SETTLING_NS + 50 * US
        air.inject(start, 76, b"\x09" * 5, bytes(32))
        sender.send(b"x")
        assert sender.status & MAX_RT and receiver.get(0x17) & 1
        air.inject(sender.clock.now_ns + SETTLING_NS, 77, b"\x09" * 5, bytes(32))
        sender.clear()
        sender.pulse()
        sender.clock.run_for(3 * MS)
        assert receiver.fetch() == b"x", "another channel does not matter"

    def test_injected_packet_is_taken_for_real(self):
        sender, receiver, air = pair()
        air.inject(sender.clock.now_ns, 76, ADDRESS, b"forged", pid=2, enhanced=True)
        sender.clock.run_for(2 * MS)
        assert receiver.fetch() == b"forged"
        assert air.tap[-1].was_ack

    def test_replay_of_a_sniffed_packet_is_a_new_packet_after_another(self):
        """PID and CRC guard against retransmissions only, not against an attacker."""
        sender, receiver, air = pair()
        for text in (b"one", b"two"):
            sender.send(text)
            sender.clear()
            receiver.fetch()
        first = air.tap[0]
        air.inject(sender.clock.now_ns, first.channel, first.address, first.payload, pid=1, enhanced=True)
        sender.clock.run_for(2 * MS)
        assert receiver.fetch() == b"one"

    @pytest.mark.parametrize(("address", "payload"), [(b"12", b""), (b"123456", b""), (b"12345", bytes(33))])
    def test_impossible_injections_are_refused(self, address, payload):
        with pytest.raises(ValueError, match="bytes"):
            AirChannel().inject(0, 76, address, payload)

    @pytest.mark.parametrize("option", [{"pid": 1}, {"no_ack": True}, {"is_ack": True}])
    def test_what_the_older_format_does_not_have_is_refused(self, option):
        with pytest.raises(ValueError, match="older format"):
            AirChannel().inject(0, 76, ADDRESS, b"x", **option)

    def test_an_injected_packet_is_of_the_older_format_if_not_asked_otherwise(self):
        """9 bits of control field shorter, and not for a receiver of Enhanced ShockBurst."""
        _, receiver, air = pair()
        air.inject(receiver.clock.now_ns, 76, ADDRESS, bytes(32))
        receiver.clock.run_for(2 * MS)
        assert receiver.get(0x17) & 1 and air.tap[-1].t_end_ns - air.tap[-1].t_start_ns == 320 * US
        air.inject(receiver.clock.now_ns, 76, ADDRESS, bytes(32), enhanced=True)
        receiver.clock.run_for(2 * MS)
        assert not receiver.get(0x17) & 1 and air.tap[-2].t_end_ns - air.tap[-2].t_start_ns == 329 * US

    def test_carrier_is_seen_after_40_us_only(self):
        _, receiver, air = pair()
        now = receiver.clock.now_ns
        air.jam(76, now + 10 * US, now + 60 * US)
        for after_us, seen in ((30, 0), (49, 0), (55, 1), (70, 0)):
            receiver.clock.run_to(now + after_us * US)
            assert receiver.get(0x09) == seen

    def test_carrier_needs_40_us_of_listening(self):
        """Section 6.4: RPD is right 130 + 40 us after RX mode was asked for."""
        _, receiver, air = pair()
        receiver.ce.out(False)
        air.jam(None, receiver.clock.now_ns, receiver.clock.now_ns + 10 * MS)
        receiver.clock.run_for(1 * MS)
        receiver.ce.out(True)
        receiver.clock.run_for(SETTLING_NS + 39 * US)
        assert receiver.get(0x09) == 0
        receiver.clock.run_for(1 * US)
        assert receiver.get(0x09) == 1

    def test_power_detector_holds_a_received_packet_until_rx_begins_again(self):
        """Section 6.4: RPD is latched by a valid packet; without an acknowledgement RX goes on."""
        sender, receiver, _ = pair()
        sender.send(b"x", 0xB0)
        assert receiver.get(0x09) == 1
        receiver.ce.out(False)
        receiver.ce.out(True)
        receiver.clock.run_for(1 * MS)
        assert receiver.get(0x09) == 0

    def test_power_detector_keeps_its_last_word_when_rx_ends(self):
        _, receiver, air = pair()
        now = receiver.clock.now_ns
        air.jam(76, now, now + 1 * MS)
        receiver.clock.run_for(500 * US)
        receiver.ce.out(False)
        receiver.clock.run_for(2 * MS)
        assert receiver.get(0x09) == 1

    def test_power_detector_listens_to_its_channel_only(self):
        _, receiver, air = pair()
        air.jam(77, receiver.clock.now_ns, receiver.clock.now_ns + 10 * MS)
        receiver.clock.run_for(1 * MS)
        assert receiver.get(0x09) == 0
        receiver.put(0x05, 77)
        receiver.clock.run_for(SETTLING_NS + 40 * US)
        assert receiver.get(0x09) == 1

    def test_an_injected_packet_has_its_own_power(self):
        _, receiver, air = pair()
        air.inject(receiver.clock.now_ns, 76, ADDRESS, b"near", power_dbm=20)
        assert air.tap[-1].power_dbm == 20

    @given(st.lists(st.binary(min_size=1, max_size=32), min_size=1, max_size=6), st.integers(0, 50))
    def test_every_acknowledged_payload_arrives_once_and_in_order(self, payloads, seed):
        sender, receiver, _ = pair(AirChannel(seed=seed, loss=0.3), retries=15)
        got, acknowledged = [], []
        for payload in payloads:
            sender.send(payload, wait_ns=20 * MS)
            if sender.status & TX_DS:
                acknowledged.append(payload)
            sender.spi(0xE1)
            sender.clear()
            while not receiver.get(0x17) & 1:
                got.append(receiver.fetch())
        if len(acknowledged) == len(payloads):
            assert got == acknowledged
