"""The service with learnt readers, over a real port."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio
import pytest
import pytest_asyncio

from services.nlu.config import NluSettings
from services.nlu.learnt.models import Models
from services.nlu.server import NluService
from shared.errors import InvalidArgumentError, error_from_rpc
from shared.inference.encoder import VECTORS
from shared.server import start_server
from tests.services.nlu.fake_models import LengthAttributor, LengthCross, WordReader
from wherefore.common.v1.diagnostics_pb2 import DegradationCause
from wherefore.nlu.v1 import nlu_service_pb2 as pb
from wherefore.nlu.v1 import query_understanding_pb2 as understanding_pb
from wherefore.nlu.v1.nlu_service_pb2_grpc import NluServiceStub


@pytest.fixture
def english() -> WordReader:
    return WordReader("query_en@1")


@pytest.fixture
def chinese() -> WordReader:
    return WordReader("query_zh@3", zh=True)


@pytest.fixture
def models(english: WordReader, chinese: WordReader) -> Models:
    cross: Any = LengthCross()
    attributor: Any = LengthAttributor()
    return Models(english, english, {"en": english, "zh": chinese}, cross, attributor)


@pytest_asyncio.fixture
async def stub(models: Models) -> AsyncIterator[NluServiceStub]:
    settings = NluSettings(port=0, retrieval_target="", drain_seconds=0, lame_duck_seconds=0)
    server = await start_server(NluService(settings, models=models), settings)
    await server.wait_ready()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield NluServiceStub(channel)
    await server.stop()


async def test_parse_is_one_forward_pass_beside_the_rules(
    stub: NluServiceStub, english: WordReader
) -> None:
    response = await stub.Parse(pb.ParseRequest(query="Red ZORB under 20"), timeout=30)
    understanding = response.understanding
    assert [sorted(call) for call in english.calls] == [["red zorb", "red zorb under 20"]]
    assert [(e.text, e.source) for e in understanding.entities] == [
        ("Red", "lexicon"),
        ("ZORB", "query_en@1"),
        ("under 20", "pattern"),
    ]
    assert understanding.filter == "price <= 20"
    assert understanding.intent.type == understanding_pb.INTENT_TYPE_SUPPORT
    assert understanding.intent.label == "complaint"
    shares = [understanding.intent, *understanding.alternative_intents]
    assert sum(item.confidence for item in shares) == pytest.approx(1.0)
    assert understanding.vector.model == "query_en@1"
    stages = {timing.stage: timing for timing in response.timings}
    assert set(stages) == {"nlu.rules", "nlu.embedding"}
    embedding = stages["nlu.embedding"]
    assert (embedding.queue_nanos, embedding.inference_nanos) == (30, 40)
    assert not response.degraded


async def test_a_chinese_query_is_read_in_chinese_and_embedded_by_its_gloss(
    stub: NluServiceStub, english: WordReader, chinese: WordReader
) -> None:
    response = await stub.Parse(pb.ParseRequest(query="无线鼠标 zorb 质量很好"), timeout=30)
    understanding = response.understanding
    assert chinese.calls == [["无线鼠标 zorb 质量很好"]]
    assert len(english.calls) == 1
    assert english.calls[0][0].isascii()
    assert "query_zh@3" in {entity.source for entity in understanding.entities}
    assert understanding.sentiment.label == understanding_pb.SENTIMENT_LABEL_POSITIVE
    assert [(c.category, c.confidence) for c in understanding.categories] == [
        ("手机", pytest.approx(0.8)),
        ("书籍", pytest.approx(0.2)),
    ]
    assert {timing.stage for timing in response.timings} == {
        "nlu.rules",
        "nlu.reading",
        "nlu.embedding",
    }


async def test_a_lost_reader_leaves_the_rules_and_says_so(
    stub: NluServiceStub, chinese: WordReader
) -> None:
    chinese.fails = True
    response = await stub.Parse(pb.ParseRequest(query="无线鼠标"), timeout=30)
    [degraded] = response.degraded
    assert (degraded.stage, degraded.fallback) == ("nlu.reading", "rules alone")
    assert degraded.cause == DegradationCause.DEGRADATION_CAUSE_UNAVAILABLE
    assert response.understanding.entities
    assert response.understanding.intent.type == understanding_pb.INTENT_TYPE_PRODUCT_SEARCH
    assert response.understanding.HasField("vector")


async def test_a_lost_model_of_both_is_told_for_both(
    stub: NluServiceStub, english: WordReader
) -> None:
    english.fails = True
    response = await stub.Parse(pb.ParseRequest(query="kettle"), timeout=30)
    assert [d.stage for d in response.degraded] == ["nlu.reading", "nlu.embedding"]
    assert [e.source for e in response.understanding.entities] == ["lexicon"]


async def test_a_query_is_read_even_without_its_vector(
    stub: NluServiceStub, english: WordReader
) -> None:
    response = await stub.Parse(pb.ParseRequest(query="zorb", skip_vector=True), timeout=30)
    assert english.calls == [["zorb"]]
    assert not response.understanding.HasField("vector")
    assert [e.source for e in response.understanding.entities] == ["query_en@1"]
    assert {timing.stage for timing in response.timings} == {"nlu.rules", "nlu.reading"}


async def test_a_batch_is_one_pass_a_model(
    stub: NluServiceStub, english: WordReader, chinese: WordReader
) -> None:
    requests = [pb.ParseRequest(query=query) for query in ("zorb", "kettle", "水壶", "手机")]
    response = await stub.ParseBatch(pb.ParseBatchRequest(requests=requests), timeout=30)
    assert len(english.calls) == len(chinese.calls) == 1
    sources = [{e.source for e in r.understanding.entities} for r in response.responses]
    assert sources[0] == {"query_en@1"}
    assert response.responses[2].understanding.categories[0].category == "手机"
    assert all(r.understanding.HasField("vector") for r in response.responses)


async def test_analyse_reads_each_text_by_the_model_of_its_language(
    stub: NluServiceStub, english: WordReader, chinese: WordReader
) -> None:
    texts = ["a zorb that broke", "质量很好 zorb", "zorb"]
    response = await stub.Analyse(pb.AnalyseRequest(texts=texts), timeout=30)
    first, second, third = response.analyses
    assert (first.language_code, first.model) == ("en", "query_en@1")
    assert (second.language_code, second.model) == ("zh", "query_zh@3")
    assert [(e.text, e.start, e.end) for e in first.entities] == [("zorb", 2, 6)]
    assert [(e.text, e.start, e.end) for e in second.entities] == [("zorb", 5, 9)]
    assert (first.intent.type, first.intent.label) == (
        understanding_pb.INTENT_TYPE_SUPPORT,
        "complaint",
    )
    assert not first.HasField("sentiment")
    assert second.sentiment.label == understanding_pb.SENTIMENT_LABEL_POSITIVE
    assert second.sentiment.score == pytest.approx(0.8)
    assert [(t.tag, t.text) for t in second.reason_tags] == [("质量好", "质量")]
    assert second.categories[0].category == "手机"
    assert third.model == "query_en@1"
    assert sorted(english.calls[0]) == sorted([texts[0], texts[2]])
    [timing] = response.timings
    assert (timing.queue_nanos, timing.inference_nanos) == (60, 80)


async def test_the_callers_language_chooses_the_model(
    stub: NluServiceStub, chinese: WordReader
) -> None:
    request = pb.AnalyseRequest(texts=["iPhone 15"], language_code="zh-CN")
    response = await stub.Analyse(request, timeout=30)
    assert response.analyses[0].model == "query_zh@3"
    assert chinese.calls == [["iPhone 15"]]


async def test_match_by_cross_encoder(stub: NluServiceStub) -> None:
    pairs = [pb.TextPair(left="kettle", right=right) for right in ("abcd", "ab")]
    request = pb.MatchRequest(pairs=pairs, method=pb.MATCH_METHOD_CROSS_ENCODER)
    response = await stub.Match(request, timeout=30)
    assert list(response.scores) == pytest.approx([0.25, 0.5])
    assert response.model == "cross_en@1"
    assert response.timings[0].inference_nanos == 2
    plain = await stub.Match(pb.MatchRequest(pairs=pairs), timeout=30)
    assert plain.model == "query_en@1"


async def test_words_of_a_match_are_attributed(stub: NluServiceStub) -> None:
    pairs = [pb.TextPair(left="kettle", right=right) for right in ("abcd", "ab")]
    response = await stub.AttributeMatch(pb.AttributeMatchRequest(pairs=pairs), timeout=30)
    assert response.model == "cross_en_attribution@1"
    first, second = response.attributions
    assert (first.logit, first.logit_without_left, first.logit_without_right) == (2, -1, -2)
    assert [(w.word, w.start, w.end, w.attribution) for w in first.right_words] == [
        ("abcd", 0, 4, 4.0)
    ]
    assert second.right_words[0].attribution == 2.0
    assert [(t.stage, t.inference_nanos) for t in response.timings] == [("nlu.attribution", 2)]


@pytest.mark.parametrize(
    ("pairs", "field_"),
    [
        ([], "pairs"),
        ([pb.TextPair(left="a", right="b")] * 21, "pairs"),
        ([pb.TextPair(left="a", right="b"), pb.TextPair(left="a")], "pairs[1].right"),
        ([pb.TextPair(right="b")], "pairs[0].left"),
    ],
)
async def test_bad_pairs_to_attribute_name_the_field(
    stub: NluServiceStub, pairs: list[pb.TextPair], field_: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.AttributeMatch(pb.AttributeMatchRequest(pairs=pairs), timeout=30)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert field_ in (caught.value.details() or "")


async def test_without_the_model_attributions_are_unavailable(
    stub: NluServiceStub, models: Models
) -> None:
    object.__setattr__(models, "attributor", None)
    pairs = [pb.TextPair(left="a", right="b")]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.AttributeMatch(pb.AttributeMatchRequest(pairs=pairs), timeout=30)
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize(
    ("request_", "field_"),
    [
        (pb.AnalyseRequest(), "texts"),
        (pb.AnalyseRequest(texts=["x"] * 129), "texts"),
        (pb.AnalyseRequest(texts=["x", " "]), "texts[1]"),
        (pb.AnalyseRequest(texts=["x" * 10_001]), "texts[0]"),
        (pb.AnalyseRequest(texts=["x"], language_code="not a tag"), "language_code"),
    ],
)
async def test_bad_texts_name_the_field(
    stub: NluServiceStub, request_: pb.AnalyseRequest, field_: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Analyse(request_, timeout=30)
    error = error_from_rpc(caught.value)
    assert isinstance(error, InvalidArgumentError)
    assert field_ in [violation.field for violation in error.violations]


async def test_what_is_not_installed_is_unavailable(english: WordReader) -> None:
    settings = NluSettings(port=0, retrieval_target="", drain_seconds=0, lame_duck_seconds=0)
    models = Models(english, english)
    server = await start_server(NluService(settings, models=models), settings)
    try:
        await server.wait_ready()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            stub = NluServiceStub(channel)
            cross = pb.MatchRequest(
                pairs=[pb.TextPair(left="a", right="b")], method=pb.MATCH_METHOD_CROSS_ENCODER
            )
            for call in (
                stub.Match(cross, timeout=30),
                stub.Analyse(pb.AnalyseRequest(texts=["a"])),
            ):
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await call
                assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    finally:
        await server.stop()


async def test_vectors_of_a_language_are_its_readers(english: WordReader) -> None:
    chinese = WordReader("query_zh@3", heads=(VECTORS,))
    models = Models(english, english, {"en": english, "zh": chinese})
    settings = NluSettings(port=0, retrieval_target="", drain_seconds=0, lame_duck_seconds=0)
    server = await start_server(NluService(settings, models=models), settings)
    try:
        await server.wait_ready()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            stub: Any = NluServiceStub(channel)
            texts = ["怎么退货"] * 130
            response = await stub.Embed(pb.EmbedRequest(texts=texts, language_code="zh-CN"))
            assert [vector.model for vector in response.vectors] == ["query_zh@3"] * 130
            assert [len(call) for call in chinese.calls] == [128, 2]
            (timing,) = response.timings
            assert (timing.queue_nanos, timing.inference_nanos) == (60, 80)
            own = await stub.Embed(pb.EmbedRequest(texts=texts[:1]))
            assert own.vectors[0].model == "query_en@1"
            for code, wanted in (
                ("fr", grpc.StatusCode.UNAVAILABLE),
                ("?", grpc.StatusCode.INVALID_ARGUMENT),
            ):
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await stub.Embed(pb.EmbedRequest(texts=texts[:1], language_code=code))
                assert caught.value.code() is wanted
    finally:
        await server.stop()


async def test_the_vector_of_a_reading_comes_where_it_is_asked_for(
    stub: NluServiceStub, english: WordReader
) -> None:
    request = pb.ParseRequest(query="Red ZORB under 20", reading_vector=True, skip_vector=True)
    response = await stub.Parse(request, timeout=30)
    assert len(english.calls) == 1
    assert response.reading_vector.model == "query_en@1"
    length = len("red zorb under 20")
    assert response.reading_vector.values == pytest.approx([1 / length, 1.0], abs=0.01)
    batch = await stub.ParseBatch(
        pb.ParseBatchRequest(requests=[request, pb.ParseRequest(query="Red ZORB under 20")]),
        timeout=30,
    )
    told = [each.HasField("reading_vector") for each in batch.responses]
    assert told == [True, False]
    # The reader of Chinese in this test has no vectors.
    chinese = await stub.Parse(pb.ParseRequest(query="无线鼠标", reading_vector=True), timeout=30)
    assert not chinese.HasField("reading_vector")
