"""Texts whose labelled spans are marked in them, so that people can write and check them.

A line is `[sony](BRAND) [headphones](PRODUCT_TYPE) under 100`, and where the whole text has a label
of its own, a tab and the label. Blank lines and lines that begin with "# " are for people.
"""

from __future__ import annotations

import re
from typing import Final

_MARK: Final = re.compile(r"\[(?P<words>[^\[\]]+)\]\((?P<type>[^()\s]+)\)")


class MarkError(ValueError):
    """A line is not well marked."""


def is_comment(line: str) -> bool:
    """Whether a line holds no text."""
    return not line.strip() or line.startswith("# ")


def parse_marked(line: str) -> tuple[str, list[tuple[int, int, str]], str]:
    """Take the marks out of a line.

    Returns:
        The text, its spans as (start, end, type) in code points, and the label after the tab or "".

    Raises:
        MarkError: A bracket is left over.
    """
    marked, _, label = line.partition("\t")
    text = ""
    spans: list[tuple[int, int, str]] = []
    at = 0
    for mark in _MARK.finditer(marked):
        text += marked[at : mark.start()]
        spans.append((len(text), len(text) + len(mark["words"]), mark["type"]))
        text += mark["words"]
        at = mark.end()
    text += marked[at:]
    if "[" in text or "]" in text:
        raise MarkError(f"a mark is not whole in {marked!r}")
    return text, spans, label.strip()
