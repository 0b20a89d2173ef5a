"""Words that queries write apart or together, and titles do not."""

from dataclasses import replace

import pytest

from services.nlu.catalogue_terms import CatalogueTerms
from services.nlu.domain import EntityType, ParseOptions
from services.nlu.understanding import QueryReader


@pytest.fixture(scope="module")
def terms() -> CatalogueTerms:
    return CatalogueTerms(
        version=3,
        brands=("Free Standing",),
        product_types=("Headphones", "Laser printer"),
        vocabulary={
            "headphones": 120, "head": 30, "phones": 60, "laptop": 200, "laser": 90, "printer": 110,
            "touchscreen": 20, "touch": 40, "screen": 60, "freestanding": 50, "indoor": 60,
            "notebook": 4, "wireless": 300, "mouse": 150, "waterproof": 80,
        },
        word_pairs={"laser printer": 60, "touch screen": 9, "wireless mouse": 40, "gel ink": 3},
    )  # fmt: skip


@pytest.fixture(scope="module")
def reader(terms: CatalogueTerms) -> QueryReader:
    return QueryReader(terms)


@pytest.mark.parametrize(
    ("query", "corrected"),
    [
        ("head phones", "headphones"),
        ("Head  Phones under 50", "headphones under 50"),
        ("head phone", "headphone"),
        ("wireless head phones", "wireless headphones"),
        ("lap top bag", "laptop bag"),
        ("water proof head phones", "waterproof headphones"),
        ("head phones 不要黑色", "headphones 不要黑色"),
    ],
)
def test_compounds_are_read_as_titles_write_them(
    reader: QueryReader, query: str, corrected: str
) -> None:
    understanding = reader.read(query)
    assert understanding.normalized_query == corrected
    assert understanding.corrections
    for correction in understanding.corrections:
        assert correction.applied
        assert query[correction.start : correction.end] == correction.original
        assert correction.corrected in corrected


@pytest.mark.parametrize(
    "query",
    [
        "headphones",
        "touch screen",  # titles write it either way
        "free standing",  # a brand
        "in door",  # a word of another sense
        "note book",  # in too few titles
        "head, phones",
        "head-phones",
        "wireless mouse",
        "mouse head",
        "头 戴",
    ],
)
def test_others_are_left_alone(reader: QueryReader, query: str) -> None:
    assert reader.read(query).corrections == ()


def test_what_is_written_together_is_only_suggested_apart(reader: QueryReader) -> None:
    understanding = reader.read("red laserprinter")
    [correction] = understanding.corrections
    assert (correction.corrected, correction.applied) == ("laser printer", False)
    assert understanding.search_text == "red laserprinter"


def test_the_kind_of_product_is_known(reader: QueryReader) -> None:
    query = "black head phones"
    found = [e for e in reader.read(query).entities if e.type is EntityType.PRODUCT_TYPE]
    assert [(e.normalized, query[e.start : e.end]) for e in found] == [
        ("headphones", "head phones")
    ]


def test_it_is_only_told_where_the_spelling_is_kept(reader: QueryReader) -> None:
    understanding = reader.read("head phones", ParseOptions(keep_spelling=True))
    assert [(c.corrected, c.applied) for c in understanding.corrections] == [("headphones", False)]
    assert understanding.search_text == "head phones"


def test_what_titles_write_apart_is_not_known_without_their_pairs(terms: CatalogueTerms) -> None:
    blind = QueryReader(replace(terms, word_pairs={}))
    assert blind.read("head phones").corrections == ()
