"""Constraints of whole queries: fields, hardness, filters, and what is left to search for."""

import pytest

from services.nlu.domain import Constraint
from services.nlu.understanding import QueryReader
from shared.filter_syntax import parse_filter


def by_field(constraints: tuple[Constraint, ...], field: str) -> list[Constraint]:
    return [item for item in constraints if item.field == field]


@pytest.mark.parametrize(
    ("query", "expected_filter", "search_text"),
    [
        ("wireless mouse under 20", "price <= 20", "wireless mouse"),
        ("kettle, not black", 'NOT colour: "black"', "kettle"),
        ("kettle not black or white", 'NOT colour: "black" AND NOT colour: "white"', "kettle"),
        ("shirt without polyester", 'NOT material: "polyester"', "shirt"),
        ("shirt not made of polyester", 'NOT material: "polyester"', "shirt"),
        ("phone, not apple", 'NOT brand: "apple"', "phone"),
        ("anything but sony headphones", 'NOT brand: "sony"', "headphones"),
        ("不要黑色的水壶", 'NOT colour: "black"', "水壶"),
        ("水壶 不要黑色和白色", 'NOT colour: "black" AND NOT colour: "white"', "水壶"),
        ("除了索尼以外的耳机", 'NOT brand: "sony"', "耳机"),
        ("手机 不要小米", 'NOT brand: "xiaomi"', "手机"),
        ("headphones without bluetooth", 'NOT text: "bluetooth"', "headphones"),
        ("headphones, why not red", "", "headphones, why not red"),
        ("耳机 不要蓝牙", 'NOT text: ("bluetooth" OR "蓝牙")', "耳机"),
        ("耳机 不要有线", 'NOT text: ("wired" OR "有线")', "耳机"),
        ("不要有线的耳机", 'NOT text: ("wired" OR "有线")', "耳机"),
        ("不是有线的鼠标", 'NOT text: ("wired" OR "有线")', "鼠标"),
        ("T恤 不要有机棉", 'NOT material: "organic cotton"', "t恤"),
        ("有没有有线耳机", "", "有线耳机"),
        (
            "headphones, not in-ear headphones",
            'NOT product_type: ("earbuds" OR "in-ear headphones")',
            "headphones",
        ),
        ("drill without batteries", 'NOT product_type: ("battery" OR "batteries")', "drill"),
        ("kettle 4 stars and up", "rating >= 4", "kettle"),
        ("at least 4.5 stars kettle", "rating >= 4.5", "kettle"),
        ("4星以上的水壶", "rating >= 4", "水壶"),
        ("kettle in stock", "in_stock = true", "kettle"),
        ("水壶 现货", "in_stock = true", "水壶"),
        ("kettle under €50", 'price <= 50 AND currency: "EUR"', "kettle"),
        ("kettle for under 50", "price <= 50", "kettle"),
        ("under 20", "price <= 20", ""),
        ("black kettle", "", "black kettle"),
        ("kettle for men", "", "kettle for men"),
        ("无糖饼干", "", "无糖饼干"),
        ("non-stick pan", "", "non-stick pan"),
        ("no frost fridge", "", "no frost fridge"),
        ("无线鼠标", "", "无线鼠标"),
        ("i want to buy a kettle", "", "a kettle"),
        ("我想买一个水壶", "", "水壶"),
        ("请问有没有静音的风扇", "", "静音的风扇"),
        ("要不要黑色的水壶", "", "要不要黑色的水壶"),
        ("特别黑色的水壶", "", "特别黑色的水壶"),
        ("特别便宜的水壶", "", "特别 的水壶"),
    ],
)
def test_filter_and_rest(
    reader: QueryReader, query: str, expected_filter: str, search_text: str
) -> None:
    understanding = reader.read(query)
    assert understanding.filter == expected_filter
    assert understanding.search_text == search_text
    if understanding.filter:
        parse_filter(understanding.filter)


@pytest.mark.parametrize(
    ("query", "field", "minimum", "maximum", "unit"),
    [
        ("8寸蛋糕", "size", 8, 8, "寸"),
        ("27 inch monitor", "display_diagonal", 27, 27, "inch"),
        ('monitor 27"', "display_diagonal", 27, 27, "inch"),
        ("laptop at least 16 GB ram", "internal_memory", 16, None, "GB"),
        ("电脑 内存 16GB内存以上", "internal_memory", 16, 16, "GB"),
        ("laptop with 512 gb ssd", "total_storage_capacity", 512, 512, "GB"),
        ("monitor over 27 inch", "display_diagonal", 27, None, "inch"),
    ],
)
def test_measures_are_soft_ranges(  # noqa: PLR0917 - columns of the table
    reader: QueryReader, query: str, field: str, minimum: float, maximum: float | None, unit: str
) -> None:
    [found] = by_field(reader.read(query).constraints, field)
    assert found.bounds is not None
    assert (found.bounds.minimum, found.bounds.maximum) == (minimum, maximum)
    assert found.bounds.unit == unit
    assert not found.hard


def test_a_range_of_sizes_is_hard(reader: QueryReader) -> None:
    understanding = reader.read("4-6寸蛋糕")
    [found] = by_field(understanding.constraints, "size")
    assert found.hard
    assert understanding.filter == "attributes.size >= 4 AND attributes.size <= 6"


def test_descriptions_are_soft_and_gathered_by_field(reader: QueryReader) -> None:
    constraints = reader.read("black or white cotton shirt for men").constraints
    assert [(item.field, item.any_of, item.hard) for item in constraints] == [
        ("colour", ("black", "white"), False),
        ("material", ("cotton",), False),
        ("audience", ("men",), False),
    ]


def test_an_unknown_exclusion_is_a_soft_condition_on_the_text(reader: QueryReader) -> None:
    understanding = reader.read("headphones without wires under 50")
    [found] = by_field(understanding.constraints, "text")
    assert (found.none_of, found.hard) == (("wires",), False)
    assert understanding.query[found.start : found.end] == "without wires"
    assert understanding.filter == "price <= 50"


def test_what_is_excluded_is_marked_and_not_expanded(reader: QueryReader) -> None:
    understanding = reader.read("水壶 不要黑色")
    assert [(e.normalized, e.negated) for e in understanding.entities] == [
        ("kettle", False),
        ("black", True),
    ]
    assert {item.term for item in understanding.expansions} == {"水壶"}


@pytest.mark.parametrize(
    "query",
    ["iphone 11", "windows 10", "rtx 2060", "ps4", "2 in 1 laptop", "usb 3.0 hub", "5 star hotel"],
)
def test_names_with_numbers_demand_nothing(reader: QueryReader, query: str) -> None:
    understanding = reader.read(query)
    assert not any(item.hard for item in understanding.constraints)
    assert (understanding.filter, understanding.search_text) == ("", query)


def test_full_width_digits_read_like_plain_ones(reader: QueryReader) -> None:
    assert reader.read("水壶　５００元以下").filter == 'price <= 500 AND currency: "CNY"'
