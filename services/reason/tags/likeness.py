"""What a product only looks like: a cat-patterned mug is not for cats."""

import re
from typing import Final

_KEYS: Final = frozenset({"audience", "material"})
"""A black pattern is black, but a cat pattern is no cat."""
_AFTER: Final = re.compile(
    r"^(?:[- ](?:patterned|pattern|print|printed|motif|shaped|themed|like|look|effect|eared?)\b"
    r"|(?:咪)?(?:图案|印花|造型|形状|纹理?|爪|耳朵?))",
    re.IGNORECASE,
)
_BEFORE: Final = re.compile(r"(?:\b(?:faux|fake|imitation|mock) |仿)$", re.IGNORECASE)
_UP: Final = re.compile(r"^[- ]up\b", re.IGNORECASE)
_NEAR: Final = 16


def is_likeness(text: str, start: int, end: int, key: str) -> bool:
    """Whether the words in [start, end) tell what something looks like, not what it is.

    Args:
        text: A passage.
        start: Of the words, in code points.
        end: Behind them.
        key: Of the term that they are a form of.
    """
    after = text[end : end + _NEAR]
    if _UP.search(after):  # lace-up, warm-up
        return True
    before = text[max(0, start - _NEAR) : start]
    return key in _KEYS and bool(_AFTER.search(after) or _BEFORE.search(before))
