"""Which model is asked what, how often, and what a loss leaves."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from services.nlu.learnt.intent_heads import IntentHeads
from services.nlu.learnt.models import Models
from services.nlu.learnt.port import LabelledSpan, Reading, Readings
from services.nlu.passes import ForwardPasses, Loss, Wanted
from shared.errors import ResourceExhaustedError, UnavailableError, WhereforeError
from shared.inference.settings import REPOSITORY


@dataclass
class FakeReader:
    """Says of each text how long it is, as one span and as a vector."""

    model: str
    heads: tuple[str, ...] = ("entities", "sentence_embedding")
    calls: list[list[str]] = field(default_factory=lambda: [])
    fails: WhereforeError | None = None
    dawdles: bool = False

    async def read(self, texts: Sequence[str]) -> Readings:
        if self.fails:
            raise self.fails
        if self.dawdles:
            await asyncio.sleep(30)
        model = self.model
        self.calls.append(list(texts))
        await asyncio.sleep(0)
        readings = [
            Reading((LabelledSpan(0, len(text), model, 1.0),), vector=np.full(2, len(text), "f4"))
            for text in texts
        ]
        return Readings(model, readings, 5, 7)

    async def check_ready(self) -> None: ...

    async def close(self) -> None: ...


def passes_of(models: Any) -> ForwardPasses:
    return ForwardPasses(models, IntentHeads(REPOSITORY, ()), cache_size=100, fair_wait_s=0.1)


@pytest.fixture
def both() -> FakeReader:
    return FakeReader("query_en@1")


@pytest.fixture
def chinese() -> FakeReader:
    return FakeReader("query_zh@1")


@pytest.fixture
def models(both: FakeReader, chinese: FakeReader) -> Models:
    encoder: Any = None
    return Models(encoder, both, {"en": both, "zh": chinese})


async def test_reading_and_vector_come_from_one_pass(models: Models, both: FakeReader) -> None:
    passes = passes_of(models)
    [learnt], made = await passes.run([Wanted("red shoes", "en", "red shoes")], 1.0)
    assert both.calls == [["red shoes"]]
    assert learnt.reader == learnt.vector_model == "query_en@1"
    assert learnt.reading is not None
    assert learnt.vector is not None
    assert [(item.vectors, item.queue_nanos, item.inference_nanos) for item in made] == [
        (True, 5, 7)
    ]


async def test_two_texts_of_one_query_go_in_one_request(models: Models, both: FakeReader) -> None:
    [learnt], _ = await passes_of(models).run([Wanted("shoes under 20", "en", "shoes")], 1.0)
    assert [sorted(call) for call in both.calls] == [["shoes", "shoes under 20"]]
    assert learnt.reading is not None
    assert learnt.reading.entities[0].end == len("shoes under 20")
    assert learnt.vector is not None
    assert learnt.vector[0] == len("shoes")


async def test_a_chinese_query_is_read_by_one_model_and_glossed_for_the_other(
    models: Models, both: FakeReader, chinese: FakeReader
) -> None:
    [learnt], made = await passes_of(models).run([Wanted("红鞋", "zh", "red shoes")], 1.0)
    assert (both.calls, chinese.calls) == ([["red shoes"]], [["红鞋"]])
    assert (learnt.reader, learnt.vector_model) == ("query_zh@1", "query_en@1")
    assert sorted(item.vectors for item in made) == [False, True]


async def test_a_batch_is_one_request_a_model(
    models: Models, both: FakeReader, chinese: FakeReader
) -> None:
    wanted = [
        Wanted("a", "en", "a"),
        Wanted("b", "en", None),
        Wanted("红", "zh", "red"),
        Wanted("a", "de", "a"),
    ]
    learnt, _ = await passes_of(models).run(wanted, 1.0)
    assert both.calls == [["a", "b", "red"]]
    assert chinese.calls == [["红"]]
    assert [item.vector is None for item in learnt] == [False, True, False, False]
    assert learnt[3].reader == "query_en@1"  # no model of its own


async def test_what_is_known_costs_no_pass(models: Models, both: FakeReader) -> None:
    passes = passes_of(models)
    await passes.run([Wanted("a", "en", "a")], 1.0)
    [learnt], made = await passes.run([Wanted("a", "en", "a")], 1.0)
    assert both.calls == [["a"]]
    assert learnt.reading is not None
    assert made[0].inference_nanos == 0


async def test_a_new_version_knows_nothing_of_the_old_ones_answers(
    models: Models, chinese: FakeReader
) -> None:
    passes = passes_of(models)
    for version in (1, 2, 1):
        chinese.model = f"query_zh@{version}"
        [learnt], _ = await passes.run([Wanted("红", "zh", None)], 1.0)
        assert learnt.reading is not None
        assert learnt.reader == learnt.reading.entities[0].label == f"query_zh@{version}"
    assert chinese.calls == [["红"], ["红"]]  # the third was known


async def test_a_reader_that_moved_on_leaves_vectors_to_the_version_of_the_index(
    both: FakeReader,
) -> None:
    encoder: Any = None
    newer = FakeReader("query_en@2")
    passes = passes_of(Models(encoder, both, {"en": newer}))
    [learnt], _ = await passes.run([Wanted("a", "en", "a")], 1.0)
    assert (learnt.reader, learnt.vector_model) == ("query_en@2", "query_en@1")
    assert both.calls == newer.calls == [["a"]]


@pytest.mark.parametrize(
    ("error", "loss"),
    [
        (UnavailableError("down"), Loss.UNAVAILABLE),
        (ResourceExhaustedError("full"), Loss.OVERLOADED),
        (WhereforeError("odd"), Loss.ERROR),
    ],
)
async def test_a_loss_is_told_for_what_it_took_away(
    models: Models, both: FakeReader, chinese: FakeReader, error: WhereforeError, loss: Loss
) -> None:
    both.fails = error
    english, glossed = (
        await passes_of(models).run([Wanted("a", "en", "a"), Wanted("红", "zh", "red")], 1.0)
    )[0]
    assert english.lost_reading is not None
    assert english.lost_vector is not None
    assert english.lost_reading.loss is english.lost_vector.loss is loss
    assert glossed.lost_reading is None
    assert glossed.reading is not None
    assert glossed.lost_vector is not None


async def test_a_model_that_keeps_failing_is_left_alone(models: Models, both: FakeReader) -> None:
    both.fails = UnavailableError("down")
    passes = passes_of(models)
    losses = [
        (await passes.run([Wanted(str(number), "en", None)], 1.0))[0][0].lost_reading
        for number in range(7)
    ]
    assert losses[0] is not None
    assert losses[-1] is not None
    assert (losses[0].loss, losses[-1].loss) == (Loss.UNAVAILABLE, Loss.CIRCUIT_OPEN)


async def test_a_slow_model_is_not_waited_for(models: Models, chinese: FakeReader) -> None:
    chinese.dawdles = True
    [learnt], _ = await passes_of(models).run([Wanted("红", "zh", "red")], 0.05)
    assert learnt.lost_reading is not None
    assert learnt.lost_reading.loss is Loss.DEADLINE
    assert learnt.vector is not None


async def test_without_readers_only_vectors_are_asked_for(both: FakeReader) -> None:
    encoder: Any = None
    [learnt], _ = await passes_of(Models(encoder, both)).run([Wanted("a", "en", "b")], 1.0)
    assert both.calls == [["b"]]
    assert learnt.reading is None
    assert learnt.lost_reading is None
