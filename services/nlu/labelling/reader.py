"""Texts to items, by the running service: what its models read, and vectors.

The only room here that knows the contract; nothing is computed in this process.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import grpc.aio
import numpy as np

from services.nlu.labelling.items import Item, Reading
from services.nlu.labelling.task import LabellingError, LabelTask
from services.nlu.train.examples import Span, TaskKind
from wherefore.nlu.v1.nlu_service_pb2 import AnalyseRequest, EmbedRequest
from wherefore.nlu.v1.nlu_service_pb2_grpc import NluServiceStub
from wherefore.nlu.v1.query_understanding_pb2 import EntityType, Intent, IntentType, SentimentLabel
from wherefore.nlu.v1.text_analysis_pb2 import TextAnalysis

PER_CALL: Final = 64
_ENTITY, _INTENT, _SENTIMENT = "ENTITY_TYPE_", "INTENT_TYPE_", "SENTIMENT_LABEL_"


async def read_items(
    channel: grpc.aio.Channel,
    texts: Sequence[str],
    task: LabelTask,
    *,
    readings: bool,
    vectors: bool,
    language: str = "",
    timeout: float = 60.0,  # noqa: ASYNC109 - a gRPC deadline, kept by the call itself
    on_read: Callable[[int], None] = lambda _: None,
) -> list[Item]:
    """Reads texts by the service.

    Args:
        channel: To the nlu service.
        texts: To read.
        task: Says which head's reading is wanted.
        readings: Whether `Analyse` is asked.
        vectors: Whether `Embed` is asked.
        language: Of all texts where it is known; it chooses the model.
        timeout: Seconds of one call of PER_CALL texts.
        on_read: Told how many more texts are done.

    Raises:
        LabellingError: The models that answered have no such head.
        grpc.aio.AioRpcError: The service does not answer, or refuses a text.
    """
    stub = NluServiceStub(channel)
    items: list[Item] = []
    for part in _parts(texts):
        found: list[Reading | None] = [None] * len(part)
        if readings:
            analysed = await stub.Analyse(
                AnalyseRequest(texts=part, language_code=language), timeout=timeout
            )
            found = [reading_of(analysis, task) for analysis in analysed.analyses]
        made: list[np.ndarray | None] = [None] * len(part)
        if vectors:
            embedded = await stub.Embed(EmbedRequest(texts=part), timeout=timeout)
            made = [np.asarray(vector.values, dtype=np.float32) for vector in embedded.vectors]
        items.extend(map(Item, part, found, made))
        on_read(len(part))
    return items


def reading_of(analysis: TextAnalysis, task: LabelTask) -> Reading:
    """Returns what an analysis says about the head of a task.

    Raises:
        LabellingError: The model has no such head.
    """
    match task.head:
        case "entities":
            found = [
                (
                    Span(item.start, item.end, EntityType.Name(item.type).removeprefix(_ENTITY)),
                    item.confidence,
                )
                for item in analysis.entities
            ]
            return _spans(analysis.model, found)
        case "reason_tags":
            found = [
                (Span(item.start, item.end, item.tag), item.confidence)
                for item in analysis.reason_tags
            ]
            return _spans(analysis.model, found)
        case "category" if analysis.categories:
            return Reading(
                analysis.model, {item.category: item.confidence for item in analysis.categories}
            )
        case "intent" if analysis.HasField("intent"):
            return Reading(analysis.model, {_intent(analysis.intent): analysis.intent.confidence})
        case "sentiment" if analysis.HasField("sentiment"):
            label = SentimentLabel.Name(analysis.sentiment.label).removeprefix(_SENTIMENT).lower()
            return Reading(analysis.model, {label: analysis.sentiment.confidence})
        case _:
            raise LabellingError(
                f"{analysis.model or 'the model'} has no reading of {task.head!r}; choose texts "
                "by the strategy random or diversity, which ask no model's opinion"
            )


def reads(task: LabelTask) -> bool:
    """Whether the service's answers have a place for the head of the task."""
    classes = task.head in ("category", "intent", "sentiment")
    return classes if task.kind is TaskKind.CLASSES else task.head in ("entities", "reason_tags")


def _intent(intent: Intent) -> str:
    kind = IntentType.Name(intent.type).removeprefix(_INTENT).lower()
    return f"{kind}/{intent.label}" if intent.label else kind


def _spans(model: str, found: Sequence[tuple[Span, float]]) -> Reading:
    return Reading(
        model,
        spans=tuple(span for span, _ in found),
        confidences=tuple(confidence for _, confidence in found),
    )


def _parts(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(texts), PER_CALL):
        yield texts[start : start + PER_CALL]
