"""The four services behind the orchestrator in small, on a real port."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from services.ranking.config import Settings
from services.ranking.server import RankingServer
from shared.catalogue import content_etag
from tests.services.orchestrator.fake_reasons import FakeReasons
from wherefore.common.v1.diagnostics_pb2 import RowError
from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.vector_pb2 import Vector
from wherefore.nlu.v1 import nlu_service_pb2, nlu_service_pb2_grpc
from wherefore.nlu.v1.match_attribution_pb2 import MatchAttribution, WordAttribution
from wherefore.nlu.v1.query_understanding_pb2 import Constraint, NumberRange, QueryUnderstanding
from wherefore.ranking.v1 import ranking_service_pb2, ranking_service_pb2_grpc
from wherefore.ranking.v1.ranked_result_pb2 import RankedResult
from wherefore.reason.v1 import reason_service_pb2_grpc
from wherefore.retrieval.v1 import retrieval_service_pb2, retrieval_service_pb2_grpc
from wherefore.retrieval.v1.candidate_pb2 import Candidate, LegScore

DIMENSION = 8
SERVICES = ("nlu.v1.Nlu", "retrieval.v1.Retrieval", "ranking.v1.Ranking", "reason.v1.Reason")


class Backends(
    FakeReasons,
    nlu_service_pb2_grpc.NluServiceServicer,
    retrieval_service_pb2_grpc.RetrievalServiceServicer,
    ranking_service_pb2_grpc.RankingServiceServicer,
):
    """The four services in small."""

    def __init__(self) -> None:
        super().__init__()
        self.products: dict[str, Product] = {}
        self.sources: dict[str, str] = {}
        """What vectors were made of, by id of the products that have one."""
        self.broken: set[str] = set()
        """Parts that fail with `code`."""
        self.code = grpc.StatusCode.UNAVAILABLE
        self.slow: set[str] = set()
        """Parts that hang."""
        self.stalls: dict[str, int] = {}
        """How often each method still hangs."""
        self.version = 1
        """Of the catalogue: one more with each product that changes."""
        self.tells_version = False
        """Whether it answers Stats."""
        self.retrieved = 0
        self.parsed: list[str] = []
        self.embedded: list[str] = []
        self.seen_users: list[str] = []
        self.asked_to_tell: list[bool] = []
        """Whether ranking was to say what a reason may tell of."""
        self.seen_request_ids: set[str] = set()
        self.before_index: Callable[[], None] = lambda: None
        self.ranking = RankingServer(Settings())

    async def gate(self, name: str, context, method: str = "") -> None:
        self.seen_request_ids |= {
            str(value) for key, value in context.invocation_metadata() if key == "x-request-id"
        }
        if name in self.slow:
            await asyncio.sleep(30)
        if self.stalls.get(method):
            self.stalls[method] -= 1
            await asyncio.sleep(30)
        if name in self.broken:
            await context.abort(self.code, "gone")

    async def Parse(self, request, context):  # noqa: N802
        await self.gate("nlu", context)
        self.parsed.append(request.query)
        understanding = QueryUnderstanding(
            query=request.query, search_text=request.query, language_code="en"
        )
        if "under 1" in request.query:
            understanding.constraints.append(
                Constraint(field="price", range=NumberRange(max=1), hard=True)
            )
            understanding.filter = "price <= 1"
        understanding.vector.CopyFrom(vector_of(request.query))
        return nlu_service_pb2.ParseResponse(understanding=understanding)

    async def ParseBatch(self, request, context):  # noqa: N802
        await self.gate("words", context)
        return nlu_service_pb2.ParseBatchResponse(
            responses=[await self.Parse(one, context) for one in request.requests]
        )

    async def Embed(self, request, context):  # noqa: N802
        await self.gate("embed", context)
        self.embedded += request.texts
        return nlu_service_pb2.EmbedResponse(vectors=map(vector_of, request.texts))

    async def Match(self, request, context):  # noqa: N802
        await self.gate("cross", context)
        # The number at the end of a title is as good a probability as any.
        return nlu_service_pb2.MatchResponse(
            scores=[1 / (1 + int(pair.right.split(".")[0].split()[-1])) for pair in request.pairs]
        )

    async def AttributeMatch(self, request, context):  # noqa: N802
        await self.gate("attribution", context, "AttributeMatch")
        # Each word of the query that the product has adds 1.
        return nlu_service_pb2.AttributeMatchResponse(
            attributions=[
                MatchAttribution(
                    logit=len(set(pair.left.split()) & set(pair.right.split())),
                    left_words=[
                        WordAttribution(word=word, attribution=float(word in pair.right.split()))
                        for word in pair.left.split()
                    ],
                )
                for pair in request.pairs
            ]
        )

    async def Retrieve(self, request, context):  # noqa: N802
        await self.gate("retrieval", context, "Retrieve")
        self.retrieved += 1
        hard = any(c.hard for c in request.query.constraints)
        ids = [i for i in sorted(self.products) if i not in set(request.excluded_ids)]
        ids = [] if hard else ids[: request.limit]
        ids += [i for i in request.included_ids if i in self.products and i not in ids]
        return retrieval_service_pb2.RetrieveResponse(
            candidates=[self.candidate(i, n) for n, i in enumerate(ids, 1)],
            estimated_total=len(self.products),
            index_version=self.version,
        )

    async def Similar(self, request, context):  # noqa: N802
        await self.gate("retrieval", context, "Similar")
        if not set(request.product_ids) & set(self.products):
            await context.abort(grpc.StatusCode.NOT_FOUND, "none")
        seed = next(self.products[i] for i in request.product_ids if i in self.products)
        excluded = {*request.product_ids, *request.excluded_ids}
        likeness = {
            i: 0.9 if product.category_path == seed.category_path else 0.1
            for i, product in self.products.items()
            if i not in excluded
        }
        ids = sorted(likeness, key=lambda i: (-likeness[i], i))[: request.limit]
        return retrieval_service_pb2.SimilarResponse(
            candidates=[self.candidate(i, n, "similar", likeness[i]) for n, i in enumerate(ids, 1)]
        )

    def candidate(
        self, product_id: str, rank: int, leg: str = "sparse", score: float = 1.0
    ) -> Candidate:
        return Candidate(
            product=self.products[product_id],
            legs=[LegScore(leg=leg, rank=rank, score=score)],
            fused_score=1 / rank,
            fused_rank=rank,
        )

    async def GetProducts(self, request, context):  # noqa: N802
        await self.gate("retrieval", context, "GetProducts")
        found = [self.products[i] for i in request.product_ids if i in self.products]
        response = retrieval_service_pb2.GetProductsResponse(products=found)
        if request.include_vector_sources:
            known = set(request.product_ids) & set(self.sources)
            response.vector_sources.update({i: self.sources[i] for i in known})
        return response

    async def ListProducts(self, request, context):  # noqa: N802
        await self.gate("retrieval", context, "ListProducts")
        ids = [i for i in sorted(self.products) if i > request.after_id]
        page = ids[: request.page_size]
        return retrieval_service_pb2.ListProductsResponse(
            products=[self.products[i] for i in page],
            next_after_id=page[-1] if len(ids) > len(page) else "",
        )

    async def Index(self, request_iterator, context):  # noqa: N802
        response = retrieval_service_pb2.IndexResponse()
        async for request in request_iterator:
            await self.gate("index", context)
            self.before_index()
            for document in request.documents:
                i, source = document.product.id, document.vector_source
                if source and not document.HasField("vector") and self.sources.get(i) != source:
                    response.errors.append(RowError(row=document.row, id=i, field="vector_source"))
                    continue
                before = self.products.get(i), self.sources.get(i, "")
                self.put(document.product, source)
                if before == (self.products[i], source) and not document.HasField("vector"):
                    response.unchanged_count += 1
                else:
                    response.indexed_count += 1
                    self.version += 1
        response.index_version = self.version
        return response

    async def Delete(self, request, context):  # noqa: N802
        gone = [i for i in request.product_ids if self.products.pop(i, None)]
        self.version += bool(gone)
        return retrieval_service_pb2.DeleteResponse(
            deleted_count=len(gone), index_version=self.version
        )

    async def Stats(self, request, context):  # noqa: N802
        if not self.tells_version:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, "no terms here")
        return retrieval_service_pb2.StatsResponse(index_version=self.version)

    def put(self, product: Product, source: str = "") -> None:
        copy = Product()
        copy.CopyFrom(product)
        copy.etag = content_etag(product)
        self.products[copy.id] = copy
        self.sources.pop(copy.id, None)
        if source:
            self.sources[copy.id] = source

    async def Rank(self, request, context):  # noqa: N802
        await self.gate("ranking", context)
        self.seen_users.append(request.user.user_id)
        self.asked_to_tell.append(request.include_telling_contributions)
        known = [recent.product_id for recent in request.user.recent_products]
        order = personal_order([c.product.id for c in request.candidates], known)
        read = {
            c.product.id: leg.score
            for c in request.candidates
            for leg in c.legs
            if leg.leg == "cross"
        }
        order.sort(key=lambda i: -read.get(i, 0.0))
        return ranking_service_pb2.RankResponse(
            results=[
                RankedResult(product_id=i, rank=n, score=1 / n, confidence=0.5, propensity=0.25)
                for n, i in enumerate(order, 1)
            ]
        )


def vector_of(text: str) -> Vector:
    """Returns a vector of unit length along an axis that depends on the text."""
    axis = hashlib.sha256(text.encode()).digest()[0] % DIMENSION
    return Vector(values=[float(n == axis) for n in range(DIMENSION)], model="m@1")


def personal_order(ids: list[str], known: list[str]) -> list[str]:
    """Returns an order that is the reverse of `ids`, and another for each history."""
    if not known:
        return list(reversed(ids))
    return sorted(ids, key=lambda i: hashlib.sha256(" ".join([*known, i]).encode()).digest())


@asynccontextmanager
async def serve_backends() -> AsyncIterator[SimpleNamespace]:
    fake = Backends()
    await fake.ranking.start()
    for n in range(30):
        product = Product(id=f"p{n:02}", titles={"en": f"Steel cup {n}"}, brand="Acme")
        product.category_path.extend(["Kitchen", "Cups"] if n % 2 else ["Office", "Mugs"])
        product.price.currency_code, product.price.amount = "EUR", float((n * 7) % 30 + 1)
        product.reviews.add(id="r1", rating=5, text="Fine.")
        fake.put(product, "made elsewhere")
    server = grpc.aio.server()
    nlu_service_pb2_grpc.add_NluServiceServicer_to_server(fake, server)
    retrieval_service_pb2_grpc.add_RetrievalServiceServicer_to_server(fake, server)
    ranking_service_pb2_grpc.add_RankingServiceServicer_to_server(fake, server)
    reason_service_pb2_grpc.add_ReasonServiceServicer_to_server(fake, server)
    servicer = health.aio.HealthServicer()
    for name in SERVICES:
        await servicer.set(f"wherefore.{name}Service", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield SimpleNamespace(fake=fake, target=f"127.0.0.1:{port}")
    finally:
        await server.stop(0)
