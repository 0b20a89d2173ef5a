import pytest

from services.recommend.graph.knowledge_graph import GraphError, KnowledgeGraph
from services.recommend.graph.schema import EdgeKind, Fact, Node, NodeKind

A, B = (Node(NodeKind.CATEGORY, key, key.upper()) for key in "ab")
P = Node(NodeKind.PRODUCT, "p", "P")


@pytest.mark.parametrize(
    ("nodes", "facts", "message"),
    [
        ([A, A], [], "comes twice"),
        ([A], [Fact(EdgeKind.SUB_CATEGORY_OF, A, B)], "unknown category 'b'"),
        ([A, Node(NodeKind.CATEGORY, "b", "?")], [Fact(EdgeKind.COMPLEMENTS, A, B)], "unknown"),
        ([A, P], [Fact(EdgeKind.IS_IN, A, P)], "cannot join"),
        ([A, B], [Fact(EdgeKind.COMPLEMENTS, A, B, weight=0.0)], "weight"),
        ([A, B], [Fact(EdgeKind.COMPLEMENTS, A, B)] * 2, "comes twice"),
        (
            [A, B],
            [Fact(EdgeKind.SUB_CATEGORY_OF, A, B), Fact(EdgeKind.SUB_CATEGORY_OF, B, A)],
            "below itself",
        ),
    ],
)
def test_what_is_no_graph_is_refused(nodes, facts, message):
    with pytest.raises(GraphError, match=message):
        KnowledgeGraph(nodes, facts)


def test_two_categories_may_be_joined_in_two_ways():
    facts = [Fact(EdgeKind.SUB_CATEGORY_OF, A, B), Fact(EdgeKind.COMPLEMENTS, A, B, weight=0.5)]
    graph = KnowledgeGraph([A, B], facts)
    assert graph.facts_from(A, EdgeKind.COMPLEMENTS) == [facts[1]]
    assert graph.facts_to(B, EdgeKind.SUB_CATEGORY_OF) == [facts[0]]
    assert graph != KnowledgeGraph([A, B], facts[:1])


def test_a_product_that_is_not_there(graph):
    with pytest.raises(KeyError):
        graph.product("gone")
