"""One index in a Qdrant server or cluster, through qdrant-client."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from qdrant_client import QdrantClient, models

from services.retrieval.store.conditions import Condition
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
from services.retrieval.store.server_collection import add_pictures, create_collection
from services.retrieval.store.server_errors import translate_errors
from services.retrieval.store.server_models import (
    FILTERS,
    KIND_OF,
    KINDS,
    to_point,
)

_PAGE: Final = 1_000
_META_POINT: Final = 1


class ServerIndex:
    """A `VectorIndex` in a Qdrant server, or in qdrant-client's own local mode.

    Args:
        client: To the server.
        collection: Its name, or an alias of it.
        meta: Collection of one point that holds the document of `write_meta`.
        layout: What the collection is made of.
    """

    def __init__(self, client: QdrantClient, collection: str, meta: str, layout: Layout) -> None:
        self._client = client
        self._collection = collection
        self._meta = meta
        self._layout = layout
        self._fields: set[str] = set()
        self._vectors = [DENSE, SPARSE, PICTURE]

    @property
    def collection(self) -> str:
        """Name by which it is addressed."""
        return self._collection

    def create(self) -> None:
        """Creates the collection, without payload indexes."""
        create_collection(self._client, self._collection, self._layout)

    def ensure_fields(self) -> None:
        """Creates the payload indexes that the layout wants."""
        found = self._client.get_collection(self._collection)
        self._fields = set(found.payload_schema)
        vectors = found.config.params.vectors
        if not (isinstance(vectors, dict) and PICTURE in vectors):
            dimension = self._layout.picture_dimension
            if not add_pictures(self._client, self._collection, dimension):
                self._vectors.remove(PICTURE)
        for key, kind in self._layout.fields.items():
            self.ensure_field(key, kind)

    @translate_errors
    def ping(self) -> None:
        """See `VectorIndex`."""
        self._client.get_collection(self._collection)

    @translate_errors
    def ensure_field(self, key: str, kind: FieldKind) -> None:
        """See `VectorIndex`."""
        if key not in self._fields:
            self._client.create_payload_index(self._collection, key, KINDS[kind], wait=True)
            self._fields.add(key)

    @translate_errors
    def fields(self) -> Mapping[str, FieldKind]:
        """See `VectorIndex`."""
        there = self._client.get_collection(self._collection).payload_schema
        return {key: KIND_OF[index.data_type] for key, index in there.items()}

    @translate_errors
    def write(self, products: Sequence[StoredProduct]) -> None:
        """See `VectorIndex`."""
        self._client.upsert(
            self._collection,
            [to_point(product, pictures=PICTURE in self._vectors) for product in products],
            wait=True,
        )

    @translate_errors
    def delete(self, product_ids: Sequence[str]) -> None:
        """See `VectorIndex`."""
        points: list[models.ExtendedPointId] = [point_id(product_id) for product_id in product_ids]
        self._client.delete(self._collection, models.PointIdsList(points=points), wait=True)

    def flush(self) -> None:
        """See `VectorIndex`: a write with `wait` is in the server's log when it returns."""

    @translate_errors
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
        params = models.SearchParams(
            hnsw_ef=max(self._layout.hnsw_ef, limit),
            exact=exact,
            quantization=models.QuantizationSearchParams(
                ignore=exact, rescore=True, oversampling=self._layout.oversampling
            )
            if self._layout.quantisation != "none" and using == DENSE
            else None,
        )
        if using not in self._vectors:
            return []
        return self._search(vector.tolist(), using, limit, where, params)

    @translate_errors
    def search_sparse(
        self, vector: SparseVector, limit: int, where: Condition | None = None
    ) -> list[Hit]:
        """See `VectorIndex`."""
        query = models.SparseVector(indices=list(vector.indices), values=list(vector.values))
        return self._search(query, SPARSE, limit, where, None)

    @translate_errors
    def fetch(
        self, points: Sequence[str], keys: Sequence[str], *, vectors: bool = False
    ) -> list[Record]:
        """See `VectorIndex`."""
        if not points:
            return []
        found = self._client.retrieve(
            self._collection,
            list(points),
            with_payload=[ID, *keys],
            with_vectors=self._vectors if vectors else False,
        )
        records = {record.point: record for record in map(to_record, found)}
        return [records[point] for point in points if point in records]

    @translate_errors
    def copies(self, points: Sequence[str]) -> list[StoredProduct]:
        """See `VectorIndex`."""
        found = self._client.retrieve(
            self._collection, list(points), with_payload=True, with_vectors=self._vectors
        )
        return [to_stored(each) for each in found]

    def scan(self, keys: Sequence[str], where: Condition | None = None) -> Iterator[Record]:
        """See `VectorIndex`."""
        offset: Any = None
        while True:
            found, offset = self._page(offset, keys, where)
            yield from map(to_record, found)
            if offset is None:
                return

    @translate_errors
    def points(self, where: Condition | None = None) -> list[str]:
        """See `VectorIndex`."""
        points: list[str] = []
        offset: Any = None
        while True:
            found, offset = self._client.scroll(
                self._collection,
                limit=_PAGE,
                offset=offset,
                scroll_filter=FILTERS.translate(where),
                with_payload=False,
                with_vectors=False,
            )
            points += [str(record.id) for record in found]
            if offset is None:
                return points

    @translate_errors
    def top(self, key: str, limit: int, where: Condition | None = None) -> list[Hit]:
        """See `VectorIndex`."""
        found, _ = self._client.scroll(
            self._collection,
            limit=limit,
            scroll_filter=FILTERS.translate(where),
            with_payload=[ID, key],
            order_by=models.OrderBy(key=key, direction=models.Direction.DESC),
        )
        hits = [Hit(record.point, record.payload[key]) for record in map(to_record, found)]
        return sorted(hits, key=lambda hit: (-hit.score, hit.point))

    @translate_errors
    def count(self, where: Condition | None = None, *, exact: bool = False) -> int:
        """See `VectorIndex`."""
        found = self._client.count(self._collection, FILTERS.translate(where), exact=exact)
        return found.count

    @translate_errors
    def facet(self, key: str, limit: int, where: Condition | None = None) -> list[tuple[str, int]]:
        """See `VectorIndex`."""
        found = self._client.facet(
            self._collection,
            key,
            facet_filter=FILTERS.translate(where),
            limit=limit,
            exact=False,
        )
        counts = [(str(hit.value), hit.count) for hit in found.hits]
        return sorted(counts, key=lambda item: (-item[1], item[0]))

    def optimize(self) -> None:
        """See `VectorIndex`: the server does it by itself, beside its searches."""

    @translate_errors
    def is_optimized(self) -> bool:
        """See `VectorIndex`."""
        return self._client.get_collection(self._collection).status == models.CollectionStatus.GREEN

    @translate_errors
    def read_meta(self) -> dict[str, Any]:
        """See `VectorIndex`."""
        found = self._client.retrieve(self._meta, [_META_POINT], with_payload=True)
        return dict(found[0].payload or {}) if found else {}

    @translate_errors
    def write_meta(self, meta: Mapping[str, Any]) -> None:
        """See `VectorIndex`."""
        point = models.PointStruct(id=_META_POINT, vector={}, payload=dict(meta))
        self._client.upsert(self._meta, [point], wait=True)

    @translate_errors
    def _page(
        self,
        offset: Any,  # whatever the client gave
        keys: Sequence[str],
        where: Condition | None,
    ) -> tuple[list[models.Record], Any]:
        return self._client.scroll(
            self._collection,
            limit=_PAGE,
            offset=offset,
            scroll_filter=FILTERS.translate(where),
            with_payload=[ID, *keys],
            with_vectors=False,
        )

    def _search(
        self,
        query: list[float] | models.SparseVector,
        using: str,
        limit: int,
        where: Condition | None,
        params: models.SearchParams | None,
    ) -> list[Hit]:
        found = self._client.query_points(
            self._collection,
            query=query,
            using=using,
            limit=limit,
            query_filter=FILTERS.translate(where),
            search_params=params,
            with_payload=False,
        )
        return in_order(Hit(str(point.id), point.score) for point in found.points)
