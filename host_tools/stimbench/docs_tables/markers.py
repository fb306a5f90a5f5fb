"""The place in a document that is made: between two comments that name it."""

from __future__ import annotations

__all__ = ("filled",)


def filled(text: str, marker: str, content: str) -> str:
    """`text` with `content` between the comments `<!-- MARKER: ... -->` and `<!-- end of MARKER -->`.

    Raises:
        ValueError: one of the comments is not there exactly once.
    """
    begin, end = (
        f"<!-- {marker}: made by `python -m stimbench.docs_tables` -->\n",
        f"<!-- end of {marker} -->",
    )
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ValueError(f"the comments around {marker} are not there exactly once")
    before, rest = text.split(begin)
    _, after = rest.split(end)
    return f"{before}{begin}\n{content.strip()}\n\n{end}{after}"
