"""`Summarise` through the real reason service, with an NLU of its own contract beside it."""

import asyncio

import grpc
import numpy as np
import pytest

from services.reason.config import Settings
from services.reason.server import ReasonServer
from shared.errors import InvalidArgumentError, error_from_rpc
from shared.server import start_server
from tests.services.reason.running import nlu_beside
from wherefore.common.v1.diagnostics_pb2 import DEGRADATION_CAUSE_UNAVAILABLE
from wherefore.common.v1.product_pb2 import Review
from wherefore.common.v1.vector_pb2 import Vector
from wherefore.nlu.v1 import nlu_service_pb2 as nlu_pb
from wherefore.nlu.v1 import nlu_service_pb2_grpc as nlu_grpc
from wherefore.reason.v1.reason_service_pb2_grpc import ReasonServiceStub
from wherefore.reason.v1.summary_pb2 import SUMMARY_STYLE_REWRITTEN, SummariseRequest

REVIEWS = (
    "Very comfortable boots. They run a size small, so order one up.",
    "So comfortable from the first day! Good quality leather.",
    "The leather is good quality. But they run small.",
    "很舒服，就是偏小一码。质量很好。",
    "非常舒服。",
    "Very comfortable boots. They run a size small, so order one up!",
)


class FakeNlu(nlu_grpc.NluServiceServicer):
    """Counts letters: vectors that differ, made without a model."""

    def __init__(self):
        self.calls = []

    async def Embed(self, request, context):  # noqa: N802
        self.calls.append(list(request.texts))
        rows = [[text.lower().count(c) + 0.1 for c in "aeioust"] for text in request.texts]
        return nlu_pb.EmbedResponse(
            vectors=[
                Vector(values=np.array(row) / np.linalg.norm(row), model="letters@1")
                for row in rows
            ]
        )


@pytest.fixture
async def nlu():
    async with nlu_beside(FakeNlu()) as fake:
        yield fake


async def serve(target):
    settings = Settings(port=0, metrics_port=0, model="", nlu_target=target)
    # In another thread, as the service's process makes it before there is an event loop.
    made = await asyncio.to_thread(ReasonServer, settings)
    running = await start_server(made, settings)
    await running.wait_ready(20)
    return running


@pytest.fixture
async def stub(nlu):
    running = await serve(f"127.0.0.1:{nlu.port}")
    async with grpc.aio.insecure_channel(f"127.0.0.1:{running.port}") as channel:
        yield ReasonServiceStub(channel)
    await running.stop()


@pytest.fixture
async def lonely_stub():
    running = await serve("127.0.0.1:1")
    async with grpc.aio.insecure_channel(f"127.0.0.1:{running.port}") as channel:
        yield ReasonServiceStub(channel)
    await running.stop()


def request_of(**fields):
    reviews = [Review(id=f"r{n}", text=text) for n, text in enumerate(REVIEWS, start=1)]
    return SummariseRequest(reviews=reviews, **fields)


async def test_sentences_are_quoted_from_the_reviews_they_name(stub, nlu):
    response = await stub.Summarise(request_of(max_words=30), timeout=5)
    texts = {f"r{n}": text for n, text in enumerate(REVIEWS, start=1)}
    assert response.sentences
    for sentence in response.sentences:
        assert texts[sentence.review_id][sentence.start : sentence.end] == sentence.text
        assert 0 < sentence.centrality <= 1
    assert sum(len(sentence.text.split()) for sentence in response.sentences) <= 30
    assert (response.language_code, response.method) == ("en", "letters@1+linear_en@1")
    assert (response.review_count, response.duplicate_count) == (5, 1)
    assert not response.degraded
    assert len(nlu.calls) == 1
    assert all(text.isascii() for text in nlu.calls[0])
    stages = [timing.stage for timing in response.timings]
    assert stages == [
        "summarise.sentences", "nlu.embedding", "summarise.extract", "summarise.points",
    ]  # fmt: skip


async def test_points_count_distinct_reviews_of_both_languages(stub):
    response = await stub.Summarise(request_of(), timeout=5)
    assert {p.aspect: (p.review_count, p.opposing_count) for p in response.pros} == {
        "comfort": (4, 0),
        "quality": (3, 0),
    }
    assert {p.aspect: p.review_count for p in response.cons} == {"fit": 3}
    assert response.overview == (
        "4 of 5 reviews praise the comfort and 3 the quality."
        " 3 of 5 reviews fault the size and fit."
    )
    for point in [*response.pros, *response.cons]:
        assert 2 <= len({example.review_id for example in point.examples}) <= 3


async def test_chinese_compares_words_which_is_no_degradation(stub, nlu):
    response = await stub.Summarise(
        request_of(language_code="zh-CN", descriptions={"zh": "一双冬靴。", "en": "Boots."}),
        timeout=5,
    )
    assert (response.language_code, response.method) == ("zh", "tf_idf")
    assert {sentence.review_id for sentence in response.sentences} <= {"", "r4", "r5"}
    assert response.sentences[0].text == "一双冬靴。"
    assert response.overview.startswith("5条评价中，4条称赞舒适度，3条称赞质量；3条批评大小尺码。")
    assert not response.degraded
    assert not nlu.calls


async def test_without_the_nlu_words_are_compared_and_the_answer_says_so(lonely_stub):
    response = await lonely_stub.Summarise(request_of(), timeout=10)
    assert response.sentences
    assert response.method == "tf_idf+linear_en@1"
    (told,) = response.degraded
    assert (told.stage, told.fallback) == ("nlu.embedding", "tf_idf")
    assert told.cause == DEGRADATION_CAUSE_UNAVAILABLE


async def test_a_rewritten_summary_names_the_reviews_of_each_claim(stub):
    plain = await stub.Summarise(request_of(), timeout=5)
    assert (plain.rewritten, list(plain.claims)) == ("", [])
    response = await stub.Summarise(request_of(style=SUMMARY_STYLE_REWRITTEN), timeout=5)
    assert response.rewritten.startswith(
        "Reviewers find it comfortable (4 of 4) and of good quality (3 of 3),"
        " but 3 of 3 find the size off."
    )
    assert response.sentences == plain.sentences
    for claim in response.claims[:3]:
        assert claim.text in response.rewritten
        assert len(set(claim.review_ids)) == claim.review_count <= claim.speaking_count
    assert response.claims[0].aspect == "comfort"
    assert response.claims[0].praises
    assert response.rejected_claim_count == 0


async def test_reviews_without_text_are_not_read(stub):
    request = SummariseRequest(reviews=[Review(id="a", text=" "), Review(id="b", text="Good.")])
    response = await stub.Summarise(request, timeout=5)
    assert [sentence.text for sentence in response.sentences] == ["Good."]
    assert (response.review_count, response.overview) == (1, "")


def many(count):
    return [Review(id=str(n), text=f"Number {n}") for n in range(count)]


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (SummariseRequest(), "reviews"),
        (SummariseRequest(reviews=[Review(id="a", text="  ")]), "reviews"),
        (SummariseRequest(reviews=many(501)), "reviews"),
        (SummariseRequest(reviews=[Review(text="x")]), "reviews[0].id"),
        (SummariseRequest(reviews=[*many(2), *many(1)]), "reviews[2].id"),
        (SummariseRequest(reviews=[Review(id="a", text="x" * 10_001)]), "reviews[0].text"),
        (SummariseRequest(descriptions={"en": "x" * 20_001}), 'descriptions["en"]'),
        (
            SummariseRequest(descriptions={f"x{n}": "x" for n in range(11)}),
            "descriptions",
        ),
        (SummariseRequest(reviews=many(1), language_code="fr"), "language_code"),
        (SummariseRequest(reviews=many(1), style=7), "style"),
        (SummariseRequest(reviews=many(1), max_words=9), "max_words"),
        (SummariseRequest(reviews=many(1), max_words=501), "max_words"),
        (SummariseRequest(reviews=many(1), max_words=-5), "max_words"),
        (SummariseRequest(reviews=many(1), max_points=11), "max_points"),
        (SummariseRequest(reviews=many(1), max_points=-1), "max_points"),
    ],
)
async def test_bad_input_names_its_field(stub, request_, field):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Summarise(request_, timeout=5)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    refused = error_from_rpc(caught.value)
    assert isinstance(refused, InvalidArgumentError)
    assert [violation.field for violation in refused.violations] == [field]


async def test_of_many_sentences_the_best_are_encoded(stub, nlu):
    reviews = [
        Review(id=str(n), text=f"The strap number {n} is comfortable. I bought {n} of them in May.")
        for n in range(80)
    ]
    before = len(nlu.calls)
    response = await stub.Summarise(
        SummariseRequest(reviews=reviews, language_code="en"), timeout=10
    )
    (texts,) = nlu.calls[before:]
    assert len(texts) == 96
    assert sum("comfortable" in text for text in texts) >= 70
    assert response.method == "letters@1+linear_en@1"
    assert not response.degraded
