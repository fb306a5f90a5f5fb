"""uhubctl: what it is asked, and what it answers, in its own words of version 2.5."""

from __future__ import annotations

import subprocess

import pytest
from stimbench.errors import InputError, RigError
from stimbench.rig.power import UhubctlPower, list_hubs

HUB = "Current status for hub 1-1 [2109:3431 USB2.0 Hub, USB 2.10, 4 ports, ppps]\n"
ON = HUB + "  Port 2: 0103 power enable connect [2e8a:0005 stimbench stimulator E660583883724A2C]\n"
OFF = HUB + "  Port 2: 0000 off\n"
USB3 = (
    "Current status for hub 2-1 [2109:0813 USB 3 Hub, USB 3.00, 4 ports, ppps]\n"
    "  Port 1: 02a0 power 5gbps Rx.Detect\n"
)
SWITCHED = ON + "Sent power off request\n" + OFF.replace("Current", "New")


class Uhubctl:
    """Answers in turn, and keeps what it was asked."""

    def __init__(self, *answers, code: int = 0, error: str = "") -> None:
        self.asked: list[list[str]] = []
        self._answers, self._code, self._error = list(answers), code, error

    def __call__(self, arguments):
        self.asked.append(list(arguments))
        answer = self._answers.pop(0) if self._answers else ""
        if isinstance(answer, Exception):
            raise answer
        return subprocess.CompletedProcess(arguments, self._code, answer, self._error)


def test_a_socket_is_switched_and_looked_at_again():
    uhubctl = Uhubctl(SWITCHED, OFF)
    UhubctlPower("1-1:2", uhubctl).off()
    assert uhubctl.asked == [
        ["uhubctl", "-l", "1-1", "-p", "2", "-a", "off"], ["uhubctl", "-l", "1-1", "-p", "2"],
    ]  # fmt: skip


def test_whether_a_socket_has_power():
    assert UhubctlPower("1-1:2", Uhubctl(ON)).is_on
    assert not UhubctlPower("1-1:2", Uhubctl(OFF)).is_on
    assert not UhubctlPower("1-1:2", Uhubctl(SWITCHED)).is_on  # the last word counts
    assert UhubctlPower("2-1:1", Uhubctl(USB3)).is_on


def test_a_hub_that_says_yes_and_does_nothing_is_told():
    with pytest.raises(RigError, match=r"could not switch 1-1:2 off: the hub takes no notice\."):
        UhubctlPower("1-1:2", Uhubctl(ON, ON)).off()


def test_sockets_are_listed_with_what_is_in_them():
    (found,) = list_hubs(Uhubctl(ON))
    assert (found.place, found.is_on) == ("1-1:2", True)
    assert "E660583883724A2C" in found.told


@pytest.mark.parametrize(
    ("uhubctl", "says"),
    [
        (Uhubctl(FileNotFoundError()), "uhubctl, which switches USB sockets, is not installed."),
        (Uhubctl(PermissionError(13, "Permission denied")), "uhubctl cannot be started: Permission denied."),
        (Uhubctl(subprocess.TimeoutExpired("uhubctl", 20)), "uhubctl did not end within 20 s."),
        (Uhubctl(code=1, error="No compatible devices detected!\nRun with -h\n"),
         "uhubctl failed: No compatible devices detected!."),
        (Uhubctl(code=1), "uhubctl failed: it does not say why."),
        (Uhubctl(HUB), "uhubctl knows no socket 1-1:2."),
    ],
)  # fmt: skip
def test_what_goes_wrong_with_uhubctl_is_an_error_of_the_rig(uhubctl, says):
    with pytest.raises(RigError) as caught:
        _ = UhubctlPower("1-1:2", uhubctl).is_on
    assert str(caught.value) == says


def test_a_place_that_is_none():
    with pytest.raises(InputError, match="is no socket of a hub: write 1-1:2"):
        UhubctlPower("two")
