"""Qdrant's engine inside the process (qdrant-edge-py), the default store.

Durability: the engine writes every update to its write-ahead log before it applies it, in a memory
map, so it is safe from the loss of the process as soon as `write` returns; `flush` adds the sync
that saves it from the loss of power too. Reopening replays the log.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import qdrant_edge as qe
from numpy.typing import NDArray

from services.retrieval.store.conditions import Condition
from services.retrieval.store.edge_folder import EdgeFolder
from services.retrieval.store.filters import FilterTypes
from services.retrieval.store.port import (
    DENSE,
    QUANTILE,
    SPARSE,
    FieldKind,
    Hit,
    Layout,
    Quantisation,
    Record,
    SparseVector,
    StoredProduct,
    point_id,
)

_ID: Final = "id"
_META: Final = "meta.json"
# The engine keeps Python's interpreter lock while it reads a page; searches wait that long.
_PAGE: Final = 100
_POINTS_PAGE: Final = 1_000
# Qdrant leaves segments smaller than this without a graph, as exact search is as fast there.
_INDEXING_THRESHOLD_KB: Final = 4_000
_KINDS: Final = {
    FieldKind.KEYWORD: qe.PayloadSchemaType.Keyword,
    FieldKind.NUMBER: qe.PayloadSchemaType.Float,
}
_QUANTISATION: Final[
    Mapping[Quantisation, qe.ScalarQuantizationConfig | qe.BinaryQuantizationConfig | None]
] = {
    "none": None,
    "int8": qe.ScalarQuantizationConfig(qe.ScalarType.Int8, quantile=QUANTILE, always_ram=True),
    "binary": qe.BinaryQuantizationConfig(always_ram=True),
}
_FILTERS: Final = FilterTypes(
    filter=qe.Filter,
    field=qe.FieldCondition,
    match_any=qe.MatchAny,
    range=qe.RangeFloat,
    is_empty=qe.IsEmptyCondition,
    has_id=lambda ids: qe.HasIdCondition(set(ids)),
)


class EdgeStore:
    """A `VectorStore` in a folder of its own. One process at a time may open it."""

    name = "qdrant-edge"

    def __init__(self, folder: Path, layout: Layout, least_free_bytes: int = 0) -> None:
        self._layout = layout
        self._folder = EdgeFolder(folder, _config(layout), least_free_bytes)
        self._meta: dict[str, Any] = {}
        """The document beside the products, which this process alone writes."""

    def open(self) -> None:
        """See `VectorStore`."""
        self._folder.open()
        self._meta = self._folder.read_json(_META)
        for key, kind in self._layout.fields.items():
            self.ensure_field(key, kind)

    def close(self) -> None:
        """See `VectorStore`."""
        self._folder.close()

    def ping(self) -> None:
        """See `VectorStore`."""
        with self._folder.reading() as shard:
            shard.info()

    def ensure_field(self, key: str, kind: FieldKind) -> None:
        """See `VectorStore`."""
        with self._folder.reading() as shard:
            known = key in shard.info().payload_schema
        if not known:
            with self._folder.writing() as shard:
                shard.update(qe.UpdateOperation.create_field_index(key, _KINDS[kind]))

    def write(self, products: Sequence[StoredProduct]) -> None:
        """See `VectorStore`."""
        points = [_point(product) for product in products]
        with self._folder.writing((str(point.id) for point in points), grows=True) as shard:
            shard.update(qe.UpdateOperation.upsert_points(points))

    def delete(self, product_ids: Sequence[str]) -> None:
        """See `VectorStore`."""
        points = [point_id(product_id) for product_id in product_ids]
        ids: list[qe.PointId] = [*points]
        with self._folder.writing(points) as shard:
            shard.update(qe.UpdateOperation.delete_points(ids))

    def flush(self) -> None:
        """See `VectorStore`."""
        with self._folder.writing() as shard:
            shard.flush()

    def search_dense(
        self,
        vector: NDArray[np.float32],
        limit: int,
        where: Condition | None = None,
        *,
        exact: bool = False,
    ) -> list[Hit]:
        """See `VectorStore`."""
        return self._search(
            qe.Query.Nearest(vector.tolist(), using=DENSE),
            limit,
            where,
            qe.SearchParams(
                hnsw_ef=max(self._layout.hnsw_ef, limit),
                exact=exact,
                quantization=qe.QuantizationSearchParams(
                    ignore=exact, rescore=True, oversampling=self._layout.oversampling
                )
                if self._layout.quantisation != "none"
                else None,
            ),
        )

    def search_sparse(
        self, vector: SparseVector, limit: int, where: Condition | None = None
    ) -> list[Hit]:
        """See `VectorStore`."""
        query = qe.SparseVector(indices=list(vector.indices), values=list(vector.values))
        return self._search(qe.Query.Nearest(query, using=SPARSE), limit, where, None)

    def fetch(
        self, points: Sequence[str], keys: Sequence[str], *, vectors: bool = False
    ) -> list[Record]:
        """See `VectorStore`."""
        if not points:
            return []
        ids: list[qe.PointId] = [*points]
        with self._folder.reading() as shard:
            found = shard.retrieve(
                ids, with_payload=[_ID, *keys], with_vector=[DENSE, SPARSE] if vectors else False
            )
        records = {record.point: record for record in map(_record, found)}
        return [records[point] for point in points if point in records]

    def scan(self, keys: Sequence[str], where: Condition | None = None) -> Iterator[Record]:
        """See `VectorStore`."""
        offset: qe.PointId | None = None
        while True:
            request = qe.ScrollRequest(
                offset=offset,
                limit=_PAGE,
                filter=_FILTERS.translate(where),
                with_payload=[_ID, *keys],
                with_vector=False,
            )
            with self._folder.reading() as shard:
                found, offset = shard.scroll(request)
            yield from map(_record, found)
            if offset is None:
                return

    def points(self, where: Condition | None = None) -> list[str]:
        """See `VectorStore`."""
        points: list[str] = []
        offset: qe.PointId | None = None
        while True:
            request = qe.ScrollRequest(
                offset=offset,
                limit=_POINTS_PAGE,
                filter=_FILTERS.translate(where),
                with_payload=False,
                with_vector=False,
            )
            with self._folder.reading() as shard:
                found, offset = shard.scroll(request)
            points += [str(record.id) for record in found]
            if offset is None:
                return points

    def top(self, key: str, limit: int, where: Condition | None = None) -> list[Hit]:
        """See `VectorStore`."""
        request = qe.ScrollRequest(
            limit=limit,
            filter=_FILTERS.translate(where),
            with_payload=[_ID, key],
            with_vector=False,
            order_by=qe.OrderBy(key, qe.Direction.Desc),
        )
        with self._folder.reading() as shard:
            found, _ = shard.scroll(request)
        hits = [Hit(record.point, record.payload[key]) for record in map(_record, found)]
        return sorted(hits, key=lambda hit: (-hit.score, hit.point))

    def count(self, where: Condition | None = None, *, exact: bool = False) -> int:
        """See `VectorStore`."""
        request = qe.CountRequest(exact=exact, filter=_FILTERS.translate(where))
        with self._folder.reading() as shard:
            return shard.count(request)

    def facet(self, key: str, limit: int, where: Condition | None = None) -> list[tuple[str, int]]:
        """See `VectorStore`."""
        # An exact count reads every payload, which takes twenty times as long.
        request = qe.FacetRequest(key, limit=limit, exact=False, filter=_FILTERS.translate(where))
        with self._folder.reading() as shard:
            found = shard.facet(request)
        counts = [(str(hit.value), hit.count) for hit in found.hits]
        return sorted(counts, key=lambda item: (-item[1], item[0]))

    def optimize(self) -> None:
        """See `VectorStore`."""
        self._folder.optimize()

    def is_optimized(self) -> bool:
        """See `VectorStore`."""
        # Below the threshold the engine builds no graph, as exact search is as fast there.
        vector_kb = self._layout.dimension * 4 / 1024
        return self._folder.unoptimized * vector_kb < _INDEXING_THRESHOLD_KB

    def read_meta(self) -> dict[str, Any]:
        """See `VectorStore`."""
        return self._meta

    def write_meta(self, meta: Mapping[str, Any]) -> None:
        """See `VectorStore`."""
        self._folder.write_json(_META, meta)
        self._meta = dict(meta)

    def _search(
        self,
        query: qe.Query,
        limit: int,
        where: Condition | None,
        params: qe.SearchParams | None,
    ) -> list[Hit]:
        request = qe.QueryRequest(
            limit=limit,
            query=query,
            filter=_FILTERS.translate(where),
            with_payload=False,
            with_vector=False,
            params=params,
        )
        with self._folder.reading() as shard:
            found = shard.query(request)
        return [Hit(str(point.id), point.score) for point in found]


def _config(layout: Layout) -> qe.EdgeConfig:
    return qe.EdgeConfig(
        vectors={
            DENSE: qe.EdgeVectorParams(
                layout.dimension,
                qe.Distance.Cosine,
                quantization_config=_QUANTISATION[layout.quantisation],
            )
        },
        sparse_vectors={SPARSE: qe.EdgeSparseVectorParams(modifier=qe.Modifier.Idf)},
        hnsw_config=qe.HnswIndexConfig(
            layout.hnsw_m,
            layout.hnsw_ef_construct,
            full_scan_threshold=1_000,
            max_indexing_threads=1,  # searches go on beside it
        ),
        optimizers=qe.EdgeOptimizersConfig(
            indexing_threshold=_INDEXING_THRESHOLD_KB, default_segment_number=1
        ),
    )


def _point(product: StoredProduct) -> qe.Point:
    sparse = qe.SparseVector(list(product.sparse.indices), list(product.sparse.values))
    vectors: dict[str, Any] = {SPARSE: sparse}
    if product.dense is not None:
        vectors[DENSE] = product.dense.tolist()
    payload = {_ID: product.product_id, **product.payload}
    return qe.Point(point_id(product.product_id), vectors, payload)


def _record(record: qe.Record) -> Record:
    payload = record.payload or {}
    vectors: Any = record.vector or {}
    dense, sparse = vectors.get(DENSE), vectors.get(SPARSE)
    return Record(
        point=str(record.id),
        product_id=payload[_ID],
        payload=payload,
        dense=None if dense is None else np.asarray(dense, dtype=np.float32),
        sparse=sparse and SparseVector(tuple(sparse.indices), tuple(sparse.values)),
    )
