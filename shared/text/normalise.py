"""Folding: one spelling for what people and shops write in many ways."""

import unicodedata
from functools import lru_cache
from typing import Final

_SHORT: Final = 64
"""Characters up to which a text is a word or a clause, which comes back."""


def fold(text: str) -> str:
    """Returns the text after Unicode NFKC, case folding and white-space folding.

    Full-width forms, ligatures and compatibility signs become their plain forms (UAX 15), and every
    run of white space becomes one blank. Case folding can undo NFKC (UAX 15, section 5), hence the
    second pass; with it `fold` is idempotent.

    Args:
        text: Any text.

    Returns:
        The folded text, without white space at its ends.
    """
    if text.isascii():  # the common case, at a tenth of the cost
        return " ".join(text.casefold().split())
    return _fold_short(text) if len(text) <= _SHORT else _fold(text)


def _fold(text: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    # A lone accent composed anew can need a second folding.
    return " ".join(unicodedata.normalize("NFKC", folded.casefold()).split())


_fold_short = lru_cache(maxsize=16_384)(_fold)
