"""The catalogue: what is written, under which version, and what is known of it as a whole.

Methods block and are called from threads. Writes are serialised by one lock; reads go on meanwhile.
"""

import threading
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.retrieval.drafts import (
    Draft,
    State,
    errors_of,
    prepared,
    stale_error,
    state_after,
    stored_product,
    unit_vector,
)
from services.retrieval.filters import FilterCompiler, number_paths
from services.retrieval.journal import Journal
from services.retrieval.meta import Meta
from services.retrieval.store.conditions import Condition, Present
from services.retrieval.store.port import FieldKind, StoredProduct, VectorStore, point_id
from shared.errors import FailedPreconditionError
from wherefore.common.v1.diagnostics_pb2 import RowError
from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.vector_pb2 import Vector

HAS_VECTOR: Final = Present("vector_model")
HAS_PICTURE: Final = Present("picture_model")
# Filters by numbers of further attributes still work, by looking at every product.
MAX_NUMBER_INDEXES: Final = 64
_Dense = NDArray[np.float32] | None


@dataclass(slots=True)
class WriteReport:
    """What became of a batch."""

    indexed: int = 0
    unchanged: int = 0
    errors: list[RowError] = field(default_factory=list[RowError])


class Catalogue:
    """Products in a vector store."""

    def __init__(self, store: VectorStore, dimension: int, picture_dimension: int = 128) -> None:
        self.store = store
        self.dimension = dimension
        """Components of the vectors that are taken."""
        self.picture_dimension = picture_dimension
        """Components of the vectors of pictures that are taken."""
        self.journal = Journal()
        """What is written and deleted, for whoever copies the index meanwhile."""
        self._meta = Meta()
        self._stored: Mapping[str, Any] | None = None
        self._lock = threading.Lock()
        self._number_indexes: set[str] = set()
        self._dirty = 0
        self._listing_version = 0

    @property
    def version(self) -> int:
        """Version of the index; grows by each write that changes something."""
        return self._meta.version

    @property
    def listing_version(self) -> int:
        """Grows by each write that changes a price, a category or which products there are.

        Of this process alone: popularity, which changes all the time, leaves it.
        """
        return self._listing_version

    @property
    def vector_model(self) -> str:
        """Model of the vectors; empty while there are none."""
        return self._meta.vector_model

    @property
    def picture_model(self) -> str:
        """Model of the vectors of pictures; empty while there are none."""
        return self._meta.picture_model

    @property
    def compiler(self) -> FilterCompiler:
        """Compiles filters against the attributes that the catalogue has."""
        return FilterCompiler(self._meta.attributes)

    @property
    def written_since_optimize(self) -> int:
        """Products written since the graph was last brought up to date."""
        return self._dirty

    def open(self) -> None:
        """Opens the store and reads what is kept beside the products."""
        self.store.open()
        self.refresh()
        if not self.store.is_optimized():
            self._dirty = self.store.count()

    def refresh(self) -> None:
        """Reads again what is kept beside the products, where another process may write it."""
        stored = self.store.read_meta()
        if stored is self._stored:  # it was not written since
            return
        self._stored = stored
        if stored.get("version", 0) > self._meta.version:
            self._listing_version += 1  # another process wrote, who knows what
        if stored.get("version", 0) >= self._meta.version:
            self._meta = Meta.of(stored)

    def close(self) -> None:
        """Closes the store once a write under way is done."""
        with self._lock:
            self.store.close()

    def check_model(self, vector: Vector) -> None:
        """Raises FAILED_PRECONDITION for a vector of another model than the index's vectors."""
        self._check(vector, self.vector_model, HAS_VECTOR, "vectors")

    def check_picture_model(self, vector: Vector) -> None:
        """As `check_model`, of the vectors of pictures."""
        self._check(vector, self.picture_model, HAS_PICTURE, "vectors of pictures")

    def _check(self, vector: Vector, model: str, held: Present, what: str) -> None:
        if vector.model != model and self.store.count(held, exact=True):
            raise FailedPreconditionError(
                f"the index holds {what} of model {model!r}, not {vector.model[:100]!r};"
                " to change the model, delete the products first or use a new index"
            )

    def write(self, drafts: Sequence[Draft]) -> WriteReport:
        """Writes a batch; bad rows are reported, unchanged ones passed over.

        Raises:
            FailedPreconditionError: For a vector of another model; nothing of the batch is written.
        """
        report = WriteReport()
        with self._lock:
            good: list[Draft] = []
            for draft in drafts:
                errors = list(errors_of(draft, self.dimension, self.picture_dimension))
                report.errors += errors
                if not errors:
                    good.append(draft)
            model = _model_of([draft.vector for draft in good], self.vector_model, self.check_model)
            picture_model = _model_of(
                [draft.picture for draft in good], self.picture_model, self.check_picture_model
            )
            states = self._states([draft.product.id for draft in good])
            keeping = [d.product.id for d in good if d.keeps_vector or d.keeps_picture]
            kept = self._kept(keeping)
            changed: dict[str, StoredProduct] = {}
            products: list[Product] = []
            relisted = False
            for draft in good:
                product_id = draft.product.id
                before = states.get(product_id)
                if stale := stale_error(draft, before):
                    report.errors.append(stale)
                    continue
                product = prepared(draft.product)
                state = state_after(draft, product, before)
                if state == before:
                    report.unchanged += 1
                    continue
                dense, picture = kept.get(product_id, (None, None))
                if draft.vector is not None:
                    dense = unit_vector(draft.vector)
                if draft.picture is not None:
                    picture = unit_vector(draft.picture)
                dense = dense if state.vector_model else None
                picture = picture if state.picture_model else None
                kept[product_id] = dense, picture
                relisted = relisted or before is None or before.listing != state.listing
                states[product_id] = state
                changed[product_id] = stored_product(product, dense, picture, state)
                products.append(product)
                report.indexed += 1
            if changed:
                # The keys come first: after a crash there may be one too many, never one too few.
                attributes = self._meta.attributes_with(products)
                meta = Meta(self._meta.version + 1, model, picture_model, attributes)
                with self._new_version(meta), self.journal.noting(changed):
                    self.store.write(list(changed.values()))
                    self._listing_version += relisted
                self._dirty += len(changed)
        return report

    def vector_sources(self, product_ids: Sequence[str]) -> dict[str, str]:
        """Returns what vectors were made of, by the id of the products that have one."""
        states = self._states(product_ids)
        return {i: state.vector_source for i, state in states.items() if state.vector_model}

    def picture_sources(self, product_ids: Sequence[str]) -> dict[str, str]:
        """As `vector_sources`, of the vectors of pictures."""
        states = self._states(product_ids)
        return {i: state.picture_source for i, state in states.items() if state.picture_model}

    def picture_vectors(self, product_ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Returns vectors of pictures, by the id of the products that have one."""
        found = self._kept(product_ids)
        return {i: picture for i, (_, picture) in found.items() if picture is not None}

    def delete(self, product_ids: Sequence[str]) -> tuple[list[str], list[str]]:
        """Deletes products; returns the ids that were there and those that were not."""
        with self._lock:
            wanted = list(dict.fromkeys(product_ids))
            points = [point_id(product_id) for product_id in wanted]
            there = {record.product_id for record in self.store.fetch(points, ())}
            if there:
                meta = replace(self._meta, version=self.version + 1)
                with self._new_version(meta), self.journal.noting(there):
                    self.store.delete(sorted(there))
                    self.store.flush()
                    self._listing_version += 1
            return [i for i in wanted if i in there], [i for i in wanted if i not in there]

    @contextmanager
    def paused(self) -> Generator[None]:
        """Holds writes back."""
        with self._lock:
            yield

    def commit(self) -> None:
        """Returns when everything written is durable."""
        self.store.flush()

    def optimize(self) -> None:
        """Brings the HNSW graph up to date; searches and writes go on meanwhile."""
        dirty = self._dirty
        self.store.optimize()
        self._dirty -= dirty

    def prepare(self, condition: Condition | None) -> None:
        """Creates the indexes of attribute numbers that a condition needs, while there is room."""
        for path in set(number_paths(condition)) - self._number_indexes:
            with self._lock:
                if len(self._number_indexes) < MAX_NUMBER_INDEXES:
                    self.store.ensure_field(path, FieldKind.NUMBER)
                    self._number_indexes.add(path)

    def _states(self, product_ids: Sequence[str]) -> dict[str, State]:
        records = self.store.fetch(_points(product_ids), State.KEYS)
        return {record.product_id: State.of(record.payload) for record in records}

    def _kept(self, product_ids: Sequence[str]) -> dict[str, tuple[_Dense, _Dense]]:
        """Vectors of products, and of their pictures."""
        records = self.store.fetch(_points(product_ids), (), vectors=True)
        return {record.product_id: (record.dense, record.picture) for record in records}

    @contextmanager
    def _new_version(self, meta: Meta) -> Generator[None]:
        """Keeps a version before its write and shows it after.

        Readers remember what they read under a version: it must not be seen before its products.
        """
        self.store.write_meta(meta.document)
        try:
            yield
        finally:
            self._meta = meta


def _points(product_ids: Sequence[str]) -> list[str]:
    return [point_id(each) for each in dict.fromkeys(product_ids)]


def _model_of(vectors: Iterable[Vector | None], model: str, check: Callable[[Vector], None]) -> str:
    """Returns the model of an index's vectors once these are written.

    Args:
        vectors: Of a batch; None of a product without.
        model: Of the index before.
        check: Raises where the index takes none of another model.
    """
    by_model = {vector.model: vector for vector in vectors if vector}
    if len(by_model) > 1:
        raise FailedPreconditionError("one batch holds vectors of two models")
    for found, vector in by_model.items():
        if found != model:
            check(vector)
    return next(iter(by_model), model)
