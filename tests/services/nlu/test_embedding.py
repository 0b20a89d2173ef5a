"""Long lists of texts: their vectors come in order, and all their time is told."""

from collections.abc import Sequence

import numpy as np

from services.nlu.embedding import encode_all, encode_in
from services.nlu.learnt.port import Reading, Readings
from shared.inference import Encoded

TEXTS = [f"{number}" for number in range(300)]


def vector(text: str) -> np.ndarray:
    return np.array([float(text), 1.0], np.float32)


class Encoder:
    """Takes 2 ns of waiting and 3 of work for each text."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    async def encode(self, texts: Sequence[str]) -> Encoded:
        self.sizes.append(len(texts))
        return Encoded(np.stack([vector(each) for each in texts]), 2 * len(texts), 3 * len(texts))


class Reader(Encoder):
    """As `Encoder`, as a model that reads texts and has vectors of them."""

    model = "reader@1"

    async def read(self, texts: Sequence[str]) -> Readings:
        made = await self.encode(texts)
        readings = [Reading(vector=each) for each in made.vectors]
        return Readings(self.model, readings, made.queue_nanos, made.inference_nanos)


class OneReader:
    """The models of a service that has one reader."""

    def __init__(self) -> None:
        self.reader = Reader()

    def vectors_in(self, language: str) -> Reader | None:
        return self.reader if language == "zh" else None


def check(encoded: Encoded, sizes: list[int]) -> None:
    assert encoded.vectors[:, 0].tolist() == list(map(float, TEXTS))
    assert (encoded.queue_nanos, encoded.inference_nanos) == (600, 900)
    assert len(sizes) > 1
    assert sum(sizes) == len(TEXTS)


async def test_a_long_list_goes_to_the_encoder_in_chunks() -> None:
    encoder = Encoder()
    check(await encode_all(encoder, TEXTS), encoder.sizes)  # type: ignore[arg-type]


async def test_a_long_list_goes_to_the_reader_of_its_language_in_chunks() -> None:
    models = OneReader()
    encoded, model = await encode_in(models, TEXTS, "zh-CN")  # type: ignore[arg-type]
    check(encoded, models.reader.sizes)
    assert model == "reader@1"
