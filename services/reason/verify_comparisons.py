"""Comparisons and denials of a clause: those that its code may make, and those that it must."""

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
_BETWEEN: Final = 8
"""Characters that may stand between a denial and what it denies."""


def fault(claim: Claim, folded: str) -> str:
    """Returns what is wrong with how a clause compares and denies; empty when nothing is.

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
    return ""


def _denies(text: str, fact: Fact) -> bool:
    """Whether a clause denies once, and what it denies is what was not wanted."""
    denials = list(_COMPARATIVE["negation"].finditer(fold(text)))
    if len(denials) != 1:
        return False
    return 0 <= fold(text)[denials[0].end() :].find(fold(fact.meets)) <= _BETWEEN
