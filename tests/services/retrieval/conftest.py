"""Stores of both kinds, and a small catalogue of our own."""

import os
import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from qdrant_client import QdrantClient

from services.retrieval.store.edge import EdgeStore
from services.retrieval.store.layout import Layout
from services.retrieval.store.port import FieldKind, VectorStore
from services.retrieval.store.server import ServerStore
from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.vector_pb2 import Vector

DIMENSION = 8
QDRANT_URL = os.environ.get("WHEREFORE_QDRANT_URL", "")


KINDS = ("edge", "local", "server")
# Only what the tests of the stores name: each index costs files, and each store is made anew.
FIELDS = {
    "brand": FieldKind.KEYWORD,
    "tags": FieldKind.KEYWORD,
    "in_stock": FieldKind.KEYWORD,
    "price": FieldKind.NUMBER,
    "popularity": FieldKind.NUMBER,
}


def _make_store(kind: str, folder: Path) -> VectorStore:
    layout = Layout(dimension=DIMENSION, picture_dimension=6, fields=FIELDS)
    if kind == "edge":
        return EdgeStore(folder / "edge", layout)
    if kind == "local":
        return ServerStore(QdrantClient(":memory:"), "products", layout)
    if not QDRANT_URL:
        pytest.skip("WHEREFORE_QDRANT_URL names no Qdrant server")
    return ServerStore(QdrantClient(url=QDRANT_URL), f"test-{uuid.uuid4()}", layout)


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VectorStore]:
    yield from _opened(_make_store(request.param, tmp_path))


@pytest.fixture(params=KINDS, scope="module")
def shared_store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[VectorStore]:
    yield from _opened(_make_store(request.param, tmp_path_factory.mktemp("store")))


def _opened(store: VectorStore) -> Iterator[VectorStore]:
    with warnings.catch_warnings():
        # Local mode has no payload indexes, which is why it only stands in here.
        warnings.filterwarnings("ignore", message="Payload indexes have no effect")
        store.open()
    yield store
    store.close()


@pytest.fixture(scope="session")
def make_vector() -> Callable[..., Vector]:
    def make(*components: float, model: str = "toy@1") -> Vector:
        values = np.zeros(DIMENSION, dtype=np.float32)
        values[: len(components)] = components
        return Vector(values=(values / np.linalg.norm(values)).tolist(), model=model)

    return make


@pytest.fixture(scope="session")
def make_product() -> Callable[..., Product]:
    def make(
        product_id: str, title: str, *, price: float | None = None, **fields: object
    ) -> Product:
        product = Product(id=product_id, titles={"en": title}, **fields)  # type: ignore[arg-type]
        if price is not None:
            product.price.currency_code = "EUR"
            product.price.amount = price
        return product

    return make
