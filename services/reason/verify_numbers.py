"""Numbers of a clause: each must be one that its evidence holds, and a share is told whole."""

import re
from collections.abc import Sequence
from typing import Final

from services.reason.facts import TIES, Claim, Fact
from services.reason.language import WHOLE

NUMBER: Final = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
_EXACT: Final = re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?")
"""A number as evidence holds it."""
_SHARES: Final = frozenset(
    {
        "praised_value_for_money",
        "praised_quality",
        "praised_reputation",
        "praised_gift",
        "price_in_category",
    }
)
"""Codes whose clause tells a part and its whole: the part alone would hide the rest."""
_PART_FIRST: Final = re.compile(r"# (?:out )?of (?:the |all )?#|#.*共.*#")
_ALL: Final = re.compile(r"\ball (?:of )?(?:the )?#|全部#|#[^#]*都")
_WHOLE_FIRST: Final = re.compile(r"#.*[中里].*#|\bof (?:the |all )?#(?! of| out of).*#")
_BESIDE: Final = frozenset(
    {"bought_together", "viewed_together", "better_rated", "price_in_category"}
)
"""Codes whose clause names what its evidence meets, and counts nothing by that name."""
_WINDOW: Final = {"popular": {30.0}, "sales_counted": {30.0}}
"""Numbers that the contract itself gives: statistics count 30 days."""


def are_told(claim: Claim, own: str) -> bool:
    """Whether every number of a clause is one of its evidence, and no share hides its whole.

    Args:
        claim: The clause.
        own: Its words without what it quotes.
    """
    told = [_value(found) for found in NUMBER.findall(own)]
    if told and not _all_of(told, claim.facts):
        return False
    return claim.code not in _SHARES or all(_tells_share(own, fact) for fact in claim.facts)


def _tells_share(own: str, fact: Fact) -> bool:
    """Whether a clause tells part and whole, and which is which: "41 of 45", "45条中41条"."""
    part, whole = (float(text) for text in fact.value.split(" "))
    told = [_value(found) for found in NUMBER.findall(own)]
    masked = NUMBER.sub("#", own)
    if part == whole and told == [whole]:
        return _ALL.search(masked) is not None
    if told == [part, whole] and _PART_FIRST.search(masked):
        return True
    return told == [whole, part] and _WHOLE_FIRST.search(masked) is not None


def _value(text: str) -> float:
    return float(text.replace(",", ""))


def _all_of(said: Sequence[float], facts: Sequence[Fact]) -> bool:
    """Whether every number said is one of the facts, each of those said once at most."""
    left = _numbers_of(facts)
    for number in said:
        meant = next((forms for forms in left if number in forms), None)
        if meant is None:
            return False
        left.remove(meant)
    return True


def _numbers_of(facts: Sequence[Fact]) -> list[set[float]]:
    """Numbers that the words may hold: each as it is, and as it is rounded for people."""
    numbers: list[set[float]] = []
    for fact in facts:
        numbers += [{number} for number in _WINDOW.get(fact.code, ())]
        for text in _counted(fact):
            for found in _EXACT.findall(text):
                exact = float(found)
                forms = {exact, _rounded(exact, 2)}
                if fact.code in ("well_reviewed", "better_rated", "rating_counted"):
                    forms.add(_rounded(exact, 1))
                numbers.append(forms)
    return sorted(numbers, key=len)  # the surest first


def _counted(fact: Fact) -> tuple[str, ...]:
    """What of a fact words of ours may count by: a title that is quoted whole counts nothing."""
    if fact.code in TIES:
        return ()
    return (fact.value,) if fact.code in _BESIDE else (fact.value, fact.meets)


def _rounded(value: float, places: int) -> float:
    if value.is_integer() or abs(value) >= WHOLE:
        return value
    # Half up, as people round; repr keeps 4.65 from becoming 4.6499999.
    shifted = float(f"{value!r}e{places}") if "e" not in repr(value) else value * 10**places
    return float(f"{int(shifted + 0.5)}e-{places}")
