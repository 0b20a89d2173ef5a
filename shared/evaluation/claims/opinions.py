"""Counts of reviews that come in pairs: how many praise an aspect, of how many that speak of it."""

import re
from collections.abc import Iterator
from typing import Final

from shared.evaluation.claims.record import Record

_N: Final = r"(?P<some>\d[\d,]*)"
_M: Final = r"(?P<all>\d[\d,]*)"
_PAIRS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_N} of (?:the )?{_M}(?= (?:reviews|reviewers|say|buyers)\b)",
        rf"\bof {_M} reviews on its [a-z ]{{4,20}}? {_N}(?= (?:are|praise)\b)",
        rf"{_M}条(?:相关)?(?:评价|评论|点评)[中里]，?有?{_N}条",
        rf"{_N}条(?:评价|评论|点评)[^；。\d]{{2,12}}(?:评价|评论|点评)共{_M}条",
    )
)
_ASPECTS: Final = {
    "value_for_money": re.compile(r"\bvalue\b|性价比|划算", re.IGNORECASE),
    "quality": re.compile(r"\bquality\b|质量|做工|品质", re.IGNORECASE),
    "reputation": re.compile(r"\breputation\b|口碑", re.IGNORECASE),
    "gift": re.compile(r"\bgifts?\b|送礼|送人|礼物", re.IGNORECASE),
}
_THAT_MENTION: Final = re.compile(r" reviews that mention (?:its )?", re.IGNORECASE)
"""Behind a pair: what follows is its aspect, whatever stands nearer before it."""


def check_opinions(text: str, record: Record) -> Iterator[tuple[int, int, str]]:
    """Yields the spans of both numbers of each pair, and their problem or "".

    A sentence may praise two things, so the aspect is the one that is named next to the pair.

    Args:
        text: The sentence, quoted titles blanked.
        record: The records.
    """
    taken: set[int] = set()
    for pattern in _PAIRS:
        for found in pattern.finditer(text):
            if found.start("some") in taken or found.start("all") in taken:
                continue
            taken |= {found.start("some"), found.start("all")}
            some, every = (int(found[name].replace(",", "")) for name in ("some", "all"))
            aspect = _nearest_aspect(text, *found.span())
            known = any(
                opinion.aspect == aspect
                and some == opinion.positive_count > opinion.negative_count
                and every == opinion.positive_count + opinion.negative_count
                for opinion in record.product.review_summary.opinions
            )
            for name in ("some", "all"):
                yield *found.span(name), "" if known else "praise"


def _nearest_aspect(text: str, start: int, end: int) -> str:
    """The aspect whose word stands next to a place: between its commas, else in its clause."""
    if mention := _THAT_MENTION.match(text, end):
        for aspect, pattern in _ASPECTS.items():
            if pattern.match(text, mention.end()):
                return aspect
    for marks in (",，;；。", ";；。"):
        first = max(text.rfind(mark, 0, start) for mark in marks) + 1
        ends = [at for mark in marks if (at := text.find(mark, end)) >= 0]
        last = min(ends, default=len(text))
        near: list[tuple[int, str]] = []
        for aspect, pattern in _ASPECTS.items():
            for word in pattern.finditer(text, first, last):
                near.append((max(start - word.end(), word.start() - end, 0), aspect))
        if near:
            return min(near)[1]
    return ""
