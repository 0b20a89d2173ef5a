"""Copy slots: evidence as the model sees it, and what of it a sentence may hold.

The model writes `<shown>` where a value belongs and never the value. Which slot a clause may use is
decided by its evidence, so that a number, a brand or a value can only be copied: see `grammar.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

SLOTS: Final = (
    "shown",
    "meets",
    "price",
    "limit",
    "count",
    "percent",
    "stars",
    "others",
    "praise",
    "total",
    "times",
    "age",
    "window",
    "label",
)
"""Every slot there is; the order is that of the vocabulary."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A fact as the model sees it.

    Attributes:
        kind: Its code, and the attribute where the wording depends on it, as in
            "attribute_match.colour".
        fills: Text by slot.
        required: Slots without which a clause says nothing.
    """

    kind: str
    fills: Mapping[str, str]
    required: tuple[str, ...]

    @property
    def code(self) -> str:
        """The code of the claim."""
        return self.kind.partition(".")[0]
