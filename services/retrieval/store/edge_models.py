"""What the store's port knows, as models of the embedded engine."""

from collections.abc import Mapping
from typing import Any, Final

import qdrant_edge as qe

from services.retrieval.store.filters import FilterTypes
from services.retrieval.store.layout import QUANTILE, Layout, Quantisation
from services.retrieval.store.port import DENSE, PICTURE, SPARSE, FieldKind, StoredProduct, point_id
from services.retrieval.store.records import ID

INDEXING_THRESHOLD_KB: Final = 4_000
"""Qdrant leaves segments smaller than this without a graph: exact search is as fast there."""
KINDS: Final = {
    FieldKind.KEYWORD: qe.PayloadSchemaType.Keyword,
    FieldKind.NUMBER: qe.PayloadSchemaType.Float,
}
QUANTISATION: Final[
    Mapping[Quantisation, qe.ScalarQuantizationConfig | qe.BinaryQuantizationConfig | None]
] = {
    "none": None,
    "int8": qe.ScalarQuantizationConfig(qe.ScalarType.Int8, quantile=QUANTILE, always_ram=True),
    "binary": qe.BinaryQuantizationConfig(always_ram=True),
}
FILTERS: Final = FilterTypes(
    filter=qe.Filter,
    field=qe.FieldCondition,
    match_any=qe.MatchAny,
    range=qe.RangeFloat,
    is_empty=qe.IsEmptyCondition,
    has_id=lambda ids: qe.HasIdCondition(set(ids)),
)


def to_config(layout: Layout, *, pictures: bool = True) -> qe.EdgeConfig:
    """Returns what the engine is made of.

    Args:
        layout: What is wanted.
        pictures: False for how an index was made before there were vectors of pictures.
    """
    vectors = {
        DENSE: qe.EdgeVectorParams(
            layout.dimension,
            qe.Distance.Cosine,
            quantization_config=QUANTISATION[layout.quantisation],
        )
    }
    if pictures:
        vectors[PICTURE] = qe.EdgeVectorParams(layout.picture_dimension, qe.Distance.Cosine)
    return qe.EdgeConfig(
        vectors=vectors,
        sparse_vectors={SPARSE: qe.EdgeSparseVectorParams(modifier=qe.Modifier.Idf)},
        hnsw_config=qe.HnswIndexConfig(
            layout.hnsw_m,
            layout.hnsw_ef_construct,
            full_scan_threshold=1_000,
            max_indexing_threads=layout.optimize_threads,
        ),
        optimizers=qe.EdgeOptimizersConfig(
            indexing_threshold=INDEXING_THRESHOLD_KB, default_segment_number=1
        ),
    )


def add_pictures(shard: qe.EdgeShard, layout: Layout) -> None:
    """Gives a shard that was made without them a place for vectors of pictures."""
    size = layout.picture_dimension
    shard.update(qe.UpdateOperation.create_dense_vector(PICTURE, size, qe.Distance.Cosine))


def to_point(product: StoredProduct) -> qe.Point:
    """Returns a product as the engine takes it."""
    sparse = qe.SparseVector(list(product.sparse.indices), list(product.sparse.values))
    vectors: dict[str, Any] = {SPARSE: sparse}
    if product.dense is not None:
        vectors[DENSE] = product.dense.tolist()
    if product.picture is not None:
        vectors[PICTURE] = product.picture.tolist()
    payload = {ID: product.product_id, **product.payload}
    return qe.Point(point_id(product.product_id), vectors, payload)
