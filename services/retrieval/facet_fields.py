"""Which fields have facets."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from services.retrieval.fields import ValueKind
from services.retrieval.filters import ATTRIBUTES, FILTER_FIELDS
from shared.category_path import CATEGORY_SEPARATOR
from shared.errors import InvalidArgumentError

_NO_FACETS: Final = ("id", "text", "release_time")


class FacetKind(StrEnum):
    """How a field is counted."""

    WORD = "word"
    """By its values."""
    NUMBER = "number"
    """By intervals."""


def check_key(
    key: str, attributes: Mapping[str, frozenset[ValueKind]], field: str, with_intervals: bool
) -> FacetKind:
    """Returns how a field is counted.

    Args:
        key: Name of the field.
        attributes: Of the catalogue, with the kinds of their values.
        field: Path of the spec, to name in errors.
        with_intervals: Whether intervals were given.

    Raises:
        InvalidArgumentError: There is no such field, or it has no facets, or no numbers.
    """
    if key.startswith(ATTRIBUTES):
        kinds = set(attributes.get(key.removeprefix(ATTRIBUTES), ()))
        if not kinds:
            raise InvalidArgumentError.of(f"{field}.key", f"no product has {key[:150]!r}")
        only_numbers = kinds == {ValueKind.NUMBER}
        numeric = only_numbers or (with_intervals and ValueKind.NUMBER in kinds)
    elif key in FILTER_FIELDS and key not in _NO_FACETS:
        numeric = FILTER_FIELDS[key] is ValueKind.NUMBER
    else:
        problem = "has no facets" if key in _NO_FACETS else "is no field"
        raise InvalidArgumentError.of(f"{field}.key", f"{key[:150]!r} {problem}")
    if with_intervals and not numeric:
        raise InvalidArgumentError.of(f"{field}.intervals", f"{key[:150]!r} has no numbers")
    return FacetKind.NUMBER if numeric else FacetKind.WORD


def categories(counts: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """Returns the paths among the values of "category", which hold each level's name too.

    A name by itself is that of a top category when a path starts with it, or when it is on no path.
    """
    paths = [value for value, _ in counts if CATEGORY_SEPARATOR in value]
    roots = {path.split(CATEGORY_SEPARATOR, 1)[0] for path in paths}
    below = {level for path in paths for level in path.split(CATEGORY_SEPARATOR)[1:]}
    return [
        (value, count)
        for value, count in counts
        if CATEGORY_SEPARATOR in value or value in roots or value not in below
    ]
