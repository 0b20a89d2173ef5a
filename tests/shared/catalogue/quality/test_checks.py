"""Each check on products that were made for it: what it finds, and what it must not."""

from collections.abc import Sequence

import pytest

from shared.catalogue.quality.completion import find_missing_attributes
from shared.catalogue.quality.duplicates import find_duplicates
from shared.catalogue.quality.gaps import find_gaps, find_odd_prices, find_title_faults
from shared.catalogue.quality.variants import find_variants
from wherefore.common.v1.product_pb2 import AttributeValue, Product

TEA = "Sugarloom white tea from spring harvest"


def product(
    product_id: str,
    title: str,
    *,
    zh: str = "",
    brand: str = "Sugarloom",
    price: float = 20,
    attributes: dict[str, AttributeValue | str] | None = None,
    description: str = "",
    category: Sequence[str] = ("Food", "Tea"),
) -> Product:
    made = Product(id=product_id, brand=brand, category_path=category)
    made.titles["en"] = title
    if zh:
        made.titles["zh"] = zh
    made.price.currency_code, made.price.amount = "EUR", price
    if description:
        made.descriptions["en"] = description
    for key, value in (attributes or {}).items():
        made.attributes[key].CopyFrom(
            AttributeValue(texts=[value]) if isinstance(value, str) else value
        )
    return made


def grams(number: float) -> AttributeValue:
    return AttributeValue(numbers=[number], unit="g")


@pytest.mark.parametrize(
    "title",
    [
        TEA,
        "Sugarloom white tea from srping harvest",  # two letters changed places
        "SUGARLOOM WHITE TEA FROM SPRING HARVEST",
        "white tea from spring harvest Sugarloom",
        "Sugarloom white tea spring harvest",
    ],
)
def test_a_product_that_is_listed_again_is_found(title: str):
    first = product("p1", TEA, attributes={"net_weight": grams(50)})
    first.statistics.view_count = 10
    (found,) = find_duplicates([first, product("p2", title, price=21)])
    assert found.products == ("p2", "p1")  # the one with a history stays
    assert found.fix == {"delete": True}


@pytest.mark.parametrize(
    ("title", "more"),
    [
        ("Sugarloom black tea from spring harvest", {}),  # another word, not a typing error
        (TEA + ", 50 g", {}),  # a number that the other lacks
        (TEA, {"price": 90.0}),
        (TEA, {"brand": "Perchwood"}),
        (TEA, {"attributes": {"net_weight": grams(100)}}),
    ],
)
def test_what_is_another_product_is_no_duplicate(title: str, more: dict[str, object]):
    first = product("p1", TEA, attributes={"net_weight": grams(50)})
    assert list(find_duplicates([first, product("p2", title, **more)])) == []  # type: ignore[arg-type]


def test_one_trade_item_number_is_one_product_and_two_are_two():
    first, second = product("p1", TEA), product("p2", "Tea, white")
    first.gtins[:] = second.gtins[:] = ["04006381333931"]
    second.gtins.append("5901234123457")
    (found,) = find_duplicates([first, second])
    assert "4006381333931" in found.evidence
    second.titles["en"] = TEA
    second.gtins[:] = ["5901234123457"]
    assert list(find_duplicates([first, second])) == []


def coloured(product_id: str, colour: str, title: str = "Quillmo S560 phone, 256 GB") -> Product:
    attributes = {"colour": colour, "model": "S560"}
    return product(product_id, f"{title}, {colour}", attributes=attributes, brand="Quillmo")


def test_unmarked_variants_are_found_with_what_sets_them_apart():
    (found,) = find_variants([coloured("p1", "black"), coloured("p2", "white")])
    assert found.products == ("p1", "p2")
    assert "differ only in colour" in found.message
    assert found.fix["variant_group_id"]


def test_marked_variants_are_left_alone_and_a_stray_one_joins_them():
    marked = [coloured("p1", "black"), coloured("p2", "white")]
    for one in marked:
        one.variant_group_id = "g1"
    assert list(find_variants(marked)) == []
    (found,) = find_variants([*marked, coloured("p3", "blue")])
    assert found.fix == {"variant_group_id": "g1"}


def test_another_model_is_no_variant():
    other = coloured("p2", "white", title="Quillmo S560 phone, 256 GB")
    other.attributes["model"].texts[:] = ["S570"]
    assert list(find_variants([coloured("p1", "black"), other])) == []
    assert list(find_variants([coloured("p1", "black"), coloured("p2", "black")])) == []


def kettles() -> list[Product]:
    return [
        product(
            f"k{n}",
            f"Kettle {('steel', 'glass')[n % 2]} {n}",
            description=f"Made of {('steel', 'glass')[n % 2]}, holds {1000 + 100 * (n % 3)} ml.",
            attributes={
                "material": ("steel", "glass")[n % 2],
                "capacity": AttributeValue(numbers=[1000 + 100 * (n % 3)], unit="ml"),
            },
            category=("Kitchen", "Kettles"),
            price=30 + n,
        )
        for n in range(20)
    ]


def test_an_attribute_that_a_text_states_is_proposed_with_the_measured_confidence():
    products = kettles()
    del products[4].attributes["material"]
    del products[5].attributes["capacity"]
    found = {one.products[0]: one for one in find_missing_attributes(products)}
    assert found["k4"].fix == {"attribute": {"material": {"texts": ["steel"]}}}
    assert found["k4"].confidence == pytest.approx(20 / 21, abs=1e-3)  # 19 right of 19
    assert "steel" in found["k4"].evidence
    assert found["k5"].fix == {"attribute": {"capacity": {"numbers": [1200.0], "unit": "ml"}}}


def test_words_that_are_often_wrong_propose_nothing():
    products = kettles()
    for one in products[:10]:
        one.attributes["material"].texts[:] = ["plastic"]
    del products[19].attributes["material"]
    (found,) = find_missing_attributes(products)
    assert found.products == ("k19",)
    assert not found.fix
    assert found.severity == "hint"


def test_two_values_in_a_text_propose_nothing():
    products = kettles()
    del products[4].attributes["material"]
    products[4].titles["en"] = "Kettle of steel and glass"
    (found,) = find_missing_attributes(products)
    assert not found.fix


def test_what_stands_for_its_variants_lacks_nothing():
    products = kettles()
    for one in products[:3]:
        one.variant_group_id = "g"
    del products[0].attributes["material"]
    assert list(find_missing_attributes(products)) == []


def test_a_shifted_point_is_odd_and_a_dear_kettle_is_not():
    products = kettles()
    products[3].price.amount = 3_300
    products[4].price.amount = 80
    (found,) = find_odd_prices(products)
    assert found.products == ("k3",)
    products[5].price.amount = 0
    assert [one.severity for one in find_odd_prices(products)] == ["error", "warning"]


def test_fields_without_which_it_is_not_found():
    bare = Product(id="p1", titles={"en": "Tea", "zh": "茶"}, descriptions={"en": "Fine tea."})
    fields = {one.field for one in find_gaps(bare)}
    assert fields == {
        "category_path", "price", "images", "brand", "attributes", 'descriptions["zh"]',
    }  # fmt: skip


@pytest.mark.parametrize(
    ("title", "told", "mended"),
    [
        (
            "QUILLMO S560 PHONE WITH FAST CHARGING",
            "shouts",
            "Quillmo S560 Phone With Fast Charging",
        ),
        ("Quillmo  phone", "blanks", "Quillmo phone"),
        ("Tea " * 60, "cut it off", ""),
        ("T", "names nothing", ""),
    ],
)
def test_titles_that_read_badly(title: str, told: str, mended: str):
    (found,) = find_title_faults(Product(id="p1", titles={"en": title}))
    assert told in found.message
    assert found.fix == ({"title": {"en": mended}} if mended else {})


@pytest.mark.parametrize("title", ["BMW X5", "Quillmo S560 phone", "奇默手机 256GB"])
def test_titles_that_read_well(title: str):
    assert list(find_title_faults(Product(id="p1", titles={"en": title}))) == []
