"""Prices: what is money, what is not, and how sure a limit is."""

import pytest

from services.nlu.domain import Bounds
from services.nlu.prices import find_prices


def bounds(text: str) -> list[tuple[float | None, float | None, str, bool]]:
    return [
        (item.bounds.minimum, item.bounds.maximum, item.bounds.unit, item.hard)
        for item in find_prices(text)
        if item.bounds
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("desk lamp under 500", (None, 500, "", True)),
        ("desk lamp below $20", (None, 20, "$", True)),
        ("desk lamp less than 1k", (None, 1000, "", True)),
        ("desk lamp up to 1,299.50 eur", (None, 1299.5, "EUR", True)),
        ("desk lamp <= 40", (None, 40, "", True)),
        ("desk lamp 30 or less", (None, 30, "", True)),
        ("budget of 80 for a desk lamp", (None, 80, "", True)),
        ("desk lamp over €100", (100, None, "EUR", True)),
        ("desk lamp at least 50 dollars", (50, None, "$", True)),
        ("desk lamp 50 and up", (50, None, "", True)),
        ("desk lamp between 20 and 50 euros", (20, 50, "EUR", True)),
        ("desk lamp from 20 to 50", (20, 50, "", True)),
        ("desk lamp $20-$50", (20, 50, "$", True)),
        ("desk lamp 20-50 euros", (20, 50, "EUR", True)),
        ("desk lamp around 100", (80, 120, "", False)),
        ("desk lamp about £50", (40, 60, "GBP", False)),
        ("台灯500以下", (None, 500, "", True)),
        ("台灯 500元以内", (None, 500, "CNY", True)),
        ("不超过300块的台灯", (None, 300, "CNY", True)),
        ("台灯 200-300元", (200, 300, "CNY", True)),
        ("台灯 200到300元之间", (200, 300, "CNY", True)),
        ("台灯 1.5万以内", (None, 15000, "", True)),
        ("五百元以下的台灯", (None, 500, "CNY", True)),
        ("两百五十元以上的台灯", (250, None, "CNY", True)),
        ("台灯100左右", (80, 120, "", False)),
        ("台灯 100元", (80, 120, "CNY", False)),
        ("预算3000的相机", (None, 3000, "", True)),
        ("预算3000左右的相机", (2400, 3600, "", False)),
        ("100元起的台灯", (100, None, "CNY", True)),
    ],
)
def test_reads_money(text: str, expected: tuple[float | None, float | None, str, bool]) -> None:
    assert bounds(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "iphone 11", "iphone 8", "windows 10", "rtx 2060", "ps4", "playstation 4", "2 in 1 laptop",
        "usb 3.0 hub", "brother tn-2110", "4k monitor", "toys for kids under 5",
        "baby food under 12 months", "jigsaw over 1000 pieces", "perfume less than 100ml",
        "monitor over 27 inch", "18-55mm lens", "over ear headphones", "drill 18v 2 batteries",
        "3岁以下玩具", "5星以上酒店用品",
        "4-6寸蛋糕", "丰田6388起动机", "一起同行背包", "128g以上手机",
        "2024 calendar", "size 42 boots", "more than 100 sheets of paper", "a4 paper 80 g",
    ],
)  # fmt: skip
def test_numbers_of_other_things_are_no_money(text: str) -> None:
    assert bounds(text) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("cheap desk lamp", "low"),
        ("affordable desk lamp", "low"),
        ("便宜的台灯", "low"),
        ("性价比高的台灯", "low"),
        ("luxury desk lamp", "high"),
        ("高端台灯", "high"),
    ],
)
def test_adjectives_are_soft(text: str, value: str) -> None:
    [found] = find_prices(text)
    assert (found.any_of, found.hard, found.bounds) == ((value,), False, None)


def test_ends_are_put_in_order() -> None:
    [found] = find_prices("between 50 and 20 euros")
    assert found.bounds == Bounds(20, 50, "EUR")
