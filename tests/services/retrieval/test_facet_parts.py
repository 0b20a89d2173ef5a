"""Categories, and which fields have facets."""

import pytest

from services.retrieval.facet_fields import FacetKind, categories, check_key
from services.retrieval.fields import ValueKind
from shared.errors import InvalidArgumentError

ATTRIBUTES = {
    "ram": frozenset({ValueKind.NUMBER}),
    "fit": frozenset({ValueKind.KEYWORD}),
    "size": frozenset({ValueKind.KEYWORD, ValueKind.NUMBER}),
}


def test_categories_are_paths() -> None:
    counts = [
        ("kitchen", 5), ("kettles", 3), ("kitchen > kettles", 3), ("books", 2),
        ("kitchen > pots", 2), ("pots", 2),
    ]  # fmt: skip
    assert categories(counts) == [
        ("kitchen", 5), ("kitchen > kettles", 3), ("books", 2), ("kitchen > pots", 2),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "with_intervals", "kind"),
    [
        ("brand", False, FacetKind.WORD),
        ("in_stock", False, FacetKind.WORD),
        ("price", False, FacetKind.NUMBER),
        ("attributes.ram", False, FacetKind.NUMBER),
        ("attributes.size", False, FacetKind.WORD),
        ("attributes.size", True, FacetKind.NUMBER),
    ],
)
def test_kinds(key: str, with_intervals: bool, kind: FacetKind) -> None:
    assert check_key(key, ATTRIBUTES, "facets[0]", with_intervals) is kind


@pytest.mark.parametrize(
    ("key", "with_intervals", "field"),
    [
        ("", False, "facets[3].key"),
        ("colr", False, "facets[3].key"),
        ("id", False, "facets[3].key"),
        ("release_time", False, "facets[3].key"),
        ("popularity", False, "facets[3].key"),
        ("attributes.nothing", False, "facets[3].key"),
        ("brand", True, "facets[3].intervals"),
        ("attributes.fit", True, "facets[3].intervals"),
    ],
)
def test_bad_keys_are_named(key: str, with_intervals: bool, field: str) -> None:
    with pytest.raises(InvalidArgumentError) as error:
        check_key(key, ATTRIBUTES, "facets[3]", with_intervals)
    assert [violation.field for violation in error.value.violations] == [field]
