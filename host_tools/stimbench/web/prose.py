"""A lesson's Markdown as plain data that a page makes elements of, without markup from strings."""

from __future__ import annotations

import re
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from stimbench.lessons.registry import Lesson
from stimbench.lessons.text import Prose

__all__ = ("introduction", "section", "tree_of")

_TAGS = {
    "paragraph": "p", "bullet_list": "ul", "ordered_list": "ol", "list_item": "li",
    "blockquote": "blockquote", "em": "em", "strong": "strong",
}  # fmt: skip


def tree_of(markdown: str) -> list[Any]:
    """Its blocks.

    Returns:
        A list of texts and of elements `[tag, children]`, or `["a", children, address]`. Links that do not
        lead to the web are texts, and so is what no lesson has: pictures, HTML, tables.
    """
    parsed = MarkdownIt("commonmark", {"html": False}).parse(markdown)
    return [one for node in SyntaxTreeNode(parsed).children for one in _made(node)]


def _made(node: SyntaxTreeNode) -> list[Any]:
    if node.type in ("softbreak", "hardbreak"):
        return [" "]
    if node.type == "code_inline":
        return [["code", [node.content]]]
    children = [one for child in node.children for one in _made(child)]
    if node.type == "link":
        address = str(node.attrs.get("href", ""))
        return [["a", children, address]] if address.startswith("https://") else children
    if node.type in _TAGS:
        return [[_TAGS[node.type], children]]
    return children or ([node.content] if node.content else [])


def introduction(lesson: Lesson) -> list[Any]:
    """What stands before the lesson's first section, without its title, its time and its warning."""
    head = _text(lesson).split("\n## ")[0].partition("\n")[2]
    kept = [block for block in head.strip().split("\n\n") if not block.startswith(">")]
    return tree_of(re.sub(r"\s*Time: \d+ minutes\.", "", "\n\n".join(kept)))


def section(lesson: Lesson, title: str) -> list[Any]:
    """A section of the lesson's text; empty if it has none of that title."""
    for one in _text(lesson).split("\n## ")[1:]:
        name, _, body = one.partition("\n")
        if name.strip() == title:
            return tree_of(body)
    return []


def _text(lesson: Lesson) -> str:
    """Its prose, without listings, marks and pictures."""
    return "\n\n".join(block.shown({}) for block in lesson.blocks if isinstance(block, Prose))
