"""Points in fluent sentences with the most central sentences quoted, each with its reviews.

The language model words the points where it is; fixed wordings say what it does not: "Reviewers
find it comfortable (9 of 11) and of good quality (4 of 5), but 4 of 6 find the size off. In their
words: “They run small.”" Of the reviews that speak of an aspect, so many say so.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

from services.reason.summarise.pieces import claim_of
from services.reason.summarise.points import Point
from services.reason.summarise.sentences import Text, count_words
from services.reason.summarise.verify import Claim, Rejected, Reread, verify
from services.reason.summarise.worded import Sentence, Worded
from services.reason.summarise.wordings import IT, of_it, wording
from services.reason.wording.opinions import RATED, READ

MOST_PROS, MOST_CONS, MOST_QUOTES = 4, 2, 3
LONGEST_QUOTE: Final = 20


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A text of claims that hold.

    Attributes:
        text: "" when there is none.
        claims: In the order of the text, each a part of it as it stands there.
        rejected: Those that were left out since they did not hold.
        version: Names the model that worded some of it; "" where none did.
    """

    text: str
    claims: tuple[Claim, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    version: str = ""


@dataclass(frozen=True, slots=True)
class _Part:
    """Sentences and the claims in them."""

    text: str
    claims: tuple[Claim, ...]


def rewrite(
    pros: Sequence[Point],
    cons: Sequence[Point],
    quotes: Sequence[tuple[str, str]],
    reviews: Sequence[Text],
    *,
    language: str,
    budget: int,
    banned: Collection[str] = (),
    worded: Worded | None = None,
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
        worded: What the model says of the points; fixed wordings say all when None.
    """
    reread = worded.reread if worded else Reread(reviews)
    rejected = [each for s in worded.sentences for each in s.rejected] if worded else []
    parts: list[_Part] = []
    for sentence in worded.sentences if worded else ():
        # What does not fit, or does not stand, may do so in the shorter fixed wording.
        for part in (_Part(sentence.text, tuple(sentence.claims)), _fixed(sentence, language)):
            checked = verify([c for c in part.claims if not c.by_model], reread, language, banned)
            if part.text and not checked.rejected and _words([*parts, part], language) <= budget:
                parts.append(part)
                break
    if not any(claim.by_model for part in parts for claim in part.claims):
        drafts = [_worded(claim_of(point, True), language) for point in pros[:MOST_PROS]]
        drafts += [_worded(claim_of(point, False), language) for point in cons[:MOST_CONS]]
        checked = verify(drafts, reread, language, banned)
        rejected += checked.rejected
        points = list(checked.kept)
        while points and count_words(_compose(points, language).text) > budget:
            points.pop()
        parts = [_compose(points, language)] if points else []
    if not parts:
        return Rewritten("", (), tuple(rejected))
    quoted = verify(_quotes(quotes), reread, language, banned)
    rejected += quoted.rejected
    said: list[Claim] = []
    for quote in quoted.kept:
        fits = _words([*parts, _quoted([*said, quote], language)], language) <= budget
        if fits and len(said) < MOST_QUOTES:
            said.append(quote)
    if said:
        parts.append(_quoted(said, language))
    claims = tuple(claim for part in parts for claim in part.claims)
    version = worded.version if worded and any(c.by_model for c in claims) else ""
    return Rewritten(_join(parts, language), claims, tuple(rejected), version)


def _quotes(quotes: Sequence[tuple[str, str]]) -> list[Claim]:
    return [
        Claim("", True, 1, 1, (review,), text.strip())
        for review, text in quotes
        if count_words(text) <= LONGEST_QUOTE
    ]


def _quoted(quotes: Sequence[Claim], language: str) -> _Part:
    marked = [f"“{quote.text}”" for quote in quotes]
    text = f"原话：{''.join(marked)}" if language == "zh" else f"In their words: {' '.join(marked)}"
    return _Part(text, tuple(quotes))


def _join(parts: Sequence[_Part], language: str) -> str:
    return ("" if language == "zh" else " ").join(part.text for part in parts)


def _words(parts: Sequence[_Part], language: str) -> int:
    return count_words(_join(parts, language))


def _fixed(sentence: Sentence, language: str) -> _Part:
    """A sentence of the model in fixed wordings, which open nothing."""
    claims = [claim for piece in sentence.pieces for claim in piece.claims]
    points = [_worded(c, language) for c in claims if c.aspect not in (READ, RATED)]
    return _compose(points, language)


def _worded(claim: Claim, language: str) -> Claim:
    words = wording(claim.aspect, claim.praises, language)
    count, speaking = claim.count, claim.speaking
    if language == "zh":
        of = f"{speaking}条中{count}条"
        text = f"{words}（{of}）" if claim.praises else f"{of}称{words}"
    elif claim.praises:
        text = f"{words} ({count} of {speaking})"
    else:
        it = IT if of_it(claim.aspect, False, language) else ""
        text = f"{count} of {speaking} find {it}{words}"
    return replace(claim, text=text)


def _compose(claims: Sequence[Claim], language: str) -> _Part:
    """Joins points; an "it" is said once, so those about it come first."""
    pros = sorted(
        (claim for claim in claims if claim.praises),
        key=lambda claim: not of_it(claim.aspect, True, language),
    )
    cons = [claim for claim in claims if not claim.praises]
    said = _chinese(pros, cons) if language == "zh" else _english(pros, cons)
    return _Part(said, (*pros, *cons))


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
