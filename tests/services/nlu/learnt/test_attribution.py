"""Words of pairs and what they did: their spans, and that they sum to what they explain."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from numpy.typing import NDArray

from services.nlu.learnt.attribution import MATCH, SHARES, SLOPES, WHOLE, MatchAttributor
from shared.deadline import Deadline, set_current_deadline
from shared.errors import ResourceExhaustedError, UnavailableError
from shared.inference import InferenceSettings, open_model
from shared.inference.port import Forwarded
from shared.inference.settings import ATTRIBUTION_MODEL, REPOSITORY

SETTINGS = InferenceSettings(backend="onnx", model=ATTRIBUTION_MODEL)
MADE = (REPOSITORY / ATTRIBUTION_MODEL / "1" / "model.onnx").is_file()
needs_model = pytest.mark.skipif(not MADE, reason="`make models` did not make the model")

PAIRS = (
    ("camera case", "Case Logic DCB-301-BLACK Compact case Black,Red. Compact Camera Case"),
    ("dvd player", "Philips PET741N/37 DVD/Blu-Ray player. Movies that travel with you"),
    ("steel kettle", "Yoga mat, non-slip, 6 mm, for the gym"),
)


class EveryTokenOne:
    """The logit goes up by 1 on the way of each token, special ones included."""

    model = "cross_en_attribution@1"
    inputs: Collection[str] = ("input_ids", "segments", SHARES)
    outputs: Mapping[str, int] = {SLOPES: 1, MATCH: 1}

    async def run(
        self, inputs: Mapping[str, NDArray[Any]], outputs: Collection[str], *, urgent: bool
    ) -> Forwarded:
        assert not urgent
        shares, right = inputs[SHARES], inputs["segments"] == 1
        assert 1 <= len(shares) <= 16
        missing_left = (shares[:, :1] == 0)[:, 0]
        missing_right = np.where(right, shares, WHOLE).min(axis=1) == 0
        logits = 3.0 - 7.0 * missing_left - 9.0 * missing_right
        made: dict[str, NDArray[np.float32]] = {
            SLOPES: np.ones((*shares.shape, 1), dtype=np.float32),
            MATCH: logits[:, None].astype(np.float32),
        }
        return Forwarded({name: made[name] for name in outputs}, 5, 7)

    async def versions(self) -> list[int]:
        return [1]

    async def check_ready(self) -> None: ...

    async def close(self) -> None: ...


class Slow(EveryTokenOne):
    """Takes its time for every pass."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.passes = 0

    async def run(
        self, inputs: Mapping[str, NDArray[Any]], outputs: Collection[str], *, urgent: bool
    ) -> Forwarded:
        self.passes += 1
        await asyncio.sleep(self.seconds)
        return await super().run(inputs, outputs, urgent=urgent)


@pytest_asyncio.fixture
async def served() -> AsyncIterator[MatchAttributor]:
    attributor = MatchAttributor(open_model(SETTINGS), SETTINGS)
    yield attributor
    await attributor.close()


@needs_model
async def test_tokens_are_grouped_into_words_with_their_spans() -> None:
    attributor = MatchAttributor(EveryTokenOne(), SETTINGS)
    left, right = "noise-cancelling  ＨＩＦＩ 🎧!", "Sony (WH-1000XM5), DVD/Blu-Ray - 5.1"
    found = await attributor.attribute([(left, right)])
    (pair,) = found.pairs
    assert [word.text for word in pair.right] == [
        "Sony", "WH-1000XM5", "DVD", "Blu-Ray", "-", "5.1",
    ]  # fmt: skip
    for text, words in ((left, pair.left), (right, pair.right)):
        for word in words:
            assert text[word.start : word.end] == word.text
        assert all(a.end <= b.start for a, b in pairwise(words))
    assert pair.left[0].text == "noise-cancelling"
    assert (pair.logit, pair.without_left, pair.without_right) == (3.0, -4.0, -6.0)
    assert found.inference_nanos * 5 == found.queue_nanos * 7 > 7
    # Every token but [CLS] and the two [SEP] is part of one word.
    tokens = attributor._tokenizer(SETTINGS.max_tokens).encode(left, right).ids
    total = sum(word.attribution for word in (*pair.left, *pair.right))
    assert total == pytest.approx(len(tokens) - 3, rel=1e-3)


@needs_model
async def test_words_sum_to_what_the_logit_gained(served: MatchAttributor) -> None:
    found = await served.attribute(PAIRS)
    for pair in found.pairs:
        for words, without in ((pair.left, pair.without_left), (pair.right, pair.without_right)):
            gained = pair.logit - without
            total = sum(word.attribution for word in words)
            # [SEP] and [CLS] stay as they are, so all of it lies in the words.
            assert total == pytest.approx(gained, abs=0.05 * abs(gained) + 0.05)
    match, _, other = found.pairs
    assert match.logit > 2 > -2 > other.logit
    best = max(match.right, key=lambda word: word.attribution)
    assert best.text.casefold() in {"camera", "case"}


@needs_model
async def test_long_texts_are_cut_and_none_is_fine(served: MatchAttributor) -> None:
    assert not (await served.attribute([])).pairs
    (pair,) = (await served.attribute([("kettle", "steel kettle " * 5_000)])).pairs
    assert 40 < len(pair.right) < 128


@needs_model
async def test_a_request_of_many_long_pairs_reads_less_of_each() -> None:
    attributor = MatchAttributor(EveryTokenOne(), SETTINGS)
    pair = "kettle", "steel kettle " * 500
    (alone,) = (await attributor.attribute([pair])).pairs
    many = (await attributor.attribute([pair] * 20)).pairs
    assert len(alone.right) == SETTINGS.max_tokens - 4
    # [CLS], [SEP], the left word and [SEP] again; 20 windows of 32 are the 640 tokens.
    assert {len(each.right) for each in many} == {32 - 4}


def test_a_missing_model_is_told(tmp_path) -> None:
    settings = InferenceSettings(backend="onnx", model="nothing", model_dir=tmp_path)
    with pytest.raises(UnavailableError, match="make models"):
        MatchAttributor(EveryTokenOne(), settings)


@needs_model
async def test_what_cannot_be_done_in_time_is_told_long_before() -> None:
    model = Slow(0.3)
    attributor = MatchAttributor(model, SETTINGS)
    set_current_deadline(Deadline.after(15))
    with pytest.raises(ResourceExhaustedError, match="fewer or shorter texts"):
        await attributor.attribute([("kettle", "steel kettle " * 5_000)] * 20)
    assert model.passes == 2


@needs_model
async def test_requests_take_turns_and_one_too_many_is_refused_at_once() -> None:
    model = Slow(0.1)
    attributor = MatchAttributor(model, SETTINGS)

    async def ask(seconds: float) -> int:
        set_current_deadline(Deadline.after(seconds))
        made = await attributor.attribute([("kettle", "steel kettle " * 12)] * 2)
        return len(made.pairs)

    first, second = asyncio.create_task(ask(60)), asyncio.create_task(ask(60))
    async with asyncio.timeout(10):
        while not model.passes:  # noqa: ASYNC110 - the first has its turn
            await asyncio.sleep(0.01)
    before = model.passes
    with pytest.raises(ResourceExhaustedError, match="items are ahead"):
        await ask(0.5)
    assert model.passes - before <= 1
    assert await first == await second == 2
