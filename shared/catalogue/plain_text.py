"""HTML to plain text for descriptions."""

import html
import re

_BREAK = re.compile(r"<(?:br|/?p|/?li|/?ul|/?div|/?h[1-6])\b[^>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_BLANK = re.compile(r"\s*\n\s*")


def plain_line(text: str) -> str:
    """Return a title or a value on one line, its entities resolved: "Push It&reg;" has none."""
    return " ".join(html.unescape(text).split())


def strip_html(text: str) -> str:
    """Return the text of an HTML fragment, one block a line, entities resolved."""
    text = html.unescape(_TAG.sub("", _BREAK.sub("\n", text)))
    return _BLANK.sub("\n", text).strip()
