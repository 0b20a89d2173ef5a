"""Topics as a column of the file, such as "|price|delivery|": one is found in it as text."""

from collections.abc import Sequence
from typing import Final

from services.insight.domain import Cell

_BETWEEN: Final = "|"


def marked(topic: str) -> str:
    """Returns a topic as it stands in a column that has it."""
    return f"{_BETWEEN}{topic}{_BETWEEN}"


def joined(topics: Sequence[str]) -> str:
    """Returns the column."""
    return "".join(f"{_BETWEEN}{topic}" for topic in topics) + _BETWEEN


def to_cell(topics: str, product_id: str, brand: str) -> Cell:
    """Returns the cell of a row's columns."""
    return Cell(tuple(each for each in topics.split(_BETWEEN) if each), product_id, brand)
