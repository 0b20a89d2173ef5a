"""Beginnings that differ from what was typed by one letter (Damerau, 1964)."""

import string
from collections.abc import Callable, Iterator
from typing import Final

_LETTERS: Final = string.ascii_lowercase + string.digits + " "
SHORTEST: Final = 4
"""Letters below which one wrong letter leaves nothing to go by."""


def one_edit_away(typed: str, begins: Callable[[str], bool]) -> Iterator[str]:
    """Yields the beginnings that one mended letter leads to.

    Args:
        typed: Folded.
        begins: Whether anything begins so. What stands before the letter in question must, so the
            search ends at the first letter that cannot be right.
    """
    seen = {typed}
    for at in range(len(typed) + 1):
        before, after = typed[:at], typed[at:]
        if before and not begins(before):
            return
        candidates = [before + after[1:]] if after else []
        if len(after) > 1:
            candidates.append(before + after[1] + after[0] + after[2:])
        for letter in _LETTERS:
            candidates.append(before + letter + after[1:])
            if after:
                candidates.append(before + letter + after)
        for candidate in candidates:
            if candidate not in seen and candidate[:1].strip():
                seen.add(candidate)
                if begins(candidate):
                    yield candidate
