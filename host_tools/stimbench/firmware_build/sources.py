"""The MicroPython tree the firmware is built from: Debian's source packages, or a checkout of one's own."""

from __future__ import annotations

import os
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path

from stimbench.firmware_build.apt import IsolatedApt
from stimbench.firmware_build.errors import BuildError
from stimbench.firmware_build.steps import Timer, fingerprint, is_fresh, run_logged, say

# To be raised when _assemble() changes: trees put together before are then fetched again.
_ASSEMBLY = "1"

_REQUIRED = ("ports/rp2/CMakeLists.txt", "mpy-cross/Makefile", "tools/uf2conv.py")
_SUBMODULES = (
    "lib/pico-sdk/pico_sdk_init.cmake",
    "lib/tinyusb/src/tusb.h",
    "lib/mbedtls/include/mbedtls/aes.h",
)


@dataclass(frozen=True)
class Package:
    """One pinned package of boards/sources.toml.

    Attributes:
        name: the package's name.
        version: its exact version.
        kind: "source" (a source package, unpacked with its patches) or "binary" (a .deb that holds sources).
        link: where in the MicroPython tree it belongs; empty for MicroPython itself.
        root: the folder inside a .deb that belongs there.
    """

    name: str
    version: str
    kind: str
    link: str
    root: str = ""


@dataclass(frozen=True)
class Pins:
    """What boards/sources.toml holds."""

    suite: str
    component: str
    micropython_tag: str
    source_date_epoch: int
    packages: tuple[Package, ...]


@dataclass(frozen=True)
class Tree:
    """A MicroPython tree that is ready to build.

    Attributes:
        path: its top folder.
        identity: changes when its contents do; None when that cannot be told (someone's own checkout).
        env: variables that the tree's own scripts are to be run with.
    """

    path: Path
    identity: str | None
    env: dict[str, str]


def read_pins(path: Path) -> Pins:
    """Reads boards/sources.toml.

    Raises:
        BuildError: a key is missing or a package's kind is neither "source" nor "binary".
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        packages = tuple(Package(name=name, **fields) for name, fields in data["packages"].items())
        pins = Pins(
            suite=data["debian"]["suite"],
            component=data["debian"]["component"],
            micropython_tag=data["image"]["micropython_tag"],
            source_date_epoch=data["image"]["source_date_epoch"],
            packages=packages,
        )
    except (KeyError, TypeError, tomllib.TOMLDecodeError) as error:
        raise BuildError(f"{path} cannot be read: {error}") from error
    for package in pins.packages:
        if package.kind not in ("source", "binary"):
            raise BuildError(f'{path}: {package.name} has kind "{package.kind}", not "source" or "binary"')
    return pins


def prepare(pins_file: Path, build: Path) -> Tree:
    """Makes a MicroPython tree ready, fetching it if need be.

    Args:
        pins_file: boards/sources.toml.
        build: the build folder; the tree goes to sources/ in it, apt's log to logs/.

    Returns:
        The tree: the checkout that MICROPYTHON_DIR names if it is set, else the pinned packages. When those
        are unpacked already, nothing is run and no network is needed.

    Raises:
        BuildError: see `checkout`, `IsolatedApt`.
    """
    own = os.environ.get("MICROPYTHON_DIR")
    if own:
        return checkout(Path(own).expanduser())
    pins = read_pins(pins_file)
    root = build / "sources"
    stamp = root / "stamp"
    wanted = fingerprint([pins_file], _ASSEMBLY)
    tree = Tree(
        root / "micropython",
        wanted,
        {
            # Else the tree's scripts would ask git, and find this repository's commit.
            "MICROPY_GIT_TAG": pins.micropython_tag,
            "MICROPY_GIT_HASH": "debian",
            "SOURCE_DATE_EPOCH": str(pins.source_date_epoch),
        },
    )
    if not is_fresh(stamp, wanted):
        _fetch(pins, root, build / "logs" / "sources.log")
        stamp.write_text(wanted, encoding="utf-8")
    return tree


def checkout(path: Path) -> Tree:
    """Uses an upstream checkout of MicroPython, with its submodules, as it stands.

    Raises:
        BuildError: it is not one, or submodules that the build needs are not initialised.
    """
    path = path.resolve()
    if any(not (path / name).is_file() for name in _REQUIRED):
        raise BuildError(f"MICROPYTHON_DIR={path} is not a checkout of MicroPython", 2)
    missing = [str(Path(name).parents[-3]) for name in _SUBMODULES if not (path / name).is_file()]
    if missing:
        raise BuildError(
            f"MICROPYTHON_DIR={path} lacks submodules: "
            f"git -C {path} submodule update --init lib/micropython-lib {' '.join(missing)}",
            2,
        )
    return Tree(path, None, {})


def _fetch(pins: Pins, root: Path, log: Path) -> None:
    """Downloads and puts together every package beside the old tree, which it replaces at the end."""
    timer = Timer()
    part = root.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    log.unlink(missing_ok=True)
    apt = IsolatedApt(part / "apt", pins.suite, pins.component, log)
    apt.update()
    for package in pins.packages:
        _unpack(apt, package, part, log)
    _assemble(pins, part)
    shutil.rmtree(part / "apt")  # the lists are 100 MB and stale tomorrow
    shutil.rmtree(root, ignore_errors=True)
    part.rename(root)
    say(f"sources    Debian {pins.suite}: " + ", ".join(f"{p.name} {p.version}" for p in pins.packages))
    say(f"sources    fetched, verified and unpacked in {timer}")


def _unpack(apt: IsolatedApt, package: Package, root: Path, log: Path) -> None:
    downloads = root / "downloads"
    target = root / package.name
    if package.kind == "source":
        dsc = apt.download_source(package.name, package.version, downloads)
        # apt has verified the .dsc against the signed index; its own signature adds nothing.
        run_logged(["dpkg-source", "--no-check", "-x", dsc, target], log)
    else:
        deb = apt.download_binary(package.name, package.version, downloads)
        run_logged(["dpkg", "-x", deb, target], log)


def _assemble(pins: Pins, root: Path) -> None:
    """Links the libraries into the MicroPython tree, in place of its empty submodule folders."""
    tree = root / "micropython"
    for package in pins.packages:
        if not package.link:
            continue
        link = tree / package.link
        if link.is_dir():
            link.rmdir()
        target = root / package.name / package.root
        link.symlink_to(os.path.relpath(target, link.parent), target_is_directory=True)
    # The port insists on micropython-lib, of which Debian has no package and our manifests use nothing.
    readme = tree / "lib/micropython-lib/README.md"
    if not readme.exists():
        readme.parent.mkdir(parents=True, exist_ok=True)
        readme.write_text("Not packaged by Debian; the manifests of stimbench require nothing from it.\n")
