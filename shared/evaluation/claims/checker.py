"""Reads the claims of a sentence back out of its words, and holds each against the records."""

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from shared.evaluation.claims.attributes import check_attributes
from shared.evaluation.claims.numbers import check_numbers
from shared.evaluation.claims.opinions import check_opinions
from shared.evaluation.claims.phrases import check_phrases
from shared.evaluation.claims.placing import check_placing
from shared.evaluation.claims.quotes import check_quotes
from shared.evaluation.claims.record import Record
from shared.evaluation.claims.ties import check_ties
from shared.evaluation.claims.words import check_words

_SEPARATOR: Final = re.compile(r"[;；。！!，、]|,(?!\d)|\.(?=\s|$)")

_EDGES: Final = " ,.;，。；、!！"


@dataclass(frozen=True, slots=True)
class CheckedClaim:
    """One claim: a stretch of the sentence between separators that says something checkable."""

    text: str
    causes: tuple[str, ...]
    """Why the records do not support it; empty when they do."""

    @property
    def supported(self) -> bool:
        """Whether the records support all of it."""
        return not self.causes


@dataclass(frozen=True, slots=True)
class CheckedText:
    """A sentence with its claims."""

    text: str
    claims: tuple[CheckedClaim, ...]

    @property
    def unsupported(self) -> tuple[CheckedClaim, ...]:
        """Claims that the records do not support."""
        return tuple(claim for claim in self.claims if not claim.supported)


def check_text(text: str, record: Record) -> CheckedText:
    """Checks all that a sentence says.

    Quoted titles first, then attributes stated by name, then numbers with their units, then set
    phrases, then every word that is left: what one step accounts for, the next no longer sees.
    """
    findings: list[tuple[int, int, str]] = []
    left = text
    for step in (
        check_quotes,
        check_attributes,
        check_opinions,
        check_numbers,
        check_placing,
        check_ties,
        check_phrases,
    ):
        found = list(step(left, record))
        findings.extend(found)
        for start, end, _ in found:
            left = left[:start] + " " * (end - start) + left[end:]
    findings.extend(check_words(text, left, record))
    claims: list[CheckedClaim] = []
    for start, end in _segments(text, findings):
        inside = [cause for begin, _, cause in findings if start <= begin < end]
        if inside:
            causes = tuple(dict.fromkeys(cause for cause in inside if cause))
            claims.append(CheckedClaim(text[start:end].strip(_EDGES), causes))
    return CheckedText(text, tuple(claims))


def _segments(text: str, findings: list[tuple[int, int, str]]) -> list[tuple[int, int]]:
    """Cuts a text at separators that stand in no finding, such as a quoted title."""
    cuts = [
        found.start()
        for found in _SEPARATOR.finditer(text)
        if not any(start <= found.start() < end for start, end, _ in findings)
    ]
    bounds = [0, *(cut + 1 for cut in cuts), len(text)]
    return [(start, end) for start, end in pairwise(bounds) if start < end]
