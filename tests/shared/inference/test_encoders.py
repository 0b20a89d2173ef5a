"""What every TextEncoder promises, over both adapters."""

import asyncio

import numpy as np
import pytest

from shared.deadline import Deadline, set_current_deadline
from shared.errors import DeadlineExceededError
from shared.inference import InferenceSettings, TextEncoder, open_text_encoder

QUERY = "red trail running shoes"


async def test_vectors_have_the_declared_shape_and_unit_length(encoder: TextEncoder) -> None:
    encoded = await encoder.encode([QUERY, "toner", "a kettle that switches itself off"])
    assert encoded.vectors.shape == (3, encoder.dimension)
    assert encoded.vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(encoded.vectors, axis=1), 1.0, atol=1e-5)
    assert encoder.model == "minilm_l6@1"


async def test_like_meanings_are_near(encoder: TextEncoder) -> None:
    shoes, sneakers, toner = (
        await encoder.encode([QUERY, "crimson sneakers for jogging", "laser printer toner"])
    ).vectors
    assert shoes @ sneakers > shoes @ toner + 0.2


async def test_order_and_neighbours_do_not_matter(encoder: TextEncoder) -> None:
    # Lengths differ, so the texts are sorted, split and padded on their way.
    texts = [("word " * (1 + i * 7 % 40)) + str(i) for i in range(40)]
    together = (await encoder.encode(texts)).vectors
    for position in (0, 13, 39):
        alone = (await encoder.encode([texts[position]])).vectors[0]
        assert together[position] @ alone > 0.9999


async def test_times_are_told(encoder: TextEncoder) -> None:
    encoded = await encoder.encode([QUERY])
    assert encoded.inference_nanos > 0
    assert encoded.queue_nanos >= 0


async def test_nothing_gives_nothing(encoder: TextEncoder) -> None:
    assert (await encoder.encode([])).vectors.shape == (0, encoder.dimension)


@pytest.mark.parametrize(
    "text", ["", " ", "\x00", "无线蓝牙耳机", "🙂", "x" * 100_000, "a b " * 9000]
)
async def test_odd_texts_are_encoded(encoder: TextEncoder, text: str) -> None:
    assert np.isfinite((await encoder.encode([text])).vectors).all()


async def test_a_text_is_cut_at_the_window(encoder: TextEncoder) -> None:
    long = "kettle " * 300
    vectors = (await encoder.encode([long, long + "unrelated " * 50])).vectors
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-5)


async def test_a_deadline_already_past(encoder: TextEncoder) -> None:
    async def late() -> None:
        set_current_deadline(Deadline.after(0))
        await encoder.encode([QUERY])

    with pytest.raises(DeadlineExceededError):
        await asyncio.create_task(late())


async def test_a_timeout_ends_a_long_call(inference: InferenceSettings) -> None:
    hasty = open_text_encoder(inference.model_copy(update={"timeout_seconds": 0.001}))
    try:
        with pytest.raises(DeadlineExceededError):
            await hasty.encode(["kettle " * 200] * 16)
    finally:
        await hasty.close()


async def test_ready_when_the_model_answers(encoder: TextEncoder) -> None:
    await encoder.check_ready()


async def test_both_backends_give_the_same_vectors(encoder: TextEncoder) -> None:
    reference = open_text_encoder(InferenceSettings(backend="onnx", model="minilm_l6"))
    try:
        texts = [QUERY, "stainless steel bottle 750 ml", "x"]
        ours, theirs = await encoder.encode(texts), await reference.encode(texts)
        np.testing.assert_allclose(ours.vectors, theirs.vectors, atol=1e-4)
    finally:
        await reference.close()
