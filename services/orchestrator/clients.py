"""The services behind the orchestrator, each behind a small typed port."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

import grpc.aio

from services.orchestrator.answer_cache import AnswerCaches
from services.orchestrator.brown_out import BrownOut
from services.orchestrator.config import OrchestratorSettings
from services.orchestrator.dependency import Dependency
from services.orchestrator.stage_budgets import StageBudget
from shared.errors import error_from_rpc
from shared.stream_status import StreamStatus
from wherefore.nlu.v1 import nlu_service_pb2 as nlu_pb
from wherefore.nlu.v1 import picture_service_pb2 as picture_pb
from wherefore.ranking.v1 import ranking_service_pb2 as ranking_pb
from wherefore.reason.v1 import reason_service_pb2 as reason_pb
from wherefore.reason.v1.summary_pb2 import SummariseRequest, SummariseResponse
from wherefore.recommend.v1 import recommend_service_pb2 as recommend_pb
from wherefore.retrieval.v1 import retrieval_service_pb2 as retrieval_pb

if TYPE_CHECKING:  # the stubs of asyncio channels exist for type checkers only
    from wherefore.nlu.v1.nlu_service_pb2_grpc import NluServiceAsyncStub
    from wherefore.nlu.v1.picture_service_pb2_grpc import PictureServiceAsyncStub
    from wherefore.ranking.v1.ranking_service_pb2_grpc import RankingServiceAsyncStub
    from wherefore.reason.v1.reason_service_pb2_grpc import ReasonServiceAsyncStub
    from wherefore.recommend.v1.recommend_service_pb2_grpc import RecommendServiceAsyncStub
    from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceAsyncStub

_LOOK_SECONDS: Final = 2.0
_Request = TypeVar("_Request")
_Response = TypeVar("_Response")


@dataclass(frozen=True, slots=True)
class Clients:
    """All dependencies, and a stub for each."""

    nlu: Dependency
    retrieval: Dependency
    ranking: Dependency
    reason: Dependency
    recommend: Dependency
    nlu_stub: "NluServiceAsyncStub"
    picture_stub: "PictureServiceAsyncStub"
    retrieval_stub: "RetrievalServiceAsyncStub"
    ranking_stub: "RankingServiceAsyncStub"
    reason_stub: "ReasonServiceAsyncStub"
    recommend_stub: "RecommendServiceAsyncStub"
    settings: OrchestratorSettings
    brown_out: BrownOut
    caches: AnswerCaches

    async def parse(self, request: nlu_pb.ParseRequest, timeout: float) -> nlu_pb.ParseResponse:  # noqa: ASYNC109
        """Asks the NLU what a query means."""
        return await self.caches.parse(
            request,
            lambda: self.nlu.call(self.nlu_stub.Parse, request, timeout, self.settings.budgets.nlu),
        )

    async def embed(self, request: nlu_pb.EmbedRequest, timeout: float) -> nlu_pb.EmbedResponse:  # noqa: ASYNC109
        """Asks the NLU for vectors.

        Past the breaker: a stuck model is no reason to stop parsing, which does without it.
        """
        return await _ask(self.nlu_stub.Embed, request, timeout)

    async def embed_pictures(
        self,
        request: picture_pb.EmbedPicturesRequest,
        timeout: float,  # noqa: ASYNC109
    ) -> picture_pb.EmbedPicturesResponse:
        """Asks for vectors of pictures. Past the breaker, as `embed`."""
        return await _ask(self.picture_stub.EmbedPictures, request, timeout)

    async def compose_query(
        self,
        request: picture_pb.ComposeQueryRequest,
        timeout: float,  # noqa: ASYNC109
    ) -> picture_pb.ComposeQueryResponse:
        """Asks for one vector of a picture and a text. Past the breaker, as `embed`."""
        return await _ask(self.picture_stub.ComposeQuery, request, timeout)

    async def match(self, request: nlu_pb.MatchRequest, timeout: float) -> nlu_pb.MatchResponse:  # noqa: ASYNC109
        """Asks the NLU how well texts match. Past the breaker, as `embed`."""
        return await _ask(self.nlu_stub.Match, request, timeout)

    async def attribute_match(
        self,
        request: nlu_pb.AttributeMatchRequest,
        timeout: float,  # noqa: ASYNC109
    ) -> nlu_pb.AttributeMatchResponse:
        """Asks the NLU what each word did to a match. Past the breaker, as `embed`."""
        return await _ask(self.nlu_stub.AttributeMatch, request, timeout)

    async def retrieve(
        self,
        request: retrieval_pb.RetrieveRequest,
        timeout: float,  # noqa: ASYNC109
    ) -> retrieval_pb.RetrieveResponse:
        """Asks for candidates."""
        return await self.caches.retrieve(
            request,
            lambda: self._read(
                self.retrieval_stub.Retrieve, request, timeout, self.settings.budgets.retrieval
            ),
        )

    async def similar(
        self,
        request: retrieval_pb.SimilarRequest,
        timeout: float,  # noqa: ASYNC109
    ) -> retrieval_pb.SimilarResponse:
        """Asks for neighbours of products."""
        return await self._read(
            self.retrieval_stub.Similar, request, timeout, self.settings.budgets.retrieval
        )

    async def facets(
        self,
        request: retrieval_pb.FacetsRequest,
        timeout: float,  # noqa: ASYNC109
    ) -> retrieval_pb.FacetsResponse:
        """Counts values of fields."""
        return await self._read(
            self.retrieval_stub.Facets, request, timeout, self.settings.budgets.facets
        )

    async def select_products(
        self,
        request: retrieval_pb.SelectProductsRequest,
        timeout: float,  # noqa: ASYNC109
    ) -> retrieval_pb.SelectProductsResponse:
        """Asks which products meet which filters."""
        return await self._read(
            self.retrieval_stub.SelectProducts, request, timeout, self.settings.budgets.retrieval
        )

    async def get_products(
        self,
        request: retrieval_pb.GetProductsRequest,
        timeout: float,  # noqa: ASYNC109
    ) -> retrieval_pb.GetProductsResponse:
        """Reads products."""
        return await self._read(
            self.retrieval_stub.GetProducts, request, timeout, self.settings.budgets.products
        )

    async def list_products(
        self,
        request: retrieval_pb.ListProductsRequest,
        timeout: float,  # noqa: ASYNC109
    ) -> retrieval_pb.ListProductsResponse:
        """Lists products."""
        return await self._read(
            self.retrieval_stub.ListProducts, request, timeout, self.settings.budgets.products
        )

    async def index_version(self) -> int:
        """Asks for the version of the catalogue."""
        brief = await _ask(self.retrieval_stub.Stats, retrieval_pb.StatsRequest(), _LOOK_SECONDS)
        return brief.index_version

    async def delete(
        self,
        request: retrieval_pb.DeleteRequest,
        timeout: float,  # noqa: ASYNC109
    ) -> retrieval_pb.DeleteResponse:
        """Deletes products."""
        await self.retrieval.wait_reachable(self.settings.retrieval_patience_seconds)
        response = await _ask(self.retrieval_stub.Delete, request, timeout)
        self.caches.catalogue.note(response.index_version)
        return response

    async def index(
        self,
        documents: Iterable[retrieval_pb.IndexDocument],
        timeout: float,  # noqa: ASYNC109
    ) -> retrieval_pb.IndexResponse:
        """Writes products; returns once they are durable."""

        async def one() -> AsyncIterator[retrieval_pb.IndexRequest]:
            yield retrieval_pb.IndexRequest(documents=documents)

        await self.retrieval.wait_reachable(self.settings.retrieval_patience_seconds)
        call = self.retrieval_stub.Index(one(), timeout=timeout)
        status = StreamStatus(call)
        try:
            response = await call
        except grpc.aio.AioRpcError as raised:
            raise error_from_rpc(await status.behind(raised)) from raised
        self.caches.catalogue.note(response.index_version)
        return response

    async def rank(
        self,
        request: ranking_pb.RankRequest,
        timeout: float,  # noqa: ASYNC109
    ) -> ranking_pb.RankResponse:
        """Asks for an order."""
        return await self.ranking.call(
            self.ranking_stub.Rank, request, timeout, self.settings.budgets.ranking
        )

    async def explain(
        self,
        request: reason_pb.ExplainRequest,
        timeout: float,  # noqa: ASYNC109
    ) -> reason_pb.ExplainResponse:
        """Asks for reasons."""
        return await self.reason.call(
            self.reason_stub.Explain, request, timeout, self.settings.budgets.reason
        )

    def explain_stream(
        self, request: reason_pb.ExplainStreamRequest, timeout: float
    ) -> AsyncGenerator[reason_pb.ExplainStreamResponse]:
        """Asks for reasons one by one."""
        return self.reason.stream(
            self.reason_stub.ExplainStream, request, timeout, self.settings.budgets.reason
        )

    async def summarise(self, request: SummariseRequest, timeout: float) -> SummariseResponse:  # noqa: ASYNC109
        """Asks for a summary."""
        return await self.reason.call(
            self.reason_stub.Summarise,
            request,
            timeout,
            self.settings.budgets.summary,
            hedged=False,
        )

    async def related(
        self,
        request: recommend_pb.CandidatesRequest,
        timeout: float,  # noqa: ASYNC109
    ) -> recommend_pb.CandidatesResponse:
        """Asks for products that others chose, that fit, or that the user bought."""
        return await self.recommend.call(
            self.recommend_stub.Candidates, request, timeout, self.settings.budgets.recommend
        )

    async def relate(
        self,
        request: recommend_pb.RelateRequest,
        timeout: float,  # noqa: ASYNC109
    ) -> recommend_pb.RelateResponse:
        """Asks what the knowledge graph ties products to."""
        return await self.recommend.call(
            self.recommend_stub.Relate, request, timeout, self.settings.budgets.ties
        )

    async def close(self) -> None:
        """Closes all channels and caches."""
        await self.caches.close()
        for dependency in (self.nlu, self.retrieval, self.ranking, self.reason, self.recommend):
            await dependency.close()

    async def _read(
        self,
        method: "grpc.aio.UnaryUnaryMultiCallable[_Request, _Response]",
        request: _Request,
        timeout: float,  # noqa: ASYNC109
        budget: StageBudget,
    ) -> _Response:
        return await self.retrieval.call(
            method,
            request,
            timeout,
            budget,
            patience_seconds=self.settings.retrieval_patience_seconds,
        )


async def _ask(
    method: "grpc.aio.UnaryUnaryMultiCallable[_Request, _Response]",
    request: _Request,
    timeout: float,  # noqa: ASYNC109
) -> _Response:
    try:
        return await method(request, timeout=timeout)
    except grpc.aio.AioRpcError as error:
        raise error_from_rpc(error) from error
