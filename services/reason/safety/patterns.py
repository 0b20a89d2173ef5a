"""Lists of patterns by category and language, compiled to one expression for each language."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final, cast

_HAN: Final = re.compile(r"[\u3400-\u9fff]")
_NUMBER: Final = re.compile(r"\d+(?:[.,]\d+)*")
_TELLING: Final = ("1", "100")
LANGUAGES: Final = ("en", "zh")
DATA: Final = Path(__file__).parent / "data"
Lists = Mapping[str, Mapping[str, Sequence[str]]]
"""Patterns by category, then language."""


def read_lists(path: Path) -> Lists:
    """Reads lists from a TOML file: a table a category, in it "en" and "zh".

    Raises:
        OSError: It cannot be read.
        ValueError: It is no TOML, has another form, or a pattern is no regular expression.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for category, by_language in cast(
        "dict[str, object]", tomllib.loads(path.read_text("utf-8"))
    ).items():
        if not isinstance(by_language, dict) or not re.fullmatch(r"[a-z_]+", category):
            raise ValueError(f"{path}: [{category}] must be a table named in lower-case letters")
        read = found.setdefault(category, {})
        for language, patterns in cast("dict[str, object]", by_language).items():
            where = f"{path}: {category}.{language}"
            if language not in LANGUAGES or not isinstance(patterns, list):
                raise ValueError(f"{where} must be a list of texts, under en or zh")
            for pattern in cast("list[object]", patterns):
                _check(pattern, where)
            read[language] = cast("list[str]", patterns)
    return found


def _check(pattern: object, where: str) -> None:
    if not isinstance(pattern, str):
        raise ValueError(f"{where}: {pattern!r} is no text")  # noqa: TRY004 - of the file's form
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{where}: {pattern!r} is no regular expression: {error}") from error
    if compiled.search("") is not None:
        raise ValueError(f"{where}: {pattern!r} matches everything")


class PatternSearch:
    """Finds the first category of which a text holds a pattern.

    Texts are searched for the patterns of all languages: a Chinese sentence may hold "No. 1".

    Args:
        lists: In the order in which categories are told.
    """

    def __init__(self, *lists: Lists) -> None:
        merged: dict[str, list[str]] = {}
        for each in lists:
            for category, by_language in each.items():
                for patterns in by_language.values():
                    merged.setdefault(category, []).extend(patterns)
        self._patterns = [
            (category, compiled)
            for category, patterns in merged.items()
            for compiled in _compiled(patterns)
        ]
        # Clauses differ in their numbers, and their words come back in page after page.
        self._found = lru_cache(maxsize=8_192)(self._find)

    def find(self, folded: str) -> str:
        """Returns a category of which a folded text holds a pattern; "" when there is none."""
        return self._found(_NUMBER.sub(_masked, folded))

    def _find(self, folded: str) -> str:
        for category, pattern in self._patterns:
            if pattern.search(folded) is not None:
                return category
        return ""


def _masked(number: re.Match[str]) -> str:
    """A number that no claim is made of ("No. 1", "100 %"), as any other such number."""
    return number[0] if number[0] in _TELLING else "0"


def _compiled(patterns: Sequence[str]) -> Iterator[re.Pattern[str]]:
    """Yields one expression of whole words, and one of Han, which no blanks hold apart."""
    han = [each for each in patterns if _HAN.search(each)]
    latin = [each for each in patterns if not _HAN.search(each)]
    if latin:
        yield re.compile(rf"(?<![a-z0-9])(?:{'|'.join(latin)})(?![a-z0-9])")
    if han:
        yield re.compile("|".join(han))
