"""Evaluation of the served models on labelled texts, through a running nlu service."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.evaluation.label_scores import ClassScore
from shared.evaluation.labelled_texts import LabelledText
from shared.evaluation.text_tasks import TextTask
from wherefore.nlu.v1.nlu_service_pb2 import AnalyseRequest
from wherefore.nlu.v1.nlu_service_pb2_grpc import NluServiceStub

if TYPE_CHECKING:
    import grpc.aio

BATCH = 64
CALLS_AT_ONCE = 4
MAX_CHARACTERS = 10_000
"""The contract's longest text, far beyond any model's window."""
_NOTHING = LabelledText("")


@dataclass(frozen=True, slots=True)
class TextEvaluation:
    """How well the texts of one file were read, and by what."""

    task: str
    metric: str
    value: float
    n: int
    """Texts."""
    by_label: Mapping[str, ClassScore]
    models: Mapping[str, int]
    """Texts that each model read, by the model's name and version."""
    empty: int
    """Texts of nothing but white space, which nobody can be asked about: read as saying nothing."""

    def as_json(self) -> dict[str, object]:
        """The report as `wherefore eval nlu --json` prints it."""
        return {"task": self.task, "metric": self.metric, "value": self.value, "n": self.n}


async def evaluate_texts(
    channel: grpc.aio.Channel,
    task: TextTask,
    texts: Sequence[LabelledText],
    *,
    timeout: float,  # noqa: ASYNC109 - a gRPC deadline, kept by the call itself
    on_texts: Callable[[int], None] = lambda _count: None,
) -> TextEvaluation:
    """Have the service read every text, and score what it says.

    Args:
        channel: To the nlu service.
        task: What is measured.
        texts: The labelled texts.
        timeout: Seconds for a batch.
        on_texts: Told how many more texts were read.

    Raises:
        grpc.aio.AioRpcError: The service refused a batch or did not answer.
    """
    stub = NluServiceStub(channel)
    said = [_NOTHING] * len(texts)
    models: Counter[str] = Counter()
    asked = [place for place, text in enumerate(texts) if text.text.strip()]
    # Alike lengths share a batch, so that little of a forward pass is padding.
    asked.sort(key=lambda place: len(texts[place].text))
    batches = iter([asked[start : start + BATCH] for start in range(0, len(asked), BATCH)])

    async def worker() -> None:
        for batch in batches:
            request = AnalyseRequest(
                texts=[texts[place].text[:MAX_CHARACTERS] for place in batch],
                language_code=task.language,
            )
            response = await stub.Analyse(request, timeout=timeout)
            for place, analysis in zip(batch, response.analyses, strict=True):
                said[place] = task.understand(analysis)
                models[analysis.model] += 1
            on_texts(len(batch))

    workers = [asyncio.create_task(worker()) for _ in range(CALLS_AT_ONCE)]
    try:
        await asyncio.gather(*workers)
    finally:
        for task_of_worker in workers:
            task_of_worker.cancel()
    scores = task.score(texts, said)
    return TextEvaluation(
        task.name,
        task.metric,
        scores.value,
        len(texts),
        scores.by_label,
        models,
        len(texts) - len(asked),
    )
