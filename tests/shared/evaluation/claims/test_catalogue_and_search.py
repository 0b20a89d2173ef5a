"""Claims about a price beside its category, about devices, and about the search, read back."""

import pytest

from shared.evaluation.claims import Record, check_text
from wherefore.common.v1.product_pb2 import Product


def priced(product_id: str, amount: float, group: str = "", currency: str = "EUR") -> Product:
    product = Product(id=product_id, category_path=["Bags", "Backpacks"], variant_group_id=group)
    product.price.amount, product.price.currency_code = amount, currency
    return product


def record(amount: float = 45.0, **known: object) -> Record:
    own = priced("p", amount)
    own.titles["en"] = "Canvas rucksack"
    own.attributes["compatibility"].texts.append("Orbit Frame 2000D, K7")
    others = [priced(f"o{n}", 10.0 * n) for n in range(1, 11)]
    others += [priced("g1", 80, "g"), priced("g2", 40, "g"), priced("usd", 99, currency="USD")]
    return Record(product=own, query="hiking bag", catalogue=[own, *others], **known)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "Cheaper than 6 of the 11 others in Backpacks.",
        "比其他11款双肩包中的6款便宜。",
        "价格低于其他11款同类商品中的6款。",
        'Listed as compatible with "Orbit Frame 2000D".',
        "标明兼容“K7”。",
        "Close in meaning to your search.",
        "与您搜索的意思相近。",
        "Chosen by shoppers after the same search.",
        "搜索过同样内容的顾客选过它。",
    ],
)
def test_what_is_so_is_supported(text: str) -> None:
    found = check_text(text, record(legs=("dense", "chosen")))
    assert found.claims
    assert not found.unsupported, found.unsupported


@pytest.mark.parametrize(
    "text",
    [
        "Cheaper than 7 of the 11 others in Backpacks.",
        "Cheaper than 6 of the 12 others in Backpacks.",
        "Cheaper than 11 of the 6 others in Backpacks.",
        "Cheaper than all 11 others in Backpacks.",
        "比其他11款双肩包中的7款便宜。",
        "比其他11款双肩包都便宜。",
        'Listed as compatible with "Orbit Frame 3000D".',
        "标明兼容“K8”。",
        "Close in meaning to your search.",
        "Chosen by shoppers after the same search.",
        "搜索过同样内容的顾客选过它。",
    ],
)
def test_what_is_not_so_is_found(text: str) -> None:
    assert check_text(text, record(legs=("sparse",))).unsupported


@pytest.mark.parametrize(
    "text",
    [
        "Cheaper than all 11 others in Backpacks.",
        "It costs less than all of the 11 others in Backpacks.",
        "It is priced below all of the 11 others in Backpacks.",
        "价格低于其他全部11款双肩包。",
    ],
)
def test_below_all_others(text: str) -> None:
    assert not check_text(text, record(amount=5.0)).unsupported
    assert check_text(text, record(amount=10.0)).unsupported


def test_a_word_of_the_query_in_the_title_is_no_match_of_meaning() -> None:
    known = record(legs=("dense",))
    known.product.titles["en"] = "Hiking rucksack"
    assert check_text("Close in meaning to your search.", known).unsupported


def test_a_value_that_the_lexicon_knows_only_whole_is_stated() -> None:
    known = record()
    known.product.attributes["material"].texts.append("Foam")
    assert not check_text("材质：泡沫。", known).unsupported
    assert check_text("材质：金属。", known).unsupported
