"""Doctor: all questions in their order."""

from __future__ import annotations

from stimbench.flashing import doctor_boards, doctor_software
from stimbench.flashing.doctor import Finding, Machine

__all__ = ("examine",)


def examine(machine: Machine, ask: doctor_boards.Ask = doctor_boards.ask_board) -> list[Finding]:
    """Ask everything.

    Args:
        machine: where to look.
        ask: asks the board on a port which firmware it runs.
    """
    software, boards = doctor_software, doctor_boards
    return [
        software.python_version(machine),
        software.packages(machine),
        software.compiled_core(machine),
        *software.images(machine),
        software.toolchain_programs(machine),
        boards.permissions(machine),
        boards.udev(machine),
        boards.modem_manager(machine),
        boards.mounting(machine),
        *boards.boards(machine, ask),
        software.sigrok(machine),
        software.visa(machine),
        boards.power_switch(machine),
    ]
