"""Ties to another product: alike within a category, or of one brand, and never without it."""

import pytest

from shared.evaluation.claims import Beside, Record, check_text
from wherefore.common.v1.product_pb2 import Product

KETTLES = ("Kitchen", "Kettles")


def record(*, brand: str = "Acme", path: tuple[str, ...] = KETTLES, alone: bool = False) -> Record:
    product = Product(id="p1", brand="Acme", category_path=KETTLES)
    product.titles["en"] = "Acme glass jug"
    other = {"Steel pot": Beside(brand=brand, category_path=path)}
    return Record(product, beside={} if alone else other)


@pytest.mark.parametrize(
    "text",
    [
        'Similar to "Steel pot".',
        'Similar to "Steel pot", also from Acme.',
        'It resembles "Steel pot" from the same brand Acme.',
        'It is like "Steel pot"; an alternative to "Steel pot".',
        "与“Steel pot”相似，品牌同为Acme。",
        "和“Steel pot”很像。",
        "“Steel pot”和它相近，品牌都是Acme。",
    ],
)
def test_what_is_alike_may_be_called_so(text: str) -> None:
    assert not check_text(text, record()).unsupported
    assert check_text(text, record(alone=True)).unsupported
    assert check_text(text, record(path=("Kitchen", "Pots"))).unsupported


@pytest.mark.parametrize(
    "text",
    [
        'Similar to "Steel pot", also from Acme.',
        'It resembles "Steel pot" from the same brand Acme.',
        "与“Steel pot”相似，品牌同为Acme。",
        "和“Steel pot”同属品牌Acme，款式相似。",
    ],
)
def test_one_brand_is_that_of_both(text: str) -> None:
    assert not check_text(text, record()).unsupported
    (wrong,) = check_text(text, record(brand="Bolder")).unsupported
    assert "brand" in wrong.causes


@pytest.mark.parametrize(("title", "alike"), [("Bolder jug 2 l", True), ("Acme pan 2 l", False)])
def test_without_categories_titles_must_share_a_word_of_their_own(title: str, alike: bool) -> None:
    product = Product(id="p1", brand="Acme")
    product.titles["en"] = "Acme glass jug 2 l"
    found = check_text(f'Similar to "{title}".', Record(product, beside={title: Beside()}))
    assert bool(found.unsupported) != alike
