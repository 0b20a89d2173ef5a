"""Products on their way into the store: what is wrong with them, and what is stored of them."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, ClassVar, Final

import numpy as np
from google.protobuf.timestamp_pb2 import Timestamp
from numpy.typing import NDArray

from services.retrieval.blobs import SUMMARY, WHOLE, encode_summary, encode_whole
from services.retrieval.fields import filter_payload
from services.retrieval.sparse import document_vector
from services.retrieval.store.port import Payload, StoredProduct
from shared.catalogue import content_etag, validate_product
from shared.text.language import detect_language
from wherefore.common.v1.diagnostics_pb2 import RowError
from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.vector_pb2 import Vector

_UNIT_LENGTH_TOLERANCE: Final = 0.01
_LONGEST_SOURCE: Final = 64


@dataclass(frozen=True, slots=True)
class Draft:
    """A product to be written; `row` is its position in the caller's stream."""

    row: int
    product: Product
    vector: Vector | None
    vector_source: str = ""
    """What the vector was made of. Without a vector: of what the one that is kept was made."""
    picture: Vector | None = None
    """Of its pictures."""
    picture_source: str = ""
    """As `vector_source`."""

    @property
    def keeps_vector(self) -> bool:
        """Whether the product is to keep the vector it has."""
        return self.vector is None and bool(self.vector_source)

    @property
    def keeps_picture(self) -> bool:
        """Whether the product is to keep the vector of pictures that it has."""
        return self.picture is None and bool(self.picture_source)


@dataclass(frozen=True, slots=True)
class State:
    """What tells a product in the store from one that is to be written."""

    etag: str
    vector_model: str = ""
    """Empty without a vector."""
    vector_source: str = ""
    picture_model: str = ""
    """Empty without a vector of pictures."""
    picture_source: str = ""
    listing: str = field(default="", compare=False)
    """Of price, category and variant group; empty for what was written before there was one."""

    KEYS: ClassVar = (
        "etag", "vector_model", "vector_source", "picture_model", "picture_source", "listing",
    )  # fmt: skip
    """Payload keys that it is kept under."""

    @classmethod
    def of(cls, payload: Payload) -> "State":
        """Returns the state that a payload tells of."""
        return cls(payload["etag"], *(payload.get(key, "") for key in cls.KEYS[1:]))

    @property
    def payload(self) -> dict[str, Any]:
        """The payload fields that tell of it."""
        fields = {key: getattr(self, key) for key in self.KEYS}
        return {key: value for key, value in fields.items() if value}


def errors_of(draft: Draft, dimension: int, picture_dimension: int) -> Iterator[RowError]:
    """Yields what is wrong with a draft; vectors are to have so many components."""
    problems = [(v.field, v.description) for v in validate_product(draft.product)]
    if draft.vector is not None:
        problems += _vector_problems("vector", draft.vector, dimension)
    if draft.picture is not None:
        problems += _vector_problems("picture_vector", draft.picture, picture_dimension)
    sources = {"vector_source": draft.vector_source, "picture_source": draft.picture_source}
    for name, source in sources.items():
        if len(source) > _LONGEST_SOURCE:
            reason = f"at most {_LONGEST_SOURCE} characters, not {len(source)}"
            problems.append((name, reason))
    for name, reason in problems:
        yield RowError(row=draft.row, id=draft.product.id, field=name, reason=reason)


def stale_error(draft: Draft, before: State | None) -> RowError | None:
    """Returns an error when a draft is to keep a vector that is not there, or no longer."""
    name = ""
    if draft.keeps_vector and not (
        before and before.vector_model and before.vector_source == draft.vector_source
    ):
        name = "vector_source"
    elif draft.keeps_picture and not (
        before and before.picture_model and before.picture_source == draft.picture_source
    ):
        name = "picture_source"
    if not name:
        return None
    reason = "there is no vector of this source: the product changed meanwhile, send it again"
    return RowError(row=draft.row, id=draft.product.id, field=name, reason=reason)


def state_after(draft: Draft, product: Product, before: State | None) -> State:
    """Returns the state of a draft's product, prepared as `product`, once it is written."""
    vector = picture = ("", "")
    if draft.vector is not None:
        vector = (draft.vector.model, draft.vector_source)
    elif before is not None and draft.keeps_vector:
        vector = (before.vector_model, before.vector_source)
    if draft.picture is not None:
        picture = (draft.picture.model, draft.picture_source)
    elif before is not None and draft.keeps_picture:
        picture = (before.picture_model, before.picture_source)
    return State(product.etag, *vector, *picture, _listing(product))


def _listing(product: Product) -> str:
    """What decides where prices stand, in short."""
    price = product.price
    parts = (*product.category_path, product.variant_group_id, price.currency_code, price.amount)
    return blake2b(repr(parts).encode(), digest_size=8).hexdigest()


def unit_vector(vector: Vector) -> NDArray[np.float32]:
    """Returns the components of a vector message as an array, shape (dimension,)."""
    return np.asarray(vector.values, dtype=np.float32)


def prepared(product: Product) -> Product:
    """Returns a copy with what the server sets: its language, its etag and its time."""
    copy = Product()
    copy.CopyFrom(product)
    if not copy.language_code:
        copy.language_code = detect_language(copy.titles[min(copy.titles)])[0]
    copy.etag = content_etag(product)
    now = time.time()
    copy.update_time.CopyFrom(Timestamp(seconds=int(now), nanos=int(now % 1 * 1e9)))
    return copy


def stored_product(
    product: Product,
    dense: NDArray[np.float32] | None,
    picture: NDArray[np.float32] | None,
    state: State,
) -> StoredProduct:
    """Returns what is written of a prepared product; its vectors have unit length."""
    payload = filter_payload(product) | state.payload
    payload[SUMMARY] = encode_summary(product)
    payload[WHOLE] = encode_whole(product)
    return StoredProduct(product.id, document_vector(product), dense, payload, picture)


def _vector_problems(name: str, vector: Vector, dimension: int) -> list[tuple[str, str]]:
    if not vector.model:
        return [(f"{name}.model", "is empty")]
    if len(vector.values) != dimension:
        reason = f"{len(vector.values)} components; the index holds {dimension}"
        return [(f"{name}.values", reason)]
    length = float(np.linalg.norm(np.asarray(vector.values, dtype=np.float64)))
    if not abs(length - 1.0) <= _UNIT_LENGTH_TOLERANCE:  # also true for NaN
        return [(f"{name}.values", "are not finite numbers of unit length")]
    return []
