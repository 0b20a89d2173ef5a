"""Spelling: what is corrected, what is only suggested, and what is never touched."""

import csv
import gzip
import json
import os
import re
from collections import Counter
from pathlib import Path

import pytest

from services.nlu.catalogue_terms import CatalogueTerms
from services.nlu.domain import ParseOptions
from services.nlu.spelling import SpellingChecker
from services.nlu.understanding import QueryReader
from shared.text.normalise import fold

DATA = Path(os.environ.get("WHEREFORE_DATA", Path(__file__).parents[4] / "shared/data"))


@pytest.mark.parametrize(
    ("query", "corrected"),
    [
        ("headphnes", "headphones"),
        ("wireles mouse", "wireless mouse"),
        ("keybaord", "keyboard"),
        ("moniter", "monitor"),
        ("Phillips kettle", "philips kettle"),
        ("black headphonse under 20", "black headphones under 20"),
    ],
)
def test_corrects(reader: QueryReader, query: str, corrected: str) -> None:
    understanding = reader.read(query)
    assert understanding.normalized_query == corrected
    [correction] = understanding.corrections
    assert correction.applied
    assert query[correction.start : correction.end] == correction.original


@pytest.mark.parametrize(
    "query",
    [
        "headphones", "mouses", "tn-2111", "tn2110", "wh1000", "netflix", "youtube", "nespresso",
        "masking", "thank you", "鼠表", "mous", "sonny", "navy", "printers", "blackbag",
    ],
)  # fmt: skip
def test_leaves_alone(reader: QueryReader, query: str) -> None:
    assert [c for c in reader.read(query).corrections if c.applied] == []


def test_keeps_the_spelling_when_asked(reader: QueryReader) -> None:
    understanding = reader.read("headphnes", ParseOptions(keep_spelling=True))
    assert [(c.corrected, c.applied) for c in understanding.corrections] == [("headphones", False)]
    assert understanding.search_text == "headphnes"


def test_a_consonant_for_another_is_only_suggested(reader: QueryReader) -> None:
    [correction] = reader.read("marting").corrections
    assert (correction.corrected, correction.applied) == ("marking", False)


def test_spans_after_a_correction_are_spans_of_the_query(reader: QueryReader) -> None:
    query = "wireles black headphnes under 20"
    understanding = reader.read(query)
    assert [e.text for e in understanding.entities] == ["wireles", "black", "headphnes", "under 20"]
    assert understanding.search_text == "wireless black headphones"


def test_an_empty_vocabulary_corrects_nothing() -> None:
    assert SpellingChecker(CatalogueTerms()).check("headphnes") == []


@pytest.mark.skipif(not (DATA / "icecat").is_dir(), reason="the public data sets are not here")
def test_real_queries_of_a_real_catalogue_are_never_corrected() -> None:
    """Every judged query is spelt as its shoppers meant it."""
    counts: Counter[str] = Counter()
    with gzip.open(DATA / "icecat/products.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            title = fold(json.loads(line)["title"])
            counts.update(set(re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)*", title)))
    vocabulary = {word: count for word, count in counts.most_common(50_000) if count > 1}
    checker = SpellingChecker(CatalogueTerms(1, (), (), vocabulary))
    with (DATA / "icecat/judgments_dev.csv").open(encoding="utf-8") as file:
        queries = {row["query"] for row in csv.DictReader(file)}
    assert len(queries) > 50
    assert [c for q in sorted(queries) for c in checker.check(q) if c.applied] == []
