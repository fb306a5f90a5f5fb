"""Downloads packages of another Debian release, signatures verified; the system's apt stays untouched."""

from __future__ import annotations

import re
from pathlib import Path

from stimbench.firmware_build.errors import BuildError
from stimbench.firmware_build.steps import capture, run_logged

_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def choose_mirror(index_targets: str) -> str:
    """Picks the Debian mirror from the machine's own apt configuration.

    Args:
        index_targets: lines of `SITE RELEASE COMPONENT`, as apt-get indextargets prints them.

    Returns:
        The site of a Debian release proper: one with a `main`, that is neither a security archive (which does
        not hold other releases' packages) nor, if there is a choice, somebody else's repository.

    Raises:
        BuildError: apt has no such source.
    """
    rows = [tuple(line.split()) for line in index_targets.splitlines() if len(line.split()) == 3]
    plain = [(site, release) for site, release, part in rows if part == "main" and "security" not in release]
    # A site that also carries <release>-updates is Debian's own archive, or a full mirror of it.
    with_updates = [site for site, release in plain if (site, f"{release}-updates") in plain]
    named_debian = [site for site, _ in plain if site.rstrip("/").endswith("/debian")]
    for sites in (with_updates, named_debian, [site for site, _ in plain]):
        if sites:
            return sites[0]
    raise BuildError(
        "apt knows no Debian mirror: `apt-get indextargets` lists no source with a main section", 2
    )


def require_version(package: str, wanted: str, available: list[str]) -> None:
    """Checks that the archive still has a pinned version.

    Raises:
        BuildError: it has not; one sentence names the package, the version wanted and those available.
    """
    if wanted not in available:
        offer = ", ".join(available) if available else "none"
        raise BuildError(
            f"the archive has no {package} {wanted} (available: {offer}); "
            "change its version in boards/sources.toml"
        )


class IsolatedApt:
    """An apt with its own sources list, package lists and cache, all under one folder.

    Args:
        root: that folder.
        suite: the Debian release to read, e.g. "trixie".
        component: the part of it to read.
        log: the file that gets apt's output.
    """

    def __init__(self, root: Path, suite: str, component: str, log: Path) -> None:
        self._root = root
        self._suite = suite
        self._component = component
        self._log = log
        self._config = root / "apt.conf"

    def update(self) -> None:
        """Fetches the release's lists.

        Raises:
            BuildError: no mirror, no archive keyring, no network, or a signature that does not verify.
        """
        if not _KEYRING.is_file():
            raise BuildError("the archive's keys are missing: apt-get install debian-archive-keyring", 2)
        targets = capture(["apt-get", "indextargets", "--format", "$(SITE) $(RELEASE) $(COMPONENT)"])
        mirror = choose_mirror(targets)
        for folder in ("lists/partial", "cache/archives/partial"):
            (self._root / folder).mkdir(parents=True, exist_ok=True)
        where = f"[signed-by={_KEYRING}] {mirror} {self._suite} {self._component}\n"
        (self._root / "sources.list").write_text(f"deb {where}deb-src {where}", encoding="utf-8")
        self._config.write_text(self._settings(), encoding="utf-8")
        # Without this apt calls a mirror it cannot reach a mere warning, and goes on with old lists.
        run_logged(["apt-get", "-c", self._config, "-o", "APT::Update::Error-Mode=any", "update"], self._log)

    def _settings(self) -> str:
        root = self._root
        return (
            f'Dir::Etc::sourcelist "{root}/sources.list";\n'
            'Dir::Etc::sourceparts "/dev/null";\n'
            f'Dir::State::Lists "{root}/lists";\n'
            f'Dir::Cache "{root}/cache";\n'
            'Acquire::Languages "none";\n'
            # The build folder may be one that apt's own user cannot enter.
            'APT::Sandbox::User "root";\n'
            # Debian's container images clean the system's cache here; this apt has no business with that.
            "#clear APT::Update::Post-Invoke;\n#clear APT::Update::Post-Invoke-Success;\n"
        )

    def source_versions(self, package: str) -> list[str]:
        """Returns the versions of a source package that the archive has."""
        return self._versions(["showsrc", "--only-source", package], "Version", package)

    def binary_versions(self, package: str) -> list[str]:
        """Returns the versions of a binary package that the archive has."""
        return self._versions(["show", package], "Version", package)

    def _versions(self, words: list[str], field: str, package: str) -> list[str]:
        try:
            text = capture(["apt-cache", "-c", self._config, *words])
        except BuildError:
            return []  # apt-cache fails on a package it does not know
        return sorted(set(re.findall(rf"^{field}: (\S+)", text, re.MULTILINE)))

    def download_source(self, package: str, version: str, into: Path) -> Path:
        """Downloads a source package and returns its .dsc.

        Raises:
            BuildError: the version is gone, or a checksum does not verify.
        """
        require_version(package, version, self.source_versions(package))
        into.mkdir(parents=True, exist_ok=True)
        options = ["--only-source", "--download-only"]
        words = ["apt-get", "-c", self._config, "source", *options, f"{package}={version}"]
        run_logged(words, self._log, cwd=into)
        return _only(into, f"{package}_*.dsc")

    def download_binary(self, package: str, version: str, into: Path) -> Path:
        """Downloads a binary package and returns its .deb.

        Raises:
            BuildError: the version is gone, or a checksum does not verify.
        """
        require_version(package, version, self.binary_versions(package))
        into.mkdir(parents=True, exist_ok=True)
        run_logged(["apt-get", "-c", self._config, "download", f"{package}={version}"], self._log, cwd=into)
        return _only(into, f"{package}_*.deb")


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise BuildError(f"expected one {pattern} in {folder}, found {len(found)}")
    return found[0]
