import pytest

from shared.evaluation.label_scores import score_classes, score_spans
from shared.evaluation.labelled_texts import LabelledSpan as Span

A, B = Span(0, 2, "BRAND"), Span(3, 5, "MODEL")


def test_only_exact_spans_of_the_right_type_count():
    gold = [{A, B}, {A}, set()]
    found = [{A, Span(3, 6, "MODEL")}, {Span(0, 2, "MODEL")}, {B}]
    scores = score_spans(gold, found)
    assert scores.value == pytest.approx(2 * 1 / (4 + 3))
    assert list(scores.by_label) == ["BRAND", "MODEL"]
    brand, model = scores.by_label.values()
    assert (brand.precision, brand.recall) == (1.0, 0.5)
    assert brand.f1 == pytest.approx(2 / 3)
    assert (model.precision, model.recall, model.f1) == (0.0, 0.0, 0.0)


def test_the_same_span_of_another_text_does_not_count():
    assert score_spans([{A}, set()], [set(), {A}]).value == 0.0


def test_no_span_at_all_scores_nothing():
    assert score_spans([set()], [set()]).value == 0.0


def test_f1_is_that_of_seqeval():
    seqeval = pytest.importorskip("seqeval.metrics")
    gold = [["B-X", "I-X", "O", "B-Y"], ["O", "B-X", "B-X"]]
    found = [["B-X", "I-X", "B-Y", "B-Y"], ["O", "B-X", "I-X"]]
    spans = [
        [{Span(0, 2, "X"), Span(3, 4, "Y")}, {Span(1, 2, "X"), Span(2, 3, "X")}],
        [{Span(0, 2, "X"), Span(2, 3, "Y"), Span(3, 4, "Y")}, {Span(1, 3, "X")}],
    ]
    assert score_spans(*spans).value == pytest.approx(seqeval.f1_score(gold, found))


def test_accuracy_counts_a_missing_class_as_wrong():
    scores = score_classes(["a", "a", "b", "b"], ["a", "", "a", "b"])
    assert scores.value == 0.5
    assert set(scores.by_label) == {"a", "b"}
    assert scores.by_label["a"].precision == 0.5
    assert scores.by_label["b"].predicted == 1


def test_texts_and_predictions_must_be_as_many():
    with pytest.raises(ValueError, match="zip"):
        score_classes(["a"], [])
