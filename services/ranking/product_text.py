"""What ranking reads of a product's words, analysed once per version of the product.

Analysing a title costs some 50 microseconds, comparing it with a query less than one. Titles change
rarely and queries always do, so the analysis is kept in an LRU keyed by id and etag.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cachetools import LRUCache

from shared.catalogue.product_types import TypeWords, type_words
from shared.metrics import count_lookup
from shared.text.analysis import Term, analyse, terms
from shared.text.normalise import fold
from shared.text.product_values import LEXICON_OF_KEY, attribute_values, squeeze
from wherefore.common.v1.product_pb2 import Product

# What follows one of these names what the product goes with, not what it is: "bag for notebooks".
_ACCESSORY_MARKER = re.compile(
    r"(?<!\w)(?:for|fits|with|w/|compatible|without)(?!\w)|适用|用于|兼容|配", re.IGNORECASE
)
# A measure, a bracket, a comma or a spaced dash ends the naming part of a title. A number glued to
# letters ("TN-2110") is a model and does not.
_END_OF_NAME = re.compile(r"[(（\[【,，;；]|\s[-–—|/]\s|(?<![\w.-])\d+(?:[.,]\d+)?(?![\w-])")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_NAME_STARTS_AFTER = 2  # "3 Port Switch", "2 x AAA": a leading number does not end the name.


@dataclass(frozen=True, slots=True)
class TitleText:
    """One title as ranking compares it."""

    positions: dict[str, int]
    """First position of each term, from 0."""
    head_distance: dict[str, int]
    """For terms of the name: words between the term and the name's end, 0 for its head."""
    accessory: frozenset[str]
    """Terms that stand only after "for", "with", "适用" and the like."""
    joined: str
    """The terms with a space before, between and after, to look for phrases in."""


@dataclass(frozen=True, slots=True)
class ProductText:
    """All that ranking compares of a product's words."""

    titles: tuple[TitleText, ...]
    types: tuple[tuple[str, ...], ...]
    """Terms of each product type and of the last level of the category."""
    brand: str
    """The brand, folded."""
    brand_terms: tuple[str, ...]
    """Its terms."""
    codes: frozenset[str]
    """Title words that hold digits, squeezed to letters and digits: model numbers."""
    type_words: TypeWords | None
    """What the title says of the type; None where the type is stated."""
    values: dict[str, frozenset[str]]
    """Folded and canonical values of colour, material, audience and size."""


def analyse_title(title: str) -> TitleText:
    """Splits a title into its naming part, what it goes with, and the rest."""
    marker = _ACCESSORY_MARKER.search(title)
    marker_at = marker.start() if marker else len(title)
    end = min(marker_at, _end_of_name(title))
    positions: dict[str, int] = {}
    named: list[Term] = []
    before: set[str] = set()
    after: set[str] = set()
    kept: list[str] = []
    for term in analyse(title):
        if not term.normalized:
            continue
        positions.setdefault(term.normalized, len(kept))
        kept.append(term.normalized)
        (before if term.start < marker_at else after).add(term.normalized)
        if term.end <= end:
            named.append(term)
    return TitleText(
        positions, _head_distances(named), frozenset(after - before), f" {' '.join(kept)} "
    )


def _head_distances(named: Sequence[Term]) -> dict[str, int]:
    """Counts words back from the end of the name; models count as nothing, compounds as one."""
    distance: dict[str, int] = {}
    steps = 0
    word_start: int | None = None
    counted = False
    for term in sorted(named, key=lambda term: (-term.end, term.start)):
        if word_start is None or term.end <= word_start:
            steps += counted
            word_start = term.start
            counted = not any(ch.isdigit() for ch in term.normalized)
        distance.setdefault(term.normalized, steps)
    return distance


def _end_of_name(title: str) -> int:
    for match in _END_OF_NAME.finditer(title):
        before = title[: match.start()]
        # Han is written without blanks: two characters make a word, as they mostly do.
        if len(before.split()) + len(_HAN.findall(before)) // 2 >= _NAME_STARTS_AFTER:
            return match.start()
    return len(title)


def analyse_product(product: Product) -> ProductText:
    """Analyses every title, the type, the brand and the attributes that queries name most."""
    type_names = list(product.category_path[-1:])
    if "product_type" in product.attributes:  # a plain look-up would add the key
        type_names.extend(product.attributes["product_type"].texts)
    codes = {
        squeeze(word)
        for title in product.titles.values()
        for word in title.split()
        if any(ch.isdigit() for ch in word)
    }
    return ProductText(
        titles=tuple(analyse_title(title) for title in product.titles.values() if title),
        types=tuple(tuple(terms(name)) for name in type_names if name),
        brand=fold(product.brand),
        brand_terms=tuple(terms(product.brand)),
        codes=frozenset(codes),
        type_words=None if any(type_names) else type_words(product),
        values={
            key: attribute_values(product, key)
            for key in (*LEXICON_OF_KEY, "size")
            if key in product.attributes
        },
    )


class ProductTextCache:
    """Analysed products by id and etag, least recently used out first. Not thread-safe."""

    def __init__(self, size: int) -> None:
        self._cache: LRUCache[tuple[str, str], ProductText] = LRUCache(size)

    def get(self, product: Product) -> ProductText:
        """Returns the analysis of this version of the product.

        A product without an etag is analysed anew each time: its version cannot be told.
        """
        if not product.etag:
            return analyse_product(product)
        key = (product.id, product.etag)
        found = self._cache.get(key)
        count_lookup("ranking.product_text", hit=found is not None)
        if found is None:
            found = analyse_product(product)
            self._cache[key] = found
        return found
