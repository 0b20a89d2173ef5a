"""Qdrant's engine inside the process (qdrant-edge-py), the default store.

Durability: the engine writes every update to its write-ahead log before it applies it, in a memory
map, so it is safe from the loss of the process as soon as `write` returns; `flush` adds the sync
that saves it from the loss of power too. Reopening replays the log.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import qdrant_edge as qe
from numpy.typing import NDArray

from services.retrieval.store.conditions import Condition
from services.retrieval.store.filters import FilterTypes
from services.retrieval.store.port import (
    DENSE,
    SPARSE,
    FieldKind,
    Hit,
    Layout,
    Record,
    SparseVector,
    StoredProduct,
    point_id,
)
from shared.errors import UnavailableError

_ID: Final = "id"
_PAGE: Final = 1_000
# Qdrant leaves segments smaller than this without a graph, as exact search is as fast there.
_INDEXING_THRESHOLD_KB: Final = 4_000
_KINDS: Final = {
    FieldKind.KEYWORD: qe.PayloadSchemaType.Keyword,
    FieldKind.NUMBER: qe.PayloadSchemaType.Float,
    FieldKind.BOOLEAN: qe.PayloadSchemaType.Bool,
}
_FILTERS: Final = FilterTypes(
    filter=qe.Filter,
    field=qe.FieldCondition,
    match_any=qe.MatchAny,
    match_value=qe.MatchValue,
    range=qe.RangeFloat,
    is_empty=qe.IsEmptyCondition,
    has_id=lambda ids: qe.HasIdCondition(set(ids)),
)


class EdgeStore:
    """A `VectorStore` in a folder of its own. One process at a time may open it."""

    name = "qdrant-edge"

    def __init__(self, folder: Path, layout: Layout) -> None:
        self._folder = folder
        self._layout = layout
        self._shard: qe.EdgeShard | None = None
        self._fields: set[str] = set()
        self._lock_file: int | None = None

    def open(self) -> None:
        """See `VectorStore`."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock()
        points = self._folder / "points"
        if (points / "edge_config.json").exists():
            self._shard = qe.EdgeShard.load(str(points), self._config())
        else:
            points.mkdir(exist_ok=True)
            self._shard = qe.EdgeShard.create(str(points), self._config())
        self._fields = set(self._shard.info().payload_schema)
        for key, kind in self._layout.fields.items():
            self.ensure_field(key, kind)

    def close(self) -> None:
        """See `VectorStore`."""
        if self._shard is not None:
            self._shard.flush()
            self._shard.close()
            self._shard = None
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None

    def ping(self) -> None:
        """See `VectorStore`."""
        self._open_shard.info()

    def ensure_field(self, key: str, kind: FieldKind) -> None:
        """See `VectorStore`."""
        if key not in self._fields:
            self._open_shard.update(qe.UpdateOperation.create_field_index(key, _KINDS[kind]))
            self._fields.add(key)

    def write(self, products: Sequence[StoredProduct]) -> None:
        """See `VectorStore`."""
        points = [_point(product) for product in products]
        self._open_shard.update(qe.UpdateOperation.upsert_points(points))

    def delete(self, product_ids: Sequence[str]) -> None:
        """See `VectorStore`."""
        points: list[qe.PointId] = [point_id(product_id) for product_id in product_ids]
        self._open_shard.update(qe.UpdateOperation.delete_points(points))

    def flush(self) -> None:
        """See `VectorStore`."""
        self._open_shard.flush()

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
            qe.SearchParams(hnsw_ef=max(self._layout.hnsw_ef, limit), exact=exact),
        )

    def search_sparse(
        self, vector: SparseVector, limit: int, where: Condition | None = None
    ) -> list[Hit]:
        """See `VectorStore`."""
        query = qe.SparseVector(indices=list(vector.indices), values=list(vector.values))
        return self._search(qe.Query.Nearest(query, using=SPARSE), limit, where, None)

    def fetch(
        self, product_ids: Sequence[str], keys: Sequence[str], *, vectors: bool = False
    ) -> list[Record]:
        """See `VectorStore`."""
        if not product_ids:
            return []
        points: list[qe.PointId] = [point_id(product_id) for product_id in product_ids]
        found = self._open_shard.retrieve(
            points, with_payload=[_ID, *keys], with_vector=[DENSE, SPARSE] if vectors else False
        )
        records = {record.product_id: record for record in map(_record, found)}
        return [records[product_id] for product_id in product_ids if product_id in records]

    def scan(self, keys: Sequence[str], where: Condition | None = None) -> Iterator[Record]:
        """See `VectorStore`."""
        offset: qe.PointId | None = None
        while True:
            found, offset = self._open_shard.scroll(
                qe.ScrollRequest(
                    offset=offset,
                    limit=_PAGE,
                    filter=_FILTERS.translate(where),
                    with_payload=[_ID, *keys],
                    with_vector=False,
                )
            )
            yield from map(_record, found)
            if offset is None:
                return

    def top(self, key: str, limit: int, where: Condition | None = None) -> list[Hit]:
        """See `VectorStore`."""
        found, _ = self._open_shard.scroll(
            qe.ScrollRequest(
                limit=limit,
                filter=_FILTERS.translate(where),
                with_payload=[_ID, key],
                with_vector=False,
                order_by=qe.OrderBy(key, qe.Direction.Desc),
            )
        )
        hits = [Hit(record.product_id, record.payload[key]) for record in map(_record, found)]
        return sorted(hits, key=lambda hit: (-hit.score, hit.product_id))

    def count(self, where: Condition | None = None, *, exact: bool = False) -> int:
        """See `VectorStore`."""
        request = qe.CountRequest(exact=exact, filter=_FILTERS.translate(where))
        return self._open_shard.count(request)

    def optimize(self) -> None:
        """See `VectorStore`."""
        self._open_shard.optimize()

    def is_optimized(self) -> bool:
        """See `VectorStore`."""
        # The engine counts points of small segments as indexed, so equality is what it aims at.
        info = self._open_shard.info()
        return info.indexed_vectors_count >= info.points_count

    def read_meta(self) -> dict[str, Any]:
        """See `VectorStore`."""
        path = self._folder / "meta.json"
        return json.loads(path.read_bytes()) if path.exists() else {}

    def write_meta(self, meta: Mapping[str, Any]) -> None:
        """See `VectorStore`."""
        path = self._folder / "meta.json"
        draft = path.with_suffix(".new")
        with draft.open("w", encoding="utf-8") as file:
            json.dump(meta, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)  # atomic: a reader or a crash sees the old one or the new one

    @property
    def _open_shard(self) -> qe.EdgeShard:
        if self._shard is None:
            raise UnavailableError("the product store is closed")
        return self._shard

    def _config(self) -> qe.EdgeConfig:
        layout = self._layout
        return qe.EdgeConfig(
            vectors={DENSE: qe.EdgeVectorParams(layout.dimension, qe.Distance.Cosine)},
            sparse_vectors={SPARSE: qe.EdgeSparseVectorParams(modifier=qe.Modifier.Idf)},
            hnsw_config=qe.HnswIndexConfig(
                layout.hnsw_m,
                layout.hnsw_ef_construct,
                full_scan_threshold=1_000,
                max_indexing_threads=1,  # it runs beside searches
            ),
            optimizers=qe.EdgeOptimizersConfig(
                indexing_threshold=_INDEXING_THRESHOLD_KB, default_segment_number=1
            ),
        )

    def _search(
        self,
        query: qe.Query,
        limit: int,
        where: Condition | None,
        params: qe.SearchParams | None,
    ) -> list[Hit]:
        found = self._open_shard.query(
            qe.QueryRequest(
                limit=limit,
                query=query,
                filter=_FILTERS.translate(where),
                with_payload=[_ID],
                with_vector=False,
                params=params,
            )
        )
        return [Hit((point.payload or {})[_ID], point.score) for point in found]

    def _lock(self) -> None:
        # Two processes that write one folder would destroy it; the engine does not look.
        import fcntl  # absent on Windows, where this adapter is too

        handle = os.open(self._folder / "lock", os.O_CREAT | os.O_RDWR)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            raise UnavailableError("another process has the product store open") from error
        self._lock_file = handle


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
        product_id=payload[_ID],
        payload=payload,
        dense=None if dense is None else np.asarray(dense, dtype=np.float32),
        sparse=sparse and SparseVector(tuple(sparse.indices), tuple(sparse.values)),
    )
