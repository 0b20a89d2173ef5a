"""One index in Qdrant's engine inside the process (qdrant-edge-py).

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
from services.retrieval.store.edge_folder import META, EdgeFolder
from services.retrieval.store.edge_models import (
    FILTERS,
    INDEXING_THRESHOLD_KB,
    KINDS,
    to_point,
)
from services.retrieval.store.layout import Layout
from services.retrieval.store.port import (
    DENSE,
    PICTURE,
    SPARSE,
    FieldKind,
    Hit,
    Record,
    SparseVector,
    StoredProduct,
    in_order,
    point_id,
)
from services.retrieval.store.records import ID, to_record, to_stored

# The engine keeps Python's interpreter lock while it reads a page; searches wait that long.
_PAGE: Final = 100
_POINTS_PAGE: Final = 1_000
_VECTORS: Final = [DENSE, SPARSE, PICTURE]
_KIND_OF: Final = {str(of_engine): kind for kind, of_engine in KINDS.items()}


class EdgeIndex:
    """A `VectorIndex` in a folder of its own.

    Args:
        folder: Where it lies.
        layout: What it is made of.
        least_free_bytes: What writes leave free on the disk.
    """

    def __init__(self, folder: Path, layout: Layout, least_free_bytes: int = 0) -> None:
        self._layout = layout
        self._folder = EdgeFolder(folder, layout, least_free_bytes)
        self._meta: dict[str, Any] = {}
        """The document beside the products, which this process alone writes."""

    @property
    def folder(self) -> EdgeFolder:
        """What it lies in."""
        return self._folder

    def open(self) -> None:
        """Opens the index, or creates it."""
        self._folder.open()
        self._meta = self._folder.read_json(META)
        for key, kind in self._layout.fields.items():
            self.ensure_field(key, kind)

    def close(self) -> None:
        """Lets go of it, with everything written on disk."""
        self._folder.close()

    def ping(self) -> None:
        """See `VectorIndex`."""
        with self._folder.reading() as shard:
            shard.info()

    def ensure_field(self, key: str, kind: FieldKind) -> None:
        """See `VectorIndex`."""
        with self._folder.reading() as shard:
            known = key in shard.info().payload_schema
        if not known:
            with self._folder.writing() as shard:
                shard.update(qe.UpdateOperation.create_field_index(key, KINDS[kind]))

    def fields(self) -> Mapping[str, FieldKind]:
        """See `VectorIndex`."""
        with self._folder.reading() as shard:
            there = shard.info().payload_schema
        return {key: _KIND_OF[str(index.data_type)] for key, index in there.items()}

    def write(self, products: Sequence[StoredProduct]) -> None:
        """See `VectorIndex`."""
        points = [to_point(product) for product in products]
        with self._folder.writing((str(point.id) for point in points), grows=True) as shard:
            shard.update(qe.UpdateOperation.upsert_points(points))

    def delete(self, product_ids: Sequence[str]) -> None:
        """See `VectorIndex`."""
        points = [point_id(product_id) for product_id in product_ids]
        ids: list[qe.PointId] = [*points]
        with self._folder.writing(points) as shard:
            shard.update(qe.UpdateOperation.delete_points(ids))

    def flush(self) -> None:
        """See `VectorIndex`."""
        with self._folder.writing() as shard:
            shard.flush()

    def search_dense(
        self,
        vector: NDArray[np.float32],
        limit: int,
        where: Condition | None = None,
        *,
        exact: bool = False,
        using: str = DENSE,
    ) -> list[Hit]:
        """See `VectorIndex`."""
        return self._search(
            qe.Query.Nearest(vector.tolist(), using=using),
            limit,
            where,
            qe.SearchParams(
                hnsw_ef=max(self._layout.hnsw_ef, limit),
                exact=exact,
                quantization=qe.QuantizationSearchParams(
                    ignore=exact, rescore=True, oversampling=self._layout.oversampling
                )
                if self._layout.quantisation != "none" and using == DENSE
                else None,
            ),
        )

    def search_sparse(
        self, vector: SparseVector, limit: int, where: Condition | None = None
    ) -> list[Hit]:
        """See `VectorIndex`."""
        query = qe.SparseVector(indices=list(vector.indices), values=list(vector.values))
        return self._search(qe.Query.Nearest(query, using=SPARSE), limit, where, None)

    def fetch(
        self, points: Sequence[str], keys: Sequence[str], *, vectors: bool = False
    ) -> list[Record]:
        """See `VectorIndex`."""
        if not points:
            return []
        ids: list[qe.PointId] = [*points]
        with self._folder.reading() as shard:
            found = shard.retrieve(
                ids, with_payload=[ID, *keys], with_vector=_VECTORS if vectors else False
            )
        records = {record.point: record for record in map(to_record, found)}
        return [records[point] for point in points if point in records]

    def copies(self, points: Sequence[str]) -> list[StoredProduct]:
        """See `VectorIndex`."""
        ids: list[qe.PointId] = [*points]
        with self._folder.reading() as shard:
            found = shard.retrieve(ids, with_payload=True, with_vector=_VECTORS)
        return [to_stored(each) for each in found]

    def scan(self, keys: Sequence[str], where: Condition | None = None) -> Iterator[Record]:
        """See `VectorIndex`."""
        offset: qe.PointId | None = None
        while True:
            request = qe.ScrollRequest(
                offset=offset,
                limit=_PAGE,
                filter=FILTERS.translate(where),
                with_payload=[ID, *keys],
                with_vector=False,
            )
            with self._folder.reading() as shard:
                found, offset = shard.scroll(request)
            yield from map(to_record, found)
            if offset is None:
                return

    def points(self, where: Condition | None = None) -> list[str]:
        """See `VectorIndex`."""
        points: list[str] = []
        offset: qe.PointId | None = None
        while True:
            request = qe.ScrollRequest(
                offset=offset,
                limit=_POINTS_PAGE,
                filter=FILTERS.translate(where),
                with_payload=False,
                with_vector=False,
            )
            with self._folder.reading() as shard:
                found, offset = shard.scroll(request)
            points += [str(record.id) for record in found]
            if offset is None:
                return points

    def top(self, key: str, limit: int, where: Condition | None = None) -> list[Hit]:
        """See `VectorIndex`."""
        request = qe.ScrollRequest(
            limit=limit,
            filter=FILTERS.translate(where),
            with_payload=[ID, key],
            with_vector=False,
            order_by=qe.OrderBy(key, qe.Direction.Desc),
        )
        with self._folder.reading() as shard:
            found, _ = shard.scroll(request)
        hits = [Hit(record.point, record.payload[key]) for record in map(to_record, found)]
        return sorted(hits, key=lambda hit: (-hit.score, hit.point))

    def count(self, where: Condition | None = None, *, exact: bool = False) -> int:
        """See `VectorIndex`."""
        request = qe.CountRequest(exact=exact, filter=FILTERS.translate(where))
        with self._folder.reading() as shard:
            return shard.count(request)

    def facet(self, key: str, limit: int, where: Condition | None = None) -> list[tuple[str, int]]:
        """See `VectorIndex`."""
        # An exact count reads every payload, which takes twenty times as long.
        request = qe.FacetRequest(key, limit=limit, exact=False, filter=FILTERS.translate(where))
        with self._folder.reading() as shard:
            found = shard.facet(request)
        counts = [(str(hit.value), hit.count) for hit in found.hits]
        return sorted(counts, key=lambda item: (-item[1], item[0]))

    def optimize(self) -> None:
        """See `VectorIndex`."""
        self._folder.optimize()

    def is_optimized(self) -> bool:
        """See `VectorIndex`."""
        # Below the threshold the engine builds no graph, as exact search is as fast there.
        vector_kb = self._layout.dimension * 4 / 1024
        return self._folder.unoptimized * vector_kb < INDEXING_THRESHOLD_KB

    def read_meta(self) -> dict[str, Any]:
        """See `VectorIndex`."""
        return self._meta

    def write_meta(self, meta: Mapping[str, Any]) -> None:
        """See `VectorIndex`."""
        self._folder.write_json(META, meta)
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
            filter=FILTERS.translate(where),
            with_payload=False,
            with_vector=False,
            params=params,
        )
        with self._folder.reading() as shard:
            found = shard.query(request)
        return in_order(Hit(str(point.id), point.score) for point in found)
