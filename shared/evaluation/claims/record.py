"""What is on record around one result: all that a true sentence about it may rest on."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import median
from typing import Final

from shared.text.analysis import terms
from shared.text.lexicon import LexiconKind, canonical, find_mentions
from shared.text.normalise import fold
from shared.text.product_values import LEXICON_OF_KEY
from wherefore.common.v1.product_pb2 import Product

KIND_OF_KEY: Final = {**LEXICON_OF_KEY, "occasion": LexiconKind.OCCASION}
"""Attributes whose words the lexicon translates."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A product that the user dealt with."""

    product: Product
    bought: bool
    times: int = 1
    days_ago: int = 0


@dataclass(frozen=True, slots=True)
class Beside:
    """What ties the result to another product."""

    customers: int = 0
    """Customers who chose both."""
    rating: float = 0.0
    """Average rating of the other product."""
    brand: str = ""
    category_path: Sequence[str] = ()
    product: Product | None = None
    """The other product with all that is written about it."""


@dataclass(frozen=True)
class Record:
    """The records of one result."""

    product: Product
    query: str = ""
    page: Sequence[Product] = ()
    """All results of the page, this one among them."""
    history: Sequence[Seen] = ()
    beside: Mapping[str, Beside] = field(default_factory=dict[str, Beside])
    """Other products by title."""
    now: float = 0.0
    """Seconds since the epoch."""
    catalogue: Sequence[Product] = ()
    """Every product of the shop, with price, category and variant group."""
    legs: Collection[str] = ()
    """Legs of the search that found it, as the answer has them."""
    lifts: Collection[str] = ()
    """Features that added to its score, as the answer has their contributions."""

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """All that the catalogue writes about the product, reviews left out."""
        return tuple(texts_of(self.product))

    @cached_property
    def folded(self) -> str:
        """The texts as one folded string, a line each."""
        return "\n".join(fold(text) for text in self.texts)

    @cached_property
    def terms(self) -> frozenset[str]:
        """Normalized terms of the texts."""
        return frozenset(term for text in self.texts for term in terms(text))

    @cached_property
    def meanings(self) -> frozenset[tuple[LexiconKind, str]]:
        """Canonical values that the texts name."""
        return frozenset(
            (mention.kind, mention.canonical)
            for text in self.texts
            for mention in find_mentions(text)
        )

    @cached_property
    def stated(self) -> Mapping[LexiconKind, frozenset[str]]:
        """Canonical values of the attributes that the catalogue states, by kind."""
        found: dict[LexiconKind, frozenset[str]] = {}
        for key, kind in KIND_OF_KEY.items():
            if key in self.product.attributes:
                values = self.product.attributes[key].texts
                found[kind] = frozenset(
                    mention.canonical for text in values for mention in find_mentions(text, [kind])
                ) | frozenset(whole for text in values if (whole := canonical(kind, text)))
        return found

    @cached_property
    def query_terms(self) -> frozenset[str]:
        """Normalized terms of the query."""
        return frozenset(terms(self.query))

    @cached_property
    def query_meanings(self) -> frozenset[tuple[LexiconKind, str]]:
        """Canonical values that the query names."""
        return frozenset((m.kind, m.canonical) for m in find_mentions(self.query))

    @cached_property
    def page_prices(self) -> tuple[float, ...]:
        """Prices of the page in the product's currency, ascending; none where it mixes categories.

        What does not meet the same need must not be compared.
        """
        currency = self.product.price.currency_code
        priced = [
            other
            for other in self.page
            if other.price.amount > 0 and other.price.currency_code == currency
        ]
        mixed = any(other.category_path != self.product.category_path for other in priced)
        if mixed or not self.product.category_path:
            return ()
        return tuple(sorted(other.price.amount for other in priced))

    @cached_property
    def rival_prices(self) -> tuple[float, ...]:
        """Lowest prices of the other products of its category and currency; a group is one."""
        own = self.product
        lowest: dict[str, float] = {}
        for other in self.catalogue:
            alike = other.category_path == own.category_path and bool(other.category_path)
            group = other.variant_group_id or other.id
            if (
                alike
                and group != (own.variant_group_id or own.id)
                and other.price.currency_code == own.price.currency_code
                and other.price.amount > 0
            ):
                lowest[group] = min(lowest.get(group, other.price.amount), other.price.amount)
        return tuple(lowest.values())

    @property
    def page_median(self) -> float:
        """Median of the page's prices; 0 when there are none."""
        return median(self.page_prices) if self.page_prices else 0.0


def is_more_than_known(word: str, record: Record) -> bool:
    """Whether a word names more than the kind that its end alone means, and no text bears it out.

    The lexicon puts green tea under tea; what is on record as tea need not be green.
    """
    folded = fold(word)
    latin = folded.isascii()
    pieces, glue = (folded.split(), " ") if latin else (list(folded), "")
    meant = canonical(LexiconKind.PRODUCT_TYPE, folded)
    for start in range(1, len(pieces)):
        ahead, end = glue.join(pieces[:start]), glue.join(pieces[start:])
        if meant and canonical(LexiconKind.PRODUCT_TYPE, end) == meant:
            if latin:
                return not set(terms(ahead)) <= record.terms
            # One character more is another name of the same, as in 照相机 and 相机.
            return len(ahead) > 1 and ahead not in record.folded
    return False


def texts_of(product: Product) -> Iterator[str]:
    """Yields all that the catalogue writes about a product, reviews left out."""
    yield from product.titles.values()
    yield from product.descriptions.values()
    yield product.brand
    yield from product.category_path
    yield from product.tags
    for key, value in product.attributes.items():
        yield key.replace("_", " ")
        yield from value.texts
        yield from (f"{number:g} {value.unit}" for number in value.numbers)
