"""Searches: legs side by side, fused; neighbours of products; lists."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from services.retrieval.blobs import SUMMARY, WHOLE, blob_for, decode
from services.retrieval.catalogue import Catalogue
from services.retrieval.constraints import Demands, compile_constraints
from services.retrieval.fusion import Fused, fuse
from services.retrieval.neighbours import SimilarQuery, nearest
from services.retrieval.sparse import query_vector
from services.retrieval.store.conditions import Condition, IdIn, Negated, all_of
from services.retrieval.store.port import (
    DENSE,
    PICTURE,
    SPARSE,
    Hit,
    point_id,
)
from shared.filter_syntax import join_and, parse_filter
from shared.timing import StageTimer
from wherefore.common.v1.product_pb2 import Product
from wherefore.nlu.v1.query_understanding_pb2 import Constraint

SIMILAR: Final = "similar"
LEGS: Final = (DENSE, SPARSE, PICTURE)
_LONGEST_JOINED_FILTER: Final = 20_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """How searches are made; see config.py."""

    leg_depth: int
    fusion_k: float
    weights: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What is searched for."""

    text: str
    expansions: Sequence[tuple[str, float]] = ()
    vector: NDArray[np.float32] | None = None
    picture: NDArray[np.float32] | None = None
    picture_model: str = ""
    constraints: Sequence[Constraint] = ()
    filter: str = ""
    excluded_ids: Sequence[str] = ()
    included_ids: Sequence[str] = ()
    legs: Sequence[str] = LEGS
    weights: Mapping[str, float] = field(default_factory=dict[str, float])
    """Of legs in the fusion, in place of those of the options."""
    limit: int = 100
    exact: bool = False
    mask: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """A product and where the legs placed it; `rank` counts from 1."""

    product: Product
    placement: Fused
    rank: int


@dataclass(slots=True)
class SearchResult:
    """What was found."""

    candidates: list[Found]
    total: int = -1
    applied_filter: str = ""
    ignored: Sequence[str] = ()
    skipped: dict[str, str] = field(default_factory=dict[str, str])
    """Legs that were wanted and left out, with the reason."""


class Searcher:
    """Searches a catalogue. Every engine call runs in the executor, never on the event loop."""

    def __init__(self, catalogue: Catalogue, executor: Executor, options: SearchOptions) -> None:
        self._catalogue = catalogue
        self._store = catalogue.store
        self._executor = executor
        self._options = options
        self._ordered_ids = lru_cache(maxsize=16)(self._read_ordered_ids)
        self._exists = lru_cache(maxsize=4_096)(self._read_exists)

    async def search(self, query: SearchQuery, timer: StageTimer) -> SearchResult:
        """Finds candidates for a query."""
        with timer.stage("retrieval"):
            where, demands = await self._run(self.compile, query.filter, query.constraints)
            where = _without(where, query.excluded_ids)
            total, (fused, skipped) = await asyncio.gather(
                self._run(lambda: self._store.count(where, exact=where is not None)),
                self.fused(query, where, timer),
            )
            if query.included_ids:
                fused += await self._run(self._included, query.included_ids, where, fused)
            candidates = await self._run(self._read, fused, query.mask)
        return SearchResult(
            candidates,
            total=total,
            applied_filter=join_and(query.filter, *demands.applied),
            ignored=demands.ignored,
            skipped=skipped,
        )

    async def fused(
        self, query: SearchQuery, where: Condition | None, timer: StageTimer
    ) -> tuple[list[Fused], dict[str, str]]:
        """Returns what the legs find under a condition, and the legs that were skipped."""
        depth = max(query.limit, self._options.leg_depth)
        skipped: dict[str, str] = {}
        jobs: dict[str, Callable[[], list[Hit]]] = {}
        if DENSE in query.legs:
            vector = query.vector
            if vector is None:
                skipped[DENSE] = "the query has no vector"
            elif not self._catalogue.vector_model:
                skipped[DENSE] = "no product has a vector"
            else:
                jobs[DENSE] = lambda: self._store.search_dense(
                    vector, depth, where, exact=query.exact
                )
        if PICTURE in query.legs and (picture := query.picture) is not None:
            known = self._catalogue.picture_model
            if not known:
                skipped[PICTURE] = "no product has a vector of pictures"
            elif known != query.picture_model:
                skipped[PICTURE] = f"the index holds vectors of pictures of model {known}"
            else:
                jobs[PICTURE] = lambda: self._store.search_dense(
                    picture, depth, where, exact=query.exact, using=PICTURE
                )
        if SPARSE in query.legs:
            jobs[SPARSE] = lambda: self._sparse(query.text, query.expansions, depth, where)
        results = await asyncio.gather(*(self._leg(name, job, timer) for name, job in jobs.items()))
        hits = dict(zip(jobs, results, strict=True))
        with timer.stage("retrieval.fusion"):
            weights = {**self._options.weights, **query.weights}
            return fuse(hits, weights, self._options.fusion_k, query.limit), skipped

    async def similar(self, query: SimilarQuery, timer: StageTimer) -> SearchResult:
        """Finds neighbours of products: near the weighted mean of their vectors.

        Products without a vector, where none of them has one, are compared by their words instead.

        Raises:
            NotFoundError: When none of the products is there.
        """
        with timer.stage("retrieval"):
            with timer.stage("retrieval.similar"):
                hits = await self._run(self._neighbours, query)
            fused = fuse({SIMILAR: hits}, {}, self._options.fusion_k, query.limit)
            return SearchResult(await self._run(self._read, fused, query.mask))

    async def get(self, product_ids: Sequence[str], mask: Sequence[str]) -> list[Product]:
        """Reads products in the order of the ids; those that are not there are left out."""
        return await self._run(self._get, [point_id(each) for each in product_ids], mask)

    async def list_by_id(self, after: str, limit: int, filter_text: str) -> tuple[list[str], str]:
        """Lists ids in ascending order; returns them and the id to go on after, if any."""
        ids = await self._run(self._ordered_ids, filter_text, self._catalogue.version)
        start = int(np.searchsorted(ids, after, side="right")) if after else 0
        page = [str(each) for each in ids[start : start + limit]]
        return page, page[-1] if start + limit < len(ids) else ""

    async def list_by_popularity(
        self, limit: int, filter_text: str, mask: Sequence[str]
    ) -> list[Product]:
        """Reads the most popular products, most popular first."""

        def read() -> list[Product]:
            where, _ = self.compile(filter_text, ())
            hits = self._store.top("popularity", limit, where)
            return self._get([hit.point for hit in hits], mask)

        return await self._run(read)

    def _included(
        self, product_ids: Sequence[str], where: Condition | None, fused: Sequence[Fused]
    ) -> list[Fused]:
        found = {entry.point for entry in fused}
        wanted = self._store.points(all_of(IdIn(tuple(product_ids)), where))
        return [Fused(point) for point in wanted if point not in found]

    def compile(
        self, filter_text: str, constraints: Sequence[Constraint]
    ) -> tuple[Condition | None, Demands]:
        """Returns the condition of a filter and of a query's constraints; blocks."""
        compiler = self._catalogue.compiler
        asked = None
        if filter_text.strip():
            asked = compiler.compile(parse_filter(filter_text, max_length=_LONGEST_JOINED_FILTER))
        demands = compile_constraints(
            constraints, compiler, lambda condition: self._exists(condition, self._version)
        )
        condition = all_of(asked, demands.condition)
        self._catalogue.prepare(condition)
        return condition, demands

    @property
    def _version(self) -> int:
        return self._catalogue.version

    def _read_exists(self, condition: Condition, version: int) -> bool:
        del version  # part of the key of the cache only
        return self._store.count(condition, exact=True) > 0

    def _sparse(
        self,
        text: str,
        expansions: Sequence[tuple[str, float]],
        limit: int,
        where: Condition | None,
    ) -> list[Hit]:
        vector = query_vector(text, expansions)
        return self._store.search_sparse(vector, limit, where) if vector.indices else []

    def _neighbours(self, query: SimilarQuery) -> list[Hit]:
        where, _ = self.compile(query.filter, ())
        where = _without(where, (*query.product_ids, *query.excluded_ids))
        return nearest(self._store, query, where)

    def _get(self, points: Sequence[str], mask: Sequence[str]) -> list[Product]:
        found = self._products(points, mask, WHOLE)
        return [found[point] for point in points if point in found]

    def _read(self, fused: Sequence[Fused], mask: Sequence[str]) -> list[Found]:
        products = self._products([entry.point for entry in fused], mask, SUMMARY)
        # One that was deleted since the legs answered is left out.
        there = [entry for entry in fused if entry.point in products]
        return [
            Found(products[entry.point], entry, rank) for rank, entry in enumerate(there, start=1)
        ]

    def _products(
        self, points: Sequence[str], mask: Sequence[str], default_blob: str
    ) -> dict[str, Product]:
        """Returns the products that are there by point, in the order of the points."""
        blob = blob_for(mask, default=default_blob)
        records = self._store.fetch(points, (blob,))
        return {record.point: decode(blob, record.payload[blob], mask) for record in records}

    def _read_ordered_ids(self, filter_text: str, version: int) -> NDArray[np.str_]:
        del version  # part of the key of the cache only
        where, _ = self.compile(filter_text, ())
        return np.array(sorted(record.product_id for record in self._store.scan((), where)))

    async def _leg(self, name: str, job: Callable[[], list[Hit]], timer: StageTimer) -> list[Hit]:
        with timer.stage(f"retrieval.{name}"):
            return await self._run(job)

    async def _run(self, function: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(
            self._executor, function, *arguments
        )


def _without(where: Condition | None, excluded: Sequence[str]) -> Condition | None:
    return all_of(where, Negated(IdIn(tuple(excluded))) if excluded else None)
