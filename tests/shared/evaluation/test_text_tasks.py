import typing

import pytest

from shared.cli.commands.evaluate_nlu import TaskName
from shared.evaluation.labelled_texts import LabelledSpan, LabelledText
from shared.evaluation.text_tasks import TASKS
from wherefore.nlu.v1 import query_understanding_pb2 as pb
from wherefore.nlu.v1.text_analysis_pb2 import ReasonTag, TextAnalysis

ANALYSIS = TextAnalysis(
    entities=[
        pb.Entity(type=pb.ENTITY_TYPE_PRODUCT_TYPE, start=1, end=3),
        pb.Entity(type=pb.ENTITY_TYPE_ATTRIBUTE, start=4, end=5),
    ],
    intent=pb.Intent(type=pb.INTENT_TYPE_SUPPORT, label="track_order"),
    sentiment=pb.Sentiment(label=pb.SENTIMENT_LABEL_NEGATIVE),
    categories=[pb.CategoryReading(category="手机"), pb.CategoryReading(category="平板")],
    reason_tags=[ReasonTag(tag="质量好", start=0, end=2)],
)


def test_the_command_offers_every_task():
    assert set(typing.get_args(TaskName)) == set(TASKS)


@pytest.mark.parametrize(
    ("task", "label"),
    [("sentiment_zh", "negative"), ("category_zh", "手机"), ("intents_en", "track_order")],
)
def test_classes_of_an_analysis(task, label):
    assert TASKS[task].understand(ANALYSIS).label == label
    assert TASKS[task].understand(TextAnalysis()).label == ""


def test_spans_of_an_analysis():
    entities = {LabelledSpan(1, 3, "PRODUCT_TYPE"), LabelledSpan(4, 5, "ATTRIBUTE")}
    assert TASKS["entities_zh"].understand(ANALYSIS).spans == entities
    assert TASKS["reason_tags_zh"].understand(ANALYSIS).spans == {LabelledSpan(0, 2, "质量好")}


@pytest.mark.parametrize(
    ("intent", "right"),
    [
        (pb.Intent(type=pb.INTENT_TYPE_SUPPORT, label="track_order"), 1.0),
        (pb.Intent(type=pb.INTENT_TYPE_SUPPORT, label="get_refund"), 0.0),
        (pb.Intent(type=pb.INTENT_TYPE_SUPPORT), 0.0),
        (pb.Intent(type=pb.INTENT_TYPE_PRODUCT_SEARCH, label="track_order"), 0.0),
    ],
)
def test_an_intent_is_right_as_support_alone(intent, right):
    task = TASKS["intents_en"]
    said = task.understand(TextAnalysis(intent=intent))
    assert task.score([LabelledText("where is it", "track_order")], [said]).value == right


def test_intents_of_our_own_sets_are_read(tmp_path):
    path = tmp_path / "queries.txt"
    path.write_text("where is it\tsupport/track_order\n[mug](PRODUCT_TYPE)\tproduct_search\n")
    assert [text.label for text in TASKS["intents_en"].read(path)] == [
        "track_order",
        "product_search",
    ]


def test_titles_are_read_with_the_types_of_the_contract(tmp_path):
    path = tmp_path / "titles.jsonl"
    path.write_text(
        '{"tokens": ["a", "b", "c", "d"], "tags": ["B-HPPX", "B-XH", "B-MISC", "B-HCCX"]}\n'
    )
    (text,) = TASKS["entities_zh"].read(path)
    labels = [span.label for span in sorted(text.spans)]
    assert labels == ["BRAND", "MODEL", "ATTRIBUTE", "PRODUCT_TYPE"]
