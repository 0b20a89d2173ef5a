"""The language of a reason, and how it tells money and numbers."""

import pytest

from services.reason.language import choose_language, money, number


@pytest.mark.parametrize(
    ("asked", "of_query", "expected"),
    [
        ("zh-Hans-CN", "en", "zh"),
        ("", "zh", "zh"),
        ("", "und", "en"),
        ("fr", "zh", "zh"),
        ("", "", "en"),
    ],
)
def test_language(asked, of_query, expected):
    assert choose_language(asked, of_query) == expected


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        (299, "CNY", "¥299"),
        (49.95, "EUR", "€49.95"),
        (1299.5, "USD", "$1,299.50"),
        (1200, "SEK", "1,200 SEK"),
        (500, "JPY", "500 JPY"),
        (0.1 + 0.2, "GBP", "£0.30"),
    ],
)
def test_money(amount, currency, expected):
    assert money(amount, currency) == expected


def test_numbers_round_half_up():
    assert number(4.65, 1) == "4.7"
    assert number(5.0, 1) == "5"
