"""Both ways of `Match` through the running suite and Triton."""

import grpc
import pytest

from shared.inference.settings import CROSS_MODEL, VECTOR_MODEL
from shared.suite import Suite
from wherefore.nlu.v1 import nlu_service_pb2 as pb
from wherefore.nlu.v1.nlu_service_pb2_grpc import NluServiceStub

QUERY = "wireless noise cancelling headphones"
ANSWER = "Sony WH-1000XM4 Wireless Noise Cancelling Over-Ear Headphones, black"
OTHERS = (
    "Sony Alpha 7 mirrorless camera body, black",
    "Wireless mouse with silent clicks",
    "Replacement ear pads for headphones, black",
)


@pytest.mark.parametrize(
    ("method", "model"),
    [
        (pb.MATCH_METHOD_BI_ENCODER, VECTOR_MODEL),
        (pb.MATCH_METHOD_CROSS_ENCODER, CROSS_MODEL),
    ],
)
async def test_the_answer_matches_best(suite: Suite, method: pb.MatchMethod, model: str) -> None:
    pairs = [pb.TextPair(left=QUERY, right=title) for title in (ANSWER, *OTHERS)]
    async with grpc.aio.insecure_channel(suite.target("nlu")) as channel:
        request = pb.MatchRequest(pairs=pairs, method=method)
        response = await NluServiceStub(channel).Match(request, timeout=30)
    assert response.model.startswith(f"{model}@")
    first, *others = response.scores
    assert first > max(others)
    if method == pb.MATCH_METHOD_CROSS_ENCODER:
        assert 0 <= min(response.scores) <= first <= 1
        assert first > 0.5 > response.scores[1]
