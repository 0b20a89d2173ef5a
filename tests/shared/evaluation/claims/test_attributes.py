"""An attribute stated by name is held against the one of that name."""

import pytest

from shared.evaluation.claims import Record, check_text
from wherefore.common.v1.product_pb2 import Product


def record() -> Record:
    product = Product(id="p", brand="Acme", titles={"en": "Acme black kettle"})
    product.attributes["colour"].texts.append("black")
    product.attributes["model"].texts.append("K20")
    product.attributes["battery_capacity"].numbers.append(5000.0)
    product.attributes["battery_capacity"].unit = "mAh"
    product.attributes["lid_shape"].texts.append("round")
    return Record(product, "kettle", [product])


@pytest.mark.parametrize(
    ("text", "causes"),
    [
        ("Colour: black; model: K20.", ()),
        ("Has kettle in its title; battery capacity: 5,000 mAh.", ()),
        ("Lid shape: round.", ()),
        ("颜色：黑色；型号：K20；品牌：Acme。", ()),
        ("Model: K21.", ("attribute",)),
        ("Colour: K20.", ("attribute",)),
        ("型号：黑色。", ("attribute",)),
        ("Has kettle in its title; battery capacity: 500 mAh.", ("attribute",)),
        ("容量：5,000 mAh。", ("attribute",)),
        ("品牌：K20。", ("attribute",)),
    ],
)
def test_stated(text: str, causes: tuple[str, ...]) -> None:
    found = check_text(text, record()).unsupported
    assert tuple(cause for claim in found for cause in claim.causes) == causes
