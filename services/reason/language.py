"""How each language writes numbers, money and titles, and which language a reason is in."""

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from wherefore.common.v1.product_pb2 import Product

LANGUAGES: Final = ("en", "zh")
_SYMBOLS: Final = {"CNY": "¥", "EUR": "€", "USD": "$", "GBP": "£"}
"""Signs that stand for one currency here; the yen shares the yuan's and is written "JPY"."""
WHOLE: Final = 2.0**53
"""From here on a float has nothing behind its point (IEEE 754)."""
_HAN: Final = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")


def choose_language(asked: str, of_query: str) -> str:
    """Returns the request's language, else the query's, else English.

    "zh-Hans-CN" is "zh"; a language without templates is English.
    """
    for tag in (asked, of_query):
        primary = tag.replace("_", "-").split("-")[0].lower()
        if primary in LANGUAGES:
            return primary
    return "en"


def is_chinese(text: str) -> bool:
    """Whether the text holds a Han character."""
    return not text.isascii() and _HAN.search(text) is not None


def number(value: float, places: int = 2) -> str:
    """Writes a number rounded half up, with thousands separated: 1,299 or 49.95.

    English and Chinese write them alike.
    """
    if float(value).is_integer() or abs(value) >= WHOLE:
        return f"{int(value):,}"
    rounded = Decimal(repr(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    if rounded == rounded.to_integral_value():
        return f"{int(rounded):,}"
    return f"{rounded:,}"


def money(amount: float, currency: str) -> str:
    """Writes a price: ¥299, €49.95, 1,200 SEK."""
    symbol = _SYMBOLS.get(currency)
    return f"{symbol}{number(amount)}" if symbol else f"{number(amount)} {currency}".strip()


def title_in(product: Product, language: str) -> tuple[str, str]:
    """Returns the tag and the title in a language, or else the first title there is."""
    titles = product.titles
    if language in titles:
        return language, titles[language]
    tags = sorted(titles)
    for tag in tags:
        if tag.split("-")[0].lower() == language:
            return tag, titles[tag]
    return (tags[0], titles[tags[0]]) if tags else ("", "")
