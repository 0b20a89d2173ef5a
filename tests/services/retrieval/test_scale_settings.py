"""Quantisation, shards and replicas: what the settings make of the collection."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from qdrant_client import QdrantClient, models

from services.retrieval.config import RetrievalSettings
from services.retrieval.store.edge import EdgeStore
from services.retrieval.store.layout import Layout, Quantisation
from services.retrieval.store.port import SparseVector, StoredProduct
from services.retrieval.store.server import ServerStore

DIMENSION, PRODUCTS, QUERIES = 384, 3_000, 20
LEAST_RECALL = {"int8": 0.95, "binary": 0.6}
"""One bit a component hardly tells neighbours of one cluster apart."""


@pytest.fixture(scope="module")
def vectors() -> NDArray[np.float32]:
    """Unit vectors round 40 centres, as products of the same kind lie near each other."""
    rng = np.random.default_rng(5)
    centres = rng.normal(size=(40, DIMENSION))
    points = centres[rng.integers(40, size=PRODUCTS)] + 0.7 * rng.normal(size=(PRODUCTS, DIMENSION))
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


def write(store: EdgeStore, vectors: NDArray[np.float32]) -> None:
    """Writes a product of each vector, as many at a time as an import does."""
    for start in range(0, PRODUCTS, 500):
        part = enumerate(vectors[start : start + 500], start)
        store.write([StoredProduct(f"p{n}", SparseVector((1,), (1.0,)), v, {}) for n, v in part])


@pytest.fixture(params=["int8", "binary"], scope="module")
def quantised(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    vectors: NDArray[np.float32],
) -> Iterator[tuple[EdgeStore, Path, Quantisation]]:
    """The embedded store with small copies of the vectors, its graph built."""
    quantisation: Quantisation = request.param
    folder = tmp_path_factory.mktemp(quantisation)
    store = EdgeStore(
        folder, Layout(dimension=DIMENSION, quantisation=quantisation, oversampling=4)
    )
    store.open()
    write(store, vectors)
    store.optimize()
    yield store, folder, quantisation
    store.close()


def test_quantised_vectors_are_kept_and_scored_again(
    quantised: tuple[EdgeStore, Path, Quantisation], vectors: NDArray[np.float32]
) -> None:
    store, folder, quantisation = quantised
    assert [path for path in folder.rglob("quantized*") if path.stat().st_size > 0]
    rng = np.random.default_rng(6)
    found = 0
    for query in vectors[rng.integers(PRODUCTS, size=QUERIES)]:
        best = store.search_dense(query, 10, exact=True)
        near = store.search_dense(query, 10)
        found += len({hit.point for hit in best} & {hit.point for hit in near})
        # The first hit is the product itself, with its whole cosine and not the small copy's.
        assert near[0].score == pytest.approx(1.0, abs=1e-5)
    assert found / (10 * QUERIES) >= LEAST_RECALL[quantisation]


def test_a_second_index_is_of_the_layout_that_is_wanted(
    tmp_path: Path, vectors: NDArray[np.float32]
) -> None:
    plain = EdgeStore(tmp_path, Layout(dimension=DIMENSION))
    plain.open()
    write(plain, vectors)
    plain.close()
    store = EdgeStore(tmp_path, Layout(dimension=DIMENSION, quantisation="int8"))
    store.open()
    second = store.make_second()
    points = store.points()
    for start in range(0, PRODUCTS, 500):
        second.write(store.copies(points[start : start + 500]))
    second.optimize()
    store.change_to(second)
    assert [path for path in second.folder.path.rglob("quantized*") if path.stat().st_size > 0]
    assert store.search_dense(vectors[7], 1)[0].score == pytest.approx(1.0, abs=1e-5)
    store.close()


def test_threads_of_the_graph_may_change_with_a_start(
    tmp_path: Path, vectors: NDArray[np.float32]
) -> None:
    for threads in (1, 2):
        store = EdgeStore(tmp_path, Layout(dimension=DIMENSION, optimize_threads=threads))
        store.open()
        write(store, vectors)
        store.optimize()
        assert store.is_optimized()
        assert store.search_dense(vectors[7], 1)[0].score == pytest.approx(1.0, abs=1e-5)
        store.close()
        (config,) = tmp_path.rglob("edge_config.json")
        assert json.loads(config.read_text())["hnsw_config"]["max_indexing_threads"] == threads


class Recorder(QdrantClient):
    """Local mode that keeps what a collection was made with; it knows no shards of its own."""

    def __init__(self) -> None:
        super().__init__(":memory:")
        self.made: dict[str, dict[str, Any]] = {}

    def create_collection(self, collection_name: str, *args: Any, **kwargs: Any) -> bool:
        """See QdrantClient."""
        self.made[collection_name] = kwargs
        return super().create_collection(collection_name, *args, **kwargs)


def test_the_cluster_gets_shards_replicas_and_consistency() -> None:
    client = Recorder()
    layout = Layout(dimension=8, quantisation="int8", shards=6, replicas=3, write_consistency=2)
    ServerStore(client, "products", layout).open()
    made = client.made["products"]
    assert made["shard_number"] == 6
    assert made["replication_factor"] == 3
    assert made["write_consistency_factor"] == 2
    assert isinstance(made["quantization_config"], models.ScalarQuantization)
    # One point: a part of it more would only be one more to be lost.
    assert client.made["products_meta"]["shard_number"] == 1
    assert client.made["products_meta"]["replication_factor"] == 3


def test_settings_that_no_write_could_meet_stop_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHEREFORE_RETRIEVAL_REPLICAS", "2")
    monkeypatch.setenv("WHEREFORE_RETRIEVAL_WRITE_CONSISTENCY", "3")
    with pytest.raises(ValueError, match="above replicas"):
        RetrievalSettings()
    monkeypatch.setenv("WHEREFORE_RETRIEVAL_WRITE_CONSISTENCY", "2")
    assert RetrievalSettings().write_consistency == 2
