from itertools import pairwise

import pytest

from services.recommend.graph.build import build_graph
from services.recommend.graph.paths import Relation, every_why, misfit, why
from services.recommend.graph.queries import compatible, complements, products_in, siblings
from services.recommend.graph.schema import EdgeKind, Source


def steps(path):
    return [(fact.kind, fact.subject.key, fact.object.key) for fact in path.facts]


def test_complements_of_a_product(graph):
    assert [fact.object.key for fact in complements(graph, "hoodie")] == ["women > bottoms"]
    assert complements(graph, "pin") == []


def test_complements_come_from_above_where_the_category_has_none(make_product):
    products = [
        make_product("1", "A", "Bags"),
        make_product("2", "B", "Bags", "Totes", "Canvas"),
        make_product("3", "C", "Straps"),
        make_product("4", "D", "Straps", "Leather", "Thin"),
    ]
    graph = build_graph(products, links=[("1", "3"), ("1", "3")])
    assert [fact.object.key for fact in complements(graph, "2")] == ["straps"]
    path = why(graph, "2", "4")
    assert path is not None
    assert steps(path) == [
        (EdgeKind.IS_IN, "2", "bags > totes > canvas"),
        (EdgeKind.SUB_CATEGORY_OF, "bags > totes > canvas", "bags > totes"),
        (EdgeKind.SUB_CATEGORY_OF, "bags > totes", "bags"),
        (EdgeKind.COMPLEMENTS, "bags", "straps"),
        (EdgeKind.SUB_CATEGORY_OF, "straps > leather", "straps"),
        (EdgeKind.SUB_CATEGORY_OF, "straps > leather > thin", "straps > leather"),
        (EdgeKind.IS_IN, "4", "straps > leather > thin"),
    ]


def test_compatible_reads_both_ways(graph):
    assert {fact.subject.key for fact in compatible(graph, "camera")} == {"grip", "ink", "ink2"}
    assert {fact.object.key for fact in compatible(graph, "ink")} == {"camera", "printer"}
    assert compatible(graph, "pin") == []


def test_siblings(graph):
    assert [node.key for node in siblings(graph, "women > tops > tees")] == [
        "women > tops > hoodies"
    ]
    assert siblings(graph, "women") == []
    with pytest.raises(KeyError):
        siblings(graph, "men")


def test_products_in_a_category_and_below(graph):
    assert [node.key for node in products_in(graph, "women")] == ["hoodie", "tee", "tights"]


@pytest.mark.parametrize(
    ("first", "second", "relation"),
    [
        ("camera", "grip", Relation.FITS),
        ("grip", "camera", Relation.FITTED_BY),
        ("ink", "ink2", Relation.FIT_THE_SAME),
        ("camera", "printer", Relation.FITTED_BY_THE_SAME),
        ("hoodie", "tights", Relation.GO_TOGETHER),
        ("camera", "camera2", Relation.SAME_CATEGORY),
        ("hoodie", "tee", Relation.NEIGHBOUR_CATEGORY),
        ("hoodie", "mat", Relation.SHARED_VALUE),
        ("camera2", "ink", Relation.SAME_BRAND),
    ],
)
def test_the_most_telling_path(graph, first, second, relation):
    path = why(graph, first, second)
    assert path is not None
    assert path.relation is relation
    ends = [{fact.subject.key, fact.object.key} for fact in path.facts]
    assert first in ends[0]
    assert second in ends[-1]
    assert all(one & other for one, other in pairwise(ends))


def test_a_fit_names_the_model_and_where_it_is_from(graph):
    path = why(graph, "camera", "grip")
    assert path is not None
    (fact,) = path.facts
    assert (fact.evidence, fact.source) == ("EOS 2000D", Source.TITLE)
    assert path.told() == (
        "Hähnel grip for Canon EOS 2000D compatible-with Canon EOS 2000D SLR Black (EOS 2000D)"
    )


def test_every_pattern_that_joins_two(graph):
    found = [path.relation for path in every_why(graph, "camera", "ink")]
    assert found == [Relation.FITS, Relation.GO_TOGETHER, Relation.SAME_BRAND]


def test_the_rarest_value_is_told(graph):
    path = next(
        path for path in every_why(graph, "tee", "tights") if path.relation == Relation.SHARED_VALUE
    )
    assert [fact.object.key for fact in path.facts] == ["activity=gym", "activity=gym"]


def test_an_ink_does_not_go_with_a_camera_that_it_does_not_fit(graph):
    assert misfit(graph, "camera2", "ink")
    assert misfit(graph, "ink", "camera2")
    assert not misfit(graph, "camera", "ink")
    assert not misfit(graph, "hoodie", "tights")


def test_no_path(graph):
    assert why(graph, "pin", "mat") is None
    with pytest.raises(KeyError):
        why(graph, "pin", "gone")
    with pytest.raises(ValueError, match="itself"):
        why(graph, "pin", "pin")
