"""Kinds of evidence that sentences of a summary say, shared by those who teach and who serve."""

from typing import Final

PRAISE, FAULT, MIXED = "reviews_praise", "reviews_fault", "reviews_mixed"
"""With an aspect behind a full stop, as in "reviews_fault.comfort"."""
READ, RATED = "reviews_read", "reviews_rated"
"""How many reviews there are, and their mean stars; they open a summary."""
REQUIRED: Final[dict[str, tuple[str, ...]]] = {
    PRAISE: ("count", "total"),
    FAULT: ("count", "total"),
    MIXED: ("praise", "count", "total"),
    READ: ("count",),
    RATED: ("stars", "count"),
}
"""Slots that a clause of a code must hold."""


def is_opinion(kind: str) -> bool:
    """Whether a kind of evidence is of summaries."""
    return kind.partition(".")[0] in REQUIRED
