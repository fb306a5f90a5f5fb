"""A finished run as one HTML file that plays without a server and without a network.

Scripts and style stand in the file, and its content security policy names their hashes: nothing else runs,
and no request leaves it. What is of the run is data: readable JSON, and compressed blocks in base64.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from stimbench.errors import BenchError
from stimbench.project import web_vendor_path
from stimbench.web.saved_run import SavedRun
from stimbench.web.script_bundle import bundled

__all__ = ("policy_of", "saved_page")

STATIC = Path(__file__).parent / "static"
_ENTRY = "saved/app.js"
_TEMPLATE = "saved/index.html"
_VENDOR = "/vendor/"
_LICENCE = "uplot/LICENSE"
_STYLES = ("/vendor/uplot/uPlot.min.css", "style.css", "saved/saved.css")
_IMPORT = re.compile(r'@import "([^"]+)";\n?')
_ENDS_SCRIPT = re.compile(r"</script|<script|<!--", re.IGNORECASE)
_ENDS_STYLE = re.compile(r"</style|<!--", re.IGNORECASE)
_SLOT = re.compile(r"\{\{(\w+)\}\}")
_ESCAPES = {"<": r"\u003c", ">": r"\u003e", "&": r"\u0026", "\u2028": r"\u2028", "\u2029": r"\u2029"}


def saved_page(saved: SavedRun) -> bytes:
    """The file, UTF-8.

    Raises:
        BenchError: the page's scripts of others have not been fetched.
    """
    script = _safe(bundled(_ENTRY, _read), _ENDS_SCRIPT)
    style = _safe("".join(map(_style, _STYLES)), _ENDS_STYLE)
    slots = {
        "policy": policy_of(script, style),
        "style": f"<style>{style}</style>",
        "script": f'<script type="module">{script}</script>',
        "licence": html.escape(_read(_VENDOR + _LICENCE)),
        "about": f'<script type="application/json" id="saved-about">{_json(saved.about)}</script>',
        "blocks": "\n".join(
            f'<script type="application/octet-stream" class="block" data-name="{one.name}" '
            f'data-form="{one.form}" data-count="{one.count}">{base64.b64encode(one.data).decode()}</script>'
            for one in saved.blocks()
        ),
    }
    # One pass: what was put into a slot is not looked at for slots again.
    return _SLOT.sub(lambda found: slots[found[1]], _read(_TEMPLATE)).encode()


def policy_of(script: str, style: str) -> str:
    """The content security policy of a file with this script and this style, and no other."""
    return (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"


def _read(path: str) -> str:
    place = web_vendor_path() / path.removeprefix(_VENDOR) if path.startswith(_VENDOR) else STATIC / path
    try:
        return place.read_text(encoding="utf-8")
    except OSError as error:
        raise BenchError(f"The page cannot be made: {place} cannot be read: {error.strerror}.") from error


def _style(path: str, read: Callable[[str], str] = _read) -> str:
    folder = path.rpartition("/")[0]
    return _IMPORT.sub(lambda found: _style(f"{folder}/{found[1]}".lstrip("/"), read), read(path)) + "\n"


def _json(data: Any) -> str:
    """JSON that can stand in a script element: no text in it begins a tag or ends a line of a script."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False, ensure_ascii=True)
    return re.sub("[<>&\u2028\u2029]", lambda found: _ESCAPES[found[0]], text)


def _safe(text: str, ends: re.Pattern[str]) -> str:
    """Raises BenchError if a script or a style would end before its end."""
    found = ends.search(text)
    if found is not None:
        raise BenchError(f"The page cannot be made: {found[0]} stands in its script or its style.")
    return text
