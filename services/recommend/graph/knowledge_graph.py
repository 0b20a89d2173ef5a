"""The graph itself: typed nodes and facts, held and walked by networkx.

networkx was taken over an RDF store because all questions asked here are look-ups of neighbours,
which need no query language, and because it is pure Python. It has no types of its own, so this
module alone touches it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import networkx

from services.recommend.graph.schema import EdgeKind, Fact, Node, NodeKind

_NETWORKX: Any = networkx
_ROLES: dict[EdgeKind, tuple[NodeKind, NodeKind]] = {
    EdgeKind.IS_IN: (NodeKind.PRODUCT, NodeKind.CATEGORY),
    EdgeKind.MADE_BY: (NodeKind.PRODUCT, NodeKind.BRAND),
    EdgeKind.HAS: (NodeKind.PRODUCT, NodeKind.VALUE),
    EdgeKind.SUB_CATEGORY_OF: (NodeKind.CATEGORY, NodeKind.CATEGORY),
    EdgeKind.COMPATIBLE_WITH: (NodeKind.PRODUCT, NodeKind.PRODUCT),
    EdgeKind.COMPLEMENTS: (NodeKind.CATEGORY, NodeKind.CATEGORY),
}


class GraphError(ValueError):
    """Nodes and facts that make no graph; the message names the first fault."""


class KnowledgeGraph:
    """Immutable once made. Equal to another when both hold the same nodes and facts."""

    def __init__(self, nodes: Iterable[Node], facts: Iterable[Fact]) -> None:
        """Check and take over nodes and facts, in any order.

        Raises:
            GraphError: A node or an edge comes twice, an end is missing, an edge joins the wrong
                kinds of nodes or has a weight out of range, or categories form a circle.
        """
        graph: Any = _NETWORKX.MultiDiGraph()
        for node in nodes:
            place = (node.kind, node.key)
            if place in graph:
                raise GraphError(f"{node.kind} {node.key!r} comes twice")
            graph.add_node(place, node=node)
        for fact in facts:
            _check(graph, fact)
            graph.add_edge(
                (fact.subject.kind, fact.subject.key),
                (fact.object.kind, fact.object.key),
                key=fact.kind,
                fact=fact,
            )
        self._graph: Any = _NETWORKX.freeze(graph)
        tree: Any = _NETWORKX.DiGraph(
            ((f.subject.kind, f.subject.key), (f.object.kind, f.object.key))
            for f in self.facts()
            if f.kind is EdgeKind.SUB_CATEGORY_OF
        )
        if not _NETWORKX.is_directed_acyclic_graph(tree):
            raise GraphError("a category lies below itself")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, KnowledgeGraph):
            return NotImplemented
        return set(self.nodes()) == set(other.nodes()) and set(self.facts()) == set(other.facts())

    __hash__ = None  # pyright: ignore[reportAssignmentType] - compared by content, never a key

    def __len__(self) -> int:
        """How many nodes there are."""
        return self._graph.number_of_nodes()

    def nodes(self, kind: NodeKind | None = None) -> Iterator[Node]:
        """Yield the nodes, or those of one kind."""
        for _, node in self._graph.nodes(data="node"):
            if kind is None or node.kind is kind:
                yield node

    def facts(self, kind: EdgeKind | None = None) -> Iterator[Fact]:
        """Yield the facts, or those of one kind."""
        for _, _, fact in self._graph.edges(data="fact"):
            if kind is None or fact.kind is kind:
                yield fact

    def find(self, kind: NodeKind, key: str) -> Node | None:
        """Return a node, or None where there is none."""
        place = (kind, key)
        return self._graph.nodes[place]["node"] if place in self._graph else None

    def product(self, product_id: str) -> Node:
        """Return the node of a product.

        Raises:
            KeyError: The graph does not hold it.
        """
        node = self.find(NodeKind.PRODUCT, product_id)
        if node is None:
            raise KeyError(product_id)
        return node

    def facts_from(self, node: Node, kind: EdgeKind) -> list[Fact]:
        """Return the facts of one kind whose subject the node is, strongest first."""
        edges = self._graph.out_edges((node.kind, node.key), data="fact")
        return _sorted(fact for _, _, fact in edges if fact.kind is kind)

    def facts_to(self, node: Node, kind: EdgeKind) -> list[Fact]:
        """Return the facts of one kind whose object the node is, strongest first."""
        edges = self._graph.in_edges((node.kind, node.key), data="fact")
        return _sorted(fact for _, _, fact in edges if fact.kind is kind)

    def count_to(self, node: Node) -> int:
        """Return how many facts of any kind lead to a node: how common a value or a brand is."""
        return self._graph.in_degree((node.kind, node.key))

    def placement(self, product: Node) -> Fact | None:
        """Return the fact that a product is in its category, or None where it is in none."""
        facts = self.facts_from(product, EdgeKind.IS_IN)
        return facts[0] if facts else None

    def category_of(self, product: Node) -> Node | None:
        """Return the category that a product is in, or None where it is in none."""
        placement = self.placement(product)
        return placement.object if placement else None

    def lineage(self, category: Node) -> list[Fact]:
        """Return the sub-category-of facts from a category up to its root; empty for a root."""
        found: list[Fact] = []
        while above := self.facts_from(category, EdgeKind.SUB_CATEGORY_OF):
            found.append(above[0])
            category = above[0].object
        return found

    def levels(self, category: Node) -> list[Node]:
        """Return a category and all above it, up to the root."""
        return [category, *(fact.object for fact in self.lineage(category))]


def _check(graph: Any, fact: Fact) -> None:
    ends = (fact.subject, fact.object)
    if tuple(end.kind for end in ends) != _ROLES[fact.kind]:
        raise GraphError(f"{fact.kind} cannot join {fact.subject.kind} and {fact.object.kind}")
    for end in ends:
        if (end.kind, end.key) not in graph or graph.nodes[(end.kind, end.key)]["node"] != end:
            raise GraphError(f"{fact.kind} leads to an unknown {end.kind} {end.key!r}")
    if not 0.0 < fact.weight <= 1.0:
        raise GraphError(f"the weight of {fact.kind} must be above 0 and at most 1")
    if graph.has_edge(*((end.kind, end.key) for end in ends), key=fact.kind):
        raise GraphError(f"{fact.subject.key!r} {fact.kind} {fact.object.key!r} comes twice")


def _sorted(facts: Iterator[Fact]) -> list[Fact]:
    # Keys break ties, so that answers hang on no order of building.
    return sorted(facts, key=lambda fact: (-fact.weight, fact.subject.key, fact.object.key))
