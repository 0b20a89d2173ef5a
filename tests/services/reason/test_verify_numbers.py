"""Numbers beyond all prices: what no shop has is refused or told, and breaks nothing."""

import pytest

from services.reason.explainer import Explainer, ExplainInput, Item
from services.reason.facts import Claim, Fact
from services.reason.verify import Verifier
from services.reason.verify_numbers import are_told
from wherefore.common.v1.product_pb2 import Product


@pytest.mark.parametrize("value", ["1e+400", "1.7e+308", "9007199254740993", "9" * 400])
def test_numbers_of_any_size_are_read(value: str) -> None:
    fact = Fact("stated_price", "price.amount", f"{value} EUR", "", 0.1)
    assert not are_told(Claim("it sells for 12", fact.code, (fact,)), "it sells for 12")


def test_a_number_is_told_as_it_is_rounded() -> None:
    fact = Fact("stated_price", "price.amount", "4.655 EUR", "", 0.1)
    assert are_told(Claim("it sells for 4.66", fact.code, (fact,)), "it sells for 4.66")
    assert not are_told(Claim("it sells for 4.65", fact.code, (fact,)), "it sells for 4.65")


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("amount", [1.7e308, 1e16, 5e-324, -1e308, 0.1 + 0.2])
def test_products_of_any_price_are_explained(language: str, amount: float) -> None:
    items: list[Item] = []
    for index in range(4):
        product = Product(id=f"p{index}", titles={"en": f"Kettle {index}", "zh": f"水壶{index}"})
        product.price.amount = amount / (1 + index)
        product.price.list_amount, product.price.currency_code = amount, "EUR"
        product.attributes["weight"].numbers.append(amount)
        product.attributes["weight"].unit = "g"
        items.append(Item(product))
    reasons = list(Explainer(Verifier(())).explain(ExplainInput(items, language=language)))
    assert [reason.product_id for reason in reasons] == [item.product.id for item in items]
