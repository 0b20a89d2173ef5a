import pytest

from services.nlu.catalogue_terms import CatalogueTerms
from services.nlu.domain import EntityType
from services.nlu.entities import find_entities


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("cancel order 370795561790", "370795561790"),
        ("where is purchase #00123842?", "00123842"),
        ("my order number is 00004587345", "00004587345"),
        ("我的订单12345678到哪了", "12345678"),
        ("订单号：12345678", "12345678"),
        ("单号是 12345678", "12345678"),
    ],
)
def test_the_number_of_an_order_is_found(text: str, order: str) -> None:
    (entity,) = [e for e in find_entities(text, CatalogueTerms()) if e.type is EntityType.ORDER_ID]
    assert entity.text == entity.normalized == order
    assert text[entity.start : entity.end] == order


@pytest.mark.parametrize(
    "text",
    [
        "4006381333931",
        "order 20 pieces",
        "border 12345678",
        "in order to get 12345678",
        "iphone 11",
    ],
)
def test_other_numbers_are_no_orders(text: str) -> None:
    found = find_entities(text, CatalogueTerms())
    assert all(entity.type is not EntityType.ORDER_ID for entity in found)
