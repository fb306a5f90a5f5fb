"""The licence texts of what the linker put into the images, for whoever gives the images away."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from stimbench.firmware_build.errors import BuildError

__all__ = ("COMPONENTS", "Component", "linked_files", "texts")

_FLASH = 0x10000000
_PLACED = re.compile(r"^ (?:\S+)?\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S+)$", re.MULTILINE)
"""A section in a map: address, size, object file."""


@dataclass(frozen=True)
class Component:
    """A work of others that is linked into an image.

    Attributes:
        name: its name, also of the file.
        found_in: parts of the paths of its object files, in a linker map.
        texts: its licences and copyright notices: below build/sources, or where Debian puts them. Of C
            files it is the comment at the top.
    """

    name: str
    found_in: tuple[str, ...]
    texts: tuple[str, ...]


COMPONENTS = (
    Component(
        "pico-sdk",
        ("/pico-sdk/", "pico-sdk/src/"),
        (
            "pico-sdk-source/usr/share/doc/pico-sdk-source/copyright",
            "pico-sdk-source/usr/src/pico-sdk/src/rp2_common/pico_printf/LICENSE",
            "pico-sdk-source/usr/src/pico-sdk/src/rp2_common/cmsis/stub/CMSIS/LICENSE.txt",
        ),
    ),
    Component("tinyusb", ("/lib/tinyusb/",), ("tinyusb-source/usr/share/doc/tinyusb-source/copyright",)),
    Component("mbedtls", ("/lib/mbedtls/",), ("mbedtls/LICENSE", "mbedtls/debian/copyright")),
    Component(
        "micropython",
        ("/micropython/", "CMakeFiles/firmware.dir/"),
        (
            "micropython/LICENSE",
            "micropython/debian/copyright",
            "micropython/lib/littlefs/lfs2.h",
            "micropython/lib/uzlib/tinflate.c",
            "micropython/lib/re1.5/re1.5.h",
            "micropython/lib/libm/math.c",
            "micropython/lib/crypto-algorithms/sha256.c",
        ),
    ),
    Component("newlib", ("/arm-none-eabi/lib/",), ("/usr/share/doc/libnewlib-arm-none-eabi/copyright",)),
    Component("libgcc", ("/gcc/arm-none-eabi/",), ("/usr/share/doc/gcc-12-base/copyright",)),
)
"""The first one that fits is an object's: SDK and libraries lie inside MicroPython's tree."""


def linked_files(linker_map: str) -> set[str]:
    """The object files of libraries of which something is in flash.

    Args:
        linker_map: the text of the map that the linker wrote.
    """
    placed = linker_map[linker_map.find("Linker script and memory map") :]
    return {
        path
        for address, size, path in _PLACED.findall(placed)
        if int(address, 16) >= _FLASH and int(size, 16)
    }


def texts(linker_map: str, sources: Path) -> dict[str, str]:
    """The licence texts of everything that one image links.

    Args:
        linker_map: as of `linked_files`.
        sources: build/sources.

    Returns:
        By file name, such as `tinyusb.txt`.

    Raises:
        BuildError: something is linked of which no licence is known here, or a text is missing.
    """
    needed = {_component_of(path).name for path in sorted(linked_files(linker_map))}
    return {
        f"{component.name}.txt": "\n\n".join(_read(sources / text) for text in component.texts)
        for component in COMPONENTS
        if component.name in needed
    }


def _component_of(path: str) -> Component:
    for component in COMPONENTS:
        if any(part in path for part in component.found_in):
            return component
    raise BuildError(f"{path} is linked, and firmware_build/licences.py names no licence for it")


def _read(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise BuildError(f"a licence text is missing: {path}: {error.strerror}") from error
    if path.suffix not in (".c", ".h"):
        return text
    comment = re.match(r"(\s*/\*.*?\*/|\s*//[^\n]*\n)+", text, re.DOTALL)
    if comment is None:
        raise BuildError(f"a licence text is missing: {path} begins with no comment")
    return f"{path.parent.name}/{path.name}:\n{comment.group()}"
