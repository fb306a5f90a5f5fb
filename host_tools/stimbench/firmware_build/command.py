"""`python -m stimbench.firmware_build`: builds the images, or says what the machine lacks."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from stimbench.firmware_build import toolchain
from stimbench.firmware_build.build import BOARDS, Layout, build_all
from stimbench.firmware_build.errors import BuildError

_ROOT = Path(__file__).resolve().parents[3]


def main(argv: list[str] | None = None) -> int:
    """Builds the images, or says what the machine lacks.

    Returns:
        0 when all went well, 2 when the machine lacks something, 1 when a step failed.
    """
    parser = argparse.ArgumentParser(prog="stimbench.firmware_build", description=__doc__)
    parser.add_argument(
        "boards", nargs="*", metavar="board", help=f"{' or '.join(BOARDS)}; both when left out"
    )
    parser.add_argument(
        "--missing-packages",
        action="store_true",
        help="only print the Debian packages that are still to be installed",
    )
    options = parser.parse_args(argv)
    if unknown := set(options.boards) - set(BOARDS):
        parser.error(f"unknown board: {', '.join(sorted(unknown))}")
    if options.missing_packages:
        missing = toolchain.find_missing() | toolchain.missing_for_python() | toolchain.missing_for_tests()
        missing |= toolchain.missing_for_page()
        print(" ".join(sorted(set(missing.values()))))
        return 0
    try:
        build_all(Layout(_ROOT), tuple(options.boards) or BOARDS)
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0
