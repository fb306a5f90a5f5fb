"""The radio's driver against the radio's model."""

import pytest
from stimfw.drivers.nrf24l01 import SENDING, SENT

HERE, THERE = b"\x11\x22\x33\x44\x56", b"\x66\x77\x88\x99\xab"
BURST_MS = 1.4
"""Three packets of 40 bytes in the air, 130 us before each."""


def frame(text):
    return text.ljust(32, b".")


@pytest.fixture
def pair(radios):
    """Both configured; the stimulator's side listens."""
    a, b = radios.remote.radio, radios.stimulator.radio
    assert a.configure(HERE) and b.configure(THERE)
    a.power_up(), b.power_up()
    b.listen()
    radios.run_ms(1)
    return radios


def take(side):
    """What has come, all of it."""
    found = []
    side.radio.begin_reading()
    while side.radio.waiting():
        buffer = bytearray(32)
        side.radio.receive_into(memoryview(buffer))
        found.append(bytes(buffer))
    return found


def finish(pair, side="remote"):
    """Until the burst of a side is out."""
    radio = getattr(pair, side).radio
    for _ in range(40):
        if radio.poll() == SENT:
            return True
        pair.run_ms(0.1)
    return False


def test_a_radio_is_found_and_an_empty_socket_is_not(radios, empty_socket):
    assert radios.remote.radio.present()
    assert not empty_socket.present()
    assert not empty_socket.alive() and not empty_socket.waiting()


def test_registers_after_configure(radios):
    """Product specification 7.10: no acknowledgements, no retransmission; and a fixed width."""
    radio, part = radios.remote.radio, radios.remote.part
    assert radio.configure(HERE, channel=76)
    expected = {"EN_AA": 0, "EN_RXADDR": 2, "SETUP_AW": 3, "SETUP_RETR": 0, "RF_CH": 76, "RF_SETUP": 6}
    for address, (name, value) in enumerate(expected.items(), 1):
        assert part.register(address) == value, name
    assert part.register(0x11) == part.register(0x12) == 32, "RX_PW_P0, RX_PW_P1"
    assert part.register(0) == 0x0C and part.register(0x1C) == 0 and part.register(0x1D) == 0


def test_a_radio_without_a_feature_register_is_refused(radios):
    radio, write = radios.remote.radio, radios.remote.radio._write
    radio._write = lambda register, value: None if register == 0x1D else write(register, value)
    assert not radio.configure(HERE)
    assert (radio.usable, radio.needs_activate) == (False, False)


class TestModules:
    """What is in the socket, as configure() tells it."""

    @pytest.mark.parametrize(
        ("module", "usable", "needs_activate"),
        [("nrf24l01+", True, False), ("si24r1", True, False), ("nrf24l01", False, True)],
    )
    def test_it_is_told_each_time(self, one_radio, module, usable, needs_activate):
        radio = one_radio(module).radio
        for _ in range(3):
            assert radio.present() and radio.configure(HERE) is usable
            assert (radio.usable, radio.needs_activate) == (usable, needs_activate)

    def test_a_predecessor_that_other_firmware_has_activated_is_told_too(self, one_radio):
        side = one_radio("nrf24l01")
        side.radio._activate()
        for _ in range(2):
            assert not side.radio.configure(HERE) and side.radio.needs_activate
            assert side.part.register(0x1D) == 0, "as after power-on"

    def test_a_plus_is_sent_no_activate(self, one_radio):
        """Its specification has no such command (table 20)."""
        side = one_radio("nrf24l01+")
        side.radio._activate = lambda: pytest.fail("ACTIVATE")
        assert side.radio.configure(HERE)

    def test_the_bit_of_250_kbit_per_s_does_not_stay(self, one_radio):
        side = one_radio("nrf24l01+")
        side.radio.configure(HERE)
        assert side.part.register(0x06) == 0x06

    def test_nothing_is_told_of_an_empty_socket(self, empty_socket):
        assert not empty_socket.present() and not empty_socket.configure(HERE)
        assert (empty_socket.usable, empty_socket.needs_activate) == (False, False)

    def test_what_was_told_is_forgotten_when_the_module_is_gone(self, one_radio):
        side = one_radio("nrf24l01")
        side.radio.configure(HERE)
        side.part.power(False)
        assert not side.radio.present() and not side.radio.needs_activate


def test_a_frame_goes_out_three_times_and_nothing_comes_back(pair):
    sent = frame(bytes(range(20)))
    pair.remote.radio.send(sent, THERE)
    assert pair.remote.radio.poll() == SENDING
    pair.run_ms(BURST_MS)
    assert pair.remote.radio.poll() == SENT
    assert take(pair.stimulator) == [sent] * 3 and take(pair.stimulator) == []
    assert [(packet.payload, packet.address) for packet in pair.air.tap] == [(sent, THERE)] * 3
    starts = [packet.t_start_ns for packet in pair.air.tap]
    assert starts[2] - starts[0] <= 1_000_000, "back to back"
    assert pair.remote.part.spoilt == 0


@pytest.mark.parametrize("copies", [1, 2])
def test_fewer_copies(pair, copies):
    pair.remote.radio.send(frame(b"x"), THERE, copies)
    assert finish(pair) and len(take(pair.stimulator)) == copies


@pytest.mark.parametrize("copies", [4, 6, 8])
def test_more_copies_than_the_radio_holds(pair, copies):
    """Without a gap, and within the 4 ms that the radio may send at a time (6.1.5)."""
    pair.remote.radio.send(frame(b"x"), THERE, copies)
    assert finish(pair) and len(pair.air.tap) == copies
    starts = [packet.t_start_ns for packet in pair.air.tap]
    assert starts[-1] - starts[0] == (copies - 1) * 450_000
    assert pair.remote.part.spoilt == 0 and take(pair.stimulator) == [frame(b"x")] * 3


def test_a_stuck_radio_holds_up_nobody_for_long(pair):
    pair.remote.part._link.update = lambda: None  # nothing is ever sent
    began_ns = pair.clock.now_ns
    pair.remote.radio.send(frame(b"x"), THERE, 8)
    assert pair.clock.now_ns - began_ns < 12_000_000


def test_an_abort_leaves_no_copy_behind(pair):
    pair.remote.radio.send(frame(b"old"), THERE)
    pair.run_ms(0.3)
    pair.remote.radio.abort()
    pair.remote.radio.send(frame(b"new"), THERE, 1)
    assert finish(pair)
    pair.run_ms(5)
    assert [packet.payload for packet in pair.air.tap] == [frame(b"old"), frame(b"new")]


def test_each_copy_that_is_sent_is_told_by_an_edge(pair):
    """The pin falls again only when its flag was taken back: poll() does."""
    pair.remote.radio.send(frame(b"x"), THERE)
    polls = 0
    while len(pair.remote.falls) < 3:
        seen = len(pair.remote.falls)
        for _ in range(100):
            if len(pair.remote.falls) > seen:
                break
            pair.run_ms(0.02)
        else:
            raise AssertionError(f"no edge after {polls} polls")
        polls += 1
        assert pair.remote.radio.poll() == (SENT if polls == 3 else SENDING)


def test_an_end_between_the_flag_and_the_look_is_not_missed(pair):
    """The last copy ends just after poll() has taken the flag of the one before it back."""
    radio = pair.remote.radio
    pair.remote.radio.send(frame(b"x"), THERE)
    pair.run_ms(BURST_MS - 0.3)
    read, falls = radio._read, len(pair.remote.falls)
    radio._read = lambda command: (read(command), pair.run_ms(1))[0]
    assert radio.poll() == SENDING
    assert len(pair.remote.falls) > falls, "an edge calls again"
    radio._read = read
    assert radio.poll() == SENT


def test_what_comes_while_one_reads_is_found_or_told(pair):
    """Table 28, RX_DR: no frame may lie in the FIFO with neither an edge nor a look to come."""
    pair.remote.radio.send(frame(b"1"), THERE, 1)
    assert finish(pair)
    radio, waiting, falls = pair.stimulator.radio, pair.stimulator.radio.waiting, []

    def late():
        found = waiting()
        if not found and not falls:  # the last look: and then one comes
            falls.append(len(pair.stimulator.falls))
            pair.remote.radio.send(frame(b"2"), THERE, 1)
            assert finish(pair)
        return found

    radio.waiting = late
    assert take(pair.stimulator) == [frame(b"1")]
    assert len(pair.stimulator.falls) == falls[0] + 1, "an edge calls again"
    radio.waiting = waiting
    assert take(pair.stimulator) == [frame(b"2")]


def test_three_frames_wait_in_the_fifo(pair):
    for text in (b"a", b"b", b"c", b"d"):
        pair.remote.radio.send(frame(text), THERE, 1)
        assert finish(pair)
    assert take(pair.stimulator) == [frame(b"a"), frame(b"b"), frame(b"c")]


def test_what_was_received_can_be_dropped(pair):
    pair.remote.radio.send(frame(b"a"), THERE)
    assert finish(pair)
    falls = len(pair.stimulator.falls)
    pair.stimulator.radio.flush_received()
    assert not pair.stimulator.radio.waiting()
    pair.remote.radio.send(frame(b"b"), THERE)
    assert finish(pair)
    assert len(pair.stimulator.falls) == falls + 1 and take(pair.stimulator) == [frame(b"b")] * 3


def test_other_lengths_are_not_received(pair):
    for length in (1, 31):
        pair.air.inject(pair.clock.now_ns + 1000, 76, THERE, bytes(length))
        pair.run_ms(1)
    assert take(pair.stimulator) == []


def test_a_sender_with_acknowledgements_is_not_heard(pair):
    pair.air.inject(pair.clock.now_ns + 1000, 76, THERE, bytes(32), enhanced=True)
    pair.run_ms(2)
    assert take(pair.stimulator) == [] and len(pair.air.tap) == 1


def test_an_aborted_frame_makes_room_for_another(pair):
    pair.remote.radio.send(frame(b"START"), THERE)
    pair.run_ms(0.3)
    pair.remote.radio.abort()
    pair.remote.radio.tune(50)
    pair.remote.radio.tune(76)
    pair.remote.radio.send(frame(b"STOP"), THERE)
    assert finish(pair)
    assert take(pair.stimulator) == [frame(b"START")] + [frame(b"STOP")] * 2, "room for three"
    assert pair.remote.part.spoilt == 0, "the copy in the air was waited for before the channel changed"


def test_the_sender_can_listen_and_be_answered(pair):
    pair.remote.radio.send(frame(b"question"), THERE)
    assert finish(pair) and take(pair.stimulator)[0] == frame(b"question")
    pair.remote.radio.listen()
    pair.stimulator.radio.send(frame(b"answer"), HERE)
    assert finish(pair, "stimulator") and take(pair.remote)[0] == frame(b"answer")


def test_power_down_keeps_the_settings(pair):
    radio = pair.remote.radio
    radio.power_down()
    assert radio.alive() and pair.remote.part.mode.value == "power down"
    radio.power_up()
    radio.send(frame(b"x"), THERE)
    assert finish(pair) and take(pair.stimulator)


@pytest.mark.parametrize(("meanwhile_ms", "waits_ms"), [(0, 4.5), (3, 1.5), (10, 0)])
def test_what_is_done_while_the_crystal_starts_is_not_waited_for_again(pair, meanwhile_ms, waits_ms):
    """4.5 ms in all, from the first moment on (table 16, Tpd2stby)."""
    radio = pair.remote.radio
    radio._ticks_us = lambda: (pair.clock.now_ns // 1000 + (1 << 30) - 1) & 0x3FFFFFFF  # it wraps meanwhile
    radio.power_down()
    radio.start_up()
    pair.run_ms(meanwhile_ms)
    began_ns = pair.clock.now_ns
    radio.power_up()
    assert (pair.clock.now_ns - began_ns) / 1_000_000 == pytest.approx(waits_ms, abs=0.05)
    radio.power_up()
    assert (pair.clock.now_ns - began_ns) / 1_000_000 == pytest.approx(waits_ms, abs=0.05), "once"


def test_a_power_down_forgets_that_it_was_starting(pair):
    radio = pair.remote.radio
    radio._ticks_us = lambda: pair.clock.now_ns // 1000
    radio.power_down()
    radio.start_up()
    pair.run_ms(3)
    radio.power_down()
    began_ns = pair.clock.now_ns
    radio.power_up()
    assert pair.clock.now_ns - began_ns >= 4_500_000


def test_lost_settings_are_noticed(pair):
    radio = pair.remote.radio
    assert radio.alive()
    radio._write(0, 0x08)  # CONFIG after a reset
    assert not radio.alive()


def test_a_radio_without_supply_has_nothing_to_read(pair):
    pair.stimulator.part.power(False)
    pair.stimulator.part.power(True)  # for 100 ms it answers zeros
    assert not pair.stimulator.radio.waiting()


def test_nothing_but_its_own_address_is_received(pair):
    """Also not what goes to the peer that it sent to last."""
    pair.stimulator.radio.send(frame(b"x"), HERE)
    assert finish(pair, "stimulator")
    pair.stimulator.radio.listen()
    pair.run_ms(1)
    pair.remote.radio.send(frame(b"to another remote"), HERE)
    assert finish(pair) and take(pair.stimulator) == []


def test_an_extra_address_is_received_while_it_is_asked_for(pair):
    extra = b"\x50\x4a\x9d\x36\xc5"
    for asked in (True, False):
        pair.stimulator.radio.listen(extra if asked else None)
        pair.run_ms(1)
        for to in (extra, THERE):
            pair.remote.radio.send(frame(b"hello"), to, 1)
            assert finish(pair)
            assert take(pair.stimulator) == ([frame(b"hello")] if asked or to == THERE else [])


def test_without_an_address_nothing_is_received(pair):
    pair.stimulator.radio.address(None)
    pair.stimulator.radio.listen()
    pair.run_ms(1)
    pair.remote.radio.send(frame(b"x"), THERE)
    assert finish(pair) and take(pair.stimulator) == []
    assert pair.stimulator.part.register(0x02) == 0


def test_to_another_channel_and_back(pair):
    for channel, heard in ((50, 0), (76, 3)):
        pair.remote.radio.tune(channel)
        pair.remote.radio.send(frame(b"x"), THERE)
        assert finish(pair) and len(take(pair.stimulator)) == heard
        assert pair.air.tap[-1].channel == channel


@pytest.mark.parametrize("dbm", [-18, -12, -6, 0])
def test_power(pair, dbm):
    pair.remote.radio.set_power(dbm)
    pair.remote.radio.send(frame(b"x"), THERE)
    assert finish(pair)
    assert [packet.power_dbm for packet in pair.air.tap] == [dbm] * 3


def test_a_power_that_the_radio_does_not_have_is_refused(pair):
    with pytest.raises(ValueError, match="dBm"):
        pair.remote.radio.set_power(-10)


def test_a_carrier_is_sensed(pair):
    assert not pair.remote.radio.sense()
    pair.air.jam(76, pair.clock.now_ns, pair.clock.now_ns + 5_000_000)
    assert pair.remote.radio.sense()
    pair.run_ms(10)
    assert not pair.remote.radio.sense()


def test_a_frame_that_was_received_is_no_carrier(pair):
    """6.4: RPD is latched by a packet, and nothing but a new start of the receiver lets go of it."""
    pair.remote.radio.send(frame(b"x"), THERE)
    assert finish(pair)
    assert pair.stimulator.part.register(9) == 1 and not pair.stimulator.radio.sense()


def test_a_look_at_the_air_keeps_the_extra_address(pair):
    extra = b"\x50\x4a\x9d\x36\xc5"
    pair.stimulator.radio.sense(extra)
    pair.remote.radio.send(frame(b"x"), extra, 1)
    assert finish(pair) and take(pair.stimulator) == [frame(b"x")]


def test_settings_that_hold_already_are_not_written_again(pair):
    written = []
    radio = pair.remote.radio
    write, write_address = radio._write, radio._write_address
    radio._write = lambda register, value: written.append(register) or write(register, value)
    radio._write_address = lambda register, value: written.append(register) or write_address(register, value)
    for _ in range(2):
        written.clear()
        radio.tune(76), radio.set_power(0), radio.address(HERE)
        radio.listen()
        radio.send(frame(b"x"), THERE)
        pair.run_ms(2)
        assert radio.poll() == SENT
    assert written == [0x00, 0x00, 0x07, 0x07, 0x07], "PRIM_RX, there and back; the flags"
