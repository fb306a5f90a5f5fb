"""Published vectors, read from the package `cryptography_vectors`: NIST's for CCM, RFC 5869, RFC 7748."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import NamedTuple

# DVPT decrypts, some of it changed; the others vary lengths: header, nonce, plaintext, tag.
CCM_FILES = ("DVPT128.rsp", "VADT128.rsp", "VNT128.rsp", "VPT128.rsp", "VTT128.rsp")
HKDF_CASES = 3  # of RFC 5869, appendix A, those with SHA-256
X25519_CASES = 3  # of RFC 7748, section 5.2; the last is one iteration


class CcmCase(NamedTuple):
    """One vector: `good` tells whether it opens."""

    key: bytes
    nonce: bytes
    header: bytes
    plaintext: bytes
    sealed: bytes
    tag_bytes: int
    good: bool


def _text(path: str) -> str:
    return files("cryptography_vectors").joinpath(path).read_text(encoding="utf-8")


def ccm_cases(name: str) -> list[CcmCase]:
    """The vectors of one of CCM_FILES. Every line sets a value, which holds until it is set again."""
    held: dict[str, str] = {}
    cases = []
    for block in re.split(r"\n(?=Count = )", _text(f"ciphers/AES/CCM/{name}")):
        counted = block.startswith("Count = ")
        later = {}
        for line in block.splitlines():
            if line.startswith("["):
                later.update(re.findall(r"(\w+) = (\w+)", line))
            elif found := re.match(r"(\w+) = (\w+)$", line.strip()):
                # A key that follows a case belongs to the next group.
                (later if later else held)[found[1]] = found[2]
        if counted:
            cases.append(_case(held))
            held.pop("Result", None)
        held.update(later)
    return cases


def _case(held: dict[str, str]) -> CcmCase:
    def value(name: str, size: str) -> bytes:
        # A value of no bytes is written as one zero byte.
        return bytes.fromhex(held.get(name, ""))[: int(held[size])]

    good = held.get("Result", "Pass") == "Pass"
    sealed = bytes.fromhex(held["CT"])
    plaintext = value("Payload", "Plen") if good else b""
    names = (bytes.fromhex(held["Key"]), value("Nonce", "Nlen"), value("Adata", "Alen"))
    return CcmCase(*names, plaintext, sealed, int(held["Tlen"]), good)


def hkdf_cases() -> list[dict[str, bytes | int]]:
    """RFC 5869's: IKM, salt, info, L, PRK, OKM."""
    cases = []
    for block in _text("KDF/rfc-5869-HKDF-SHA256.txt").split("COUNT = ")[1:]:
        found = dict(re.findall(r"^(IKM|salt|info|PRK|OKM|L) *= *(\w*)$", block, re.M))
        cases.append({k: int(v) if k == "L" else bytes.fromhex(v) for k, v in found.items()})
    return cases


def x25519_cases() -> list[tuple[bytes, bytes, bytes]]:
    """RFC 7748's: scalar, u, result of one multiplication."""
    pattern = r"^INPUT_\w+ = (\w+)\nINPUT_U = (\w+)\nOUTPUT_U = (\w+)$"
    found = re.findall(pattern, _text("asymmetric/X25519/rfc7748.txt"), re.M)
    return [tuple(bytes.fromhex(value) for value in case) for case in found]
