"""nRF24L01+ against its product specification 1.0: registers, FIFOs, states (sections 6, 8 and 9)."""

from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stimbench.parts.nrf24_link import Mode
from stimbench.parts.radio import AirChannel
from support.parts_fakes import MS, US, FakeClock
from support.radio_rig import MAX_RT, RESET_NS, SETTLING_NS, START_UP_NS, Radio, pair


@pytest.fixture
def chip():
    radio = Radio(FakeClock(), AirChannel())
    radio.clock.run_to(RESET_NS)
    return radio


class TestRegisters:
    RESETS: ClassVar = {  # table 27
        0x00: 0x08,
        0x01: 0x3F,
        0x02: 0x03,
        0x03: 0x03,
        0x04: 0x03,
        0x05: 0x02,
        0x06: 0x0E,
        0x07: 0x0E,
        0x08: 0x00,
        0x09: 0x00,
        0x0C: 0xC3,
        0x0D: 0xC4,
        0x0E: 0xC5,
        0x0F: 0xC6,
        0x11: 0,
        0x12: 0,
        0x13: 0,
        0x14: 0,
        0x15: 0,
        0x16: 0,
        0x17: 0x11,
        0x1C: 0,
        0x1D: 0,
    }

    def test_reset_values(self, chip):
        assert {register: chip.get(register) for register in self.RESETS} == self.RESETS
        assert chip.read(0x0A, 5) == chip.read(0x10, 5) == b"\xe7" * 5
        assert chip.read(0x0B, 5) == b"\xc2" * 5

    @pytest.mark.parametrize(
        ("register", "mask"),
        [
            (0x01, 0x3F),
            (0x02, 0x3F),
            (0x03, 0x03),
            (0x04, 0xFF),
            (0x05, 0x7F),
            (0x06, 0xBE),
            (0x0C, 0xFF),
            (0x11, 0x3F),
            (0x16, 0x3F),
            (0x1C, 0x3F),
            (0x1D, 0x07),
            (0x18, 0x00),
        ],
    )
    def test_reserved_bits_stay_zero(self, chip, register, mask):
        chip.put(register, 0xFF)
        assert chip.get(register) == mask
        chip.put(register, 0x00)
        assert chip.get(register) == 0

    def test_read_only_registers(self, chip):
        for register in (0x08, 0x09, 0x17):
            before = chip.get(register)
            chip.put(register, 0xFF)
            assert chip.get(register) == before

    @given(st.integers(0, 29), st.binary(min_size=1, max_size=6))
    def test_reads_never_disturb_and_come_back_in_order(self, register, data):
        radio = Radio(FakeClock(), AirChannel(), reset_ms=0)
        radio.clock.run_for(0)
        radio.put(register, *data)
        assert radio.read(register, 6) == radio.read(register, 6)
        if register in (0x0A, 0x0B, 0x10):
            assert radio.read(register, 5)[: len(data[:5])] == data[:5]

    def test_a_short_write_leaves_the_upper_address_bytes(self, chip):
        """Section 8.3.1: LSByte first, and the rest stays as it was."""
        chip.put(0x0A, 0x55)
        assert chip.read(0x0A, 5) == b"\x55\xe7\xe7\xe7\xe7"

    def test_status_comes_with_every_command(self, chip):
        assert chip.spi(0xFF) == b"\x0e"
        assert chip.spi(0xE1) == b"\x0e"
        assert chip.spi(0x20 | 5, 9)[0] == 0x0E

    def test_miso_is_left_alone_without_csn(self, chip):
        assert chip.chip.exchange(0xFF, 8, chip.board.spi(1).clock) is None

    def test_an_absent_chip_does_not_answer(self):
        radio = Radio(FakeClock(), AirChannel(), absent=True)
        radio.clock.run_to(RESET_NS)
        assert radio.get(0x03) == 0 and radio.board.spi(1).devices == []


class TestFifos:
    def test_tx_fifo_is_three_deep(self, chip):
        for k in range(4):
            assert bool(chip.status & 1) == (k == 3)
            chip.load(bytes([k]))
        assert chip.get(0x17) == 0x21
        chip.put(0x01, 0)
        chip.put(0x00, 0x0A)
        chip.ce.out(True)
        chip.clock.run_for(10 * MS)
        assert chip.sent() == [b"\0", b"\1", b"\2"]
        chip.ce.out(False)
        chip.load(b"x")
        chip.spi(0xE1)
        assert chip.get(0x17) == 0x11 and not chip.status & 1

    def test_noack_and_ack_payload_commands_need_their_features(self, chip):
        """Table 20 and FEATURE: EN_DYN_ACK and EN_ACK_PAY."""
        chip.load(b"x", 0xB0)
        chip.load(b"x", 0xA8)
        assert chip.get(0x17) == 0x11
        chip.put(0x1D, 0x03)
        chip.load(b"x", 0xB0)
        chip.load(b"x", 0xA8)
        assert chip.get(0x17) == 0x01

    def test_rx_fifo_hands_payloads_out_in_order(self):
        sender, receiver, _ = pair()
        for text in (b"one", b"twelve", b"three"):
            sender.send(text)
            sender.clear()
        assert receiver.get(0x17) & 3 == 2, "full"
        assert [receiver.fetch() for _ in range(3)] == [b"one", b"twelve", b"three"]
        assert receiver.get(0x17) & 3 == 1, "empty"
        assert receiver.status >> 1 & 7 == 7

    def test_flush_rx(self):
        sender, receiver, _ = pair()
        sender.send(b"x")
        receiver.spi(0xE2)
        assert receiver.get(0x17) & 1

    def test_full_rx_fifo_refuses_and_does_not_acknowledge(self):
        """Section 7.5.2: no room, no ACK: the sender learns of it."""
        sender, receiver, _ = pair()
        for k in range(4):
            sender.clear()
            sender.send(bytes([k]))
        assert sender.status & MAX_RT
        assert [receiver.fetch() for _ in range(3)] == [b"\0", b"\1", b"\2"]


class TestStates:
    def test_power_on_reset_then_power_down(self):
        """Table 16: 100 ms from power-on until the chip listens to its SPI."""
        radio = Radio(FakeClock(), AirChannel())
        radio.clock.run_to(99 * MS)
        radio.put(0x05, 40)
        assert radio.get(0x03) == 0
        radio.clock.run_to(RESET_NS)
        assert radio.get(0x05) == 2 and radio.chip.mode is Mode.POWER_DOWN

    def test_start_up_and_settling_times(self, chip):
        """Table 16: Tpd2stby 1.5 ms, Tstby2a 130 us."""
        chip.ce.out(True)
        chip.put(0x00, 0x0B)
        chip.clock.run_for(START_UP_NS - 1)
        assert chip.chip.mode is Mode.START_UP
        chip.clock.run_for(1)
        assert chip.chip.mode is Mode.RX_SETTLING
        chip.clock.run_for(SETTLING_NS - 1)
        assert chip.chip.mode is Mode.RX_SETTLING
        chip.clock.run_for(1)
        assert chip.chip.mode is Mode.RX
        chip.ce.out(False)
        assert chip.chip.mode is Mode.STANDBY
        chip.put(0x00, 0x08)
        assert chip.chip.mode is Mode.POWER_DOWN

    def test_registers_survive_power_down(self, chip):
        chip.put(0x05, 99)
        chip.put(0x00, 0x0A)
        chip.clock.run_for(2 * MS)
        chip.put(0x00, 0x08)
        assert chip.get(0x05) == 99

    @pytest.mark.parametrize(("span_us", "sent"), [(9, False), (10, True)])
    def test_ce_must_be_high_for_10_us(self, span_us, sent):
        """Table 16, Thce."""
        sender, receiver, _ = pair()
        sender.load(b"x")
        sender.pulse(span_us * US)
        sender.clock.run_for(3 * MS)
        assert (receiver.status >> 1 & 7 == 0) == sent
        assert sender.chip.short_pulses == (0 if sent else 1)

    def test_nothing_is_sent_without_ce_or_payload(self):
        sender, _, air = pair()
        sender.load(b"x")
        sender.clock.run_for(3 * MS)
        sender.spi(0xE1)
        sender.pulse()
        sender.clock.run_for(3 * MS)
        assert air.tap == []

    def test_held_ce_empties_the_fifo_and_waits_for_more(self):
        sender, receiver, _ = pair()
        sender.load(b"a")
        sender.load(b"b")
        sender.ce.out(True)
        sender.clock.run_for(3 * MS)
        assert sender.get(0x17) & 0x10
        sender.load(b"c")
        sender.clock.run_for(3 * MS)
        assert [receiver.fetch() for _ in range(3)] == [b"a", b"b", b"c"]

    def test_power_down_stops_a_packet_in_the_air(self):
        sender, receiver, _ = pair()
        sender.load(bytes(32))
        sender.pulse()
        sender.clock.run_for(SETTLING_NS)
        sender.put(0x00, 0x0C)
        sender.clock.run_for(3 * MS)
        assert receiver.get(0x17) & 1
