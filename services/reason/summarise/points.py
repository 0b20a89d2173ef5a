"""What reviewers praise and fault, counted by reviews.

Aspects are found by patterns (`data/aspects.toml`), after Hu and Liu, "Mining and summarizing
customer reviews", KDD 2004. A denial before a pattern turns its side round ("not comfortable").
What is wished for, supposed or asked is no opinion.
"""

import re
import tomllib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from services.reason.language import is_chinese
from services.reason.summarise.sentences import Text, split

LEAST: Final = 2
"""Reviews that make a point."""
EXAMPLES: Final = 3
_DATA: Final = Path(__file__).parent / "data" / "aspects.toml"
_DENIED_EN: Final = re.compile(
    r"\b(?:not|no|never|isn't|wasn't|aren't|don't|doesn't|didn't|weren't|nothing|without|hardly)"
    r"(?! only\b| just\b)(?: \w+){0,2} ?$",
    re.IGNORECASE,
)
_DENIED_ZH: Final = re.compile(r"(?:不|没有?|并非|不是|毫无)(?:很|太|怎么|那么|会|算)?$")
_SUPPOSED: Final = re.compile(
    r"\b(?:if|hope|hoping|wish|should be|would be|might|unless|going to|not available|"
    r"could (?:be|cause))\b"
    r"|希望|如果|要是|以为|担心|[?？]\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Aspect:
    """What a product can be praised or faulted for.

    Attributes:
        code: In snake_case.
        labels: By language.
        sides: Whether a pattern praises, with all patterns of that side and language in one.
        unless: Sentences with a word of it do not speak of the aspect ("a beautiful voice").
    """

    code: str
    labels: dict[str, str]
    sides: tuple[tuple[bool, re.Pattern[str]], ...]
    unless: re.Pattern[str] | None = None


@dataclass(frozen=True, slots=True)
class Mention:
    """Words that make a point; [start, end) in code points of the review."""

    review_id: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Point:
    """What reviews agree on.

    Attributes:
        aspect: What it is about.
        reviews: Distinct reviews that say so.
        opposing: Distinct reviews that say the opposite.
        mentions: Words that say so, one a review, EXAMPLES at most.
        speaking: Distinct reviews that speak of the aspect, either way.
        review_ids: Those that say so, in the order of the reviews.
    """

    aspect: Aspect
    reviews: int
    opposing: int
    mentions: tuple[Mention, ...]
    speaking: int = 0
    review_ids: tuple[str, ...] = ()


@cache
def aspects() -> tuple[Aspect, ...]:
    """Returns the aspects that come along."""
    table = tomllib.loads(_DATA.read_text(encoding="utf-8"))
    return tuple(
        Aspect(
            code,
            {language: row[language] for language in ("en", "zh")},
            tuple(
                (side == "praise", _pattern(row[f"{side}_{language}"], language))
                for side in ("fault", "praise")
                for language in ("en", "zh")
            ),
            _pattern([row["unless_en"]], "en") if "unless_en" in row else None,
        )
        for code, row in table.items()
    )


def _pattern(forms: Sequence[str], language: str) -> re.Pattern[str]:
    either = "|".join(forms)
    return re.compile(rf"\b(?:{either})\b" if language == "en" else f"(?:{either})", re.IGNORECASE)


def count_points(
    reviews: Sequence[Text], language: str, most: int
) -> tuple[list[Point], list[Point]]:
    """Returns the points for and against, most reviews first.

    Args:
        reviews: Without near-duplicates.
        language: Examples in it come first, "zh" or "en".
        most: Points on each side.
    """
    found: dict[tuple[str, bool], dict[str, Mention]] = defaultdict(dict)
    for review in reviews:
        for aspect, praises, mention in _mentions(review):
            found[aspect.code, praises].setdefault(review.id, mention)
    return _side(found, language, most, praises=True), _side(found, language, most, praises=False)


def sides_of(review: Text) -> set[tuple[str, bool]]:
    """Returns the aspects that a review speaks of, each with whether it praises."""
    return {(aspect.code, praises) for aspect, praises, _ in _mentions(review)}


def _side(
    found: dict[tuple[str, bool], dict[str, Mention]], language: str, most: int, *, praises: bool
) -> list[Point]:
    points: list[Point] = []
    for aspect in aspects():
        mentions = found.get((aspect.code, praises), {})
        if len(mentions) >= LEAST:
            ordered = sorted(
                mentions.values(), key=lambda m: is_chinese(m.text) != (language == "zh")
            )
            against = found.get((aspect.code, not praises), {})
            points.append(
                Point(
                    aspect,
                    len(mentions),
                    len(against),
                    tuple(ordered[:EXAMPLES]),
                    speaking=len(mentions.keys() | against.keys()),
                    review_ids=tuple(mentions),
                )
            )
    points.sort(key=lambda point: -point.reviews)  # stable: ties keep the order of the file
    return points[:most]


def _mentions(review: Text) -> list[tuple[Aspect, bool, Mention]]:
    made: list[tuple[Aspect, bool, Mention]] = []
    for sentence in split(review.body):
        if _SUPPOSED.search(sentence.text):
            continue
        for aspect in aspects():
            if aspect.unless and aspect.unless.search(sentence.text):
                continue
            taken: list[tuple[int, int]] = []
            for praises, pattern in aspect.sides:
                for match in pattern.finditer(sentence.text):
                    # "uncomfortable" is no praise, nor is what lies in a longer fault.
                    if any(match.start() < end and start < match.end() for start, end in taken):
                        continue
                    taken.append(match.span())
                    start, denied = _denial(sentence.text, match.start())
                    at = sentence.start + start
                    words = sentence.text[start : match.end()]
                    mention = Mention(review.id, words, at, at + len(words))
                    made.append((aspect, praises is not denied, mention))
    return made


def _denial(sentence: str, start: int) -> tuple[int, bool]:
    before = sentence[:start]
    denial = _DENIED_EN.search(before) or _DENIED_ZH.search(before)
    return (denial.start(), True) if denial else (start, False)
