"""Comparisons, denials and causes of a clause: those that its code may state or must."""

import re
from functools import lru_cache
from typing import Final

from services.reason.facts import Claim, Fact
from services.reason.verify_numbers import NUMBER
from shared.text.normalise import fold

_COMPARATIVE: Final = {
    "limit": re.compile(r"\bwithin\b|\bunder\b|以内|不超过"),
    "lowest": re.compile(r"\blowest\b|\bcheapest\b|其余各款"),
    "below": re.compile(r"\bbelow\b|\boff\b|\bcheaper\b|\bless than\b|比.*[低便]|低于|优惠"),
    "above": re.compile(r"\babove\b|\bhigher\b|\bmore than\b|\bdearer\b|高于"),
    "negation": re.compile(r"\bnot\b|\bwithout\b|\bno\b|不是|不含|没有"),
}
_MAY_SAY: Final = {
    "price_fit": {"limit"},
    "lowest_price_on_page": {"lowest", "below"},
    "below_median_price": {"below"},
    "price_in_category": {"below"},
    "discount": {"below"},
    "exclusion_met": {"negation"},
    "better_rated": {"above"},
}
_MUST_SAY: Final = {
    "price_fit": "limit",
    "lowest_price_on_page": "lowest",
    "below_median_price": "below",
    "price_in_category": "below",
    "discount": "below",
    "exclusion_met": "negation",
    "better_rated": "above",
}
_CAUSE: Final = re.compile(r"\b(?:because|since|therefore|thanks to|due to)\b|因[为您此]|所以|由于")
_CHOICE: Final = re.compile(r"\b(?:recommended|picked|chosen|here)\b|推荐|挑选|出现")
_MAY_CAUSE: Final = frozenset({"because_you_viewed", "because_you_bought"})
"""What the user did is why a product is recommended, and not why it costs what it does: a clause
that gives a cause says what of."""
_BETWEEN: Final = 8
"""Characters that may stand between a denial and what it denies."""


def fault(claim: Claim, folded: str) -> str:
    """Returns what is wrong with how a clause compares, denies and gives causes; "" for nothing.

    Args:
        claim: The clause.
        folded: Its words without what it quotes, folded.
    """
    if cause := _compared(claim.code, NUMBER.sub("0", folded)):
        return cause
    if claim.code == "exclusion_met" and not all(_denies(claim.text, f) for f in claim.facts):
        return "negation"
    return ""


@lru_cache(maxsize=8_192)
def _compared(code: str, words: str) -> str:
    """As `fault`, of words alone: clauses differ in their numbers, and come back."""
    may, must = _MAY_SAY.get(code, set[str]()), _MUST_SAY.get(code)
    for kind, pattern in _COMPARATIVE.items():
        said = bool(pattern.search(words))
        if (said and kind not in may) or (must == kind and not said):
            return "negation" if kind == "negation" else "comparative"
    if _CAUSE.search(words) and not (code in _MAY_CAUSE and _CHOICE.search(words)):
        return "cause"
    return ""


def _denies(text: str, fact: Fact) -> bool:
    """Whether a clause denies once, and what it denies is what was not wanted."""
    denials = list(_COMPARATIVE["negation"].finditer(fold(text)))
    if len(denials) != 1:
        return False
    return 0 <= fold(text)[denials[0].end() :].find(fold(fact.meets)) <= _BETWEEN
