"""A bench as its file describes it, ready to be used: `open_rig("bench.toml").session()`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from stimbench.bench import Bench, BenchConfig
from stimbench.errors import BenchError, InputError
from stimbench.firmware_build import uf2
from stimbench.rig.file import BenchFile, load_bench_file
from stimbench.rig.session import EmulatedSession, RigParts, Session, WiredSession

__all__ = ("Rig", "open_rig")

_BOOT_NS = 1_000_000_000


@dataclass(frozen=True)
class Rig:
    """A bench: emulated, or wired as its file says.

    Attributes:
        file: what is known of it.
        parts: how a wired one is reached.
    """

    file: BenchFile = field(default_factory=BenchFile)
    parts: RigParts = field(default_factory=RigParts)

    @property
    def about(self) -> str:
        """In words, for reports: `emulated`, or the file and the stimulator's serial number."""
        if self.file.is_emulated:
            return "emulated"
        return f"{Path(self.file.path).name}, stimulator {self.file.boards['stimulator'].where}"

    @property
    def is_attended(self) -> bool:
        """Whether somebody can be asked to do something at the bench."""
        return not self.file.is_emulated and self.parts.person() is not None

    @contextmanager
    def session(self, firmware: Mapping[str, Path] | None = None) -> Iterator[Session]:
        """Use the bench; at the end boards are given back, and an emulated one ends.

        Args:
            firmware: images for an emulated one, by board.

        Raises:
            InputError: an instrument cannot be made from its settings.
            BenchError: the emulated bench cannot be built.
        """
        if not self.file.is_emulated:
            with WiredSession(self.file, self.parts) as wired:
                yield wired
            return
        with Bench(BenchConfig(firmware=dict(firmware or {}))) as bench:
            bench.run_for(_BOOT_NS)
            yield EmulatedSession(bench, self.file)

    def expected_build(self, board: str, firmware: Mapping[str, Path]) -> str:
        """The content hash that a board must have: that of its entry, or of the image here.

        Args:
            board: `stimulator` or `remote`.
            firmware: images by board; by default those of this checkout or package.

        Raises:
            InputError: there is no image of its own here.
        """
        entry = self.file.boards.get(board)
        if entry is not None and entry.firmware:
            return entry.firmware
        try:
            path = firmware.get(board) or BenchConfig().firmware_path(board)
            identity = uf2.read_for(path, board).identity
        except (BenchError, uf2.Uf2Error) as error:
            raise InputError(f"It is not known which firmware the {board} must have: {error}.") from error
        if identity is None:
            raise InputError(f"{path} does not say which firmware it is.")
        return identity.build


def open_rig(path: Path | str | None = None, parts: RigParts | None = None) -> Rig:
    """The bench that a file describes; without one, the emulated bench. Nothing is touched yet.

    Raises:
        InputError: the file cannot be used; BenchFileError has every problem with its line.
    """
    return Rig(load_bench_file(path), parts or RigParts())
