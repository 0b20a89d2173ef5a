"""Which related words the sparse leg is given."""

import pytest

from services.nlu.domain import Entity, EntityType
from services.nlu.expansion import expand


def entity(text: str, normalized: str, kind: EntityType, *, negated: bool = False) -> Entity:
    return Entity(kind, text, normalized, 0, len(text), 0.9, "lexicon", negated=negated)


@pytest.mark.parametrize(
    ("text", "normalized", "expected"),
    [("耳机", "headphones", "headphones"), ("headphones", "headphones", "耳机")],
)
def test_the_same_thing_in_the_other_language(text: str, normalized: str, expected: str) -> None:
    found = expand([entity(text, normalized, EntityType.PRODUCT_TYPE)])
    assert expected in [item.expansion for item in found]
    assert all(0 < item.weight < 1 for item in found)


def test_synonyms_of_the_same_language_are_left_out() -> None:
    found = expand([entity("monitor", "monitor", EntityType.PRODUCT_TYPE)])
    assert found
    assert not any(item.expansion.isascii() for item in found)


def test_what_is_excluded_is_not_looked_up() -> None:
    assert not expand([entity("black", "black", EntityType.COLOUR, negated=True)])
