"""What the catalogue is made of: counts by category, brands, product types, words of titles."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from services.retrieval.blobs import SUMMARY, decode_summary
from services.retrieval.catalogue import HAS_VECTOR
from services.retrieval.price_standings import CategoryPrices, PriceGatherer
from services.retrieval.store.port import VectorStore
from shared.text.analysis import analyse
from shared.text.document import product_types, titles
from shared.text.normalise import fold

MAX_BRANDS: Final = 5_000
MAX_PRODUCT_TYPES: Final = 5_000
MAX_VOCABULARY: Final = 50_000
MAX_WORD_PAIRS: Final = 30_000
# Fewer than so many products share a pair by chance.
_MIN_PAIR: Final = 3

Counts = list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class CatalogueTerms:
    """Terms with their numbers of products, most frequent first, ties by term."""

    category_counts: dict[str, int]
    brands: Counts
    product_types: Counts
    vocabulary: Counts
    """Folded words of titles in at least two products, as written and not stemmed."""
    word_pairs: Counts
    """Neighbouring words of titles with a blank between them, in at least three products."""
    prices: CategoryPrices


def read_terms(store: VectorStore) -> CatalogueTerms:
    """Reads all summaries; takes about a second for ten thousand products."""
    categories: Counter[str] = Counter()
    brands = _Spellings()
    kinds = _Spellings()
    vocabulary: Counter[str] = Counter()
    pairs: Counter[str] = Counter()
    prices = PriceGatherer()
    for record in store.scan((SUMMARY,)):
        product = decode_summary(record.payload[SUMMARY])
        if product.category_path:
            categories[product.category_path[0]] += 1
        if product.brand:
            brands.add(product.brand)
        for kind in {fold(each): each for each in product_types(product)}.values():
            kinds.add(kind)
        prices.add(product)
        words = [_words(title) for title in titles(product)]
        vocabulary.update({word for title in words for word in title})
        pairs.update({pair for title in words for pair in _pairs(title)})
    return CatalogueTerms(
        category_counts=dict(categories),
        brands=brands.most_common(MAX_BRANDS),
        product_types=kinds.most_common(MAX_PRODUCT_TYPES),
        vocabulary=_at_least(2, _ordered(vocabulary, MAX_VOCABULARY)),
        word_pairs=_at_least(_MIN_PAIR, _ordered(pairs, MAX_WORD_PAIRS)),
        prices=prices.prices(),
    )


class SizeReader:
    """Counts once for each version of the index: an exact count reads what it counts."""

    def __init__(self, store: VectorStore) -> None:
        self._store = store
        self._latest: tuple[int, int, int] | None = None

    def read(self, version: int) -> tuple[int, int]:
        """Returns how many products and how many vectors there are."""
        latest = self._latest
        if latest is None or latest[0] != version:
            products = self._store.count(exact=True)
            vectors = self._store.count(HAS_VECTOR, exact=True)
            self._latest = latest = (version, products, vectors)
        return latest[1:]


class TermReader:
    """Reads terms on a thread of its own, once for each version of the index."""

    def __init__(self, store: VectorStore) -> None:
        self._store = store
        self._executor = ThreadPoolExecutor(1, "retrieval-terms")
        self._reading: tuple[int, asyncio.Task[CatalogueTerms]] | None = None
        self._latest: tuple[int, CatalogueTerms] | None = None

    def prices(self, version: int, listing: int) -> CategoryPrices | None:
        """Returns the prices of a listing, where they were read with the terms, at once.

        While prices change there are none: what is said of a shop must be so now. The NLU
        reads each version it hears of; where nobody has read any, a reading begins.

        Args:
            version: Of the index.
            listing: `Catalogue.listing_version`.
        """
        if self._reading is None:
            self._reading = (version, asyncio.create_task(self._read(listing)))
        return self._latest[1].prices if self._latest and self._latest[0] == listing else None

    async def read(self, version: int, listing: int) -> CatalogueTerms:
        """Returns the terms, as they were when this version was first asked for."""
        if self._reading is None or self._reading[0] != version:
            self._reading = (version, asyncio.create_task(self._read(listing)))
        # A caller that gives up leaves the reading to go on for the next one.
        task = self._reading[1]
        try:
            return await asyncio.shield(task)
        except Exception:
            if self._reading[1] is task:
                self._reading = None
            raise

    def close(self) -> None:
        """Waits for a reading under way."""
        self._executor.shutdown(wait=True)

    async def _read(self, listing: int) -> CatalogueTerms:
        loop = asyncio.get_running_loop()
        terms = await loop.run_in_executor(self._executor, read_terms, self._store)
        self._latest = (listing, terms)
        return terms


class _Spellings:
    """Counts names that differ in case only as one, under their most frequent spelling."""

    def __init__(self) -> None:
        self._spellings: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def add(self, name: str) -> None:
        self._spellings[fold(name)][name.strip()] += 1

    def most_common(self, limit: int) -> Counts:
        totals = {
            _ordered(spellings, 1)[0][0]: spellings.total()
            for folded, spellings in self._spellings.items()
            if folded
        }
        return _ordered(Counter(totals), limit)


def _words(title: str) -> list[str]:
    return [fold(term.text) for term in analyse(title) if term.normalized and " " not in term.text]


def _pairs(words: Iterable[str]) -> Iterable[str]:
    return (f"{one} {two}" for one, two in pairwise(words) if one.isalpha() and two.isalpha())


def _at_least(least: int, counts: Counts) -> Counts:
    return [(term, count) for term, count in counts if count >= least]


def _ordered(counts: Counter[str], limit: int) -> Counts:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit]
