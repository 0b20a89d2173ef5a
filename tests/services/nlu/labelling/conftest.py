"""Queues of a few texts that the tests made up."""

import numpy as np
import pytest

from services.nlu.labelling.items import Item, Reading
from services.nlu.labelling.queue import LabelQueue
from services.nlu.labelling.task import LabelTask
from services.nlu.train.examples import Span, TaskKind

CLASSES = LabelTask("sentiment", TaskKind.CLASSES, ("negative", "positive"))
SPANS = LabelTask("entities", TaskKind.TOKENS, ("BRAND", "PRODUCT_TYPE"))


def class_items(count: int = 6) -> list[Item]:
    """Reviews, of which the last are the most doubtful to the model."""
    return [
        Item(
            f"review {at}",
            Reading("query_zh@1", {"positive": 0.99 - 0.4 * at / count}),
            np.array([np.cos(at), np.sin(at)], dtype=np.float32),
        )
        for at in range(count)
    ]


def span_item() -> Item:
    """A title with the model's spans; the rainbow is one code point and two UTF-16 units."""
    text = "🌈 小米 手机"
    spans = (Span(2, 4, "BRAND"), Span(5, 7, "PRODUCT_TYPE"))
    return Item(text, Reading("query_zh@1", spans=spans, confidences=(0.9, 0.6)))


@pytest.fixture
def queue(tmp_path):
    """Six reviews that wait for a label."""
    queue = LabelQueue(tmp_path / "queue", CLASSES)
    queue.add(class_items())
    yield queue
    queue.close()


@pytest.fixture
def span_queue(tmp_path):
    """One title that waits for spans."""
    queue = LabelQueue(tmp_path / "spans", SPANS)
    queue.add([span_item()])
    yield queue
    queue.close()
