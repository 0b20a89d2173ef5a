"""A product as a point holds it, which the embedded engine and the server give back alike."""

from collections.abc import Mapping
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from services.retrieval.store.port import (
    DENSE,
    PICTURE,
    SPARSE,
    Record,
    SparseVector,
    StoredProduct,
)

ID: Final = "id"
"""Key of the payload that holds the product's id."""


class PointRecord(Protocol):
    """A point as either gives it, with the payload and vectors that were asked for."""

    @property
    def id(self) -> object:
        """Its id, a number or a UUID."""
        ...

    @property
    def payload(self) -> Mapping[str, Any] | None:
        """What is kept beside the vectors."""
        ...

    @property
    def vector(self) -> object:
        """Vectors by name; nothing where none were asked for."""
        ...


def to_record(point: PointRecord) -> Record:
    """Returns the product that a point holds."""
    payload = point.payload or {}
    vectors: Any = point.vector or {}
    sparse = vectors.get(SPARSE)
    return Record(
        point=str(point.id),
        product_id=payload[ID],
        payload=payload,
        dense=_array(vectors.get(DENSE)),
        sparse=sparse and SparseVector(tuple(sparse.indices), tuple(sparse.values)),
        picture=_array(vectors.get(PICTURE)),
    )


def to_stored(point: PointRecord) -> StoredProduct:
    """Returns a point that was read whole, payload and vectors, as it is written."""
    record = to_record(point)
    payload = {key: value for key, value in record.payload.items() if key != ID}
    sparse = record.sparse or SparseVector((), ())
    return StoredProduct(record.product_id, sparse, record.dense, payload, record.picture)


def _array(values: Any) -> NDArray[np.float32] | None:
    return None if values is None else np.asarray(values, dtype=np.float32)
