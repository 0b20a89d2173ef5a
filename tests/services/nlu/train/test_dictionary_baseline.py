"""The dictionary baseline: what it counts, and the terms that it counts with."""

import pytest

from services.nlu.catalogue_terms import CatalogueTerms
from services.nlu.train.catalogue import count_terms
from services.nlu.train.dictionary_baseline import Score, dictionary_spans, report, score
from services.nlu.train.examples import Example, Span
from wherefore.common.v1.product_pb2 import Product

TERMS = CatalogueTerms(1, ("Sony",), ("Headphones",), {"headphones": 9, "sony": 5})


def test_prices_and_negated_entities_are_spans_too() -> None:
    assert dictionary_spans("sony headphones not black under $50", TERMS) == (
        Span(0, 4, "BRAND"),
        Span(5, 15, "PRODUCT_TYPE"),
        Span(20, 25, "COLOUR"),
        Span(26, 35, "PRICE"),
    )


def test_a_span_counts_only_with_its_type_and_both_ends() -> None:
    gold = [(Span(0, 4, "BRAND"), Span(5, 15, "PRODUCT_TYPE"))]
    found = [(Span(0, 4, "BRAND"), Span(5, 10, "PRODUCT_TYPE"), Span(5, 15, "BRAND"))]
    assert score(gold, found) == Score(right=1, found=3, gold=2)
    assert score(gold, found).f1 == pytest.approx(0.4)
    assert score(gold, found, "PRODUCT_TYPE") == Score(right=0, found=1, gold=1)
    assert score([()], [()]).f1 == 1.0


def test_the_same_span_in_two_queries_counts_twice() -> None:
    spans = (Span(0, 4, "BRAND"),)
    assert score([spans, spans], [spans, ()]) == Score(right=1, found=1, gold=2)


def test_the_report_ends_with_all_types_together() -> None:
    lines = report([Example("sony", (Span(0, 4, "BRAND"),))], TERMS).splitlines()
    assert lines[-1].split() == ["micro", "1.000", "1.000", "1.000", "1"]


def test_terms_are_counted_as_the_index_counts_them() -> None:
    products = [
        Product(titles={"en": "Sony MDR headphones for the road"}, brand="Sony"),
        Product(titles={"en": "Headphones, headphones"}, brand="SONY"),
        Product(titles={"en": "Kettle"}, brand="Sony"),
    ]
    products[0].attributes["product_type"].texts.append("Headphones")
    terms = count_terms(products)
    assert list(terms.brands) == ["Sony"]
    assert list(terms.product_types) == ["Headphones"]
    assert terms.vocabulary == {"headphones": 2}
