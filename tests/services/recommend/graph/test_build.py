from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.recommend.graph.build import build_graph
from services.recommend.graph.knowledge_graph import GraphError
from services.recommend.graph.schema import EdgeKind, NodeKind, Source
from services.recommend.graph.taxonomy import make_taxonomy


def told(graph, kind):
    return {(fact.subject.key, fact.object.key) for fact in graph.facts(kind)}


def test_products_stand_in_their_tree(graph):
    assert ("hoodie", "women > tops > hoodies") in told(graph, EdgeKind.IS_IN)
    assert told(graph, EdgeKind.SUB_CATEGORY_OF) == {
        ("cameras > slr", "cameras"),
        ("cameras > grips", "cameras"),
        ("cameras > straps", "cameras"),
        ("women > tops", "women"),
        ("women > bottoms", "women"),
        ("women > tops > hoodies", "women > tops"),
        ("women > tops > tees", "women > tops"),
    }


def test_one_brand_has_one_node_with_the_common_spelling(graph):
    assert {n.key: n.label for n in graph.nodes(NodeKind.BRAND)}["canon"] == "Canon"
    assert ("printer", "canon") in told(graph, EdgeKind.MADE_BY)


def test_values_are_kept_where_two_products_share_them(graph):
    values = {node.key for node in graph.nodes(NodeKind.VALUE)}
    assert "activity=yoga" in values
    assert "colour=green" not in values


def test_links_teach_complements_with_their_evidence(graph):
    category = graph.find(NodeKind.CATEGORY, "women > tops > hoodies")
    (fact,) = graph.facts_from(category, EdgeKind.COMPLEMENTS)
    assert (fact.object.key, fact.source) == ("women > bottoms", Source.LINKS)
    assert fact.weight == pytest.approx(2 / 3)
    assert fact.evidence == "2 of 3 links"


def test_without_links_fits_and_shared_attributes_teach_complements(shop):
    facts = {
        (fact.subject.key, fact.object.key): fact.source
        for fact in build_graph(shop).facts(EdgeKind.COMPLEMENTS)
    }
    assert facts["printers", "ink"] is Source.COMPATIBILITY
    assert facts["women > tops > hoodies", "women > tops > tees"] is Source.ATTRIBUTES


def test_a_taxonomy_places_a_category_that_nothing_stands_above(make_product):
    tree = make_taxonomy([("Office", "Printers"), ("Name Brands", "Printer")])
    products = [make_product("1", "A", "Printer"), make_product("2", "B", "Shop", "Printer")]
    graph = build_graph(products, taxonomy=tree)
    assert told(graph, EdgeKind.IS_IN) == {("1", "office > printers"), ("2", "shop > printer")}
    sources = {fact.subject.key: fact.source for fact in graph.facts(EdgeKind.SUB_CATEGORY_OF)}
    assert sources == {"office > printers": Source.TAXONOMY, "shop > printer": Source.STATED}


def test_two_products_with_one_id_are_refused(make_product):
    with pytest.raises(GraphError, match="two products have the id '1'"):
        build_graph([make_product("1", "A"), make_product("1", "B")])


def test_an_empty_catalogue_has_an_empty_graph():
    assert len(build_graph([])) == 0


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_the_order_of_products_and_links_does_not_matter(shop, links, graph, data):
    mixed = data.draw(st.permutations(shop))
    again = build_graph(mixed, links=data.draw(st.permutations(links)))
    assert again == graph
    assert Counter(again.facts()) == Counter(graph.facts())
