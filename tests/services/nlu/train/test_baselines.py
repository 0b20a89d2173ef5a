"""Baselines on texts small enough to see why."""

from collections.abc import Sequence

import pytest

from services.nlu.train import baselines
from services.nlu.train.baselines import bigram_overlap, classes_baseline, spans_f1
from services.nlu.train.crf_baseline import CharacterCrf, has_library, spans_of_tags, tags_of
from services.nlu.train.examples import Example, Span
from services.nlu.train.ngram_models import character_vectorizer


def test_accuracy_is_of_dev() -> None:
    train = [Example(f"{word}{at}", label=word) for word in ("锅", "杯", "伞") for at in range(4)]
    dev = [Example("锅9", label="锅"), Example("伞", label="伞"), Example("杯", label="锅")]
    assert classes_baseline(train, dev, character_vectorizer()) == (pytest.approx(2 / 3), 3)


def test_f1_counts_exact_spans_and_types() -> None:
    span = Span(0, 2, "BRAND")
    examples = [Example("海棠铁锅", spans=(span, Span(2, 4, "PRODUCT_TYPE"))), Example("锅")]
    found: dict[str, Sequence[Span]] = {"海棠铁锅": [span, Span(3, 4, "PRODUCT_TYPE")], "锅": []}
    assert spans_f1(examples, found.__getitem__) == 0.5
    assert spans_f1([Example("锅")], found.__getitem__) == 1.0


def test_overlap_of_bigrams() -> None:
    assert bigram_overlap("铁锅", "铁锅") == 1.0
    assert bigram_overlap("大铁锅", "小铁锅") == pytest.approx(1 / 3)
    assert bigram_overlap("锅", "伞") == 0.0


def test_tags_and_spans_are_the_same_thing() -> None:
    example = Example("海棠铁锅a", spans=(Span(0, 2, "BRAND"), Span(2, 4, "PRODUCT_TYPE")))
    tags = tags_of(example)
    assert tags == ["B-BRAND", "I-BRAND", "B-PRODUCT_TYPE", "I-PRODUCT_TYPE", "O"]
    assert spans_of_tags(tags) == example.spans
    assert spans_of_tags(["I-BRAND", "I-MODEL"]) == (Span(0, 1, "BRAND"), Span(1, 2, "MODEL"))


@pytest.mark.skipif(not has_library(), reason="python-crfsuite is not installed")
def test_the_field_learns_what_stands_before_a_product() -> None:
    train = [
        Example(f"{colour}{thing}", spans=(Span(1, 3, "PRODUCT_TYPE"),))
        for colour in "红白黑"
        for thing in ("铁锅", "水杯", "雨伞")
    ]
    crf = CharacterCrf([*train, Example("")], iterations=30)
    assert crf.find("绿水杯") == (Span(1, 3, "PRODUCT_TYPE"),)
    assert crf.find("") == ()


def test_a_missing_library_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    class Task:
        train: tuple[Example, ...] = ()
        dev = (Example("锅"),)

    monkeypatch.setattr(baselines, "has_library", lambda: False)
    monkeypatch.setattr(baselines, "entities_zh", lambda _: Task)
    figure = baselines.entities_baseline(tmp_path)  # type: ignore[arg-type]
    assert figure["value"] == 0.671
    assert "python-crfsuite is missing" in str(figure["method"])
