"""What a summary in the model's words says: a piece of evidence a clause, and how pieces group."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

from services.reason.language import number
from services.reason.summarise.points import Point
from services.reason.summarise.sentences import Text
from services.reason.summarise.verify import Claim
from services.reason.wording.filled import Filled
from services.reason.wording.opinions import FAULT, MIXED, PRAISE, RATED, READ, REQUIRED

CLAUSE_WORDS: Final = {"en": 13, "zh": 18}
"""Words of a clause, about."""
OPENING_WORDS: Final = {"en": 5, "zh": 8}
MOST: Final = 5
"""Points of a summary."""
_IN_SENTENCE: Final = 2
_ORDER: Final = {PRAISE: 0, MIXED: 1, FAULT: 2}


@dataclass(frozen=True, slots=True)
class Piece:
    """A clause to be said.

    Attributes:
        evidence: As the model sees it.
        claims: What it claims, without words yet: one, or both sides of divided views.
    """

    evidence: Filled
    claims: tuple[Claim, ...]


def plan(
    pros: Sequence[Point],
    cons: Sequence[Point],
    reviews: Sequence[Text],
    language: str,
    budget: int,
) -> list[list[Piece]]:
    """Returns the pieces of each sentence, as many as words are likely to suffice for.

    Args:
        pros: Points for, most reviews first.
        cons: Points against.
        reviews: Those that the points were counted over.
        language: "zh" or "en".
        budget: Words in all.
    """
    points = _by_weight(pros, cons)
    room = (budget - OPENING_WORDS[language]) // CLAUSE_WORDS[language]
    chosen = points[: max(1, min(room, MOST))]
    if not chosen:
        return []
    chosen.sort(key=lambda piece: _ORDER[piece.evidence.code])
    # The last sentences are full, as the first also tells how many reviews there are.
    first = len(chosen) % _IN_SENTENCE or min(_IN_SENTENCE, len(chosen))
    sentences = [[opening(reviews), *chosen[:first]]]
    rest = chosen[first:]
    return sentences + [rest[at : at + _IN_SENTENCE] for at in range(0, len(rest), _IN_SENTENCE)]


def opening(reviews: Sequence[Text]) -> Piece:
    """Returns how many reviews there are, with their mean stars where all of them have stars."""
    count = len(reviews)
    stars = mean_stars(reviews)
    kind = RATED if stars else READ
    fills = {"count": str(count), **({"stars": stars} if stars else {})}
    claim = Claim(kind, False, count, count, (), "")
    return Piece(Filled(kind, fills, REQUIRED[kind]), (claim,))


def mean_stars(reviews: Sequence[Text]) -> str:
    """Returns the mean of the stars to one place; "" unless every review has some."""
    if not reviews or any(review.rating <= 0 for review in reviews):
        return ""
    return number(sum(review.rating for review in reviews) / len(reviews), 1)


def _by_weight(pros: Sequence[Point], cons: Sequence[Point]) -> list[Piece]:
    """Pieces of both sides in turn, so that a short summary hides no objection."""
    against = {point.aspect.code: point for point in cons}
    divided = {point.aspect.code for point in pros} & against.keys()
    found: list[Piece] = []
    for praise, fault in zip_longest(pros, cons):
        if praise is not None:
            opposed = against.get(praise.aspect.code)
            found.append(_of(PRAISE, praise) if opposed is None else _divided(praise, opposed))
        if fault is not None and fault.aspect.code not in divided:
            found.append(_of(FAULT, fault))
    return found


def claim_of(point: Point, praises: bool) -> Claim:
    """Returns what a point claims, without words yet."""
    return Claim(point.aspect.code, praises, point.reviews, point.speaking, point.review_ids, "")


def _of(side: str, point: Point) -> Piece:
    fills = {"count": str(point.reviews), "total": str(point.speaking)}
    kind = f"{side}.{point.aspect.code}"
    return Piece(Filled(kind, fills, REQUIRED[side]), (claim_of(point, side == PRAISE),))


def _divided(praise: Point, fault: Point) -> Piece:
    fills = {
        "praise": str(praise.reviews),
        "count": str(fault.reviews),
        "total": str(praise.speaking),
    }
    kind = f"{MIXED}.{praise.aspect.code}"
    claims = (claim_of(praise, True), claim_of(fault, False))
    return Piece(Filled(kind, fills, REQUIRED[MIXED]), claims)
