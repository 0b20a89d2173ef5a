"""The model of reasons in Triton, through the whole suite: it words, its loss is told, it heals."""

import asyncio
from collections.abc import Iterator

import grpc
import pytest

from services.reason.wording.served import SERVED_GRAPH
from shared.inference.settings import REPOSITORY
from shared.suite import PortPlan, Suite
from wherefore.common.v1.product_pb2 import Availability
from wherefore.reason.v1 import reason_service_pb2 as pb
from wherefore.reason.v1.reason_pb2 import Generator
from wherefore.reason.v1.reason_service_pb2_grpc import ReasonServiceStub

MODEL = "reason_small"
STAGE = "reason.model"
HEALING = 60.0

pytestmark = [
    pytest.mark.suite,
    pytest.mark.skipif(
        not (REPOSITORY / MODEL / "1" / SERVED_GRAPH).is_file(),
        reason="`make models` has made no graph yet",
    ),
]


@pytest.fixture(scope="module")
def worded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """Triton and the reason service, with the model turned on."""
    variables = {"WHEREFORE_REASON_MODEL": MODEL, "WHEREFORE_REASON_MODEL_SECONDS": "2"}
    home = tmp_path_factory.mktemp("worded")
    with Suite(
        home, PortPlan.free(), services=("reason",), private=True, variables=variables
    ) as suite:
        if not suite.has_triton:
            pytest.skip("Triton cannot start on this machine")
        suite.up()
        yield suite


class Shop:
    """Asks for pages, each of products of its own so that nothing is remembered."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = ReasonServiceStub(channel)
        self._count = 0

    def page(self, size: int = 10) -> pb.ExplainRequest:
        request = pb.ExplainRequest(language_code="en")
        for _ in range(size):
            self._count += 1
            product = request.items.add().product
            product.id = f"p{self._count}"
            product.stock.availability = Availability.AVAILABILITY_IN_STOCK
            product.price.currency_code, product.price.amount = "CNY", 100.0 + self._count
            product.price.list_amount = 900.0
        return request

    async def explain(self, size: int = 10) -> pb.ExplainResponse:
        answer = await self._stub.Explain(self.page(size), timeout=10)
        assert len(answer.reasons) == size
        assert all(reason.text for reason in answer.reasons)
        return answer

    async def stream(self, size: int = 10) -> list[pb.ExplainStreamResponse]:
        asked = pb.ExplainStreamRequest(request=self.page(size), by_clause=True)
        return [message async for message in self._stub.ExplainStream(asked, timeout=10)]

    async def until(self, *, degraded: bool) -> pb.ExplainResponse:
        async with asyncio.timeout(HEALING):
            while True:
                answer = await self.explain()
                if bool(answer.degraded) == degraded:
                    return answer
                await asyncio.sleep(0.05)


async def test_the_model_in_triton_words_streams_dies_and_comes_back(worded: Suite) -> None:
    async with grpc.aio.insecure_channel(worded.target("reason")) as channel:
        shop = Shop(channel)
        answer = await shop.until(degraded=False)
        assert any(r.generator == Generator.GENERATOR_MODEL for r in answer.reasons)
        assert answer.first_text_nanos > 0

        # Of a page larger than the model is asked for, templates say the rest, and say so.
        rest = (await shop.explain(25)).reasons[20:]
        assert {r.generator for r in rest} == {Generator.GENERATOR_TEMPLATE}

        messages = await shop.stream()
        assert any(message.HasField("clause") for message in messages)
        whole = {m.reason.product_id: m.reason for m in messages if m.HasField("reason")}
        assert len(whole) == 10
        for message in messages:
            if message.HasField("clause"):
                reason = whole[message.clause.product_id]
                assert message.clause.clause in reason.clauses
                assert message.clause.text in reason.text

        await asyncio.to_thread(worded.kill, "triton")
        lost = await shop.until(degraded=True)
        assert [d.stage for d in lost.degraded] == [STAGE]
        assert lost.degraded[0].fallback == "template"
        assert {r.generator for r in lost.reasons} == {Generator.GENERATOR_TEMPLATE}
        assert (await shop.stream())[-1].degraded[0].stage == STAGE

        await asyncio.to_thread(worded.restart, "triton")
        healed = await shop.until(degraded=False)
        assert any(r.generator == Generator.GENERATOR_MODEL for r in healed.reasons)
