"""The published vectors on the MicroPython unix port: handed over as JSON, one a line."""

import json
import os
import subprocess
from pathlib import Path

from support import vectors

TESTS = Path(__file__).resolve().parents[1]
ROOT = TESTS.parent
MICROPYTHON = ROOT / ".venv" / "bin" / "micropython"
LIMIT_S = 120


def plain(value):
    return value.hex() if isinstance(value, bytes) else value


def all_vectors():
    """(kind, values) of each vector that the package has."""
    for name in vectors.CCM_FILES:
        for case in vectors.ccm_cases(name):
            yield "ccm", [plain(value) for value in case]
    for case in vectors.hkdf_cases():
        yield "hkdf", [plain(case[name]) for name in ("salt", "IKM", "info", "L", "PRK", "OKM")]
    for case in vectors.x25519_cases():
        yield "x25519", [plain(value) for value in case]


def run(cases):
    environment = {**os.environ, "MICROPYPATH": f"{ROOT / 'firmware'}:{ROOT / 'firmware' / 'modules'}"}
    return subprocess.run(
        [MICROPYTHON, TESTS / "unix" / "crypto_runner.py"],
        input="".join(json.dumps(case) + "\n" for case in cases),
        env=environment,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def test_every_vector_on_micropython():
    cases = list(all_vectors())
    assert len(cases) == 960 + vectors.HKDF_CASES + vectors.X25519_CASES
    result = run(cases)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.strip() == str(len(cases))


def test_the_runner_sees_a_wrong_one():
    seen = set()
    for kind, values in all_vectors():
        if kind in seen:
            continue
        seen.add(kind)
        wrong = [*values[:-1], not values[-1] if kind == "ccm" else "00" * 32]
        assert run([(kind, wrong)]).returncode == 1, kind
    assert seen == {"ccm", "hkdf", "x25519"}
