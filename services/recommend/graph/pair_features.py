"""What a seed product and a candidate have to do with each other, in numbers from the graph.

Every feature is absolute: it reads the two products and counts over links, never the other
candidates. 0 is the neutral value where something is unknown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.recommend.graph.knowledge_graph import KnowledgeGraph
from services.recommend.graph.link_statistics import LinkStatistics, SeedStatistics
from services.recommend.graph.schema import EdgeKind, Node
from shared.text.lexicon import LexiconKind, find_mentions
from shared.text.product_values import attribute_values
from wherefore.common.v1.product_pb2 import Product

Features = NDArray[np.float64]
"""(candidates, features), in the order of the names."""

TEXT = "text"
"""Cosine of the two texts' vectors, -1 to 1."""
LEARNT = ("complement", "popularity", "picked")
"""Features that need links."""
_ALIKE = ("colour", "material", "activity")
_NO_ATTRIBUTES = frozenset({"colour", "material", "activity", "audience", "size"})


@dataclass(frozen=True, slots=True)
class _Card:
    """One product as pairs are read."""

    levels: tuple[str, ...]
    """Keys of its categories, leaf first."""
    audience: frozenset[str]
    values: Mapping[str, frozenset[str]]
    """Folded values by key of `_ALIKE`."""
    others: frozenset[str]
    """Keys of its other attribute values that it shares with some product."""
    log_price: float | None
    fits: frozenset[str]
    """Ids of the products that it fits."""


@dataclass(frozen=True, slots=True)
class _Pair:
    seed: _Card
    other: _Card
    ids: tuple[str, str]
    links: SeedStatistics | None
    text: float

    @property
    def same_category(self) -> bool:
        return bool(self.seed.levels) and self.seed.levels[:1] == self.other.levels[:1]

    @property
    def dearer(self) -> float:
        """Logarithm of the candidate's price over the seed's, -3 to 3; 0 when one is unknown."""
        if self.seed.log_price is None or self.other.log_price is None:
            return 0.0
        return max(-3.0, min(3.0, self.other.log_price - self.seed.log_price))


def _alike(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard coefficient, 0 to 1; 0 when one is unknown."""
    return len(one & other) / len(one | other) if one and other else 0.0


def _same_path(pair: _Pair) -> float:
    """Share of category levels that the two have in common, 0 to 1."""
    deepest = max(len(pair.seed.levels), len(pair.other.levels))
    return len(set(pair.seed.levels) & set(pair.other.levels)) / deepest if deepest else 0.0


def _audience(pair: _Pair) -> float:
    """1 for the same audience, -1 for another one, 0 when one is unknown."""
    one, other = pair.seed.audience, pair.other.audience
    return (1.0 if one & other else -1.0) if one and other else 0.0


def _learnt(read: Callable[[SeedStatistics, str], float]) -> Callable[[_Pair], float]:
    return lambda pair: read(pair.links, pair.ids[1]) if pair.links else 0.0


_GRAPH: dict[str, Callable[[_Pair], float]] = {
    "same_category": lambda pair: float(pair.same_category),
    "same_path": _same_path,
    "audience": _audience,
    **{
        key: lambda pair, key=key: _alike(pair.seed.values[key], pair.other.values[key])
        for key in _ALIKE
    },
    "attributes": lambda pair: _alike(pair.seed.others, pair.other.others),
    "compatible": lambda pair: float(
        pair.ids[1] in pair.seed.fits or pair.ids[0] in pair.other.fits
    ),
    "dearer": lambda pair: max(0.0, pair.dearer),
    "cheaper": lambda pair: max(0.0, -pair.dearer),
    # Which way the price should differ hangs on the category: up-sell and accessory are opposites.
    "dearer_kind": lambda pair: float(pair.same_category and pair.dearer > 0.0),
    "cheaper_kind": lambda pair: float(pair.same_category and pair.dearer < 0.0),
    "complement": _learnt(SeedStatistics.complement),
    "popularity": _learnt(SeedStatistics.popularity),
    "picked": _learnt(SeedStatistics.picked),
}
GRAPH = tuple(_GRAPH)
"""Names of the features that the graph gives."""


class PairReader:
    """Reads pairs of one catalogue."""

    def __init__(self, graph: KnowledgeGraph, products: Sequence[Product]) -> None:
        """Read every product once.

        Args:
            graph: The graph of the catalogue.
            products: The products that may be seed or candidate; it holds all of them.

        Raises:
            KeyError: The graph does not hold one of them.
        """
        self._cards = {product.id: _read(graph, product) for product in products}

    def categories(self) -> dict[str, str]:
        """Return the key of the category by product id, "" where there is none."""
        return {key: card.levels[0] if card.levels else "" for key, card in self._cards.items()}

    def features(
        self,
        seed: str,
        candidates: Sequence[str],
        names: Sequence[str],
        *,
        links: LinkStatistics | None = None,
        texts: Mapping[str, float] | None = None,
    ) -> Features:
        """Return the features of a seed with each candidate.

        Args:
            seed: Id of the seed.
            candidates: Ids of the candidates.
            names: Features to return, of GRAPH and TEXT.
            links: Counts over links of the kind that is ranked for; learnt features are 0 without.
            texts: Cosine of the candidate's text with the seed's, by id.

        Raises:
            KeyError: A product was not read, or no feature has the name.
        """
        about = links.about(seed) if links else None
        rows = np.zeros((len(candidates), len(names)))
        for row, other in enumerate(candidates):
            text = texts[other] if texts else 0.0
            pair = _Pair(self._cards[seed], self._cards[other], (seed, other), about, text)
            rows[row] = [text if name == TEXT else _GRAPH[name](pair) for name in names]
        return rows


def _read(graph: KnowledgeGraph, product: Product) -> _Card:
    node = graph.product(product.id)
    levels = _levels(graph, node)
    # Shops of clothes state the audience as the root of the tree: "Men > Tops".
    said = attribute_values(product, "audience") | {
        mention.canonical
        for level in product.category_path
        for mention in find_mentions(level, [LexiconKind.AUDIENCE])
    }
    values = [fact.object.key for fact in graph.facts_from(node, EdgeKind.HAS)]
    return _Card(
        levels=levels,
        audience=frozenset(said),
        values={key: attribute_values(product, key) for key in _ALIKE},
        others=frozenset(v for v in values if v.split("=", 1)[0] not in _NO_ATTRIBUTES),
        log_price=math.log(product.price.amount) if product.price.amount > 0 else None,
        fits=frozenset(
            fact.object.key for fact in graph.facts_from(node, EdgeKind.COMPATIBLE_WITH)
        ),
    )


def _levels(graph: KnowledgeGraph, product: Node) -> tuple[str, ...]:
    category = graph.category_of(product)
    return tuple(level.key for level in graph.levels(category)) if category else ()
