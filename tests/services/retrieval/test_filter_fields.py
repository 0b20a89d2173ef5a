"""What a filter may name, as descriptions of the index tell it."""

from services.retrieval.fields import ValueKind
from services.retrieval.index_stats import FilterFields


def named(fields: FilterFields, version: int, **kinds: ValueKind) -> dict[str, str]:
    attributes = {key: frozenset({kind}) for key, kind in kinds.items()}
    return {f.name: f.kind for f in fields.of(version, attributes).filter_fields}


def test_attributes_stand_beside_the_fields_of_every_product() -> None:
    found = named(FilterFields(), 1, dpi=ValueKind.NUMBER)
    assert found["attributes.dpi"] == "number"
    assert found["in_stock"] == "boolean"


def test_they_are_made_once_for_a_version_and_anew_for_the_next() -> None:
    fields = FilterFields()
    attributes = {"dpi": frozenset({ValueKind.NUMBER})}
    assert fields.of(1, attributes) is fields.of(1, attributes)
    assert "attributes.ink" not in named(fields, 1, dpi=ValueKind.NUMBER)
    assert named(fields, 2, ink=ValueKind.KEYWORD)["attributes.ink"] == "keyword"
