"""From a fact to what fills the slots of its clause, and which of them the clause must hold."""

from collections.abc import Sequence
from typing import Final

from services.reason.clauses import days_ago
from services.reason.clauses import slots as template_slots
from services.reason.facts import Fact
from services.reason.language import is_chinese
from services.reason.values import meaning, names
from services.reason.wording.filled import SLOTS, Filled
from services.reason.wording.manners import ALL
from services.reason.wording.opinions import REQUIRED as OF_OPINIONS

SALES_WINDOW_DAYS: Final = 30
"""The contract's: `statistics` counts this many days."""
_QUOTING: Final = ("shown",)
_REQUIRED: Final[dict[str, tuple[str, ...]]] = {
    "price_fit": ("limit",),
    "exclusion_met": ("shown", "meets"),
    "below_median_price": ("percent",),
    "discount": ("percent",),
    "well_reviewed": ("stars", "count"),
    "popular": ("count", "window"),
    "in_stock": (),
    "new_arrival": ("age",),
    "lowest_price_on_page": ("price", "count"),
    "price_in_category": ("count", "total"),
    "chosen_before": (),
    "meaning_match": (),
    "picture_match": ("count",),
    "bought_together": ("shown", "count"),
    "viewed_together": ("shown", "count"),
    "better_rated": ("shown", "stars", "others"),
    "same_brand": ("shown", "meets"),
    "bought_before": ("age",),
    "bought_often": ("times",),
    "seen_before": ("age",),
    "price_like_yours": (),
    "rating_counted": ("stars", "count"),
    "sales_counted": ("count", "window"),
    "stated_price": ("price",),
    "stated_attribute": ("label", "shown"),
    **OF_OPINIONS,
}
_KEYED: Final[dict[str, tuple[str, ...]]] = {
    "attribute_match": ("colour", "material", "size", "audience", "occasion"),
    "exclusion_met": ("colour", "material"),
}
_OF_TWO: Final = ("exclusion_met", "same_brand")
"""Codes whose clause names both of what the evidence holds."""
OTHER: Final = "other"


def kind_of(fact: Fact) -> str:
    """Returns what chooses the wording: the code, and the attribute for codes about attributes."""
    if fact.code not in _KEYED:
        return fact.code
    key = fact.source.partition(".")[2]
    if key == "audience" and meaning(key, fact.value) == "unisex":
        key = OTHER  # nothing is made "for unisex"
    return f"{fact.code}.{key if key in _KEYED[fact.code] else OTHER}"


def required_slots(kind: str) -> tuple[str, ...]:
    """Returns the slots that a clause of the kind must hold."""
    code = kind.partition(".")[0]
    if code.startswith("praised_"):
        return ("praise", "total")
    return _REQUIRED.get(code, _QUOTING)


def fill(fact: Fact, language: str) -> Filled:
    """Returns a fact with the text of its slots, written as the templates write it.

    Args:
        fact: As evidence.py and its peers find it.
        language: "en" or "zh".

    Raises:
        ValueError: Its value does not have the form of its code.
    """
    kind = kind_of(fact)
    written = template_slots(fact, language).items()
    fills = {name: text for name, text in written if text and name in SLOTS}
    if fact.code in ("popular", "sales_counted"):
        fills["window"] = str(SALES_WINDOW_DAYS)
    elif fact.code == "new_arrival":
        fills = {"age": days_ago(int(fact.value), language)}
    elif fact.code == "bought_before":
        fills.pop("times", None)
    elif fact.code == "in_stock":
        fills = {}
    elif fact.code not in _OF_TWO:
        fills.pop("meets", None)
    alone = fact.code == "price_in_category" and fills.get("count") == fills.get("total")
    if alone and language == "en":
        fills["count"] = ALL  # "12 of the 12 others" is no way to say it
    if kind == "attribute_match.audience" and is_chinese(fills.get("shown", "")):
        fills["shown"] = _person(fills["shown"])
    elif fact.code == "title_match":
        fills["shown"] = _quoted(fact.value.split(", "), language)
    required = required_slots(kind)
    if missing := [name for name in required if not fills.get(name)]:
        raise ValueError(f"{fact.code}: no text for {', '.join(missing)}")
    return Filled(kind, fills, required)


def _person(audience: str) -> str:
    """Catalogues write 女 where people say 女士."""
    if len(audience) > 1:
        return audience
    whole = (name for name in names("audience", audience) if is_chinese(name) and len(name) > 1)
    return next(whole, audience)


def _quoted(pieces: Sequence[str], language: str) -> str:
    """Pieces that stand apart in a title are quoted apart; the wordings hold the outer marks."""
    if language == "zh":
        return "”、“".join(pieces)
    return '" and "'.join(('", "'.join(pieces[:-1]), pieces[-1])) if len(pieces) > 1 else pieces[0]
