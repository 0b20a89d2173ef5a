"""What links between products say in general: counts by category and by product, smoothed.

Whoever asks about one product as a seed gets counts without that product's own links, in either
direction. A ranker that is trained on such features cannot learn to look its answers up, and what
is measured with held-out seeds is what a new product will get.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

Link = tuple[str, str]
"""Ids of two products: the seed, the one offered with it."""

_PRIOR_LINKS = 5.0
"""Links that a category must show before its own habit outweighs that of all categories."""
_PRIOR_POPULARITY = 2.0
"""The same for a product, in links into it."""


class LinkStatistics:
    """Counts over links of one kind, such as all up-sell links."""

    def __init__(self, categories: Mapping[str, str], links: Iterable[Link]) -> None:
        """Count.

        Args:
            categories: Key of the category by product id, of every product that may be offered.
            links: Links; those of products without a category are left out.
        """
        self._categories = categories
        self._sizes = Counter(categories.values())
        self._by_seed: dict[str, list[Link]] = defaultdict(list)
        known = [link for link in links if link[0] in categories and link[1] in categories]
        for link in known:
            self._by_seed[link[0]].append(link)
            self._by_seed[link[1]].append(link)
        self._counts = self._count(known)

    def about(self, seed: str) -> SeedStatistics:
        """Return what the links of all others say of a seed.

        Raises:
            KeyError: The seed has no category.
        """
        own = self._count(self._by_seed.get(seed, []))
        return SeedStatistics(
            self._categories[seed], self._categories, self._sizes, self._counts, own
        )

    def _count(self, links: Iterable[Link]) -> Counter[tuple[str, ...]]:
        counts: Counter[tuple[str, ...]] = Counter()
        for seed, other in links:
            one, two = self._categories[seed], self._categories[other]
            counts["all",] += 1
            counts["from", one] += 1
            counts["to", two] += 1
            counts["between", one, two] += 1
            counts["into", other] += 1
            counts["picked", one, other] += 1
        return counts


class SeedStatistics:
    """The same without one seed's own links. Made by `LinkStatistics.about`."""

    def __init__(
        self,
        category: str,
        categories: Mapping[str, str],
        sizes: Counter[str],
        counts: Counter[tuple[str, ...]],
        own: Counter[tuple[str, ...]],
    ) -> None:
        self._category = category
        self._categories = categories
        self._sizes = sizes
        self._counts = counts
        self._own = own

    def complement(self, product: str) -> float:
        """Return how much likelier than by chance a link leads into a product's category.

        Returns:
            Logarithm of the lift (Brin, Motwani and Silverstein, SIGMOD 1997); 0 where links know
            nothing, below 0 where they avoid the category.
        """
        target = self._categories[product]
        chance = self._sizes[target] / self._sizes.total()
        anywhere = _share(self._n("to", target), self._n("all"), chance)
        here = _share(
            self._n("between", self._category, target), self._n("from", self._category), anywhere
        )
        return math.log(here / chance)

    def popularity(self, product: str) -> float:
        """Return the logarithm of the links into a product over the mean of its category."""
        target = self._categories[product]
        mean = self._n("to", target) / self._sizes[target]
        return _against(self._n("into", product), mean)

    def picked(self, product: str) -> float:
        """Return the same for the links out of the seed's category alone."""
        target = self._categories[product]
        mean = self._n("between", self._category, target) / self._sizes[target]
        return _against(self._n("picked", self._category, product), mean)

    def _n(self, *key: str) -> int:
        return self._counts[key] - self._own[key]


def _share(count: float, total: float, prior: float) -> float:
    return (count + _PRIOR_LINKS * prior) / (total + _PRIOR_LINKS)


def _against(count: float, mean: float) -> float:
    return math.log((count + _PRIOR_POPULARITY) / (mean + _PRIOR_POPULARITY))
