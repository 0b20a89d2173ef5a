"""Related terms: what catalogues and a taxonomy teach."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from services.nlu.related_terms import RelatedBy, read_related, related_terms
from services.nlu.train.related_terms import (
    by_context,
    by_kind,
    by_parent,
    similarities,
    wilson,
    write_lines,
)
from wherefore.common.v1.product_pb2 import Product


def products(kind: str, *titles: str) -> list[Product]:
    made: list[Product] = []
    for title in titles:
        product = Product(titles={"en": title}, brand="Acme")
        product.attributes["product_type"].texts.append(kind)
        made.append(product)
    return made


SHOP: Sequence[Product] = [
    *products(
        "Notebook",
        *["Acme laptop slim battery thin keyboard"] * 15,
        *["Acme ultrabook slim battery thin keyboard"] * 15,
    ),
    *products("Kettle", *["Acme boiler steel spout"] * 30),
]


def test_a_word_names_the_kind_of_its_products() -> None:
    found = {(word, kind): sure for word, kind, sure, _ in by_kind(SHOP)}
    assert found["laptop", "notebook"] == pytest.approx(wilson(15, 15))
    assert found["boiler", "kettle"] > found["laptop", "notebook"]
    assert ("acme", "notebook") not in found


def test_words_in_the_same_contexts_and_apart_replace_one_another() -> None:
    found = {(one, two) for one, two, _, _ in by_context(SHOP)}
    assert {("laptop", "ultrabook"), ("ultrabook", "laptop")} <= found
    # They stand side by side.
    assert ("slim", "battery") not in found
    assert not any("acme" in pair for pair in found)


def test_what_the_lexicons_hold_apart_is_left_out() -> None:
    colours = [
        *products("Kettle", *["black kettle steel"] * 15, *["white kettle steel"] * 15),
        *products("Lamp", *["lamp wood"] * 30),
    ]
    assert not [pair for pair in by_context(colours) if {"black", "white"} == set(pair[:2])]


def test_a_category_stands_in_for_those_below_it() -> None:
    steps = ("Best Buy", "Kitchen", "Coffee makers", "Percolators", "Percolator parts", None)
    path = [{"name": name} for name in steps]
    assert list(by_parent([{"path": path}])) == [
        ("percolators", "coffee makers", 0.5, RelatedBy.PARENT)
    ]


def test_wilson_asks_for_more_where_little_was_seen() -> None:
    assert wilson(3, 3) < wilson(30, 30) < 1
    assert wilson(15, 30) < 0.5


def test_similarity_is_one_for_the_same_contexts_and_none_for_others() -> None:
    found = similarities([0, 0, 1, 1, 2], [0, 1, 0, 1, 2], (3, 3))
    assert found[0, 1] == pytest.approx(1.0)
    assert found[0, 2] == 0.0


def test_a_pair_is_written_once_under_what_is_surest(tmp_path: Path) -> None:
    path = tmp_path / "related.tsv"
    lines = [("a", "b", 0.5, RelatedBy.PARENT), ("a", "b", 0.9, RelatedBy.KIND)]
    assert write_lines(lines, path) == 1
    [related] = read_related(path.read_text("utf-8"))["a"]
    assert (related.term, related.confidence, related.by) == ("b", 0.9, RelatedBy.KIND)


def test_the_served_terms_are_sound() -> None:
    learnt = related_terms()
    assert len(learnt) > 20
    for term, others in learnt.items():
        assert all(0 < other.confidence <= 1 and other.term != term for other in others)
