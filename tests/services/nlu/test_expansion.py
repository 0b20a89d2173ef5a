"""Which related words the sparse leg is given."""

from collections.abc import Sequence

import pytest

from services.nlu.catalogue_terms import CatalogueTerms
from services.nlu.domain import Entity, EntityType, Expansion
from services.nlu.expansion import expand
from services.nlu.related_terms import RelatedBy, RelatedTerm, read_related


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


def catalogue(**counts: int) -> CatalogueTerms:
    return CatalogueTerms(version=1, vocabulary=counts)


def same_language(found: Sequence[Expansion]) -> list[str]:
    return [item.expansion for item in found if item.expansion.isascii()]


def test_a_synonym_stands_in_for_a_word_that_the_catalogue_lacks() -> None:
    earphones = [entity("earphones", "earbuds", EntityType.PRODUCT_TYPE)]
    found = expand(earphones, catalogue(earbuds=40))
    assert same_language(found) == ["earbuds"]
    assert all(0 < item.weight < 1 for item in found)


@pytest.mark.parametrize("known", ["earphones", "earphone"])
def test_nothing_stands_in_beside_good_matches(known: str) -> None:
    earphones = [entity("earphones", "earbuds", EntityType.PRODUCT_TYPE)]
    assert same_language(expand(earphones, catalogue(earbuds=40, **{known: 6}))) == []


def test_what_the_catalogue_lacks_as_well_does_not_stand_in() -> None:
    earphones = [entity("earphones", "earbuds", EntityType.PRODUCT_TYPE)]
    assert same_language(expand(earphones, catalogue(kettle=40))) == []


def test_learnt_terms_stand_in_for_words_that_no_entity_covers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    learnt = {"wall oven": [RelatedTerm("oven", 0.8, RelatedBy.PARENT)]}
    monkeypatch.setattr("services.nlu.expansion.related_terms", lambda: learnt)
    found = expand([], catalogue(oven=20, wall=1), "white wall oven")
    assert [(item.term, item.expansion, item.weight) for item in found] == [
        ("wall oven", "oven", 0.4)
    ]
    oven = entity("wall oven", "wall oven", EntityType.PRODUCT_TYPE, negated=True)
    assert expand([oven], catalogue(oven=20), "wall oven") == []


def test_related_terms_are_read_surest_first() -> None:
    read = read_related("# head\na\tb\t0.50\tparent\na\tc\t0.70\tkind\n")
    assert [item.term for item in read["a"]] == ["c", "b"]
    with pytest.raises(ValueError, match="line 1"):
        read_related("a\tb\t0.5\tguess\n")


def test_without_a_catalogue_synonyms_are_left_out() -> None:
    found = expand([entity("monitor", "monitor", EntityType.PRODUCT_TYPE)])
    assert found
    assert not any(item.expansion.isascii() for item in found)


def test_what_is_excluded_is_not_looked_up() -> None:
    assert not expand([entity("black", "black", EntityType.COLOUR, negated=True)])
