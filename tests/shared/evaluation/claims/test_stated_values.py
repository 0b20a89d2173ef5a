"""Attributes stated by name: what is so passes in both languages, and a denial does not."""

import pytest

from shared.evaluation.claims import Record, check_text
from wherefore.common.v1.product_pb2 import Product


def record() -> Record:
    product = Product(id="p1", brand="Acme")
    product.titles["en"] = "Acme roller"
    product.attributes["colour"].texts.append("Blue")
    product.attributes["material"].texts.append("Foam")
    product.price.amount, product.price.currency_code = 29, "EUR"
    product.attributes["fit"].texts.append("Non-slip")
    return Record(product)


@pytest.mark.parametrize(
    "text",
    ["colour: Blue.", "颜色：蓝色。", "材质：泡沫。", "fit: Non-slip.", "颜色：蓝色，价格为€29。"],
)
def test_what_is_stated(text: str) -> None:
    checked = check_text(text, record())
    assert checked.claims
    assert not checked.unsupported


@pytest.mark.parametrize(
    "text",
    [
        "colour: not Blue.",
        "colour: Red.",
        "颜色：不是蓝色。",
        "材质：非泡沫。",
        "材质：木质。",
        "颜色：蓝色，价格为€17。",
    ],
)
def test_what_is_not(text: str) -> None:
    assert check_text(text, record()).unsupported


def test_steel_that_does_not_rust_denies_nothing() -> None:
    product = Product(id="p2")
    product.attributes["material"].texts.append("Stainless steel")
    assert not check_text("材质：不锈钢。", Record(product)).unsupported
    assert check_text("材质：不是不锈钢。", Record(product)).unsupported


def test_a_number_with_a_comma_is_that_of_the_records() -> None:
    product = Product(id="p3", titles={"en": "Dog food"})
    product.attributes["net_weight"].numbers.append(1500)
    product.attributes["net_weight"].unit = "g"
    assert not check_text("It has 1,500 g as its net weight.", Record(product)).unsupported
    assert check_text("It has 1,600 g as its net weight.", Record(product)).unsupported


@pytest.mark.parametrize(
    ("text", "stands"),
    [("有您要的42码。", True), ("您需要的42码这里有。", True), ("有您要的45码。", False)],
)
def test_a_size_is_one_of_those_stated(text: str, *, stands: bool) -> None:
    product = Product(id="p1")
    product.attributes["size"].texts.extend(["41", "42"])
    assert (not check_text(text, Record(product, query="皮鞋 42码")).unsupported) is stands


@pytest.mark.parametrize(
    "text", ["Green tea, as you searched for.", 'It meets your search for "green tea".']
)
def test_white_tea_is_no_green_tea(text: str) -> None:
    def called(title: str) -> Record:
        product = Product(id="p1", titles={"en": title}, category_path=["Tea"])
        return Record(product, query="green tea")

    assert check_text(text, called("Sugarloom white tea")).unsupported
    assert not check_text(text, called("Osmantea green tea")).unsupported
