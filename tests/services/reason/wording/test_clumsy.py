"""What the model that comes along never says, whatever its weights, though it has the words."""

import re

import numpy as np
import pytest

from services.reason.wording.filled import Filled
from services.reason.wording.grammar import Grammar

DISCOUNT = Filled("discount", {"percent": "15%"}, ("percent",))
BOUGHT = Filled("because_you_bought", {"shown": "Trail pack"}, ("shown",))
VIEWED = Filled("because_you_viewed", {"shown": "Trail pack"}, ("shown",))
KIND = Filled("product_type_match", {"shown": "backpack"}, ("shown",))
VALUE = Filled("reviews_praise.value_for_money", {"count": "2", "total": "2"}, ("count", "total"))
QUALITY = Filled("praised_quality", {"praise": "4", "total": "5"}, ("praise", "total"))
LIMIT = Filled("price_fit", {"price": "€280", "limit": "€300"}, ("limit",))
RED = Filled("attribute_match.colour", {"shown": "red"}, ("shown",))
DOGS = Filled("attribute_match.audience", {"shown": "狗狗"}, ("shown",))
CHEAPEST = Filled("price_in_category", {"count": "all", "total": "9"}, ("count", "total"))
BRAND = Filled("brand_affinity", {"shown": "Sonavel"}, ("shown",))
LONGEST = 60


def drawn(grammar: Grammar, evidence: list[Filled], language: str, count: int) -> list[str]:
    """Sentences of tokens that were drawn at random among those allowed, slots as their marks."""
    texts: list[str] = []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        constraint = grammar.constrain(evidence, language)
        while not constraint.finished and len(constraint.said) < LONGEST:
            allowed = constraint.allowed()
            if not len(allowed):
                break
            constraint.take(int(rng.choice(allowed)))
        texts.append("".join(grammar.texts[index] for index in constraint.said))
    return texts


@pytest.mark.parametrize(
    ("evidence", "language", "clumsy"),
    [
        ([BOUGHT, DISCOUNT], "en", r"<shown>[\"”]?,|<shown>[^;]*\band\b|<\d>(?: and)? ?you bought"),
        (
            [VIEWED, DISCOUNT],
            "en",
            r"<shown>[\"”]?,|<shown>[^;]*\band\b|<\d>(?: and)? ?you (?:look|view)",
        ),
        ([KIND], "en", r"\b(?:listed|filed|belongs|is meets|is matches)\b|<1>\""),
        ([QUALITY], "en", r"reviews on it|mention it praise"),
        ([LIMIT], "en", r"\bwithin the\b"),
        ([DISCOUNT], "en", r"\bhas\b"),
        (
            [DISCOUNT, QUALITY],
            "en",
            r"<1> ?the price is[^<]*<percent>[^<]*<2>,? ?(?:and )?(?:is|gets|praised)",
        ),
        ([RED, DISCOUNT], "en", r"\bin<shown> you"),
        ([CHEAPEST], "en", r"^<1>of the"),
        ([DOGS], "zh", "人群|满足"),
        ([VALUE], "en", r"\b(?:called|described)\b.* for\b"),
    ],
)
def test_words_that_read_badly_are_never_drawn(
    grammar: Grammar, evidence: list[Filled], language: str, clumsy: str
) -> None:
    texts = drawn(grammar, evidence, language, 200)
    assert not [text for text in texts if re.search(clumsy, text.lower())]


@pytest.mark.parametrize(
    ("evidence", "needed"),
    [(KIND, ("search|asked",)), (BRAND, ("looked", "brand"))],
)
def test_a_clause_is_not_left_off_before_what_makes_it_one(
    grammar: Grammar, evidence: Filled, needed: tuple[str, ...]
) -> None:
    texts = drawn(grammar, [evidence, DISCOUNT], "en", 300)
    closed = [found[1].lower() for text in texts if (found := re.match(r"<1>(.*)<2>", text))]
    assert closed
    assert not [told for told in closed if not all(re.search(each, told) for each in needed)]


@pytest.mark.parametrize(
    ("language", "choice"), [("en", "here|picked|chosen|follows"), ("zh", "推荐|挑选|出现")]
)
@pytest.mark.parametrize("history", [BOUGHT, VIEWED])
def test_a_history_is_said_to_be_why_a_product_is_shown(
    grammar: Grammar, history: Filled, language: str, choice: str
) -> None:
    texts = drawn(grammar, [history, DISCOUNT], language, 300)
    closed = [found[1] for text in texts if (found := re.match(r"<1>(.*)<2>", text))]
    assert closed
    assert not [told for told in closed if not re.search(choice, told)]
    if language == "en":
        assert all(told.endswith(";") or told.endswith("; ") for told in closed)
