"""Whether what a rewritten summary claims is borne out by the reviews that it names.

Every cited review is read again, alone; counts are taken anew from all reviews. What fails is left
out, with its cause, as in `services/reason/verify.py` for reasons.
"""

import re
from collections.abc import Collection, Mapping, Sequence
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
        aspect: Its code; "" of a quotation.
        praises: Whether for or against.
        count: Reviews that say so.
        speaking: Reviews that speak of the aspect at all.
        review_ids: Those that say so.
        text: As it stands in the summary.
    """

    aspect: str
    praises: bool
    count: int
    speaking: int
    review_ids: tuple[str, ...]
    text: str


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


def verify(
    claims: Sequence[Claim], reviews: Sequence[Text], language: str, banned: Collection[str] = ()
) -> Verified:
    """Returns the claims that hold, in order, and those that don't with the cause."""
    sides = {review.id: sides_of(review) for review in reviews}
    bodies = {review.id: review.body for review in reviews}
    kept: list[Claim] = []
    rejected: list[Rejected] = []
    for claim in claims:
        cause = _fault(claim, sides, bodies, language, banned)
        if cause is None:
            kept.append(claim)
        else:
            rejected.append(Rejected(claim, cause))
    return Verified(tuple(kept), tuple(rejected))


def _fault(
    claim: Claim,
    sides: Mapping[str, Collection[tuple[str, bool]]],
    bodies: Mapping[str, str],
    language: str,
    banned: Collection[str],
) -> Cause | None:
    ids = set(claim.review_ids)
    if not ids or not ids <= bodies.keys():
        return "evidence"
    if any(word.casefold() in claim.text.casefold() for word in banned):
        return "banned"
    if is_chinese(claim.text) != (language == "zh"):
        return "language"
    if not claim.aspect:
        return None if all(claim.text in bodies[review] for review in ids) else "evidence"
    return _fault_of_point(claim, sides, language)


def _fault_of_point(
    claim: Claim, sides: Mapping[str, Collection[tuple[str, bool]]], language: str
) -> Cause | None:
    ids = set(claim.review_ids)
    saying = {r for r, found in sides.items() if (claim.aspect, claim.praises) in found}
    if not ids <= saying:
        return "evidence"
    speaking = sum(any(aspect == claim.aspect for aspect, _ in each) for each in sides.values())
    said = sorted(int(number) for number in _NUMBER.findall(claim.text))
    if said != sorted((len(saying), speaking)) or ids != saying or claim.count != len(saying):
        return "number"
    # Nothing is said beyond the wording of that aspect and side: no denial, no adjective.
    wanted = wording(claim.aspect, claim.praises, language)
    return None if _without_frame(claim.text) == _without_frame(wanted) else "value"


def _without_frame(text: str) -> str:
    return " ".join(_FRAME.sub(" ", text).split()).removeprefix(IT)
