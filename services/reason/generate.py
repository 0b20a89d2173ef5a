"""The template generator: from facts to clauses to a sentence.

It stays as the fallback behind any language model: it says only what it is given.
"""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Final

from services.reason.clauses import say
from services.reason.facts import OF_THE_USER, TIES, Claim, Fact

VERSION: Final = "template@1"
_SAY_SAME: Final = (
    {"price_fit", "lowest_price_on_page", "below_median_price", "price_in_category"},
    {"brand_match", "brand_affinity"},
    # One tie to each product at hand is enough, and the surest speaks first.
    TIES,
    {"bought_together", "viewed_together"},
    {"product_type_match", "title_match", "category_affinity", "meaning_match"},
    {"better_rated", "well_reviewed", "rating_counted"},
    {"popular", "sales_counted"},
    {"in_stock", "running_low"},
    {"bought_before", "bought_often", "due_for_reorder"},
    {"seen_before", "brand_affinity", "category_affinity"},
    # A product of the category is named already.
    {"because_you_viewed", "because_you_bought", "category_affinity"},
)
"""Codes of one group say much the same: the strongest speaks for all."""
_STRENGTH: Final = attrgetter("strength")
_OF_ONE_ATTRIBUTE: Final = ("attribute_match", "exclusion_met")
_AFFINITIES: Final = ("brand_affinity", "category_affinity")
_GROUPS_OF: Final[dict[str, frozenset[tuple[str, str]]]] = {
    code: frozenset((f"group-{i}", "") for i, group in enumerate(_SAY_SAME) if code in group)
    for code in set[str]().union(*_SAY_SAME)
}


def plan(facts: Iterable[Fact]) -> list[Fact]:
    """Orders facts, strongest first, and drops those that repeat a stronger one."""
    chosen: list[Fact] = []
    taken: set[tuple[str, str]] = set()
    dropped: list[Fact] = []
    for fact in sorted(facts, key=_STRENGTH, reverse=True):
        keys = _GROUPS_OF.get(fact.code) or {(fact.code, fact.value)}
        if fact.code in _OF_ONE_ATTRIBUTE:
            # "Black, not blue" says as well that it is black.
            keys = {("attribute", fact.source), (fact.code, fact.value)}
        if taken.isdisjoint(keys):
            taken |= keys
            chosen.append(fact)
        elif fact.code in _AFFINITIES:
            dropped.append(fact)
    if dropped and not any(fact.code in OF_THE_USER for fact in chosen):
        _name_the_user(chosen, dropped)
    return chosen


def _name_the_user(chosen: list[Fact], dropped: Sequence[Fact]) -> None:
    """Puts in what the user looked at, which something of the product left out."""
    codes = [fact.code for fact in chosen]
    for fact in dropped:
        if fact.code == "brand_affinity" and "brand_match" in codes:
            # It names the brand of the query as well.
            chosen[codes.index("brand_match")] = fact
            return
        if fact.code == "category_affinity":
            # The type of the product names the same thing, but nothing of the user.
            chosen.insert(codes.index("in_stock") if "in_stock" in codes else len(codes), fact)
            return


def claim(fact: Fact, language: str, product_id: str) -> Claim:
    """Writes one fact as a claim."""
    return Claim(say(fact, language, product_id), fact.code, (fact,))


def compose(claims: Sequence[Claim], language: str) -> tuple[str, list[Claim]]:
    """Joins claims to a sentence.

    Returns:
        The sentence, and the claims with their words as they stand in it.
    """
    if not claims:
        return "", []
    if language == "zh":
        return "；".join(c.text for c in claims) + "。", list(claims)
    first = claims[0]
    rest = list(claims[1:])
    text = first.text[:1].upper() + first.text[1:]
    spoken = [Claim(text, first.code, first.facts), *rest]
    return "; ".join(c.text for c in spoken) + ".", spoken
