"""The verifier: rejects every claim that product, query, user and page do not support.

It shares no code with the collection of evidence or the templates: it reads each value back from
where the evidence says it stands, computes comparisons and negations anew, and then holds the
words against them. A generator that errs, a language model above all, cannot get past it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from services.reason.facts import Claim, Fact, Scene
from services.reason.labels import label
from services.reason.recheck import RECHECKS, RecheckFunction
from services.reason.safety.filter import SafetyFilter
from services.reason.values import kind_word, names
from shared.text.normalise import fold

_NUMBER: Final = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
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
_QUOTES: Final = frozenset(
    {
        "attribute_match",
        "brand_match",
        "product_type_match",
        "title_match",
        "exclusion_met",
        "because_you_viewed",
        "because_you_bought",
        "brand_affinity",
        "category_affinity",
        "fits",
        "fits_yours",
        "fitted_by",
        "goes_with",
        "similar_to",
        "same_brand",
        "compatible_with",
        "stated_brand",
        "stated_attribute",
    }
)
"""Codes whose clause must hold the value (or the user's word for it) as it stands."""
_NAMES: Final = frozenset({"bought_together", "viewed_together", "better_rated", "same_brand"})
"""Codes whose clause must hold the title that the evidence meets."""
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
_LISTED: Final = ("title_match", "exclusion_met")
"""Codes whose value is a list, which each language joins in its own way."""
_TITLED: Final = frozenset(
    {
        "because_you_viewed",
        "because_you_bought",
        "fits",
        "fits_yours",
        "fitted_by",
        "goes_with",
        "similar_to",
        "same_brand",
        "compatible_with",
    }
)
"""Codes whose clause has no numbers but those of the title that it quotes."""
_BETWEEN: Final = 8
"""Characters that may stand between a denial and what it denies."""
_WINDOW: Final = {"popular": {30.0}}
"""Numbers that the contract itself gives: statistics count 30 days."""


_KEPT: Final = 16_384
"""Clauses whose words are remembered; a product says the same of its reviews in every search."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a claim stands; `cause` is empty when it does."""

    cause: str = ""

    @property
    def holds(self) -> bool:
        """Whether the claim may be shown."""
        return not self.cause


class Verifier:
    """Checks claims against the scene.

    Args:
        banned_words: Never in words of ours.
        safety: What no clause may say whatever its evidence; the default lists when absent.

    Causes: "no_evidence", "unknown_code", "evidence" (a fact is not so), "number", "value",
    "comparative", "negation" and "banned" (the words go beyond the facts), and those of
    `SafetyFilter`.
    """

    def __init__(self, banned_words: Sequence[str], safety: SafetyFilter | None = None) -> None:
        self._safety = safety or SafetyFilter()
        words = [_word_pattern(word) for word in banned_words if word.strip()]
        self._banned = re.compile("|".join(words)) if words else None
        # What words say of their facts hangs on them alone; whether a fact is so does not.
        self._cause = lru_cache(_KEPT)(self._words)

    def check(self, claim: Claim, scene: Scene, language: str = "") -> Verdict:
        """Checks one claim.

        Args:
            claim: Its words, and the facts that it rests on.
            scene: All that is known.
            language: Of the reason; without it a clause of another language is not noticed.
        """
        if not claim.facts:
            return Verdict("no_evidence")
        for fact in claim.facts:
            recheck = RECHECKS.get(fact.code)
            if recheck is None or fact.code != claim.code:
                return Verdict("unknown_code")
            if not _safely(recheck, fact, scene):
                return Verdict("evidence")
        return Verdict(self._cause(claim, language))

    def _words(self, claim: Claim, language: str) -> str:
        named = [fact.meets for fact in claim.facts] if claim.code in _NAMES else []
        own = _without(claim.text, _quoted(claim))
        folded = fold(own)
        if self._banned is not None and self._banned.search(folded):
            return "banned"
        if cause := self._safety.of_claim(claim.text, own, language):
            return cause
        quotes = claim.code not in _QUOTES or all(_quotes(claim.text, f) for f in claim.facts)
        if not quotes or any(fold(name) not in fold(claim.text) for name in named):
            return "value"
        if not _all_of([_value(found) for found in _NUMBER.findall(own)], claim.facts):
            return "number"
        if claim.code in _SHARES and not all(_tells_share(own, fact) for fact in claim.facts):
            return "number"
        return _comparisons(claim, folded)


def _quoted(claim: Claim) -> list[str]:
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


def _tells_share(own: str, fact: Fact) -> bool:
    """Whether a clause tells part and whole, and which is which: "41 of 45", "45条中41条"."""
    part, whole = (float(text) for text in fact.value.split(" "))
    told = [_value(found) for found in _NUMBER.findall(own)]
    masked = _NUMBER.sub("#", own)
    if part == whole and told == [whole]:
        return _ALL.search(masked) is not None
    if told == [part, whole] and _PART_FIRST.search(masked):
        return True
    return told == [whole, part] and _WHOLE_FIRST.search(masked) is not None


def _comparisons(claim: Claim, folded: str) -> str:
    """Returns what is wrong with how a clause compares and denies; empty when nothing is."""
    if cause := _compared(claim.code, _NUMBER.sub("0", folded)):
        return cause
    if claim.code == "exclusion_met" and not all(_denies(claim.text, f) for f in claim.facts):
        return "negation"
    return ""


@lru_cache(maxsize=8_192)
def _compared(code: str, words: str) -> str:
    """As `_comparisons`, of words alone: clauses differ in their numbers, and come back."""
    may, must = _MAY_SAY.get(code, set[str]()), _MUST_SAY.get(code)
    for kind, pattern in _COMPARATIVE.items():
        said = bool(pattern.search(words))
        if (said and kind not in may) or (must == kind and not said):
            return "negation" if kind == "negation" else "comparative"
    return ""


def faithfulness(claims: Sequence[tuple[Claim, Scene]], verifier: Verifier) -> float:
    """Share of claims that the verifier lets stand, 0 to 1; 1 when there are none."""
    if not claims:
        return 1.0
    return sum(verifier.check(claim, scene).holds for claim, scene in claims) / len(claims)


def _safely(recheck: RecheckFunction, fact: Fact, scene: Scene) -> bool:
    try:
        return recheck(fact, scene)
    except (ValueError, IndexError):  # a value that cannot be read back supports nothing
        return False


def _denies(text: str, fact: Fact) -> bool:
    """Whether a clause denies once, and what it denies is what was not wanted."""
    denials = list(_COMPARATIVE["negation"].finditer(fold(text)))
    if len(denials) != 1:
        return False
    return 0 <= fold(text)[denials[0].end() :].find(fold(fact.meets)) <= _BETWEEN


def _value(text: str) -> float:
    return float(text.replace(",", ""))


def _word_pattern(word: str) -> str:
    """Whole words for Latin script, anywhere for the rest."""
    folded = fold(word)
    pattern = re.escape(folded)
    if folded[:1].isascii() and folded[:1].isalpha():
        pattern = rf"(?<!\w){pattern}(?!\w)"
    return pattern


def _without(text: str, quoted: Sequence[str]) -> str:
    """Takes quoted values out, so that a title's own words are not taken for ours."""
    rest = text
    for value in sorted(quoted, key=len, reverse=True):
        # A "tee" must not be found in "guaranteed".
        left = r"(?<!\w)" if re.match(r"\w", value, re.ASCII) else ""
        right = r"(?!\w)" if re.search(r"\w$", value, re.ASCII) else ""
        pattern = re.compile(left + re.escape(value) + right, re.IGNORECASE | re.ASCII)
        rest = pattern.sub(" ", rest)
    return rest


def _quotes(text: str, fact: Fact) -> bool:
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
            for found in re.findall(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?", text):
                exact = float(found)
                forms = {exact, _rounded(exact, 2)}
                if fact.code in ("well_reviewed", "better_rated"):
                    forms.add(_rounded(exact, 1))
                numbers.append(forms)
    return sorted(numbers, key=len)  # the surest first


def _counted(fact: Fact) -> tuple[str, ...]:
    """What of a fact words of ours may count by: a title that is quoted whole counts nothing."""
    if fact.code in _TITLED:
        return ()
    named = fact.code in _NAMES or fact.code == "price_in_category"
    return (fact.value,) if named else (fact.value, fact.meets)


def _rounded(value: float, places: int) -> float:
    # Half up, as people round; repr keeps 4.65 from becoming 4.6499999.
    shifted = float(f"{value!r}e{places}") if "e" not in repr(value) else value * 10**places
    return float(f"{int(shifted + 0.5)}e-{places}")
