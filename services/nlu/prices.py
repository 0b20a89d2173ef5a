"""Prices: what a query says of money, hard ("under 500") and soft ("around 100", "便宜").

A number alone is never a price: "iphone 11", "windows 10" and "2 in 1" are names. It takes a
currency, or a word of comparison without anything else to be counted.
"""

import re
from collections.abc import Iterator
from typing import Final

from services.nlu.domain import Bounds, Constraint
from services.nlu.patterns import CHINESE_NUMBER, DASH, NOT_MONEY, NUMBER, UNIT, to_number

FIELD: Final = "price"
CHEAP: Final = "low"
DEAR: Final = "high"

_SIGNS = r"us\$|\$|€|£|¥|usd|eur|gbp|rmb|cny"
_WORDS = (
    r"us dollars?|dollars?|bucks|usd|euros?|eur|pounds|gbp|yuan|rmb|cny|美元|美金|欧元|英镑|人民币"
    r"|块钱|块|元|\$|€|£"
)
_CURRENCIES = {
    **dict.fromkeys(("us$", "usd", "us dollar", "us dollars", "美元", "美金"), "USD"),
    # Signs that several currencies share stay signs: the catalogue knows which of them it has.
    **dict.fromkeys(("$", "dollar", "dollars", "bucks"), "$"),
    "¥": "¥",
    **dict.fromkeys(("€", "eur", "euro", "euros", "欧元"), "EUR"),
    **dict.fromkeys(("£", "gbp", "pounds", "英镑"), "GBP"),
    **dict.fromkeys(("rmb", "cny", "yuan", "元", "块", "块钱", "人民币"), "CNY"),
}
_SCALES = {"k": 1_000, "千": 1_000, "w": 10_000, "万": 10_000}


def _amount(name: str) -> str:
    """A pattern for one amount: a number, with sign, scale and currency word where they stand."""
    return (
        rf"(?P<{name}_sign>{_SIGNS})?\s?(?P<{name}>{NUMBER}|{CHINESE_NUMBER})"
        rf"(?P<{name}_scale>[kw](?![a-z0-9])|千|万)?(?:\s?(?P<{name}_word>{_WORDS})(?![a-z]))?"
    )


_BELOW = (
    r"(?<![a-z])(?:under|below|less than|cheaper than|lower than|up to|at most|no more than"
    r"|not more than|not over|within|max(?:imum)?(?: of| price)?|budget(?: of| is)?|underneath)"
    r"\s*:?\s*|<=?\s*"
)
_BELOW_ZH = r"(?:不超过|不高于|低于|少于|小于|最多|便宜过|预算(?:是|在|为)?|控制在)\s*"
_ABOVE = (
    r"(?<![a-z])(?:over|above|more than|at least|no less than|not less than|starting (?:at|from)"
    r"|min(?:imum)?(?: of| price)?|higher than)\s*:?\s*|>=?\s*"
)
_ABOVE_ZH = r"(?:高于|大于|超过|多于|不低于|不少于|至少|最少)\s*"
_ABOUT = r"(?<![a-z])(?:around|about|approximately|approx\.?|roughly|circa|~)\s*"
_ABOUT_ZH = r"(?:大概|大约|差不多|约)\s*"

_RANGE = re.compile(
    rf"(?P<cue>(?<![a-z])(?:between|from)\s+)?{_amount('low')}(?:{DASH}|(?P<and>\s+and\s+))"
    rf"{_amount('high')}(?:\s*(?P<tail>之间|左右|价位|以内|以下|区间))?"
)
_BEFORE = {
    "max": re.compile(
        rf"(?:{_BELOW}|{_BELOW_ZH}){_amount('value')}(?P<tail>以内|以下|之内|\s*or (?:less|under))?"
    ),
    "min": re.compile(rf"(?:{_ABOVE}|{_ABOVE_ZH}){_amount('value')}(?P<tail>以上)?"),
    "about": re.compile(rf"(?:{_ABOUT}|{_ABOUT_ZH}){_amount('value')}(?P<tail>左右|上下)?"),
}
_AFTER = {
    "max": re.compile(
        rf"{_amount('value')}\s*(?P<tail>以下|以内|之内|之下|封顶|or less|or under|or cheaper"
        r"|and under|and below|max(?:imum)?(?![a-z]))"
    ),
    "min": re.compile(
        rf"{_amount('value')}\s*(?P<tail>以上|之上|起(?=$|[\s的,，。])|or more|and up|and over)"
    ),
    "about": re.compile(rf"{_amount('value')}\s*(?P<tail>左右|上下)"),
}
_EXACT = re.compile(rf"(?<![\w.,]){_amount('value')}(?!\w)")
_SOFT_WORDS = (
    (CHEAP, re.compile(
        r"(?<![a-z])(?:cheap(?:est|er)?|affordable|inexpensive|low[- ]cost|low[- ]price[d]?"
        r"|budget[- ]friendly|budget|bargain)(?![a-z])|性价比高?|物美价廉|便宜|实惠|平价|廉价|低价"
    )),
    (DEAR, re.compile(
        r"(?<![a-z])(?:premium|luxury|luxurious|high[- ]end|expensive)(?![a-z])|高端|奢华|高档"
    )),
)  # fmt: skip
# Somebody's age is no price, with or without "years".
_PEOPLE_BEFORE = re.compile(
    r"(?:kids?|children|child|toddlers?|boys?|girls?|bab(?:y|ies)|aged?|ages|people|adults?|player"
    r"|players|岁数|年龄|儿童|孩子|宝宝)\s*$"
)
_NUMBER_GOES_ON = re.compile(r"[\d.,]*\d|[a-z]|\s?/\s?\d")
# "4k" and "8k" are resolutions, "2.4g" a band.
_RESOLUTIONS = frozenset({"2k", "4k", "5k", "8k"})
_MAX_AGE = 18
_ABOUT_SHARE = 0.2
_SURE, _LIKELY, _SOFT = 0.95, 0.85, 0.7
_ROUND = re.compile("[十百千万]")
_UNIT = re.compile(rf"\s?-?{UNIT}")


def find_prices(text: str) -> Iterator[Constraint]:
    """Finds conditions on the price in folded text, in no particular order, without overlaps."""
    taken: list[tuple[int, int]] = []
    for constraint in (*_ranges(text), *_one_sided(text), *_exact(text), *_soft(text)):
        if all(constraint.end <= start or end <= constraint.start for start, end in taken):
            taken.append((constraint.start, constraint.end))
            yield constraint


def _ranges(text: str) -> Iterator[Constraint]:
    for found in _RANGE.finditer(text):
        currency = _currency(found, "low") or _currency(found, "high")
        said = found["cue"] or found["tail"] or currency
        if not said or (found["and"] and not found["cue"]) or not _is_money(text, found, currency):
            continue
        scale = _scale(found, "high")
        low = to_number(found["low"]) * (_scale(found, "low") if found["low_scale"] else scale)
        high = to_number(found["high"]) * scale
        bounds = Bounds(min(low, high), max(low, high), currency)
        yield _constraint(found, bounds, found["tail"] != "左右", _SURE if currency else _LIKELY)


def _one_sided(text: str) -> Iterator[Constraint]:
    for patterns in (_BEFORE, _AFTER):
        for side, pattern in patterns.items():
            for found in pattern.finditer(text):
                currency = _currency(found, "value")
                if not _is_money(text, found, currency):
                    continue
                value = to_number(found["value"]) * _scale(found, "value")
                # "预算500左右" is said with a limit's word and meant as a guess.
                near = side == "about" or text[found.end() :].lstrip().startswith(("左右", "上下"))
                yield _constraint(
                    found,
                    _near(value, currency) if near else _bounds(side, value, currency),
                    not near,
                    _SOFT if near else _SURE if currency else _LIKELY,
                    extra=2 if near and side != "about" else 0,
                )


def _exact(text: str) -> Iterator[Constraint]:
    for found in _EXACT.finditer(text):
        if currency := _currency(found, "value"):
            value = to_number(found["value"]) * _scale(found, "value")
            yield _constraint(found, _near(value, currency), False, _SOFT)


def _soft(text: str) -> Iterator[Constraint]:
    for value, pattern in _SOFT_WORDS:
        for found in pattern.finditer(text):
            span = found.span()
            yield Constraint(FIELD, *span, _SOFT, hard=False, any_of=(value,), consumed=(span,))


def _constraint(
    found: re.Match[str], bounds: Bounds, hard: bool, confidence: float, extra: int = 0
) -> Constraint:
    span = found.start(), found.end() + extra
    return Constraint(FIELD, *span, confidence, hard=hard, bounds=bounds, consumed=(span,))


def _bounds(side: str, value: float, currency: str) -> Bounds:
    return Bounds(maximum=value, unit=currency) if side == "max" else Bounds(value, unit=currency)


def _near(value: float, currency: str) -> Bounds:
    return Bounds(value * (1 - _ABOUT_SHARE), value * (1 + _ABOUT_SHARE), currency)


def _currency(found: re.Match[str], name: str) -> str:
    return _CURRENCIES.get(found[f"{name}_sign"] or found[f"{name}_word"] or "", "")


def _scale(found: re.Match[str], name: str) -> int:
    return _SCALES.get(found[f"{name}_scale"] or "", 1)


def _is_money(text: str, found: re.Match[str], currency: str) -> bool:
    """Whether the number is an amount of money rather than of years, pieces or inches."""
    groups = found.groupdict()
    number_at = found.start("value" if "value" in groups else "low")
    before = text[number_at - 1 : number_at]
    if before.isalnum() and before.isascii() and not groups.get("value_sign"):
        return False  # the tail of a model number
    if currency:
        return True
    name = "value" if "value" in groups else "high"
    if not groups[name][:1].isdigit() and not _ROUND.search(groups[name]):
        return False  # "一起" and "五以上" say no amount
    number, scale = groups[name], groups[f"{name}_scale"] or ""
    if f"{number}{scale}" in _RESOLUTIONS and not groups.get("tail"):
        return False
    after = text[found.end(f"{name}_scale" if scale else name) :]
    if _NUMBER_GOES_ON.match(after) or NOT_MONEY.match(after) or _UNIT.match(after):
        return False
    young = to_number(number) <= _MAX_AGE
    return not (young and _PEOPLE_BEFORE.search(text[: found.start()]))
