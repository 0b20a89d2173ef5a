"""The words of opinion monitoring."""

from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

ALL: Final = "all"
TOPIC: Final = "topic"
PRODUCT: Final = "product"
BRAND: Final = "brand"
DIMENSIONS: Final = (PRODUCT, BRAND, TOPIC, ALL)
"""From the narrowest to the widest: of series that surge together the narrowest names the alert."""


class Mood(Enum):
    """What a text thinks of what it is about. A domain's file gives these labels of its own."""

    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"


class Series(NamedTuple):
    """What is counted over time: all texts of one value of one dimension.

    Attributes:
        dimension: One of `DIMENSIONS`.
        value: A topic's id, a product's id or a brand; empty for `ALL`.
    """

    dimension: str
    value: str


class Cell(NamedTuple):
    """Texts of one window that belong to the same series.

    Attributes:
        topics: Ids, in the order of the domain's file; empty for none.
        product_id: Empty for none.
        brand: Empty for none.
    """

    topics: tuple[str, ...]
    product_id: str
    brand: str

    def series(self) -> tuple[Series, ...]:
        """Returns the series that its texts count in."""
        found = [Series(ALL, "")]
        found += [Series(TOPIC, topic) for topic in self.topics]
        if self.product_id:
            found.append(Series(PRODUCT, self.product_id))
        if self.brand:
            found.append(Series(BRAND, self.brand))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Mention:
    """A text as it is kept: read, and with personal data masked.

    Attributes:
        id: The caller's; a text that comes again under the same id is the same text.
        at_ms: When it was written, in milliseconds since 1970 (event time).
        text: With personal data masked.
        cell: What it is about.
        mood: What it thinks of it.
        score: -1 (negative) to 1 (positive).
        language: BCP-47, "und" where it cannot be told.
        user_id: Who wrote it; known only until it is kept.
        source_id: Where it comes from; likewise.
    """

    id: str
    at_ms: int
    text: str
    cell: Cell
    mood: Mood
    score: float = 0.0
    language: str = "und"
    user_id: str = ""
    source_id: str = ""


@dataclass(frozen=True, slots=True)
class Whose:
    """Which texts are meant: those of any of these.

    Attributes:
        text_ids: Their own ids.
        user_ids: Who wrote them.
        source_ids: Where they come from.
    """

    text_ids: tuple[str, ...] = ()
    user_ids: tuple[str, ...] = ()
    source_ids: tuple[str, ...] = ()

    def by_kind(self) -> tuple[tuple[str, ...], ...]:
        """Returns all three, in this order."""
        return self.text_ids, self.user_ids, self.source_ids


@dataclass(slots=True)
class Counts:
    """How many texts there are of each mood."""

    positive: int = 0
    neutral: int = 0
    negative: int = 0

    @property
    def total(self) -> int:
        """All texts."""
        return self.positive + self.neutral + self.negative

    def count(self, mood: Mood) -> None:
        """Counts one more text."""
        if mood is Mood.NEGATIVE:
            self.negative += 1
        elif mood is Mood.POSITIVE:
            self.positive += 1
        else:
            self.neutral += 1

    def add(self, other: "Counts") -> None:
        """Adds other counts."""
        self.positive += other.positive
        self.neutral += other.neutral
        self.negative += other.negative
