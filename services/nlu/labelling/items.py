"""Texts of a queue, with what a model read in them."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from pydantic import StrictInt, StrictStr, TypeAdapter

from services.nlu.labelling.sampling import Rows, Vectors
from services.nlu.labelling.task import Answer, LabelTask
from services.nlu.train.examples import Span, TaskKind

_SPANS: Final = TypeAdapter(list[tuple[StrictInt, StrictInt, StrictStr]])


@dataclass(frozen=True, slots=True)
class Reading:
    """What the served model says of one text.

    Attributes:
        model: Its name and version.
        classes: Class -> probability. A service tells the best ones; the rest is shared out evenly
            among the classes that it does not name.
        spans: What it would mark.
        confidences: Of each span, 0 to 1.
    """

    model: str
    classes: Mapping[str, float] = field(default_factory=lambda: {})
    spans: tuple[Span, ...] = ()
    confidences: tuple[float, ...] = ()

    def guess(self, task: LabelTask) -> Answer | None:
        """Returns the answer that the model would give; None when it has none."""
        if task.kind is TaskKind.TOKENS:
            return Answer(spans=tuple(span for span in self.spans if span.label in task.labels))
        known = {label: self.classes[label] for label in task.labels if label in self.classes}
        return Answer(max(known, key=lambda label: known[label])) if known else None

    def decisions(self, task: LabelTask) -> Rows:
        """Returns the distributions (decisions, classes) by which doubt is measured."""
        if task.kind is TaskKind.TOKENS:
            confidences = np.clip(np.asarray(self.confidences, dtype=np.float64), 0.0, 1.0)
            return np.stack([confidences, 1.0 - confidences], axis=1)
        known = {
            label: max(0.0, self.classes[label]) for label in task.labels if label in self.classes
        }
        unnamed = len(task.labels) - len(known)
        left = max(0.0, 1.0 - sum(known.values())) / unnamed if unnamed else 0.0
        row = np.array([known.get(label, left) for label in task.labels])
        # A reading of none of the task's classes says nothing: every class is as likely.
        total = row.sum()
        return (row / total if total > 0 else np.full(len(row), 1.0 / len(row)))[np.newaxis]


@dataclass(frozen=True, slots=True)
class Item:
    """One text of a queue, with a model's reading and its vector where they were asked for."""

    text: str
    reading: Reading | None = None
    vector: Vectors | None = field(default=None, compare=False)

    @property
    def id(self) -> str:
        """Name of the text in the queue's files: the same text has the same everywhere."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def item_record(item: Item) -> dict[str, Any]:
    """Returns an item as it is stored."""
    record: dict[str, Any] = {"id": item.id, "text": item.text}
    if item.reading is not None:
        record["reading"] = {
            "model": item.reading.model,
            "classes": dict(item.reading.classes),
            "spans": span_rows(item.reading.spans),
            "confidences": list(item.reading.confidences),
        }
    if item.vector is not None:
        packed = item.vector.astype("<f2").tobytes()
        record["vector"] = base64.b64encode(packed).decode()
    return record


def read_item(record: Mapping[str, Any]) -> Item:
    """Returns an item from what is stored.

    Raises:
        KeyError: A part is missing.
        ValueError: A part is malformed.
    """
    reading = None
    if stored := record.get("reading"):
        reading = Reading(
            model=stored["model"],
            classes=stored["classes"],
            spans=read_spans(stored["spans"]),
            confidences=tuple(stored["confidences"]),
        )
    vector = None
    if packed := record.get("vector"):
        vector = np.frombuffer(base64.b64decode(packed), dtype="<f2").astype(np.float32)
    return Item(record["text"], reading, vector)


def span_rows(spans: tuple[Span, ...]) -> list[tuple[int, int, str]]:
    """Returns spans as [start, end, label], as JSON has them."""
    return [(span.start, span.end, span.label) for span in spans]


def read_spans(rows: Any) -> tuple[Span, ...]:
    """Returns spans from a list of [start, end, label].

    Raises:
        ValueError: It is no such list.
    """
    return tuple(Span(*row) for row in _SPANS.validate_python(rows))
