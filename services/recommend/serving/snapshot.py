"""The catalogue at one version: its knowledge graph, and what is weighed of each product."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.recommend.graph.build import build_graph
from services.recommend.graph.knowledge_graph import KnowledgeGraph
from services.recommend.graph.link_statistics import LinkStatistics
from services.recommend.graph.schema import EdgeKind, NodeKind
from shared.text.lexicon import LexiconKind, find_mentions
from shared.text.product_values import attribute_values
from wherefore.common.v1.product_pb2 import AVAILABILITY_OUT_OF_STOCK, Product

FIELDS = (
    "id",
    "titles",
    "brand",
    "category_path",
    "price",
    "attributes",
    "stock",
    "review_summary",
    "statistics",
    "variant_group_id",
)
"""What of a product must be read."""
# A product without ratings is taken for a middling one, and so is one with few (Bayesian mean).
_PRIOR_STARS, _PRIOR_RATINGS = 3.8, 10.0


@dataclass(frozen=True, slots=True)
class Card:
    """What is weighed of one product."""

    product_id: str
    category: str
    """Key in the graph; empty for none."""
    variant_group: str
    price: float
    """In major units; 0 when unknown."""
    currency: str
    stars: float
    """Mean stars towards the prior, 1 to 5."""
    rated: tuple[float, int]
    """Mean stars and their number as they are."""
    sales: float
    """ln(1 + views + 5 carts + 20 purchases)."""
    audience: frozenset[str]
    values: frozenset[str]
    """Keys of the attribute values that it shares with others."""
    sold_out: bool

    @property
    def quality(self) -> float:
        """How good a choice it is for anybody, 0 to 1."""
        return 0.6 * (self.stars - 1.0) / 4.0 + 0.4 * min(self.sales / 10.0, 1.0)

    def suits(self, other: Card) -> bool:
        """Whether both are for the same people, as far as they say."""
        return not self.audience or not other.audience or bool(self.audience & other.audience)

    def is_variant_of(self, other: Card) -> bool:
        """Whether both are variants of one product."""
        return bool(self.variant_group) and self.variant_group == other.variant_group


class Snapshot:
    """Immutable once made."""

    def __init__(
        self,
        graph: KnowledgeGraph,
        cards: Mapping[str, Card],
        version: int,
        links: Iterable[tuple[str, str]] = (),
    ) -> None:
        self.graph = graph
        self.cards = cards
        self.version = version
        placed = {key: card.category for key, card in cards.items() if card.category}
        self.habits = LinkStatistics(placed, links)
        """What is bought beside which kind of product, of the products that have a category."""
        self._of_category: defaultdict[str, list[str]] = defaultdict(list)
        for key, category in placed.items():
            self._of_category[category].append(key)
        by_category: defaultdict[str, list[Card]] = defaultdict(list)
        for card in cards.values():
            if not card.category or card.sold_out:
                continue
            node = graph.find(NodeKind.CATEGORY, card.category)
            for level in graph.levels(node) if node else ():
                by_category[level.key].append(card)
        self._by_category = {
            key: sorted(some, key=lambda card: (-card.quality, card.product_id))
            for key, some in by_category.items()
        }

    def kind_of(self, product_id: str) -> Sequence[str]:
        """Returns the products of a product's own category, itself too; itself alone without."""
        card = self.cards.get(product_id)
        if card is None or not card.category:
            return (product_id,)
        return self._of_category[card.category]

    def in_category(self, category: str) -> Sequence[Card]:
        """Returns what can be bought in a category and in all below it, best quality first."""
        return self._by_category.get(category, ())


def take(products: Sequence[Product], links: Iterable[tuple[str, str]], version: int) -> Snapshot:
    """Builds a snapshot; takes seconds for a large catalogue, so call it on a thread.

    Args:
        products: The catalogue, with at least FIELDS.
        links: Pairs of products that were bought together, which teach complements and habits.
        version: Of the index.

    Raises:
        GraphError: Two products have the same id.
    """
    known = list(links)
    graph = build_graph(products, links=known)
    cards = {product.id: _card(graph, product) for product in products}
    return Snapshot(graph, cards, version, known)


def _card(graph: KnowledgeGraph, product: Product) -> Card:
    node = graph.product(product.id)
    category = graph.category_of(node)
    summary, counts = product.review_summary, product.statistics
    ratings = summary.rating_count
    stars = (_PRIOR_STARS * _PRIOR_RATINGS + summary.average_rating * ratings) / (
        _PRIOR_RATINGS + ratings
    )
    # Shops of clothes state the audience as a level of the tree: "Men > Tops".
    audience = attribute_values(product, "audience") | {
        mention.canonical
        for level in product.category_path
        for mention in find_mentions(level, [LexiconKind.AUDIENCE])
    }
    return Card(
        product_id=product.id,
        category=category.key if category else "",
        variant_group=product.variant_group_id,
        price=product.price.amount,
        currency=product.price.currency_code,
        stars=stars,
        rated=(summary.average_rating, ratings),
        sales=math.log1p(
            counts.view_count + 5.0 * counts.cart_count + 20.0 * counts.purchase_count
        ),
        audience=audience,
        values=frozenset(fact.object.key for fact in graph.facts_from(node, EdgeKind.HAS)),
        sold_out=product.stock.availability == AVAILABILITY_OUT_OF_STOCK,
    )
