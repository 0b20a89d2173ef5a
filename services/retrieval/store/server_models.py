"""What the store's port knows, as models of qdrant-client."""

from collections.abc import Mapping
from typing import Any, Final

from qdrant_client import models

from services.retrieval.store.filters import FilterTypes
from services.retrieval.store.layout import QUANTILE, Quantisation
from services.retrieval.store.port import DENSE, PICTURE, SPARSE, FieldKind, StoredProduct, point_id
from services.retrieval.store.records import ID

KINDS: Final = {
    FieldKind.KEYWORD: models.PayloadSchemaType.KEYWORD,
    FieldKind.NUMBER: models.PayloadSchemaType.FLOAT,
}
KIND_OF: Final = {of_server: kind for kind, of_server in KINDS.items()}
FILTERS: Final = FilterTypes(
    filter=models.Filter,
    field=models.FieldCondition,
    match_any=lambda values: models.MatchAny(any=values),
    range=models.Range,
    is_empty=lambda key: models.IsEmptyCondition(is_empty=models.PayloadField(key=key)),
    has_id=lambda ids: models.HasIdCondition(has_id=list[models.ExtendedPointId](ids)),
)
QUANTISATION: Final[Mapping[Quantisation, models.QuantizationConfig | None]] = {
    "none": None,
    "int8": models.ScalarQuantization(
        scalar=models.ScalarQuantizationConfig(
            type=models.ScalarType.INT8, quantile=QUANTILE, always_ram=True
        )
    ),
    "binary": models.BinaryQuantization(binary=models.BinaryQuantizationConfig(always_ram=True)),
}


def to_point(product: StoredProduct, *, pictures: bool = True) -> models.PointStruct:
    """Returns a product as the server keeps it, without the vector of its pictures if told so."""
    sparse = models.SparseVector(
        indices=list(product.sparse.indices), values=list(product.sparse.values)
    )
    vectors: dict[str, Any] = {SPARSE: sparse}
    if product.dense is not None:
        vectors[DENSE] = product.dense.tolist()
    if pictures and product.picture is not None:
        vectors[PICTURE] = product.picture.tolist()
    payload = {ID: product.product_id, **product.payload}
    return models.PointStruct(id=point_id(product.product_id), vector=vectors, payload=payload)
