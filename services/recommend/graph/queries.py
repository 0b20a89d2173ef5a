"""What can be asked of a knowledge graph: what goes with a product, what fits, what is beside."""

from __future__ import annotations

from services.recommend.graph.knowledge_graph import KnowledgeGraph
from services.recommend.graph.schema import EdgeKind, Fact, Node, NodeKind


def complements(graph: KnowledgeGraph, product_id: str) -> list[Fact]:
    """Return the categories that go with a product, strongest first.

    They are those of its category or, where it has none, of the nearest category above that has.

    Raises:
        KeyError: The graph does not hold the product.
    """
    category = graph.category_of(graph.product(product_id))
    if category is None:
        return []
    for level in graph.levels(category):
        if found := graph.facts_from(level, EdgeKind.COMPLEMENTS):
            return found
    return []


def compatible(graph: KnowledgeGraph, product_id: str) -> list[Fact]:
    """Return what fits a product, and what it fits, the surest first.

    The accessory is the subject of each fact: a printer gets its inks, an ink gets its printers.

    Raises:
        KeyError: The graph does not hold the product.
    """
    product = graph.product(product_id)
    found = [
        *graph.facts_to(product, EdgeKind.COMPATIBLE_WITH),
        *graph.facts_from(product, EdgeKind.COMPATIBLE_WITH),
    ]
    return sorted(found, key=lambda fact: -fact.weight)


def siblings(graph: KnowledgeGraph, category: str) -> list[Node]:
    """Return the other categories below the same one, in order of their keys; none for a root.

    Args:
        graph: The graph.
        category: Key of the category, such as "gear > bags".

    Raises:
        KeyError: The graph does not hold the category.
    """
    node = graph.find(NodeKind.CATEGORY, category)
    if node is None:
        raise KeyError(category)
    lineage = graph.lineage(node)
    if not lineage:
        return []
    below = graph.facts_to(lineage[0].object, EdgeKind.SUB_CATEGORY_OF)
    return [fact.subject for fact in below if fact.subject != node]


def products_in(graph: KnowledgeGraph, category: str) -> list[Node]:
    """Return the products in a category and in all below it, in order of their keys.

    Raises:
        KeyError: The graph does not hold the category.
    """
    node = graph.find(NodeKind.CATEGORY, category)
    if node is None:
        raise KeyError(category)
    found: list[Node] = []
    open_categories = [node]
    while open_categories:
        category_node = open_categories.pop()
        found += [fact.subject for fact in graph.facts_to(category_node, EdgeKind.IS_IN)]
        below = graph.facts_to(category_node, EdgeKind.SUB_CATEGORY_OF)
        open_categories += [fact.subject for fact in below]
    return sorted(found, key=lambda product: product.key)
