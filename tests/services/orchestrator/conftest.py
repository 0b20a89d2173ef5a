"""A real orchestrator before four downstream services of the tests, all over real ports."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from services.orchestrator.config import OrchestratorSettings
from services.orchestrator.server import OrchestratorService
from shared.catalogue import content_etag
from shared.server import start_server
from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.vector_pb2 import Vector
from wherefore.nlu.v1 import nlu_service_pb2, nlu_service_pb2_grpc
from wherefore.nlu.v1.query_understanding_pb2 import Constraint, NumberRange, QueryUnderstanding
from wherefore.ranking.v1 import ranking_service_pb2, ranking_service_pb2_grpc
from wherefore.ranking.v1.ranked_result_pb2 import RankedResult
from wherefore.reason.v1 import reason_service_pb2, reason_service_pb2_grpc
from wherefore.reason.v1.reason_pb2 import Clause, Evidence, Reason
from wherefore.retrieval.v1 import retrieval_service_pb2, retrieval_service_pb2_grpc
from wherefore.retrieval.v1.candidate_pb2 import Candidate, LegScore


class Backends(
    nlu_service_pb2_grpc.NluServiceServicer,
    retrieval_service_pb2_grpc.RetrievalServiceServicer,
    ranking_service_pb2_grpc.RankingServiceServicer,
    reason_service_pb2_grpc.ReasonServiceServicer,
):
    """The four services in small; `broken` names those that fail, `slow` those that hang."""

    def __init__(self) -> None:
        self.products: dict[str, Product] = {}
        self.vectors: set[str] = set()
        self.broken: set[str] = set()
        self.slow: set[str] = set()
        self.parses = 0
        self.embedded = 0
        self.seen_users: list[str] = []

    async def gate(self, name: str, context) -> None:
        if name in self.slow:
            await asyncio.sleep(30)
        if name in self.broken:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")

    async def Parse(self, request, context):  # noqa: N802
        await self.gate("nlu", context)
        self.parses += 1
        understanding = QueryUnderstanding(
            query=request.query, search_text=request.query, language_code="en"
        )
        if "under 1" in request.query:
            understanding.constraints.append(
                Constraint(field="price", range=NumberRange(max=1), hard=True)
            )
            understanding.filter = "price <= 1"
        understanding.vector.CopyFrom(Vector(values=[1.0], model="m@1"))
        return nlu_service_pb2.ParseResponse(understanding=understanding)

    async def Embed(self, request, context):  # noqa: N802
        await self.gate("embed", context)
        self.embedded += len(request.texts)
        return nlu_service_pb2.EmbedResponse(
            vectors=[Vector(values=[1.0], model="m@1") for _ in request.texts]
        )

    async def Retrieve(self, request, context):  # noqa: N802
        await self.gate("retrieval", context)
        hard = any(c.hard for c in request.query.constraints)
        ids = [i for i in sorted(self.products) if i not in set(request.excluded_ids)]
        ids = [] if hard else ids[: request.limit]
        return retrieval_service_pb2.RetrieveResponse(
            candidates=[self.candidate(i, n) for n, i in enumerate(ids, 1)],
            estimated_total=len(self.products),
            index_version=1,
        )

    async def Similar(self, request, context):  # noqa: N802
        await self.gate("retrieval", context)
        if not set(request.product_ids) & set(self.products):
            await context.abort(grpc.StatusCode.NOT_FOUND, "none")
        ids = [i for i in sorted(self.products) if i not in request.product_ids]
        return retrieval_service_pb2.SimilarResponse(
            candidates=[self.candidate(i, n) for n, i in enumerate(ids, 1)]
        )

    def candidate(self, product_id: str, rank: int) -> Candidate:
        return Candidate(
            product=self.products[product_id],
            legs=[LegScore(leg="sparse", rank=rank, score=1 / rank)],
            fused_score=1 / rank,
            fused_rank=rank,
        )

    async def GetProducts(self, request, context):  # noqa: N802
        await self.gate("retrieval", context)
        found = [self.products[i] for i in request.product_ids if i in self.products]
        return retrieval_service_pb2.GetProductsResponse(products=found)

    async def ListProducts(self, request, context):  # noqa: N802
        await self.gate("retrieval", context)
        ids = [i for i in sorted(self.products) if i > request.after_id]
        page = ids[: request.page_size]
        return retrieval_service_pb2.ListProductsResponse(
            products=[self.products[i] for i in page],
            next_after_id=page[-1] if len(ids) > len(page) else "",
        )

    async def Stats(self, request, context):  # noqa: N802
        return retrieval_service_pb2.StatsResponse(
            product_count=len(self.products), vector_count=len(self.vectors)
        )

    async def Index(self, request_iterator, context):  # noqa: N802
        response = retrieval_service_pb2.IndexResponse()
        async for request in request_iterator:
            await self.gate("index", context)
            for document in request.documents:
                self.put(document.product, vector=document.HasField("vector"))
                response.indexed_count += 1
        return response

    async def Delete(self, request, context):  # noqa: N802
        gone = [i for i in request.product_ids if self.products.pop(i, None)]
        return retrieval_service_pb2.DeleteResponse(deleted_count=len(gone))

    def put(self, product: Product, *, vector: bool = True) -> None:
        copy = Product()
        copy.CopyFrom(product)
        copy.etag = content_etag(product)
        self.products[copy.id] = copy
        self.vectors.discard(copy.id)
        if vector:
            self.vectors.add(copy.id)

    async def Rank(self, request, context):  # noqa: N802
        await self.gate("ranking", context)
        self.seen_users.append(request.user.user_id)
        ids = [c.product.id for c in request.candidates]
        return ranking_service_pb2.RankResponse(
            results=[
                RankedResult(product_id=i, rank=n, score=1 / n, confidence=0.5)
                for n, i in enumerate(reversed(ids), 1)
            ]
        )

    async def Explain(self, request, context):  # noqa: N802
        await self.gate("reason", context)
        return reason_service_pb2.ExplainResponse(
            reasons=[
                Reason(
                    product_id=item.product.id,
                    text="Made of steel.",
                    language_code="en",
                    clauses=[Clause(text="Made of steel", code="a", evidence_ids=["e1"])],
                    evidence=[Evidence(id="e1", source="attributes.material", value="steel")],
                )
                for item in request.items
            ]
        )


@pytest.fixture
async def backends() -> AsyncIterator[SimpleNamespace]:
    fake = Backends()
    for n in range(30):
        product = Product(id=f"p{n:02}", titles={"en": f"Steel cup {n}"}, brand="Acme")
        product.price.currency_code, product.price.amount = "EUR", float((n * 7) % 30 + 1)
        fake.put(product)
    server = grpc.aio.server()
    nlu_service_pb2_grpc.add_NluServiceServicer_to_server(fake, server)
    retrieval_service_pb2_grpc.add_RetrievalServiceServicer_to_server(fake, server)
    ranking_service_pb2_grpc.add_RankingServiceServicer_to_server(fake, server)
    reason_service_pb2_grpc.add_ReasonServiceServicer_to_server(fake, server)
    servicer = health.aio.HealthServicer()
    for name in ("nlu.v1.Nlu", "retrieval.v1.Retrieval", "ranking.v1.Ranking", "reason.v1.Reason"):
        await servicer.set(f"wherefore.{name}Service", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield SimpleNamespace(fake=fake, target=f"127.0.0.1:{port}")
    await server.stop(0)


@pytest.fixture
async def running(backends: SimpleNamespace, tmp_path: Path) -> AsyncIterator[SimpleNamespace]:
    target = backends.target
    settings = OrchestratorSettings(
        port=0,
        http_port=0,
        lame_duck_seconds=0,
        nlu_target=target,
        retrieval_target=target,
        ranking_target=target,
        reason_target=target,
        data_dir=tmp_path,
        breaker_reset_seconds=0.1,
        budgets={  # type: ignore[arg-type]
            "nlu": {"seconds": 0.4, "reserve": 0},
            "ranking": {"seconds": 0.4, "reserve": 0},
            "reason": {"seconds": 0.4, "reserve": 0},
        },
    )
    service = OrchestratorService(settings)
    server = await start_server(service, settings)
    await server.wait_ready(10)
    channel = grpc.aio.insecure_channel(f"127.0.0.1:{server.port}")
    yield SimpleNamespace(channel=channel, service=service, fake=backends.fake)
    await channel.close()
    await server.stop()
