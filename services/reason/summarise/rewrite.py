"""Points in a fluent sentence with the most central sentences quoted, each with its reviews.

"Reviewers find it comfortable (9 of 11) and of good quality (4 of 5), but 4 of 6 find the size
off. In their words: “They run small.”" Of the reviews that speak of an aspect, so many say so.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from services.reason.summarise.points import Point
from services.reason.summarise.sentences import Text, count_words
from services.reason.summarise.verify import Claim, Rejected, verify
from services.reason.summarise.wordings import IT, of_it, wording

MOST_PROS, MOST_CONS, MOST_QUOTES = 4, 2, 3
LONGEST_QUOTE: Final = 20


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A text of claims that hold.

    Attributes:
        text: "" when there is none.
        claims: In the order of the text, each a part of it as it stands there.
        rejected: Those that were left out since they did not hold.
    """

    text: str
    claims: tuple[Claim, ...] = ()
    rejected: tuple[Rejected, ...] = ()


def rewrite(
    pros: Sequence[Point],
    cons: Sequence[Point],
    quotes: Sequence[tuple[str, str]],
    reviews: Sequence[Text],
    *,
    language: str,
    budget: int,
    banned: Collection[str] = (),
) -> Rewritten:
    """Writes a summary in new words.

    Args:
        pros: Points for, most reviews first.
        cons: Points against.
        quotes: Each the id of a review and a sentence of it, best first; as many as fit.
        reviews: Those that the points were counted over.
        language: "zh" or "en".
        budget: Words in all.
        banned: Words that may not stand in it.
    """
    drafts = [_claim(point, True, language) for point in pros[:MOST_PROS]]
    drafts += [_claim(point, False, language) for point in cons[:MOST_CONS]]
    drafts += [
        Claim("", True, 1, 1, (review,), text.strip())
        for review, text in quotes
        if count_words(text) <= LONGEST_QUOTE
    ]
    checked = verify(drafts, reviews, language, banned)
    points = [claim for claim in checked.kept if claim.aspect]
    while points and count_words(_compose(points, language)[0]) > budget:
        points.pop()
    said = points
    for quote in (claim for claim in checked.kept if not claim.aspect):
        # Without points, quotations alone are no summary in new words.
        longer = [*said, quote]
        enough = sum(not claim.aspect for claim in said) >= MOST_QUOTES
        if points and not enough and count_words(_compose(longer, language)[0]) <= budget:
            said = longer
    text, claims = _compose(said, language)
    return Rewritten(text, tuple(claims), checked.rejected)


def _claim(point: Point, praises: bool, language: str) -> Claim:
    aspect = point.aspect.code
    words = wording(aspect, praises, language)
    count, speaking = point.reviews, point.speaking
    if language == "zh":
        of = f"{speaking}条中{count}条"
        text = f"{words}（{of}）" if praises else f"{of}称{words}"
    elif praises:
        text = f"{words} ({count} of {speaking})"
    else:
        it = IT if of_it(aspect, praises, language) else ""
        text = f"{count} of {speaking} find {it}{words}"
    return Claim(aspect, praises, count, speaking, point.review_ids, text)


def _compose(claims: Sequence[Claim], language: str) -> tuple[str, list[Claim]]:
    """Joins claims; an "it" is said once, so those about it come first."""
    pros = sorted(
        (c for c in claims if c.aspect and c.praises),
        key=lambda c: not of_it(c.aspect, True, language),
    )
    cons = [c for c in claims if c.aspect and not c.praises]
    quotes = [c for c in claims if not c.aspect]
    said = _chinese(pros, cons) if language == "zh" else _english(pros, cons)
    if quotes:
        quoted = [f"“{quote.text}”" for quote in quotes]
        in_words = f" In their words: {' '.join(quoted)}"
        said += f"原话：{''.join(quoted)}" if language == "zh" else in_words
    return said, [*pros, *cons, *quotes]


def _english(pros: Sequence[Claim], cons: Sequence[Claim]) -> str:
    against = _listed([c.text for c in cons], " and ")
    if not pros:
        return f"Among reviewers, {against}." if cons else ""
    it = IT if of_it(pros[0].aspect, True, "en") else ""
    praise = f"Reviewers find {it}{_listed([c.text for c in pros], ' and ')}"
    return f"{praise}, but {against}." if cons else f"{praise}."


def _listed(parts: Sequence[str], last: str) -> str:
    return ", ".join(parts[:-1]) + (last if len(parts) > 1 else "") + parts[-1] if parts else ""


def _chinese(pros: Sequence[Claim], cons: Sequence[Claim]) -> str:
    praise, against = "、".join(c.text for c in pros), "、".join(c.text for c in cons)
    if not pros:
        return f"提到的评价中，{against}。" if cons else ""
    return f"评价称{praise}" + (f"，但{against}。" if cons else "。")
