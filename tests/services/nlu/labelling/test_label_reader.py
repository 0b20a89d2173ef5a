"""What the service answers becomes readings."""

import pytest

from services.nlu.labelling.reader import reading_of, reads
from services.nlu.labelling.task import LabellingError, LabelTask
from services.nlu.train.examples import Span, TaskKind
from wherefore.nlu.v1.query_understanding_pb2 import (
    ENTITY_TYPE_PRODUCT_TYPE,
    INTENT_TYPE_NAVIGATIONAL,
    INTENT_TYPE_SUPPORT,
    SENTIMENT_LABEL_NEGATIVE,
    CategoryReading,
    Entity,
    Intent,
    Sentiment,
)
from wherefore.nlu.v1.text_analysis_pb2 import ReasonTag, TextAnalysis


def task(head, kind=TaskKind.CLASSES):
    return LabelTask(head, kind, ("a", "b"))


FULL = TextAnalysis(
    model="query_zh@1",
    entities=[Entity(type=ENTITY_TYPE_PRODUCT_TYPE, start=1, end=3, confidence=0.8)],
    intent=Intent(type=INTENT_TYPE_SUPPORT, label="track_order", confidence=0.7),
    sentiment=Sentiment(label=SENTIMENT_LABEL_NEGATIVE, confidence=0.9),
    categories=[
        CategoryReading(category="手机", confidence=0.75),
        CategoryReading(category="平板", confidence=0.25),
    ],
    reason_tags=[ReasonTag(tag="质量好", start=0, end=2, confidence=0.5)],
)


def test_every_head_is_read():
    assert reading_of(FULL, task("category")).classes == {"手机": 0.75, "平板": 0.25}
    assert reading_of(FULL, task("intent")).classes == {"support/track_order": 0.7}
    assert reading_of(FULL, task("sentiment")).classes == {"negative": 0.9}
    entities = reading_of(FULL, task("entities", TaskKind.TOKENS))
    assert (entities.spans, entities.confidences) == ((Span(1, 3, "PRODUCT_TYPE"),), (0.8,))
    tags = reading_of(FULL, task("reason_tags", TaskKind.TOKENS))
    assert (tags.spans, tags.confidences) == ((Span(0, 2, "质量好"),), (0.5,))
    plain = TextAnalysis(intent=Intent(type=INTENT_TYPE_NAVIGATIONAL, confidence=1))
    assert list(reading_of(plain, task("intent")).classes) == ["navigational"]


def test_a_model_without_the_head_is_said():
    for head in ("category", "intent", "sentiment", "urgency"):
        with pytest.raises(LabellingError, match="random or diversity"):
            reading_of(TextAnalysis(model="query_en@1"), task(head))
    assert reading_of(TextAnalysis(), task("entities", TaskKind.TOKENS)).spans == ()
    assert reads(task("sentiment"))
    assert not reads(task("urgency"))
    assert not reads(task("entities"))
