"""Related terms of one language, learnt from catalogues and a taxonomy; read from a file.

A line of `data/related_terms.tsv` is: term, related term, confidence from 0 to 1, and where it was
learnt, with tabs between them (services/nlu/train/related_terms.py writes it).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files


class RelatedBy(StrEnum):
    """What two terms were learnt to be related by."""

    KIND = "kind"
    """Products with the term in their titles are of the kind that the other term names."""
    CONTEXT = "context"
    """Both stand in the same contexts, and one in place of the other."""
    PARENT = "parent"
    """The other term is the category above in a taxonomy."""


@dataclass(frozen=True, slots=True)
class RelatedTerm:
    """A term that may stand in for another, with a confidence from 0 to 1."""

    term: str
    confidence: float
    by: RelatedBy


def read_related(text: str) -> Mapping[str, Sequence[RelatedTerm]]:
    """Reads related terms by term, surest first.

    Raises:
        ValueError: A line is not of the form above.
    """
    related: dict[str, list[RelatedTerm]] = defaultdict(list)
    for number, line in enumerate(text.splitlines(), 1):
        if not line or line.startswith("# "):
            continue
        try:
            term, other, confidence, by = line.split("\t")
            related[term].append(RelatedTerm(other, float(confidence), RelatedBy(by)))
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from error
    return {
        term: sorted(others, key=lambda other: -other.confidence)
        for term, others in related.items()
    }


@lru_cache(maxsize=1)
def related_terms() -> Mapping[str, Sequence[RelatedTerm]]:
    """Returns the related terms that come with the service."""
    return read_related(files("services.nlu").joinpath("data/related_terms.tsv").read_text("utf-8"))
