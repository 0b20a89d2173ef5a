"""The port to the vector store: what retrieval needs of Qdrant, embedded or not."""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from services.retrieval.store.conditions import Condition

DENSE: Final = "dense"
SPARSE: Final = "sparse"
PICTURE: Final = "picture"
# Point ids are UUIDs (version 5) of product ids, because Qdrant takes nothing else but integers.
_NAMESPACE: Final = uuid.UUID("3d1b6f0e-6a55-5c0c-9a43-2f6a7d0c9b11")

_SCORE_DIGITS: Final = 5

Payload = Mapping[str, Any]


class FieldKind(StrEnum):
    """Kinds of payload indexes."""

    KEYWORD = "keyword"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class SparseVector:
    """Weights by dimension; the dimensions are distinct."""

    indices: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class StoredProduct:
    """One product as it is written.

    Its dense vectors have unit length, or are None: of what is written of it, and of its pictures.
    """

    product_id: str
    sparse: SparseVector
    dense: NDArray[np.float32] | None
    payload: Payload
    picture: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """One result of a search, best first in its list; higher scores are better.

    It names the point and not the product, whose id is in the payload: reading the payloads of all
    that a search finds costs far more than the search.
    """

    point: str
    score: float


@dataclass(frozen=True, slots=True)
class Record:
    """One product read back, with the payload fields and vectors that were asked for."""

    point: str
    product_id: str
    payload: Payload
    dense: NDArray[np.float32] | None = None
    sparse: SparseVector | None = None
    picture: NDArray[np.float32] | None = None


class VectorIndex(Protocol):
    """One index of products. Methods block; call them from threads.

    Reads may run beside each other, beside writes and beside `optimize`. Writes are the caller's to
    serialise. A store that does not answer is an UnavailableError.
    """

    def ping(self) -> None:
        """Raises unless the store answers."""
        ...

    def ensure_field(self, key: str, kind: FieldKind) -> None:
        """Creates the payload index of a field where there is none."""
        ...

    def fields(self) -> Mapping[str, FieldKind]:
        """Returns the fields that have a payload index; local mode has none."""
        ...

    def write(self, products: Sequence[StoredProduct]) -> None:
        """Writes products, replacing those of the same id, vectors included."""
        ...

    def delete(self, product_ids: Sequence[str]) -> None:
        """Deletes products; ids that are not there are ignored."""
        ...

    def flush(self) -> None:
        """Returns when everything written so far survives the loss of the process and the power."""
        ...

    def search_dense(
        self,
        vector: NDArray[np.float32],
        limit: int,
        where: Condition | None = None,
        *,
        exact: bool = False,
        using: str = DENSE,
    ) -> list[Hit]:
        """Finds the products nearest by cosine, of those that have such a vector.

        Args:
            vector: Of unit length.
            limit: Of products.
            where: What they must meet.
            exact: Whether all are compared, without the graph.
            using: DENSE or PICTURE.
        """
        ...

    def search_sparse(
        self, vector: SparseVector, limit: int, where: Condition | None = None
    ) -> list[Hit]:
        """Finds the products of the largest dot product, dimensions weighted by their IDF."""
        ...

    def fetch(
        self, points: Sequence[str], keys: Sequence[str], *, vectors: bool = False
    ) -> list[Record]:
        """Reads products in the order of the points; those that are not there are left out."""
        ...

    def copies(self, points: Sequence[str]) -> list[StoredProduct]:
        """Reads products whole, as they were written; those that are not there are left out."""
        ...

    def scan(self, keys: Sequence[str], where: Condition | None = None) -> Iterator[Record]:
        """Reads all products that meet a condition, in an order of the store's own."""
        ...

    def points(self, where: Condition | None = None) -> list[str]:
        """Lists the points of the products that meet a condition, without reading payloads."""
        ...

    def top(self, key: str, limit: int, where: Condition | None = None) -> list[Hit]:
        """Lists the products of the largest values of a number field, ties in order of point."""
        ...

    def count(self, where: Condition | None = None, *, exact: bool = False) -> int:
        """Counts products that meet a condition, by estimate unless exact."""
        ...

    def facet(self, key: str, limit: int, where: Condition | None = None) -> list[tuple[str, int]]:
        """Counts products by the values of an indexed keyword field, most frequent first.

        Counts come from the payload index: exact but for a cluster of several shards.
        """
        ...

    def optimize(self) -> None:
        """Builds the HNSW graph over what was written since; may take minutes."""
        ...

    def is_optimized(self) -> bool:
        """Whether every dense vector is in the graph, or too few are left out to matter."""
        ...

    def read_meta(self) -> dict[str, Any]:
        """Reads the document that `write_meta` wrote; empty at first."""
        ...

    def write_meta(self, meta: Mapping[str, Any]) -> None:
        """Keeps a small JSON document beside the products, durably and in one piece."""
        ...


class Claim(Protocol):
    """The right of one process to make a second index and to change which one answers."""

    @property
    def held(self) -> bool:
        """Whether it still has it, for long enough to change over."""
        ...


class VectorStore(VectorIndex, Protocol):
    """The index that answers, and at times another beside it.

    A second index is made, filled and then answers in the first one's place; the first becomes the
    former one, until it is dropped. Whatever a crash leaves of a second index that never answered
    is thrown away.
    """

    @property
    def name(self) -> str:
        """Which store it is: "qdrant-edge" or "qdrant"."""
        ...

    @property
    def shared(self) -> bool:
        """Whether other processes may write to it as well."""
        ...

    def open(self) -> None:
        """Opens the index that answers, or creates it, and its payload indexes."""
        ...

    def close(self) -> None:
        """Lets go of everything, with what was written on disk."""
        ...

    def claim(self) -> AbstractContextManager[Claim]:
        """Claims changes of the index for this process until the end of the context.

        Raises:
            AbortedError: Another process has the claim.
        """
        ...

    def make_second(self) -> VectorIndex:
        """Makes an empty index beside the one that answers, of the layout that is now wanted.

        Raises:
            UnavailableError: The disk has no room for it.
        """
        ...

    def change_to(self, index: VectorIndex) -> None:
        """Answers from `index` (the second or the former) from now on, in one durable step.

        Searches under way end on the index before, which becomes the former one; one that was kept
        already is dropped. The caller holds writes back meanwhile.
        """
        ...

    def former(self) -> VectorIndex | None:
        """Returns the index that answered before, if it is kept."""
        ...

    def drop_former(self) -> None:
        """Deletes the former index; does nothing where there is none."""
        ...

    def drop_second(self) -> None:
        """Deletes a second index that never answered; does nothing where there is none."""
        ...

    def snapshot(self) -> AbstractContextManager[Path]:
        """Lends a folder with a copy of the index as it is now; writes wait while it is copied.

        Raises:
            FailedPreconditionError: Its files are not here.
            UnavailableError: The disk has no room for it.
        """
        ...


def in_order(hits: Iterable[Hit]) -> list[Hit]:
    """Returns hits best first, those of one score in order of point.

    The engine has equals in the order in which they were written, which another index of the same
    products does not share; nor does it share the last bits of sums.
    """
    return sorted(hits, key=lambda hit: (-round(hit.score, _SCORE_DIGITS), hit.point))


def point_id(product_id: str) -> str:
    """Returns the id of the point that holds a product."""
    return str(uuid.uuid5(_NAMESPACE, product_id))
