"""The tasks that reading a text is measured by: what is true, and what an analysis says of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.evaluation.label_scores import LabelScores, score_classes, score_spans
from shared.evaluation.labelled_texts import (
    ClassFields,
    LabelledSpan,
    LabelledText,
    read_classes,
    read_spans,
)
from wherefore.nlu.v1.query_understanding_pb2 import EntityType, Intent, IntentType, SentimentLabel
from wherefore.nlu.v1.text_analysis_pb2 import TextAnalysis

F1 = "f1"
ACCURACY = "accuracy"

ENTITY_TYPES = {
    name.removeprefix("ENTITY_TYPE_"): name.removeprefix("ENTITY_TYPE_")
    for name, number in EntityType.items()
    if number != EntityType.ENTITY_TYPE_UNSPECIFIED
}
TITLE_TYPES = ENTITY_TYPES | {
    "HCCX": "PRODUCT_TYPE",
    "HPPX": "BRAND",
    "XH": "MODEL",
    "MISC": "ATTRIBUTE",
}
"""Types of Chinese product titles as the public set names them, and as the contract does."""
REASON_TAGS = {tag: tag for tag in ("性价比高", "质量好", "口碑好", "适合送礼")}
SENTIMENTS = {"1": "positive", "0": "negative", "positive": "positive", "negative": "negative"}
TEXT_FIELDS = ("review", "utterance", "sentence", "text")


@dataclass(frozen=True, slots=True)
class TextTask:
    """One task.

    Attributes:
        name: As commands call it.
        language: BCP-47 language of its texts, which chooses the model.
        metric: "f1" of exact spans, or "accuracy".
        read: Reader of its files.
        understand: What an analysis says, as a label or as spans.
    """

    name: str
    language: str
    metric: str
    read: Callable[[Path], list[LabelledText]]
    understand: Callable[[TextAnalysis], LabelledText]

    def score(self, gold: Sequence[LabelledText], said: Sequence[LabelledText]) -> LabelScores:
        """Score what was said of each text, in the order of `gold`."""
        if self.metric == F1:
            return score_spans([text.spans for text in gold], [text.spans for text in said])
        return score_classes([text.label for text in gold], [text.label for text in said])


def _entities(analysis: TextAnalysis) -> LabelledText:
    spans = frozenset(
        LabelledSpan(
            entity.start, entity.end, EntityType.Name(entity.type).removeprefix("ENTITY_TYPE_")
        )
        for entity in analysis.entities
    )
    return LabelledText("", spans=spans)


def _reason_tags(analysis: TextAnalysis) -> LabelledText:
    spans = frozenset(LabelledSpan(tag.start, tag.end, tag.tag) for tag in analysis.reason_tags)
    return LabelledText("", spans=spans)


def _sentiment(analysis: TextAnalysis) -> LabelledText:
    if not analysis.HasField("sentiment"):
        return LabelledText("")
    name = SentimentLabel.Name(analysis.sentiment.label)
    return LabelledText("", name.removeprefix("SENTIMENT_LABEL_").lower())


def _category(analysis: TextAnalysis) -> LabelledText:
    return LabelledText("", analysis.categories[0].category if analysis.categories else "")


def _intent(analysis: TextAnalysis) -> LabelledText:
    return LabelledText("", intent_name(analysis.intent) if analysis.HasField("intent") else "")


def intent_name(intent: Intent) -> str:
    """The finer label of a request for support, such as "track_order"; else the kind of intent."""
    if intent.type == IntentType.INTENT_TYPE_SUPPORT and intent.label:
        return intent.label
    return IntentType.Name(intent.type).removeprefix("INTENT_TYPE_").lower()


def _read_intents(path: Path) -> list[LabelledText]:
    texts = read_classes(path, ClassFields(TEXT_FIELDS, "intent", {}))
    # Our own sets put the kind before the finer label, as models do.
    return [LabelledText(text.text, text.label.removeprefix("support/")) for text in texts]


def _classes(label: str, classes: dict[str, str]) -> Callable[[Path], list[LabelledText]]:
    return lambda path: read_classes(path, ClassFields(TEXT_FIELDS, label, classes))


def _spans(types: dict[str, str]) -> Callable[[Path], list[LabelledText]]:
    return lambda path: read_spans(path, types)


TASKS = {
    task.name: task
    for task in (
        TextTask("entities_zh", "zh", F1, _spans(TITLE_TYPES), _entities),
        TextTask("sentiment_zh", "zh", ACCURACY, _classes("label", SENTIMENTS), _sentiment),
        TextTask("category_zh", "zh", ACCURACY, _classes("cat", {}), _category),
        TextTask("reason_tags_zh", "zh", F1, _spans(REASON_TAGS), _reason_tags),
        TextTask("intents_en", "en", ACCURACY, _read_intents, _intent),
        TextTask("entities_en", "en", F1, _spans(ENTITY_TYPES), _entities),
    )
}
"""By name."""
