"""The gRPC face of retrieval: translates between the contract and the domain."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import grpc.aio

from services.retrieval.blobs import check_mask
from services.retrieval.catalogue import Catalogue
from services.retrieval.config import RetrievalSettings
from services.retrieval.facets import FacetCounter
from services.retrieval.index_admin import IndexAdminServer
from services.retrieval.index_stats import IndexStats
from services.retrieval.messages import (
    DEFAULT_PAGE,
    MAX_FILTERS,
    MAX_IDS,
    candidate,
    check_count,
    drafts_of,
    facet_message,
    facet_specs,
    is_by_popularity,
    is_over_filter,
    page_limit,
    search_query,
    similar_query,
    skipped_leg,
)
from services.retrieval.optimizing import Optimizing
from services.retrieval.search import Searcher, SearchOptions, SearchQuery
from services.retrieval.selection import select
from services.retrieval.store.factory import open_store
from services.retrieval.store.port import DENSE
from shared.errors import UnavailableError
from shared.text.analysis import warm_up
from shared.timing import StageTimer
from wherefore.retrieval.v1 import retrieval_service_pb2 as pb
from wherefore.retrieval.v1.index_admin_service_pb2_grpc import (
    add_IndexAdminServiceServicer_to_server,
)
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import (
    RetrievalServiceServicer,
    add_RetrievalServiceServicer_to_server,
)

T = TypeVar("T")


class RetrievalService(RetrievalServiceServicer):
    """`shared.server.Service` for retrieval."""

    service_names: Sequence[str] = (
        "wherefore.retrieval.v1.RetrievalService",
        "wherefore.retrieval.v1.IndexAdminService",
    )
    # A bad number makes one bad row, not a failed import.
    lenient_methods: Sequence[str] = ("/wherefore.retrieval.v1.RetrievalService/Index",)

    def __init__(self, settings: RetrievalSettings) -> None:
        self._settings = settings
        store = open_store(settings)
        self._catalogue = Catalogue(store, settings.vector_dimension, settings.picture_dimension)
        self._readers = ThreadPoolExecutor(settings.search_threads, "retrieval-read")
        # One thread each: writes queue up behind each other, and never behind an optimisation.
        self._writer = ThreadPoolExecutor(1, "retrieval-write")
        self._optimizer = ThreadPoolExecutor(1, "retrieval-optimize")
        options = SearchOptions(
            leg_depth=settings.leg_depth,
            fusion_k=settings.fusion_k,
            weights={DENSE: settings.dense_weight},
        )
        self._searcher = Searcher(self._catalogue, self._readers, options)
        self._facets = FacetCounter(
            self._catalogue, self._searcher, self._readers, settings.facet_candidates
        )
        self._stats = IndexStats(self._catalogue, self._readers)
        self._admin = IndexAdminServer(
            self._catalogue, self._optimizer, settings.reindex_grace_seconds
        )
        self._optimizing = Optimizing(
            lambda: self._catalogue.written_since_optimize,
            lambda: self._run(self._readers, self._catalogue.store.count),
            lambda: self._run(self._optimizer, self._catalogue.optimize),
            after=settings.optimize_after,
            share=settings.optimize_share,
            pause_seconds=settings.optimize_pause_seconds,
        )
        self._open = False

    def register(self, server: grpc.aio.Server) -> None:
        """Adds the servicer to a server."""
        add_RetrievalServiceServicer_to_server(self, server)
        add_IndexAdminServiceServicer_to_server(self._admin, server)

    async def start(self) -> None:
        """Opens the store and loads the dictionaries."""
        # The store comes last: whoever stands by for it can then take over at once.
        await self._run(self._readers, warm_up)
        await self._run(self._writer, self._catalogue.open)
        self._open = True
        self._optimizing.wrote()

    async def check_ready(self) -> None:
        """Raises unless the store is open and answers."""
        if not self._open:
            raise UnavailableError("the product store is not open yet")
        await self._run(self._readers, self._catalogue.store.ping)
        await self._run(self._readers, self._catalogue.refresh)

    async def close(self) -> None:
        """Waits for writes under way and closes the store."""
        self._admin.close()
        # First, so that none begins on a store that is closed.
        stopped = asyncio.create_task(self._optimizing.stop())
        if self._open:
            self._open = False
            await self._run(self._writer, self._catalogue.close)  # ends an optimisation under way
        await stopped
        self._stats.close()
        for executor in (self._readers, self._writer, self._optimizer):
            executor.shutdown(wait=True)

    async def Index(  # noqa: N802 # the contract's name
        self,
        request_iterator: AsyncIterator[pb.IndexRequest],
        context: grpc.aio.ServicerContext[pb.IndexRequest, pb.IndexResponse],
    ) -> pb.IndexResponse:
        """See the contract."""
        response = pb.IndexResponse()
        seen = 0
        with self._optimizing.writing():
            async for request in request_iterator:
                drafts = drafts_of(request, seen)
                seen += len(drafts)
                report = await self._run(self._writer, self._catalogue.write, drafts)
                response.indexed_count += report.indexed
                response.unchanged_count += report.unchanged
                response.errors.extend(report.errors)
            await self._run(self._writer, self._catalogue.commit)
        response.index_version = self._catalogue.version
        return response

    async def Delete(  # noqa: N802 # the contract's name
        self,
        request: pb.DeleteRequest,
        context: grpc.aio.ServicerContext[pb.DeleteRequest, pb.DeleteResponse],
    ) -> pb.DeleteResponse:
        """See the contract."""
        check_count("product_ids", len(request.product_ids), 1, MAX_IDS)
        ids = list(request.product_ids)
        deleted, missing = await self._run(self._writer, self._catalogue.delete, ids)
        return pb.DeleteResponse(
            deleted_count=len(deleted), missing_ids=missing, index_version=self._catalogue.version
        )

    async def Retrieve(  # noqa: N802 # the contract's name
        self,
        request: pb.RetrieveRequest,
        context: grpc.aio.ServicerContext[pb.RetrieveRequest, pb.RetrieveResponse],
    ) -> pb.RetrieveResponse:
        """See the contract."""
        timer = StageTimer()
        if request.query.HasField("vector"):
            await self._run(self._readers, self._catalogue.check_model, request.query.vector)
        result = await self._searcher.search(self._query(request), timer)
        return pb.RetrieveResponse(
            candidates=map(candidate, result.candidates),
            estimated_total=result.total,
            timings=timer.timings(),
            degraded=[skipped_leg(leg, reason) for leg, reason in result.skipped.items()],
            index_version=self._catalogue.version,
            ignored_constraints=result.ignored,
            applied_filter=result.applied_filter,
        )

    async def Facets(  # noqa: N802 # the contract's name
        self,
        request: pb.FacetsRequest,
        context: grpc.aio.ServicerContext[pb.FacetsRequest, pb.FacetsResponse],
    ) -> pb.FacetsResponse:
        """See the contract."""
        specs = facet_specs(request.facets)
        over_filter = is_over_filter(request)
        retrieve = pb.RetrieveRequest(query=request.query, filter=request.filter)
        query = self._query(retrieve)
        if query.vector is not None:
            await self._run(self._readers, self._catalogue.check_model, request.query.vector)
        timer = StageTimer()
        facets = await self._facets.count(
            query, specs, over_filter=over_filter, timer=timer, fixed=request.fixed_filter
        )
        return pb.FacetsResponse(
            facets=map(facet_message, facets),
            timings=timer.timings(),
            index_version=self._catalogue.version,
        )

    async def SelectProducts(  # noqa: N802 # the contract's name
        self,
        request: pb.SelectProductsRequest,
        context: grpc.aio.ServicerContext[pb.SelectProductsRequest, pb.SelectProductsResponse],
    ) -> pb.SelectProductsResponse:
        """See the contract."""
        check_count("product_ids", len(request.product_ids), 1, MAX_IDS)
        check_count("filters", len(request.filters), 1, MAX_FILTERS)
        ids, filters = list(request.product_ids), list(request.filters)
        selections = await self._run(
            self._readers, select, self._searcher, self._catalogue.store, ids, filters
        )
        return pb.SelectProductsResponse(
            selections=[pb.ProductSelection(product_ids=each) for each in selections]
        )

    async def Similar(  # noqa: N802 # the contract's name
        self,
        request: pb.SimilarRequest,
        context: grpc.aio.ServicerContext[pb.SimilarRequest, pb.SimilarResponse],
    ) -> pb.SimilarResponse:
        """See the contract."""
        query = similar_query(request)
        timer = StageTimer()
        result = await self._searcher.similar(query, timer)
        return pb.SimilarResponse(
            candidates=map(candidate, result.candidates),
            timings=timer.timings(),
            index_version=self._catalogue.version,
        )

    async def GetProducts(  # noqa: N802 # the contract's name
        self,
        request: pb.GetProductsRequest,
        context: grpc.aio.ServicerContext[pb.GetProductsRequest, pb.GetProductsResponse],
    ) -> pb.GetProductsResponse:
        """See the contract."""
        check_count("product_ids", len(request.product_ids), 1, MAX_IDS)
        mask = check_mask(request.read_mask)
        ids = list(request.product_ids)
        response = pb.GetProductsResponse(products=await self._searcher.get(ids, mask))
        if request.include_vector_sources:
            sources = await self._run(self._readers, self._catalogue.vector_sources, ids)
            response.vector_sources.update(sources)
        if request.include_picture_sources:
            pictured = await self._run(self._readers, self._catalogue.picture_sources, ids)
            response.picture_sources.update(pictured)
        if request.include_picture_vectors:
            vectors = await self._run(self._readers, self._catalogue.picture_vectors, ids)
            for product_id, values in vectors.items():
                response.picture_vectors[product_id].values.extend(values.tolist())
                response.picture_vectors[product_id].model = self._catalogue.picture_model
        if request.include_price_standings:
            for product_id, standing in self._stats.price_standings(response.products).items():
                response.price_standings[product_id].CopyFrom(standing)
        return response

    def _query(self, request: pb.RetrieveRequest) -> SearchQuery:
        settings = self._settings
        return search_query(request, settings.vector_dimension, settings.picture_dimension)

    async def ListProducts(  # noqa: N802 # the contract's name
        self,
        request: pb.ListProductsRequest,
        context: grpc.aio.ServicerContext[pb.ListProductsRequest, pb.ListProductsResponse],
    ) -> pb.ListProductsResponse:
        """See the contract."""
        limit = page_limit("page_size", request.page_size, DEFAULT_PAGE)
        mask = check_mask(request.read_mask)
        if is_by_popularity(request):
            products = await self._searcher.list_by_popularity(limit, request.filter, mask)
            return pb.ListProductsResponse(products=products)
        ids, following = await self._searcher.list_by_id(request.after_id, limit, request.filter)
        products = await self._searcher.get(ids, mask)
        return pb.ListProductsResponse(products=products, next_after_id=following)

    async def Stats(  # noqa: N802 # the contract's name
        self,
        request: pb.StatsRequest,
        context: grpc.aio.ServicerContext[pb.StatsRequest, pb.StatsResponse],
    ) -> pb.StatsResponse:
        """See the contract."""
        return await self._stats.read(include_terms=request.include_terms)

    async def _run(
        self, executor: ThreadPoolExecutor, function: Callable[..., T], *arguments: object
    ) -> T:
        return await asyncio.get_running_loop().run_in_executor(executor, function, *arguments)
