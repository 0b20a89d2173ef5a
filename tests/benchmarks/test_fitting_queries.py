from benchmarks.fitting_queries import fitting_judgments, section
from shared.evaluation import report as scoring
from shared.evaluation.report import Ranking
from wherefore.common.v1.product_pb2 import AttributeValue, Product


def product(product_id, title, fits):
    return Product(
        id=product_id,
        titles={"en": title},
        attributes={
            "compatibility": AttributeValue(texts=[fits]),
            "brand_compatibility": AttributeValue(texts=["Brother"]),
        },
    )


PRODUCTS = [
    product("a", "Black toner", "HL-720"),
    product("b", "Toner, two of them", "HL-720"),
    product("c", "Drum unit", "HL-720"),
    product("d", "Sticker", "MFC-9990"),
    Product(id="e", titles={"en": "Toner for HL-720"}),
]


def test_who_names_the_device_and_is_of_the_kind_is_to_be_found():
    # No kind is common among what fits the MFC-9990; e states nothing.
    assert fitting_judgments(PRODUCTS) == {"toner for brother HL-720": {"a": 3, "b": 3}}


def test_no_more_queries_than_wanted():
    assert fitting_judgments(PRODUCTS, 0) == {}


def test_the_table_has_a_row_a_system():
    judgments = fitting_judgments(PRODUCTS)
    (query,) = judgments
    systems = {
        "path": scoring.score({query: Ranking("ab", "ab")}, judgments),
        "bm25s": scoring.score({query: Ranking("xa", "a")}, judgments),
    }
    text = section(systems, {"path": "whole path"}, 5)
    assert "| whole path | 1.000 | 1.000 | 1.000 |" in text
    assert "| peer: bm25s | 0.387 | 0.500 | 0.500 |" in text
    assert "1 queries" in text
