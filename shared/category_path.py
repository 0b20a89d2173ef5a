"""How the path of a category is written as one text: "Bags > Suitcases"."""

from collections.abc import Iterable
from typing import Final

CATEGORY_SEPARATOR: Final = " > "


def category_text(path: Iterable[str]) -> str:
    """Returns the levels of a path, from the root, as one text; "" for none."""
    return CATEGORY_SEPARATOR.join(path)
