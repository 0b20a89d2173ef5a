"""A Qdrant server or cluster, through qdrant-client."""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import httpx
import numpy as np
from numpy.typing import NDArray
from qdrant_client import QdrantClient, models
from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from services.retrieval.store.conditions import Condition
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
from shared.errors import InternalError, UnavailableError

_ID: Final = "id"
_PAGE: Final = 1_000
_META_POINT: Final = 1
_KINDS: Final = {
    FieldKind.KEYWORD: models.PayloadSchemaType.KEYWORD,
    FieldKind.NUMBER: models.PayloadSchemaType.FLOAT,
}
_FILTERS: Final = FilterTypes(
    filter=models.Filter,
    field=models.FieldCondition,
    match_any=lambda values: models.MatchAny(any=values),
    range=models.Range,
    is_empty=lambda key: models.IsEmptyCondition(is_empty=models.PayloadField(key=key)),
    has_id=lambda ids: models.HasIdCondition(has_id=list[models.ExtendedPointId](ids)),
)
_QUANTISATION: Final[Mapping[Quantisation, models.QuantizationConfig | None]] = {
    "none": None,
    "int8": models.ScalarQuantization(
        scalar=models.ScalarQuantizationConfig(
            type=models.ScalarType.INT8, quantile=QUANTILE, always_ram=True
        )
    ),
    "binary": models.BinaryQuantization(binary=models.BinaryQuantizationConfig(always_ram=True)),
}
_SERVER_ERROR: Final = 500

P = ParamSpec("P")
T = TypeVar("T")
SelfT = TypeVar("SelfT")


def _translate_errors(
    method: Callable[Concatenate[SelfT, P], T],
) -> Callable[Concatenate[SelfT, P], T]:
    """Turns the client's exceptions into ours; what the server cannot do now is UNAVAILABLE."""

    @functools.wraps(method)
    def wrapper(self: SelfT, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(self, *args, **kwargs)
        except UnexpectedResponse as error:
            if (error.status_code or _SERVER_ERROR) >= _SERVER_ERROR:
                raise UnavailableError("the Qdrant server failed") from error
            raise InternalError(f"the Qdrant server refused a call: {error}") from error
        except ResourceExhaustedResponse as error:
            raise UnavailableError(
                "the Qdrant server is overloaded", retry_after_seconds=float(error.retry_after_s)
            ) from error
        except (ResponseHandlingException, httpx.HTTPError, ConnectionError) as error:
            raise UnavailableError("the Qdrant server cannot be reached") from error

    return wrapper


class ServerStore:
    """A `VectorStore` in a Qdrant server, or in qdrant-client's own local mode.

    The collection is `name`; the small document beside it is a collection `name_meta` of one point.
    """

    name = "qdrant"

    def __init__(self, client: QdrantClient, collection: str, layout: Layout) -> None:
        self._client = client
        self._collection = collection
        self._meta = f"{collection}_meta"
        self._layout = layout
        self._fields: set[str] = set()

    @_translate_errors
    def open(self) -> None:
        """See `VectorStore`."""
        layout = self._layout
        if not self._client.collection_exists(self._collection):
            self._client.create_collection(
                self._collection,
                vectors_config={
                    DENSE: models.VectorParams(
                        size=layout.dimension,
                        distance=models.Distance.COSINE,
                        hnsw_config=models.HnswConfigDiff(
                            m=layout.hnsw_m, ef_construct=layout.hnsw_ef_construct
                        ),
                    )
                },
                sparse_vectors_config={
                    SPARSE: models.SparseVectorParams(modifier=models.Modifier.IDF)
                },
                on_disk_payload=True,
                quantization_config=_QUANTISATION[layout.quantisation],
                shard_number=layout.shards,
                replication_factor=layout.replicas,
                write_consistency_factor=layout.write_consistency,
            )
        if not self._client.collection_exists(self._meta):
            self._client.create_collection(
                self._meta,
                vectors_config={},
                shard_number=1,
                replication_factor=layout.replicas,
                write_consistency_factor=layout.write_consistency,
            )
        self._fields = set(self._client.get_collection(self._collection).payload_schema)
        for key, kind in layout.fields.items():
            self.ensure_field(key, kind)

    def close(self) -> None:
        """See `VectorStore`."""
        self._client.close()

    @_translate_errors
    def ping(self) -> None:
        """See `VectorStore`."""
        self._client.get_collection(self._collection)

    @_translate_errors
    def ensure_field(self, key: str, kind: FieldKind) -> None:
        """See `VectorStore`."""
        if key not in self._fields:
            self._client.create_payload_index(self._collection, key, _KINDS[kind], wait=True)
            self._fields.add(key)

    @_translate_errors
    def write(self, products: Sequence[StoredProduct]) -> None:
        """See `VectorStore`."""
        self._client.upsert(self._collection, [_point(product) for product in products], wait=True)

    @_translate_errors
    def delete(self, product_ids: Sequence[str]) -> None:
        """See `VectorStore`."""
        points: list[models.ExtendedPointId] = [point_id(product_id) for product_id in product_ids]
        self._client.delete(self._collection, models.PointIdsList(points=points), wait=True)

    def flush(self) -> None:
        """See `VectorStore`: a write with `wait` is in the server's log when it returns."""

    @_translate_errors
    def search_dense(
        self,
        vector: NDArray[np.float32],
        limit: int,
        where: Condition | None = None,
        *,
        exact: bool = False,
    ) -> list[Hit]:
        """See `VectorStore`."""
        params = models.SearchParams(
            hnsw_ef=max(self._layout.hnsw_ef, limit),
            exact=exact,
            quantization=models.QuantizationSearchParams(
                ignore=exact, rescore=True, oversampling=self._layout.oversampling
            )
            if self._layout.quantisation != "none"
            else None,
        )
        return self._search(vector.tolist(), DENSE, limit, where, params)

    @_translate_errors
    def search_sparse(
        self, vector: SparseVector, limit: int, where: Condition | None = None
    ) -> list[Hit]:
        """See `VectorStore`."""
        query = models.SparseVector(indices=list(vector.indices), values=list(vector.values))
        return self._search(query, SPARSE, limit, where, None)

    @_translate_errors
    def fetch(
        self, points: Sequence[str], keys: Sequence[str], *, vectors: bool = False
    ) -> list[Record]:
        """See `VectorStore`."""
        if not points:
            return []
        found = self._client.retrieve(
            self._collection,
            list(points),
            with_payload=[_ID, *keys],
            with_vectors=[DENSE, SPARSE] if vectors else False,
        )
        records = {record.point: record for record in map(_record, found)}
        return [records[point] for point in points if point in records]

    def scan(self, keys: Sequence[str], where: Condition | None = None) -> Iterator[Record]:
        """See `VectorStore`."""
        offset: Any = None
        while True:
            found, offset = self._page(offset, keys, where)
            yield from map(_record, found)
            if offset is None:
                return

    @_translate_errors
    def points(self, where: Condition | None = None) -> list[str]:
        """See `VectorStore`."""
        points: list[str] = []
        offset: Any = None
        while True:
            found, offset = self._client.scroll(
                self._collection,
                limit=_PAGE,
                offset=offset,
                scroll_filter=_FILTERS.translate(where),
                with_payload=False,
                with_vectors=False,
            )
            points += [str(record.id) for record in found]
            if offset is None:
                return points

    @_translate_errors
    def top(self, key: str, limit: int, where: Condition | None = None) -> list[Hit]:
        """See `VectorStore`."""
        found, _ = self._client.scroll(
            self._collection,
            limit=limit,
            scroll_filter=_FILTERS.translate(where),
            with_payload=[_ID, key],
            order_by=models.OrderBy(key=key, direction=models.Direction.DESC),
        )
        hits = [Hit(record.point, record.payload[key]) for record in map(_record, found)]
        return sorted(hits, key=lambda hit: (-hit.score, hit.point))

    @_translate_errors
    def count(self, where: Condition | None = None, *, exact: bool = False) -> int:
        """See `VectorStore`."""
        found = self._client.count(self._collection, _FILTERS.translate(where), exact=exact)
        return found.count

    @_translate_errors
    def facet(self, key: str, limit: int, where: Condition | None = None) -> list[tuple[str, int]]:
        """See `VectorStore`."""
        found = self._client.facet(
            self._collection,
            key,
            facet_filter=_FILTERS.translate(where),
            limit=limit,
            exact=False,
        )
        counts = [(str(hit.value), hit.count) for hit in found.hits]
        return sorted(counts, key=lambda item: (-item[1], item[0]))

    def optimize(self) -> None:
        """See `VectorStore`: the server does it by itself, beside its searches."""

    @_translate_errors
    def is_optimized(self) -> bool:
        """See `VectorStore`."""
        return self._client.get_collection(self._collection).status == models.CollectionStatus.GREEN

    @_translate_errors
    def read_meta(self) -> dict[str, Any]:
        """See `VectorStore`."""
        found = self._client.retrieve(self._meta, [_META_POINT], with_payload=True)
        return dict(found[0].payload or {}) if found else {}

    @_translate_errors
    def write_meta(self, meta: Mapping[str, Any]) -> None:
        """See `VectorStore`."""
        point = models.PointStruct(id=_META_POINT, vector={}, payload=dict(meta))
        self._client.upsert(self._meta, [point], wait=True)

    @_translate_errors
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
            scroll_filter=_FILTERS.translate(where),
            with_payload=[_ID, *keys],
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
            query_filter=_FILTERS.translate(where),
            search_params=params,
            with_payload=False,
        )
        return [Hit(str(point.id), point.score) for point in found.points]


def _point(product: StoredProduct) -> models.PointStruct:
    sparse = models.SparseVector(
        indices=list(product.sparse.indices), values=list(product.sparse.values)
    )
    vectors: dict[str, Any] = {SPARSE: sparse}
    if product.dense is not None:
        vectors[DENSE] = product.dense.tolist()
    payload = {_ID: product.product_id, **product.payload}
    return models.PointStruct(id=point_id(product.product_id), vector=vectors, payload=payload)


def _record(record: models.Record) -> Record:
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
