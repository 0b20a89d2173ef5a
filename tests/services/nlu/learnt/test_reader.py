"""Readers and the cross-encoder over both backends, with tables for weights."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from services.nlu.learnt.cross import CrossEncoder
from services.nlu.learnt.models import open_models
from services.nlu.learnt.port import Reading
from services.nlu.learnt.reader import TransformerReader
from shared.deadline import Deadline, set_current_deadline
from shared.errors import DeadlineExceededError, UnavailableError
from shared.inference import InferenceSettings, open_model

SettingsFor = Callable[..., InferenceSettings]


def open_reader(settings: InferenceSettings) -> TransformerReader:
    return TransformerReader(open_model(settings), settings)


def named(text: str, reading: Reading) -> list[tuple[str, str]]:
    return [(text[span.start : span.end], span.label) for span in reading.entities]


async def test_an_english_query_is_read_by_all_heads_at_once(settings_for: SettingsFor) -> None:
    reader = open_reader(settings_for("query_en"))
    try:
        text = "Where is my  red ACME turbo order"
        made = await reader.read([text])
    finally:
        await reader.close()
    [reading] = made.readings
    assert made.model == "query_en@1"
    assert named(text, reading) == [("red", "COLOUR"), ("ACME turbo", "BRAND")]
    assert reading.intent[0][0] == "support/track_order"
    assert sum(share for _, share in reading.intent) == pytest.approx(1.0)
    assert reading.vector is not None
    assert np.linalg.norm(reading.vector) == pytest.approx(1.0, abs=1e-5)
    assert reading.sentiment == reading.category == reading.reason_tags == ()
    assert made.inference_nanos > 0
    assert made.queue_nanos >= 0


async def test_a_chinese_text_is_read_by_character(settings_for: SettingsFor) -> None:
    reader = open_reader(settings_for("query_zh"))
    try:
        text = "👍 乐丽牌 手机，质量好"
        [reading] = (await reader.read([text])).readings
    finally:
        await reader.close()
    assert named(text, reading) == [("乐丽", "BRAND"), ("手机", "PRODUCT_TYPE")]
    assert [(text[s.start : s.end], s.label) for s in reading.reason_tags] == [("质量好", "质量好")]
    assert reading.sentiment[0][0] == "positive"
    assert reading.category[0][0] == "手机"


async def test_order_and_neighbours_do_not_matter(settings_for: SettingsFor) -> None:
    reader = open_reader(settings_for("query_en", batch_size=4))
    texts = [f"{'kettle ' * (at % 7)}red {'acme ' * (at % 3)}" for at in range(19)]
    try:
        together = await reader.read(texts)
        for at in (0, 5, 18):
            [alone] = (await reader.read([texts[at]])).readings
            assert named(texts[at], alone) == named(texts[at], together.readings[at])
            np.testing.assert_allclose(alone.vector, together.readings[at].vector, atol=1e-5)
    finally:
        await reader.close()


async def test_requests_of_unlike_lengths_at_once(settings_for: SettingsFor) -> None:
    reader = open_reader(settings_for("query_zh"))
    texts = ["很" * (1 + at * 5 % 23) + "手机" for at in range(24)]
    try:
        made = await asyncio.gather(*(reader.read([text]) for text in texts))
    finally:
        await reader.close()
    for text, readings in zip(texts, made, strict=True):
        assert named(text, readings.readings[0]) == [("手机", "PRODUCT_TYPE")]


async def test_a_text_is_cut_at_the_window(settings_for: SettingsFor) -> None:
    reader = open_reader(settings_for("query_zh", max_tokens=16))
    try:
        [reading] = (await reader.read(["很" * 12 + "手机" + "手机" * 3000])).readings
        odd = await reader.read(["\x00", "🙂", " ", "a" * 50_000])
    finally:
        await reader.close()
    assert [(span.start, span.end) for span in reading.entities] == [(12, 14)]
    assert len(odd.readings) == 4


async def test_padding_to_a_multiple_changes_nothing(settings_for: SettingsFor) -> None:
    plain, padded = (open_reader(settings_for("query_en", pad_to=size)) for size in (1, 16))
    try:
        [one], [other] = [(await item.read(["red acme"])).readings for item in (plain, padded)]
    finally:
        await plain.close()
        await padded.close()
    assert one.entities == other.entities
    np.testing.assert_allclose(one.vector, other.vector, atol=1e-5)


async def test_no_time_left_is_said(settings_for: SettingsFor) -> None:
    reader = open_reader(settings_for("query_en"))

    async def late() -> None:
        set_current_deadline(Deadline.after(0))
        await reader.read(["red"])

    try:
        with pytest.raises(DeadlineExceededError):
            await asyncio.create_task(late())
    finally:
        await reader.close()


async def test_pairs_are_scored_together(settings_for: SettingsFor) -> None:
    settings = settings_for("cross_en")
    cross = CrossEncoder(open_model(settings), settings)
    pairs = [
        ("red kettle", "red"),
        ("red", "red kettle shoes"),
        ("red", "red"),
        ("zorb", "red " * 90),
    ]
    try:
        scores = await cross.score(pairs)
        assert (await cross.score([])).probabilities.shape == (0,)
    finally:
        await cross.close()
    # The table's logit is the tokens of the right text less those of the left.
    tokens = np.asarray([[len(text.split()) for text in pair] for pair in pairs])
    logits = tokens[:, 1] - tokens[:, 0] - 1
    np.testing.assert_allclose(
        scores.probabilities, 1 / (1 + np.exp(-logits.astype(float))), atol=1e-5
    )
    assert cross.model == "cross_en@1"


async def test_models_are_shared_and_missing_ones_are_lost_not_fatal(
    settings_for: SettingsFor,
) -> None:
    models = open_models(
        settings_for("query_en"), {"en": "query_en", "zh": "nothing"}, "nothing", follow=False
    )
    try:
        assert models.vectors is models.reader("en")
        assert models.reader("fr") is models.reader("en")
        assert models.cross is None
        encoded = await models.encoder.encode(["red shoes"])
        read = await models.vectors.read(["red shoes"])
        np.testing.assert_allclose(encoded.vectors[0], read.readings[0].vector, atol=1e-5)
        lost = models.reader("zh")
        assert lost is not None
        with pytest.raises(UnavailableError, match="nothing"):
            await lost.read(["手机"])
        with pytest.raises(UnavailableError):
            await lost.check_ready()
    finally:
        await models.close()


async def test_the_versions_that_stand_there_are_told(settings_for: SettingsFor) -> None:
    reader = open_reader(settings_for("query_en"))
    try:
        await reader.check_ready()
        assert await reader.versions() == [1]
    finally:
        await reader.close()


def test_a_reader_without_labels_is_refused(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "query_en").symlink_to(repository / "query_en")
    settings = InferenceSettings(backend="onnx", model="query_en", model_dir=tmp_path, version=2)
    with pytest.raises(UnavailableError):
        open_reader(settings)
