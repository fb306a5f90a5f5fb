"""What a host sees of a remote on USB, emulated or wired; nobody need be in the air."""

from stimfw.protocol import messages, requests
from stimfw.version import VERSION
from support.board import INTERRUPT, SOFT_RESET, Board
from support.pins import pins_csv, pins_of

REPL_STAYS_S = 3.0  # longer than the watchdog's 2 s


def test_it_names_its_role_and_version(remote: Board):
    identity = remote.client.identify()
    assert (identity.role, identity.version) == ("remote", VERSION)


def test_pin_board_has_every_signal_of_the_remote(remote: Board):
    assert pins_csv("remote").items() <= pins_of(remote).items()


def test_it_refuses_what_only_a_stimulator_does(remote: Board):
    assert remote.ask(requests.START)[0] == messages.UNKNOWN_OPCODE


def test_it_tells_for_how_long_it_has_been_running(remote: Board):
    def uptime_ms():
        return int.from_bytes(remote.ask(requests.UPTIME)[1], "little")

    before_ms = uptime_ms()
    remote.wait(0.2)
    assert uptime_ms() > before_ms > 0


def test_ctrl_c_gives_a_repl_that_stays_and_ctrl_d_the_application(remote: Board):
    remote.write(INTERRUPT)
    remote.wait(REPL_STAYS_S)
    remote.discard_input()
    remote.write(b"40+2\r")
    remote.wait(0.2)
    assert b"42" in remote.text()
    remote.write(SOFT_RESET)
    remote.wait_ready()
    assert remote.client.identify().role == "remote"
