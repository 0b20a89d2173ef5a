"""Marked queries: the format, and the hand-checked files themselves."""

from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest

from services.nlu.train.examples import Example, Span
from services.nlu.train.marked_text import (
    CHECK,
    DEV,
    count_types,
    read_line,
    read_marked,
    write_line,
)

_LEAST_OF_A_TYPE = 15


def test_marks_become_spans_of_the_bare_text() -> None:
    read = read_line("[sony](BRAND) [tv](PRODUCT_TYPE), [under $100](PRICE)\tproduct_search")
    assert read == Example(
        "sony tv, under $100",
        (Span(0, 4, "BRAND"), Span(5, 7, "PRODUCT_TYPE"), Span(9, 19, "PRICE")),
        "product_search",
    )


@pytest.mark.parametrize(
    "line",
    [
        "[sony](BRAND) tv",
        "[sony](BRAND) tv\tbuying",
        "[sony](MAKER) tv\tproduct_search",
        "[sony(BRAND) tv\tproduct_search",
        "[sony] tv\tproduct_search",
        "[sony ](BRAND) tv\tproduct_search",
        "[sony](BRAND)  tv\tproduct_search",
        "sony (BRAND) tv\tproduct_search",
    ],
)
def test_a_broken_line_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_line(line)


def test_a_repeated_query_is_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "marked.txt"
    path.write_text("# head\n\n[red](COLOUR)\tproduct_search\nred\tproduct_search\n")
    with pytest.raises(ValueError, match=r"marked\.txt:4"):
        read_marked(path)


@pytest.mark.parametrize("path", [DEV, CHECK])
def test_the_files_can_be_written_as_they_are_read(path: Path) -> None:
    lines = [
        line for line in path.read_text("utf-8").splitlines() if line and not line.startswith("# ")
    ]
    assert [write_line(example) for example in read_marked(path)] == lines


def test_dev_is_large_and_holds_every_type_and_intent() -> None:
    examples = read_marked(DEV)
    assert len(examples) >= 320
    assert min(count_types(examples).values()) >= _LEAST_OF_A_TYPE
    intents = Counter(example.label.partition("/")[0] for example in examples)
    assert set(intents) == {
        "product_search",
        "navigational",
        "attribute_question",
        "recommendation",
        "comparison",
        "support",
    }
    assert min(intents.values()) >= _LEAST_OF_A_TYPE
    assert sum(1 for example in examples if not example.spans) >= 40


def test_dev_and_check_share_no_query() -> None:
    dev = {example.text for example in read_marked(DEV)}
    assert len(read_marked(CHECK)) >= 60
    assert dev.isdisjoint(example.text for example in read_marked(CHECK))


def test_support_intents_are_those_of_the_rules() -> None:
    """A misspelt label would count as an error of every model."""
    rules = files("services.nlu").joinpath("data/support_rules.tsv").read_text("utf-8")
    known = {line.partition("\t")[0] for line in rules.splitlines()}
    for example in read_marked(DEV) + read_marked(CHECK):
        kind, _, label = example.label.partition("/")
        assert kind != "support" or label in known, example


@pytest.mark.parametrize("path", [DEV, CHECK])
def test_same_words_mean_the_same(path: Path) -> None:
    """The same words in two types are a slip, but for a thing that is also a part of others."""
    types: dict[str, set[str]] = {}
    for example in read_marked(path):
        for span in example.spans:
            types.setdefault(example.text[span.start : span.end], set()).add(span.label)
    thing_or_part = {"PRODUCT_TYPE", "ATTRIBUTE"}
    twofold = {words for words, kinds in types.items() if len(kinds) > 1 and kinds != thing_or_part}
    assert twofold <= {"gift"}  # the thing asked for, or what another thing is for
