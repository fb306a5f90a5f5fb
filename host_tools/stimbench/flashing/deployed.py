"""Modules on a board's file system that stand in for frozen ones: how they lie there, and what it then tells.

The firmware imports from its image alone, so a file in /lib changes nothing. But MicroPython runs /boot.py
before the firmware's main. The one that is written here imports each deployed module under its frozen name;
what is imported already is not searched for again. It also adds a mark to the content hash that the board
tells, so that every tool sees that the hash alone no longer says what runs.
"""

from __future__ import annotations

import ast
import contextlib
import errno
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from stimbench.devices.repl import BoardTransport, TransportError
from stimbench.flashing.errors import FlashError

__all__ = ("BOOT_FILE", "FOLDER", "Deployed", "boot_text", "mark_of", "parse_boot", "read", "remove", "write")

BOOT_FILE = "/boot.py"
FOLDER = "/deploy"
_CHUNK_BYTES = 1024
_FIRST_LINE = '"""Written by `stimbench deploy`, which also takes it away: `stimbench deploy --remove`."""'
_MODULES_LINE = re.compile(r"^_MODULES = (\(.*\))$", re.MULTILINE)
_BOOT = """{first_line}
_MODULES = {modules!r}


def _load(modules, mark):
    import sys

    path = sys.path[:]
    sys.path[:] = [".frozen", "{folder}"]
    try:
        import stimfw_build

        stimfw_build.SOURCE_HASH += mark
        for name, file in modules:
            parent, _, leaf = name.rpartition(".")
            __import__(parent)
            try:
                module = __import__(file)
            except Exception:
                print("The deployed module", name, "does not load:")
                raise
            del sys.modules[file]
            module.__name__ = name
            sys.modules[name] = module  # also in place of one that MicroPython's _boot has imported
            setattr(sys.modules[parent], leaf, module)
    finally:
        sys.path[:] = path


_load(_MODULES, "{mark}")
del _load, _MODULES
"""


@dataclass(frozen=True)
class Deployed:
    """One module on a board."""

    name: str
    """`stimfw.therapy.ranges`."""
    digest: str
    """The first 12 hex digits of the SHA-256 of its .mpy file."""

    @property
    def file(self) -> str:
        """The name of its file, without folder and ending; one that can be imported."""
        return f"d{self.digest}"

    @property
    def path(self) -> str:
        """Where it lies on the board."""
        return f"{FOLDER}/{self.file}.mpy"


def mark_of(modules: Sequence[Deployed]) -> str:
    """What the content hash ends with: `+2.9f8e7d6c`, the count and a hash over names and contents."""
    told = "".join(f"{one.name}\0{one.digest}\0" for one in sorted(modules, key=lambda one: one.name))
    return f"+{len(modules)}.{hashlib.sha256(told.encode()).hexdigest()[:8]}"


def boot_text(modules: Sequence[Deployed]) -> str:
    """The board's boot.py; modules are loaded in this order."""
    return _BOOT.format(
        first_line=_FIRST_LINE,
        modules=tuple((one.name, one.file) for one in modules),
        folder=FOLDER,
        mark=mark_of(modules),
    )


def parse_boot(text: str) -> tuple[Deployed, ...]:
    """What a boot.py of ours loads.

    Raises:
        FlashError: it is somebody else's.
    """
    found = _MODULES_LINE.search(text) if text.startswith(_FIRST_LINE) else None
    if found is None:
        raise FlashError(
            f"The board has a {BOOT_FILE} that is not from `stimbench deploy`: it runs before the firmware. "
            "Take it away first, with mpremote say."
        )
    return tuple(Deployed(name, file[1:]) for name, file in ast.literal_eval(found.group(1)))


def read(repl: BoardTransport) -> tuple[Deployed, ...]:
    """What is deployed on the board; nothing if it has no boot.py.

    Raises:
        FlashError: its boot.py is somebody else's.
    """
    try:
        text = repl.read_file(BOOT_FILE).decode("utf-8", "replace")
    except OSError as error:
        if error.errno == errno.ENOENT:
            return ()
        raise FlashError(f"{BOOT_FILE} on the board cannot be read: {error.strerror or error}.") from error
    return parse_boot(text)


def write(repl: BoardTransport, modules: Sequence[tuple[Deployed, bytes | None]]) -> int:
    """Make `modules` the ones that are loaded at the next start, in this order.

    What is new is written beside what is there, and boot.py is replaced in one step. So whatever fails,
    the board starts with the old ones or with the new ones.

    Args:
        repl: the board's raw REPL.
        modules: each with its .mpy file; None if it lies on the board already.

    Returns:
        How many files were written.

    Raises:
        FlashError: the board did not take them; it has what it had before.
    """
    there = _files(repl)
    new = [(one, data) for one, data in modules if data is not None and f"{one.file}.mpy" not in there]
    try:
        if not repl.fs_exists(FOLDER):
            repl.fs_mkdir(FOLDER)
        for one, data in new:
            _put(repl, one.path, data or b"")
        _put(repl, BOOT_FILE, boot_text([one for one, _ in modules]).encode())
    except (OSError, TransportError) as error:
        for one, _ in new:
            _try_remove(repl, one.path)
        raise FlashError(f"{_reason(error)} It has the modules that it had before.") from error
    _sweep(repl, {f"{one.file}.mpy" for one, _ in modules})
    return len(new)


def remove(repl: BoardTransport) -> tuple[Deployed, ...]:
    """Take all deployed modules away; what was there.

    Raises:
        FlashError: the board's boot.py is somebody else's, or it does not go.
    """
    found = read(repl)
    if found or repl.fs_exists(BOOT_FILE):
        try:
            repl.fs_rmfile(BOOT_FILE)
        except OSError as error:
            raise FlashError(f"{BOOT_FILE} cannot be removed from the board: {error}.") from error
    _sweep(repl, set())
    return found


def _put(repl: BoardTransport, path: str, data: bytes) -> None:
    part = f"{path}.part"
    try:
        repl.fs_writefile(part, data, chunk_size=_CHUNK_BYTES)
        repl.exec(f"import os; os.rename({part!r}, {path!r})")
    except BaseException:
        _try_remove(repl, part)
        raise


def _files(repl: BoardTransport) -> set[str]:
    return {one.name for one in repl.fs_listdir(FOLDER)} if repl.fs_exists(FOLDER) else set()


def _sweep(repl: BoardTransport, keep: set[str]) -> None:
    """Remove files that nothing loads; the folder, too, once it is empty."""
    files = _files(repl)
    for name in files - keep:
        _try_remove(repl, f"{FOLDER}/{name}")
    if files and not files & keep:
        with contextlib.suppress(OSError, TransportError):
            repl.fs_rmdir(FOLDER)


def _try_remove(repl: BoardTransport, path: str) -> None:
    with contextlib.suppress(OSError, TransportError):
        repl.exec("try:\n f.close()\nexcept Exception:\n pass")  # what mpremote left open
        repl.fs_rmfile(path)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "The board's file system is full."
    told = error.strerror if isinstance(error, OSError) and error.strerror else error
    return f"The board did not take the modules ({type(error).__name__}: {told})."
