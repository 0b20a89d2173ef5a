"""What a clause cannot do without, and what it never says though each of its words may stand there.

A model that is small joins words that the corpus has beside each other into turns that it has not.
What a shopper would stumble over is masked where it begins, so that it needs no other weights.
"""

import re
from collections.abc import Mapping
from typing import Final

from services.reason.wording.filled import Filled
from services.reason.wording.forms import SLOT, VERBS

_PRAISED: Final = r"^(?=.*\bprais).*reviews.*(?:mention|that point)"
_GIFT: Final = r"^(?=.*\bcall).*reviews.*mention"
_OBLIGED: Final[Mapping[str, Mapping[str, re.Pattern[str]]]] = {
    code: {"en": re.compile(rf"(?:\b|^)(?:{english})\b"), "zh": re.compile(chinese)}
    for code, english, chinese in (
        ("price_fit", "within|under", "以内|不超过"),
        ("lowest_price_on_page", "lowest|cheapest", "其余各款"),
        ("below_median_price", "below", "比.*低|低于"),
        ("price_in_category", "below|cheaper|less", "比.*便宜|低于"),
        ("discount", "below|off", "比.*低|优惠"),
        ("exclusion_met", "not", "不是|不含"),
        ("better_rated", "above|higher", "高于"),
        ("product_type_match", "search(?:ed)?|asked", "您"),
        ("brand_affinity", "looked.*brand|brand.*looked", "看过|浏览过"),
        ("category_affinity", "looked", "看过|浏览过|逛过"),
        ("because_you_viewed", "here|picked|chosen|follows", "推荐|挑选|出现"),
        ("because_you_bought", "here|picked|chosen|follows", "推荐|挑选|出现"),
        ("praised_value_for_money", _PRAISED, "评价"),
        ("praised_quality", _PRAISED, "评价"),
        ("praised_reputation", _PRAISED, "评价"),
        ("praised_gift", _GIFT, "评价"),
    )
}
"""What a comparison, a denial, a wish or a history cannot do without: a price beside a limit says
nothing yet, nor does "Tea before" or "a match for your tea", and "because you bought it" would give
the cause of what follows. "7 of 9 reviews" are not all there are, but those that mention it."""
APART: Final = frozenset({"because_you_viewed", "because_you_bought"})
"""Codes after which English begins anew: "because you bought it and 15% off" gives two causes."""

_CHOSEN: Final = r"\b(?:picked|chosen)\b"
_OF_A_HISTORY: Final = (
    rf"^\W*(?:and )?(?:you\b|following)|{SLOT}.*(?:,|\band\b)|{_CHOSEN}.*{SLOT}\W*(?:we|of)\b"
)
_OF_REVIEWS: Final = r"\b(?:called|described)\b.* for\b"
_OF_PRAISE: Final = (
    r"\bmention (?:it (?:pra|call)|the\b|.* in\b)|\breviews that [^m]|\bprais\w*\b.*\bprais"
)
_ON_IT: Final = rf"\breviews on (?:i|the\b|[^it])|^\s*(?:and )?{SLOT} of {SLOT} reviews on\b"
_QUOTED_FIRST: Final = r"^\s*(?:and )?\""
_OF_A_KIND: Final = r"\b(?:li|be|in\b|is (?:me|the\b))|\bf(?!or)|\bproduct [^;,.]"
_ENGLISH: Final = {
    code: re.compile(pattern)
    for code, pattern in {
        "product_type_match": rf"{_QUOTED_FIRST}|{_OF_A_KIND}",
        "similar_to": _QUOTED_FIRST,
        "same_brand": rf"{_QUOTED_FIRST}|\bsimilar\b.*\bwhich it",
        "well_reviewed": rf"^\s*(?:and )?{SLOT} rat",
        "because_you_viewed": _OF_A_HISTORY,
        "because_you_bought": _OF_A_HISTORY,
        "brand_affinity": rf"^\s*(?:and )?{SLOT} before|\bbefore:",
        "category_affinity": r"\bbefore:",
        "price_fit": r"\b(?:within|under) the\b",
        "discount": r"\bhas\b",
        "attribute_match": rf"\b(?:in|of) (?:size )?{SLOT} you\b",
        "praised_value_for_money": rf"{_ON_IT}|{_OF_PRAISE}",
        "praised_quality": rf"{_ON_IT}|{_OF_PRAISE}",
        "praised_reputation": rf"\breviews on\b|{_OF_PRAISE}",
        "praised_gift": rf"\breviews on\b|{_OF_PRAISE}",
        "reviews_praise": _OF_REVIEWS,
        "reviews_fault": _OF_REVIEWS,
    }.items()
}
"""By code: "filed as a kettle as in your search", "the kind of product you searched for kettle",
"picked since you viewed it we picked it", "similar to it which it resembles", "within the €300 you
set at €280", "has 9% off", "in red you asked for", "4 of 4 reviews on it praise the value" (of 29),
"called good value for 2 of 2 reviewers"."""
_TWO_VERBS: Final = re.compile(rf"\bis (?:{'|'.join(sorted(VERBS))})\b")
"""Of any code: "it is meets your search"."""
_CHINESE: Final = {
    # "It meets your demand for men."
    "attribute_match.audience": re.compile(
        r"满足|^\W*(?:另外，|而且|同时|并且|还)?(?:它|这款)?符合"
    ),
}
"""By kind."""
_ANIMALS: Final = re.compile("[狗猫犬宠]")
_PEOPLE: Final = "适用"
_ALL_FIRST: Final = re.compile(r"^\s*(?:and )?of\b")
ALL: Final = "all"
"""What fills the slot of a part that is the whole, in English."""


def says_enough(code: str, language: str, clause: str) -> bool:
    """Whether a clause, slots as `SLOT`, may end."""
    obliged = _OBLIGED.get(code, {}).get(language)
    return bool(clause) and (obliged is None or bool(obliged.search(clause)))


def traits(evidence: Filled) -> tuple[bool, bool]:
    """What of the values decides what reads badly: a part that is the whole, and animals."""
    shown = evidence.fills.get("shown", "")
    return evidence.fills.get("count") == ALL, _ANIMALS.search(shown) is not None


def is_clumsy(evidence: Filled, language: str, clause: str) -> bool:
    """Whether a clause under way, slots as `SLOT`, reads badly of its evidence."""
    if language == "zh":
        pattern = _CHINESE.get(evidence.kind)
        if pattern is None:
            return False
        of_animals = _PEOPLE in clause and traits(evidence)[1]
        return of_animals or pattern.search(clause) is not None
    if traits(evidence)[0] and _ALL_FIRST.match(clause):
        return True  # "of the 11 others it is cheaper than all"
    told, pattern = clause.lower(), _ENGLISH.get(evidence.code)
    found = pattern is not None and pattern.search(told)
    return bool(found or _TWO_VERBS.search(told))
