"""Why two products belong together: the most telling path between them, as facts.

Shortest paths of a catalogue run through its hubs ("both are black"), which explain nothing. The
patterns below are tried instead, the most telling first; they are meta-paths (Sun et al., "PathSim:
meta path-based top-k similarity search in heterogeneous information networks", VLDB 2011):

1. one fits the other;
2. both fit the same product, or the same product fits both;
3. their categories go together, unless one is known to fit others of the other's category alone:
   an ink never goes with a printer that it does not fit;
4. they are in one category, or in categories below the same one;
5. they share an attribute value, the rarest first;
6. one brand makes both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.recommend.graph.knowledge_graph import KnowledgeGraph
from services.recommend.graph.schema import EdgeKind, Fact, Node


class Relation(StrEnum):
    """What a path says of the two products."""

    FITS = "fits"
    """The second fits the first."""
    FITTED_BY = "fitted-by"
    """The first fits the second."""
    FIT_THE_SAME = "fit-the-same"
    """Both fit one product."""
    FITTED_BY_THE_SAME = "fitted-by-the-same"
    """One product fits both."""
    GO_TOGETHER = "go-together"
    """The second is in a category that complements that of the first."""
    SAME_CATEGORY = "same-category"
    NEIGHBOUR_CATEGORY = "neighbour-category"
    SHARED_VALUE = "shared-value"
    SAME_BRAND = "same-brand"


@dataclass(frozen=True, slots=True)
class FactPath:
    """Facts that lead from one product to another; each shares an end with the next."""

    relation: Relation
    facts: tuple[Fact, ...]

    def told(self) -> str:
        """Say the path in plain English, for logs and tests; reasons have words of their own."""
        return ", ".join(
            f"{fact.subject.label} {fact.kind} {fact.object.label}"
            + (f" ({fact.evidence})" if fact.evidence else "")
            for fact in self.facts
        )


def why(graph: KnowledgeGraph, first: str, second: str) -> FactPath | None:
    """Return the most telling path from one product to another, or None where none is known.

    Args:
        graph: The graph.
        first: Id of the product that a shopper has or looks at.
        second: Id of the product to be explained.

    Raises:
        KeyError: The graph does not hold one of them.
        ValueError: They are the same.
    """
    if first == second:
        raise ValueError("a product needs no path to itself")
    paths = every_why(graph, first, second)
    return paths[0] if paths else None


def every_why(graph: KnowledgeGraph, first: str, second: str) -> list[FactPath]:
    """Return the best path of each pattern that joins two products, the most telling first.

    Raises:
        KeyError: The graph does not hold one of them.
    """
    ends = graph.product(first), graph.product(second)
    found = (pattern(graph, *ends) for pattern in _PATTERNS)
    return [path for path in found if path is not None]


def misfit(graph: KnowledgeGraph, first: str, second: str) -> bool:
    """Whether one of two products is known to fit products like the other, but not the other.

    Raises:
        KeyError: The graph does not hold one of them.
    """
    ends = graph.product(first), graph.product(second)
    for accessory, device in (ends, ends[::-1]):
        fitted = [fact.object for fact in graph.facts_from(accessory, EdgeKind.COMPATIBLE_WITH)]
        kind = graph.category_of(device)
        if kind and device not in fitted and kind in map(graph.category_of, fitted):
            return True
    return False


def _fits(graph: KnowledgeGraph, first: Node, second: Node) -> FactPath | None:
    for relation, accessory, device in (
        (Relation.FITS, second, first),
        (Relation.FITTED_BY, first, second),
    ):
        for fact in graph.facts_from(accessory, EdgeKind.COMPATIBLE_WITH):
            if fact.object == device:
                return FactPath(relation, (fact,))
    return None


def _fit_the_same(graph: KnowledgeGraph, first: Node, second: Node) -> FactPath | None:
    joint = _joint(
        graph.facts_from(first, EdgeKind.COMPATIBLE_WITH),
        graph.facts_from(second, EdgeKind.COMPATIBLE_WITH),
        lambda fact: fact.object,
    )
    if joint:
        return FactPath(Relation.FIT_THE_SAME, joint)
    joint = _joint(
        graph.facts_to(first, EdgeKind.COMPATIBLE_WITH),
        graph.facts_to(second, EdgeKind.COMPATIBLE_WITH),
        lambda fact: fact.subject,
    )
    return FactPath(Relation.FITTED_BY_THE_SAME, joint) if joint else None


def go_together(graph: KnowledgeGraph, first: Node, second: Node) -> FactPath | None:
    """Return the path by which the category of the second goes with that of the first, if any."""
    inside = graph.placement(first), graph.placement(second)
    if inside[0] is None or inside[1] is None:
        return None
    if misfit(graph, first.key, second.key):
        return None
    best: Fact | None = None
    targets = graph.levels(inside[1].object)
    for level in graph.levels(inside[0].object):
        for fact in graph.facts_from(level, EdgeKind.COMPLEMENTS):
            if fact.object in targets and (best is None or fact.weight > best.weight):
                best = fact
        if best is not None:
            break
    if best is None:
        return None
    up = _climb(graph, inside[0].object, best.subject)
    down = reversed(_climb(graph, inside[1].object, best.object))
    return FactPath(Relation.GO_TOGETHER, (inside[0], *up, best, *down, inside[1]))


def _category(graph: KnowledgeGraph, first: Node, second: Node) -> FactPath | None:
    inside = graph.placement(first), graph.placement(second)
    if inside[0] is None or inside[1] is None:
        return None
    if inside[0].object == inside[1].object:
        return FactPath(Relation.SAME_CATEGORY, (inside[0], inside[1]))
    above = [graph.lineage(fact.object)[:1] for fact in (inside[0], inside[1])]
    if above[0] and above[1] and above[0][0].object == above[1][0].object:
        return FactPath(
            Relation.NEIGHBOUR_CATEGORY, (inside[0], above[0][0], above[1][0], inside[1])
        )
    return None


def _shared_value(graph: KnowledgeGraph, first: Node, second: Node) -> FactPath | None:
    others = {fact.object: fact for fact in graph.facts_from(second, EdgeKind.HAS)}
    shared = [fact for fact in graph.facts_from(first, EdgeKind.HAS) if fact.object in others]
    if not shared:
        return None
    rarest = min(shared, key=lambda fact: (graph.count_to(fact.object), fact.object.key))
    return FactPath(Relation.SHARED_VALUE, (rarest, others[rarest.object]))


def _same_brand(graph: KnowledgeGraph, first: Node, second: Node) -> FactPath | None:
    joint = _joint(
        graph.facts_from(first, EdgeKind.MADE_BY),
        graph.facts_from(second, EdgeKind.MADE_BY),
        lambda fact: fact.object,
    )
    return FactPath(Relation.SAME_BRAND, joint) if joint else None


_PATTERNS: Sequence[Callable[[KnowledgeGraph, Node, Node], FactPath | None]] = (
    _fits,
    _fit_the_same,
    go_together,
    _category,
    _shared_value,
    _same_brand,
)


def _joint(
    ones: Sequence[Fact], others: Sequence[Fact], end: Callable[[Fact], Node]
) -> tuple[Fact, Fact] | None:
    """The strongest pair of facts that share an end."""
    by_end = {end(fact): fact for fact in others}
    pairs = [(fact, by_end[end(fact)]) for fact in ones if end(fact) in by_end]
    if not pairs:
        return None
    return min(pairs, key=lambda pair: (-pair[0].weight * pair[1].weight, end(pair[0]).key))


def _climb(graph: KnowledgeGraph, category: Node, top: Node) -> list[Fact]:
    """The sub-category-of facts from a category up to one above it."""
    steps: list[Fact] = []
    for fact in graph.lineage(category):
        if category == top:
            break
        steps.append(fact)
        category = fact.object
    return steps
