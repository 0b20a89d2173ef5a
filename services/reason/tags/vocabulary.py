"""The controlled vocabulary: which tags there are, how texts write them, and where they apply."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from services.reason.language import is_chinese

SELLING_POINT: Final = "selling_point"
"""Key of the terms that are no attribute."""
TermId = tuple[str, str]
"""Key and value."""
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Term:
    """One tag that a product may get.

    Attributes:
        key: Of the attribute, or SELLING_POINT.
        value: As the shop writes it, or the code of the selling point.
        forms: How texts write it, in any language; matched as whole words.
        categories: Paths under which it applies; everywhere when there are none.
    """

    key: str
    value: str
    forms: tuple[str, ...] = ()
    categories: tuple[Path, ...] = ()

    @property
    def id(self) -> TermId:
        """Key and value."""
        return self.key, self.value

    @property
    def is_selling_point(self) -> bool:
        """Whether it says what speaks for a product."""
        return self.key == SELLING_POINT

    def applies(self, path: Sequence[str]) -> bool:
        """Whether a product of this category path may get it."""
        return not self.categories or any(tuple(path[: len(c)]) == c for c in self.categories)

    def label(self, language: str) -> str:
        """Returns it in a language, where a form in it is known; else the value."""
        wants_chinese = language == "zh"
        if is_chinese(self.value) == wants_chinese:
            return self.value
        return next((f for f in self.forms if is_chinese(f) == wants_chinese), self.value)


@dataclass(frozen=True)
class Vocabulary:
    """All terms.

    Attributes:
        terms: Each key and value once.
        praise: What reviewers may praise (an aspect of summaries) -> its labels by language.
        version: Hash of the file it was read from.
    """

    terms: tuple[Term, ...]
    praise: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    version: str = ""

    @cached_property
    def places(self) -> dict[TermId, int]:
        """Position of each term."""
        return {term.id: at for at, term in enumerate(self.terms)}

    def applying(self, path: Sequence[str]) -> frozenset[int]:
        """Returns the positions of the terms that a product of this category may get."""
        return frozenset(at for at, term in enumerate(self.terms) if term.applies(path))


def merge_forms(*groups: Iterable[str]) -> tuple[str, ...]:
    """Returns all forms once, in order."""
    return tuple(dict.fromkeys(form for group in groups for form in group if form.strip()))
