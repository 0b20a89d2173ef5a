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
from services.reason.recheck import RECHECKS, RecheckFunction
from services.reason.safety.filter import SafetyFilter
from services.reason.verify_comparisons import fault
from services.reason.verify_numbers import are_told
from services.reason.verify_quotes import are_exact, are_held, quotable, without
from shared.text.normalise import fold

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


_HOLDS: Final = Verdict()


class Verifier:
    """Checks claims against the scene.

    Args:
        banned_words: Never in words of ours.
        safety: What no clause may say whatever its evidence; the default lists when absent.

    Causes: "no_evidence", "unknown_code", "evidence" (a fact is not so), "number", "value",
    "comparative", "negation", "cause" and "banned" (the words go beyond the facts), and those of
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
        cause = self._cause(claim, language)
        return Verdict(cause) if cause else _HOLDS

    def _words(self, claim: Claim, language: str) -> str:
        own = without(claim.text, quotable(claim))
        folded = fold(own)
        if self._banned is not None and self._banned.search(folded):
            return "banned"
        if cause := self._safety.of_claim(claim.text, own, language):
            return cause
        if not (are_held(claim) and are_exact(own)):
            return "value"
        if not are_told(claim, own):
            return "number"
        return fault(claim, folded)


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


def _word_pattern(word: str) -> str:
    """Whole words for Latin script, anywhere for the rest."""
    folded = fold(word)
    pattern = re.escape(folded)
    if folded[:1].isascii() and folded[:1].isalpha():
        pattern = rf"(?<!\w){pattern}(?!\w)"
    return pattern
