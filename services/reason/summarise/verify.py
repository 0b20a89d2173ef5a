"""Whether what a rewritten summary claims is borne out by the reviews that it names.

Every cited review is read again, alone; counts are taken anew from all reviews. What fails is left
out, with its cause, as in `services/reason/verify.py` for reasons.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from services.reason.language import is_chinese
from services.reason.summarise.points import sides_of
from services.reason.summarise.sentences import Text
from services.reason.summarise.wordings import IT, wording

Cause = Literal["evidence", "number", "value", "banned", "language"]
_NUMBER: Final = re.compile(r"\d+")
_FRAME: Final = re.compile(r"\d+|[()（）]|\b(?:of|find)\b|条中|条称?")


@dataclass(frozen=True, slots=True)
class Claim:
    """What a summary says of an aspect, or a quotation.

    Attributes:
        aspect: Its code; "" of a quotation, READ or RATED of what opens a summary.
        praises: Whether for or against.
        count: Reviews that say so.
        speaking: Reviews that speak of the aspect at all.
        review_ids: Those that say so.
        text: As it stands in the summary.
        by_model: Whether the language model worded it.
    """

    aspect: str
    praises: bool
    count: int
    speaking: int
    review_ids: tuple[str, ...]
    text: str
    by_model: bool = False


@dataclass(frozen=True, slots=True)
class Rejected:
    """A claim that does not hold."""

    claim: Claim
    cause: Cause


@dataclass(frozen=True, slots=True)
class Verified:
    """Claims, judged."""

    kept: tuple[Claim, ...]
    rejected: tuple[Rejected, ...]


class Reread:
    """Reviews, each read again alone.

    Args:
        reviews: Those that the points were counted over.
    """

    def __init__(self, reviews: Sequence[Text]) -> None:
        self.reviews = reviews
        self.sides = {review.id: sides_of(review) for review in reviews}
        self.bodies = {review.id: review.body for review in reviews}

    def saying(self, aspect: str, praises: bool) -> set[str]:
        """Returns the ids of the reviews that say so."""
        return {review for review, found in self.sides.items() if (aspect, praises) in found}

    def speaking(self, aspect: str) -> int:
        """Returns how many reviews speak of an aspect, for or against."""
        return sum(any(of == aspect for of, _ in found) for found in self.sides.values())


def verify(
    claims: Sequence[Claim],
    reviews: Sequence[Text] | Reread,
    language: str,
    banned: Collection[str] = (),
) -> Verified:
    """Returns the claims that hold, in order, and those that don't with the cause."""
    reread = reviews if isinstance(reviews, Reread) else Reread(reviews)
    kept: list[Claim] = []
    rejected: list[Rejected] = []
    for claim in claims:
        cause = _fault(claim, reread, language, banned)
        if cause is None:
            kept.append(claim)
        else:
            rejected.append(Rejected(claim, cause))
    return Verified(tuple(kept), tuple(rejected))


def fault_of_words(text: str, language: str, banned: Collection[str]) -> Cause | None:
    """Returns what words of ours must not be whatever the evidence, if they are."""
    if any(word.casefold() in text.casefold() for word in banned):
        return "banned"
    return "language" if is_chinese(text) != (language == "zh") else None


def fault_of_evidence(claim: Claim, reread: Reread) -> Cause | None:
    """Returns what is wrong with the reviews that a point names, and with its counts."""
    ids = set(claim.review_ids)
    saying = reread.saying(claim.aspect, claim.praises)
    if not ids or not ids <= saying:
        return "evidence"
    counted = (claim.count, claim.speaking) == (len(saying), reread.speaking(claim.aspect))
    return None if counted and ids == saying else "number"


def _fault(claim: Claim, reread: Reread, language: str, banned: Collection[str]) -> Cause | None:
    ids = set(claim.review_ids)
    if not ids or not ids <= reread.bodies.keys():
        return "evidence"
    if cause := fault_of_words(claim.text, language, banned):
        return cause
    if not claim.aspect:
        return None if all(claim.text in reread.bodies[review] for review in ids) else "evidence"
    return fault_of_evidence(claim, reread) or _fault_of_frame(claim, language)


def _fault_of_frame(claim: Claim, language: str) -> Cause | None:
    said = sorted(int(number) for number in _NUMBER.findall(claim.text))
    if said != sorted((claim.count, claim.speaking)):
        return "number"
    # Nothing is said beyond the wording of that aspect and side: no denial, no adjective.
    wanted = wording(claim.aspect, claim.praises, language)
    return None if _without_frame(claim.text) == _without_frame(wanted) else "value"


def _without_frame(text: str) -> str:
    return " ".join(_FRAME.sub(" ", text).split()).removeprefix(IT)
