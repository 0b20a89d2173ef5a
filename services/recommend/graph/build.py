"""From a catalogue to its knowledge graph, the same for every order of its products."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from services.recommend.graph.compatibility import find_fits
from services.recommend.graph.complementarity import Link, learn_complements
from services.recommend.graph.knowledge_graph import GraphError, KnowledgeGraph
from services.recommend.graph.schema import (
    MAX_LABEL,
    EdgeKind,
    Fact,
    Node,
    NodeKind,
    Source,
)
from services.recommend.graph.taxonomy import Taxonomy
from shared.catalogue.product_types import infer_types
from shared.category_path import CATEGORY_SEPARATOR
from shared.text.document import title_of
from shared.text.normalise import fold
from wherefore.common.v1.product_pb2 import Product

_MAX_VALUE = 60
"""Longest attribute value that is one, in characters; more is prose."""
_MAX_SHARE = 0.25
"""Share of a catalogue of some size that may have a value; what more have tells nothing."""
_SHARE_COUNTS_FROM = 100
# Logistics and identity: equal values of these connect no products that a shopper would.
_NO_VALUES = ("model", "package_", "pallet_", "master_", "quantity_per_", "harmonized_", "oem_",
              "last_change", "status", "country_of_origin")  # fmt: skip


def build_graph(
    products: Sequence[Product], *, taxonomy: Taxonomy | None = None, links: Iterable[Link] = ()
) -> KnowledgeGraph:
    """Build the graph of a catalogue.

    Args:
        products: The catalogue, in any order.
        taxonomy: Places the categories that it knows by name and that have nothing above them, and
            the types of products without a category.
        links: Pairs of product ids from which complements are learnt; those of products that are
            not in the catalogue are left out.

    Raises:
        GraphError: Two products have the same id.
    """
    ordered = sorted(products, key=lambda product: product.id)
    twice = [a.id for a, b in pairwise(ordered) if a.id == b.id]
    if twice:
        raise GraphError(f"two products have the id {twice[0]!r}")
    draft = _Draft()
    paths = _paths(ordered, taxonomy)
    categories = {product_id: draft.category(path) for product_id, path in paths.items()}
    values = _values(ordered)
    fits = find_fits(ordered, categories)
    labels = {product.id: title_of(product, "en") or product.id for product in ordered}
    for product in ordered:
        node = draft.node(NodeKind.PRODUCT, product.id, labels[product.id])
        if product.id in paths:
            category = (NodeKind.CATEGORY, categories[product.id])
            draft.fact(EdgeKind.IS_IN, node, category, source=paths[product.id].source)
        if brand := fold(product.brand):
            made_by = draft.node(NodeKind.BRAND, brand, product.brand.strip())
            draft.fact(EdgeKind.MADE_BY, node, made_by)
        for key, text in values[product.id].items():
            draft.fact(EdgeKind.HAS, node, draft.node(NodeKind.VALUE, key, text))
    for fit in fits:
        ends = (NodeKind.PRODUCT, fit.accessory), (NodeKind.PRODUCT, fit.device)
        source = Source.COMPATIBILITY if fit.stated else Source.TITLE
        draft.fact(
            EdgeKind.COMPATIBLE_WITH,
            *ends,
            source=source,
            weight=fit.weight,
            evidence=fit.designation,
        )
    complements = learn_complements(
        categories,
        links=links,
        fits=((fit.accessory, fit.device) for fit in fits),
        values=values,
        parents=draft.parents,
    )
    for each in complements:
        ends = (NodeKind.CATEGORY, each.category), (NodeKind.CATEGORY, each.complement)
        draft.fact(
            EdgeKind.COMPLEMENTS,
            *ends,
            source=each.source,
            weight=each.weight,
            evidence=each.evidence,
        )
    return draft.graph()


_Place = tuple[NodeKind, str]


@dataclass(frozen=True, slots=True)
class _Path:
    """A category from its root on."""

    levels: tuple[str, ...]
    source: Source = Source.STATED
    """How it is known that the product is in it."""
    tree: Source = Source.STATED
    """How it is known that its levels lie below each other."""


class _Draft:
    """Nodes and edges as they are met; labels are settled when all are known."""

    def __init__(self) -> None:
        self.parents: dict[str, str] = {}
        self._labels: dict[_Place, Counter[str]] = defaultdict(Counter)
        self._edges: list[tuple[EdgeKind, _Place, _Place, Source, float, str]] = []

    def node(self, kind: NodeKind, key: str, label: str) -> _Place:
        self._labels[kind, key][label[:MAX_LABEL]] += 1
        return kind, key

    def fact(
        self,
        kind: EdgeKind,
        subject: _Place,
        target: _Place,
        *,
        source: Source = Source.STATED,
        weight: float = 1.0,
        evidence: str = "",
    ) -> None:
        self._edges.append((kind, subject, target, source, weight, evidence[:MAX_LABEL]))

    def category(self, path: _Path) -> str:
        """Add a category with all above it; returns its key."""
        above = ""
        for level in path.levels:
            key = f"{above}{CATEGORY_SEPARATOR}{fold(level)}" if above else fold(level)
            self.node(NodeKind.CATEGORY, key, level)
            if above and key not in self.parents:
                self.parents[key] = above
                ends = (NodeKind.CATEGORY, key), (NodeKind.CATEGORY, above)
                self.fact(EdgeKind.SUB_CATEGORY_OF, *ends, source=path.tree)
            above = key
        return above

    def graph(self) -> KnowledgeGraph:
        # The spelling that most use; letters decide between equals, so that order never does.
        nodes = {
            (kind, key): Node(kind, key, min(labels, key=lambda label: (-labels[label], label)))
            for (kind, key), labels in self._labels.items()
        }
        return KnowledgeGraph(
            nodes.values(),
            (
                Fact(kind, nodes[subject], nodes[target], source, weight, evidence)
                for kind, subject, target, source, weight, evidence in self._edges
            ),
        )


def _paths(products: Sequence[Product], taxonomy: Taxonomy | None) -> dict[str, _Path]:
    """Category paths by product id."""
    found: dict[str, _Path] = {}
    for product in products:
        if levels := tuple(level.strip() for level in product.category_path if level.strip()):
            found[product.id] = _Path(levels)
    for product_id, name in infer_types(products).items():
        found[product_id] = _Path((name[:1].upper() + name[1:],), source=Source.TITLE)
    if taxonomy is None:
        return found
    places = taxonomy.places(
        Counter(path.levels[0] for path in found.values() if len(path.levels) == 1)
    )
    for product_id, path in found.items():
        if len(path.levels) == 1 and path.levels[0] in places:
            levels = places[path.levels[0]]
            found[product_id] = replace(path, levels=levels, tree=Source.TAXONOMY)
    return found


def _values(products: Sequence[Product]) -> dict[str, dict[str, str]]:
    """Values by key by product id, those that two products or more and not too many share."""
    every = {product.id: dict(_stated_values(product)) for product in products}
    counts = Counter(key for some in every.values() for key in some)
    most = max(_SHARE_COUNTS_FROM, _MAX_SHARE * len(products))
    return {
        product_id: {key: text for key, text in some.items() if 1 < counts[key] <= most}
        for product_id, some in every.items()
    }


def _stated_values(product: Product) -> Iterator[tuple[str, str]]:
    for key in sorted(product.attributes):
        if not key.startswith(_NO_VALUES):
            for text in sorted(product.attributes[key].texts, reverse=True):
                if text.strip() and len(text) <= _MAX_VALUE:
                    yield f"{key}={fold(text)}", text.strip()
