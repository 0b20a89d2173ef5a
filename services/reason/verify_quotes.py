"""Names in a clause: what of its evidence it may hold as it stands, and what it must."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from services.reason.facts import TIES, Claim, Fact
from services.reason.labels import label
from services.reason.values import kind_word, names
from shared.text.normalise import fold

_QUOTES: Final = TIES | {
    "attribute_match",
    "brand_match",
    "product_type_match",
    "title_match",
    "exclusion_met",
    "brand_affinity",
    "category_affinity",
    "stated_brand",
    "stated_attribute",
}
"""Codes whose clause must hold the value (or the user's word for it) as it stands."""
_NAMES: Final = frozenset({"bought_together", "viewed_together", "better_rated", "same_brand"})
"""Codes whose clause must hold the title that the evidence meets."""
_LISTED: Final = ("title_match", "exclusion_met")
"""Codes whose value is a list, which each language joins in its own way."""

_QUOTED: Final = re.compile(r'"([^"]*)"|“([^”]*)”')
_MARKS: Final = re.compile('["“”]')


def are_exact(own: str) -> bool:
    """Whether what stands in quotation marks is all evidence, and all marks have their other half.

    Args:
        own: The words of a clause without what it quotes, see `without`.
    """
    # `without` leaves a blank in the place of a name, and nothing else belongs between the marks.
    quoted = [first or second for first, second in _QUOTED.findall(own)]
    return all(text == " " for text in quoted) and not _MARKS.search(_QUOTED.sub("", own))


def are_held(claim: Claim) -> bool:
    """Whether a clause holds the values and titles that its code has to name."""
    said = fold(claim.text)
    if claim.code in _NAMES and any(fold(fact.meets) not in said for fact in claim.facts):
        return False
    return claim.code not in _QUOTES or all(_holds(claim.text, fact) for fact in claim.facts)


def quotable(claim: Claim) -> list[str]:
    """Texts of the evidence that the clause may hold as they are: names, not words of ours."""
    found: list[str] = []
    for fact in claim.facts:
        if claim.code in _QUOTES:
            found += [text for text in (fact.value, fact.meets) if text]
            if claim.code in _LISTED:
                found += fact.value.split(", ")
        elif (claim.code in _NAMES or claim.code == "price_in_category") and fact.meets:
            found.append(fact.meets)
        name = {"category_affinity": fact.value, "product_type_match": fact.value}.get(
            claim.code, fact.meets if claim.code == "price_in_category" else ""
        )
        if claim.code == "stated_attribute":
            found += names(fact.source.partition(".")[2], fact.value)
        if name:
            found += [word for word in (kind_word(name, "en"), kind_word(name, "zh")) if word]
    return found


def without(text: str, quoted: Sequence[str]) -> str:
    """Takes quoted values out, so that a title's own words are not taken for ours."""
    rest, plain = text, text.casefold()
    for value in sorted(quoted, key=len, reverse=True):
        if value.casefold() in plain:  # spares the pattern
            rest = _whole(value).sub(" ", rest)
    return rest


@lru_cache(maxsize=4_096)
def _whole(value: str) -> re.Pattern[str]:
    """A value as words of their own: a "tee" must not be found in "guaranteed"."""
    left = r"(?<!\w)" if re.match(r"\w", value, re.ASCII) else ""
    right = r"(?!\w)" if re.search(r"\w$", value, re.ASCII) else ""
    return re.compile(left + re.escape(value) + right, re.IGNORECASE | re.ASCII)


def _holds(text: str, fact: Fact) -> bool:
    said = fold(text)
    if fact.code == "exclusion_met":
        key = fact.source.partition(".")[2]
        return fold(fact.meets) in said and all(
            any(fold(name) in said for name in names(key, value))
            for value in fact.value.split(", ")
        )
    if fact.code == "stated_attribute":
        key = fact.source.partition(".")[2]
        labels = [fold(name) for name in (label(key, "en"), label(key, "zh")) if name]
        return any(name in said for name in labels) and any(
            fold(name) in said for name in names(key, fact.value)
        )
    synonyms = fact.code in ("attribute_match", "brand_match", "product_type_match")
    if fact.code in ("category_affinity", "product_type_match"):
        words = (kind_word(fact.value, "en"), kind_word(fact.value, "zh"))
        if any(word and fold(word) in said for word in words):
            return True
    if fact.code == "title_match":
        return all(fold(piece) in said for piece in fact.value.split(", "))
    return fold(fact.value) in said or (synonyms and bool(fact.meets) and fold(fact.meets) in said)
