"""The texts that tags rest on, each with the name that evidence cites it by."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.reason.summarise.sentences import Text, distinct
from wherefore.common.v1.product_pb2 import Product

REVIEWS: Final = "reviews"
CATEGORY: Final = "category_path"
CATEGORY_SEPARATOR: Final = " / "
MOST_REVIEWS: Final = 50
"""Reviews that are read, the newest; a product keeps no more."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A text of a product.

    Attributes:
        source: "titles.en", "descriptions.zh" or "reviews".
        body: As written.
        review_id: Of a review; "" elsewhere.
    """

    source: str
    body: str
    review_id: str = ""

    @property
    def is_title(self) -> bool:
        """Whether it is a title."""
        return self.source.startswith("titles.")

    @property
    def is_review(self) -> bool:
        """Whether a reviewer wrote it."""
        return self.source == REVIEWS


@dataclass(frozen=True, slots=True)
class Evidence:
    """Words that a tag rests on; [start, end) in code points of the source."""

    source: str
    start: int
    end: int
    text: str
    review_id: str = ""


def passages_of(product: Product) -> list[Passage]:
    """Returns titles, descriptions and reviews, near-duplicates among the reviews once."""
    found = [Passage(f"titles.{tag}", product.titles[tag]) for tag in sorted(product.titles)]
    found += [
        Passage(f"descriptions.{tag}", product.descriptions[tag])
        for tag in sorted(product.descriptions)
    ]
    reviews = [Text(review.id, review.text) for review in product.reviews[:MOST_REVIEWS]]
    found += [Passage(REVIEWS, text.body, text.id) for text in distinct(reviews)]
    return [passage for passage in found if passage.body.strip()]


def quote(passage: Passage, start: int, end: int) -> Evidence:
    """Returns a span of a passage as evidence."""
    return Evidence(passage.source, start, end, passage.body[start:end], passage.review_id)


def quote_category(path: Sequence[str]) -> Evidence:
    """Returns the whole category path as evidence."""
    joined = CATEGORY_SEPARATOR.join(path)
    return Evidence(CATEGORY, 0, len(joined), joined)
