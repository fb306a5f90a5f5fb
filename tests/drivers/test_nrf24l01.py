"""The radio's driver against the radio's model."""

import pytest
from stimfw.drivers.nrf24l01 import FAILED, SENDING, SENT

HERE, THERE = b"\x11\x22\x33\x44\x56", b"\x66\x77\x88\x99\xab"


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
    length = side.radio.waiting()
    buffer = bytearray(length)
    if length:
        side.radio.receive_into(memoryview(buffer))
    return bytes(buffer)


def test_a_radio_is_found_and_an_empty_socket_is_not(radios, empty_socket):
    assert radios.remote.radio.present()
    assert not empty_socket.present()
    assert not empty_socket.alive() and empty_socket.waiting() == 0


def test_registers_after_configure(radios):
    radio, part = radios.remote.radio, radios.remote.part
    assert radio.configure(HERE, channel=76, retries=15, retry_us=500)
    expected = {"EN_AA": 3, "EN_RXADDR": 2, "SETUP_AW": 3, "SETUP_RETR": 0x1F, "RF_CH": 76}
    for address, (name, value) in enumerate(expected.items(), 1):
        assert part.register(address) == value, name
    assert part.register(6) & 0x2E == 0x06  # 1 Mbit/s, 0 dBm
    assert part.register(0) == 0x0C and part.register(0x1C) == 3 and part.register(0x1D) == 4
    assert radio.configure(HERE, fast=True) and part.register(6) & 0x2E == 0x0E


@pytest.mark.parametrize("length", [1, 9, 31, 32])
def test_a_payload_arrives_and_is_acknowledged(pair, length):
    payload = bytes(range(length))
    pair.remote.radio.send(payload, THERE)
    assert pair.remote.radio.poll() == SENDING
    pair.run_ms(1.5)
    assert pair.remote.radio.poll() == SENT
    assert take(pair.stimulator) == payload and take(pair.stimulator) == b""
    assert len(pair.remote.falls) == len(pair.stimulator.falls) == 1


def test_three_payloads_wait_in_the_fifo(pair):
    for k in range(3):
        pair.remote.radio.send(bytes([k, 7]), THERE)
        pair.run_ms(1.5)
        assert pair.remote.radio.poll() == SENT
    assert [take(pair.stimulator) for _ in range(4)] == [b"\x00\x07", b"\x01\x07", b"\x02\x07", b""]


def test_nobody_listening_is_a_failure_after_all_repeats(pair):
    pair.stimulator.radio.power_down()
    pair.remote.radio.send(b"hello", THERE)
    pair.run_ms(9)
    assert pair.remote.radio.poll() == SENDING
    pair.run_ms(9)
    assert pair.remote.radio.poll() == FAILED
    assert len(pair.air.tap) == 16


def test_a_failed_payload_is_never_sent_later(pair):
    pair.stimulator.radio.power_down()
    pair.remote.radio.send(b"START", THERE)
    pair.run_ms(20)
    assert pair.remote.radio.poll() == FAILED
    pair.stimulator.radio.power_up()
    pair.stimulator.radio.listen()
    pair.remote.radio.send(b"STOP", THERE)
    pair.run_ms(5)
    assert take(pair.stimulator) == b"STOP" and take(pair.stimulator) == b""


def test_an_aborted_payload_makes_room_for_another(pair):
    pair.stimulator.radio.power_down()
    pair.remote.radio.send(b"START", THERE)
    pair.run_ms(3)
    pair.remote.radio.abort()
    pair.stimulator.radio.power_up()
    pair.stimulator.radio.listen()
    pair.remote.radio.send(b"STOP", THERE)
    pair.run_ms(5)
    assert pair.remote.radio.poll() == SENT
    assert take(pair.stimulator) == b"STOP" and take(pair.stimulator) == b""


def test_the_sender_can_listen_and_be_answered(pair):
    pair.remote.radio.send(b"question", THERE)
    pair.run_ms(1.5)
    assert pair.remote.radio.poll() == SENT and take(pair.stimulator) == b"question"
    pair.remote.radio.listen()
    pair.stimulator.radio.send(b"answer", HERE)
    pair.run_ms(1.5)
    assert pair.stimulator.radio.poll() == SENT and take(pair.remote) == b"answer"


def test_an_address_for_each_direction(pair):
    """What the remote sends is not for remotes."""
    pair.remote.radio.send(b"x", THERE)
    pair.run_ms(1)
    assert {packet.address for packet in pair.air.tap} == {THERE}


def test_power_down_keeps_the_settings(pair):
    radio = pair.remote.radio
    radio.power_down()
    assert radio.alive() and pair.remote.part.mode.value == "power down"
    radio.power_up()
    radio.send(b"x", THERE)
    pair.run_ms(1.5)
    assert radio.poll() == SENT


def test_lost_settings_are_noticed(pair):
    radio = pair.remote.radio
    assert radio.alive()
    radio._write(0, 0x08)  # CONFIG after a reset
    assert not radio.alive()


def test_nothing_but_its_own_address_is_received_or_acknowledged(pair):
    """Also not what goes to the peer that it sent to last: pipe 0 is off while it listens."""
    pair.stimulator.radio.send(b"x", HERE)
    pair.run_ms(10)
    pair.stimulator.radio.poll()
    pair.stimulator.radio.listen()
    pair.run_ms(1)
    pair.air.tap.clear()
    pair.remote.radio.send(b"to another remote", HERE)
    pair.run_ms(20)
    assert pair.remote.radio.poll() == FAILED and take(pair.stimulator) == b""
    assert not any(packet.was_ack for packet in pair.air.tap)


def test_an_extra_address_is_received_while_it_is_asked_for(pair):
    extra = b"\x50\x4a\x9d\x36\xc5"
    for asked in (True, False):
        pair.stimulator.radio.listen(extra if asked else None)
        pair.run_ms(1)
        for to in (extra, THERE):
            pair.remote.radio.send(b"hello", to)
            pair.run_ms(20)
            assert pair.remote.radio.poll() == (SENT if asked or to == THERE else FAILED)
            assert take(pair.stimulator) == (b"hello" if asked or to == THERE else b"")


def test_without_an_address_nothing_is_received(pair):
    pair.stimulator.radio.address(None)
    pair.stimulator.radio.listen()
    pair.run_ms(1)
    pair.remote.radio.send(b"x", THERE)
    pair.run_ms(20)
    assert pair.remote.radio.poll() == FAILED
    assert pair.stimulator.part.register(0x02) == 0


def test_to_another_channel_and_back(pair):
    for channel, heard in ((50, False), (76, True)):
        pair.remote.radio.tune(channel)
        pair.remote.radio.send(b"x", THERE)
        pair.run_ms(20)
        assert (pair.remote.radio.poll() == SENT) == heard
        assert pair.air.tap[-1].channel == channel


@pytest.mark.parametrize("dbm", [-18, -12, -6, 0])
def test_power(pair, dbm):
    pair.remote.radio.set_power(dbm)
    pair.air.tap.clear()
    pair.remote.radio.send(b"x", THERE)
    pair.run_ms(2)
    assert [packet.power_dbm for packet in pair.air.tap] == [dbm, 0]


def test_a_power_that_the_radio_does_not_have_is_refused(pair):
    with pytest.raises(ValueError, match="dBm"):
        pair.remote.radio.set_power(-10)


def test_a_carrier_is_sensed(pair):
    assert not pair.remote.radio.sense()
    pair.air.jam(76, pair.clock.now_ns, pair.clock.now_ns + 5_000_000)
    assert pair.remote.radio.sense() and pair.remote.radio.carrier_detected()
    pair.run_ms(10)
    assert not pair.remote.radio.carrier_detected()


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
        radio.send(b"x", THERE)
        pair.run_ms(2)
        assert radio.poll() == SENT
    assert written == [0x02, 0x00, 0x00, 0x02, 0x07]  # pipe 0 and PRIM_RX, there and back; the flags
