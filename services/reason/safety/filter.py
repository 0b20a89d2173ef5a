"""The filter: one look at a clause for everything that its evidence does not excuse."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from services.reason.safety.language import is_foreign
from services.reason.safety.patterns import DATA, LANGUAGES, Lists, PatternSearch, read_lists
from shared.privacy.personal import personal_data
from shared.text.normalise import fold

CATEGORIES: Final = tuple(read_lists(DATA / "banned.toml"))
"""Of the claims that are banned by default."""
TOXIC: Final = "toxic"
PERSONAL: Final = "personal_data"
LANGUAGE: Final = "language"


class SafetyFilter:
    """Finds what must not be said. Safe to use from several threads.

    Args:
        more: Further banned claims by category and language, beside the default ones.
        allowed: Categories of banned claims that this shop may make.
    """

    def __init__(self, more: Lists | None = None, allowed: Sequence[str] = ()) -> None:
        given = (read_lists(DATA / "banned.toml"), more or {})
        kept = [{k: v for k, v in lists.items() if k not in allowed} for lists in given]
        self._banned = PatternSearch(*kept)

    def of_claim(self, text: str, own: str, language: str) -> str:
        """Returns why a clause must not be said; "" when it may.

        Args:
            text: The whole clause, quoted values with it.
            own: Its words without them.
            language: Of the reason, "" when it is not known.

        Returns:
            "toxic", "personal_data", "language", or "banned." with the category, as in
            "banned.medical".
        """
        if cause := unfit(text):
            return cause
        if category := self._banned.find(fold(own)):
            return f"banned.{category}"
        return LANGUAGE if is_foreign(own, language) else ""


@lru_cache(maxsize=8_192)
def unfit(text: str) -> str:
    """Returns why a text must not be shown or quoted, whoever wrote it; "" when it may."""
    if _toxic().find(fold(text)):
        return TOXIC
    return PERSONAL if personal_data(text) else ""


@lru_cache(maxsize=1)
def _toxic() -> PatternSearch:
    return PatternSearch(read_lists(DATA / "toxic.toml"))


def read_more(path: Path | None) -> Lists:
    """Reads the shop's own banned claims; none without a file.

    Raises:
        OSError: The file cannot be read.
        ValueError: It has another form; see `read_lists`.
    """
    return read_lists(path) if path is not None else {}


__all__ = ["CATEGORIES", "LANGUAGES", "SafetyFilter", "read_more", "unfit"]
