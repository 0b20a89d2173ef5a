"""Indexes that were made before there were vectors of pictures: they go on, and take them."""

from pathlib import Path

import numpy as np
import pytest
import qdrant_edge as qe
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from services.retrieval.store import edge_folder
from services.retrieval.store.edge import EdgeStore
from services.retrieval.store.edge_models import to_config
from services.retrieval.store.layout import Layout
from services.retrieval.store.port import PICTURE, SparseVector, StoredProduct, point_id
from services.retrieval.store.server import ServerStore

pytestmark = pytest.mark.filterwarnings("ignore:Local mode performs exact:UserWarning")

LAYOUT = Layout(dimension=8, picture_dimension=6)
DENSE_UNIT = np.eye(8, dtype=np.float32)
PICTURE_UNIT = np.eye(6, dtype=np.float32)


def product(name: str, at: int, *, picture: bool = False) -> StoredProduct:
    return StoredProduct(
        name,
        SparseVector((1,), (1.0,)),
        DENSE_UNIT[at],
        {"brand": name},
        PICTURE_UNIT[at] if picture else None,
    )


def names(hits: list) -> list[str]:
    known = {point_id(name): name for name in ("old", "new")}
    return [known[hit.point] for hit in hits]


@pytest.fixture
def older(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as the version before made it."""
    folder = tmp_path / "store"
    with monkeypatch.context() as before:
        before.setattr(
            edge_folder, "to_config", lambda layout, **_: to_config(layout, pictures=False)
        )
        store = EdgeStore(folder, LAYOUT)
        store.open()
        store.write([product("old", 0)])
        store.close()
    shard = next(path for path in folder.glob("points-*"))
    qe.EdgeShard.load(str(shard), to_config(LAYOUT, pictures=False)).close()
    return folder


def test_an_embedded_index_gets_a_place_for_them(older: Path):
    for _ in range(2):  # as it is opened first, and ever after
        store = EdgeStore(older, LAYOUT)
        store.open()
        assert names(store.search_dense(DENSE_UNIT[0], 1)) == ["old"]
        store.write([product("new", 1, picture=True)])
        assert names(store.search_dense(PICTURE_UNIT[1], 9, using=PICTURE)) == ["new"]
        store.optimize()
        assert names(store.search_dense(PICTURE_UNIT[1], 9, using=PICTURE)) == ["new"]
        store.close()


def test_a_size_that_does_not_fit_is_told(older: Path):
    store = EdgeStore(older, LAYOUT)
    store.open()
    store.close()
    wrong = EdgeStore(older, Layout(dimension=8, picture_dimension=5))
    with pytest.raises(Exception, match="vector size"):
        wrong.open()
    wrong.close()


def older_collection() -> QdrantClient:
    client = QdrantClient(":memory:")
    client.create_collection(
        "products",
        vectors_config={"dense": models.VectorParams(size=8, distance=models.Distance.COSINE)},
        sparse_vectors_config={"sparse": models.SparseVectorParams(modifier=models.Modifier.IDF)},
    )
    return client


def test_a_collection_gets_a_place_for_them():
    store = ServerStore(older_collection(), "products", LAYOUT)
    store.open()
    store.write([product("new", 1, picture=True)])
    assert names(store.search_dense(PICTURE_UNIT[1], 9, using=PICTURE)) == ["new"]
    store.close()


def test_a_server_that_cannot_do_it_goes_on_without(monkeypatch: pytest.MonkeyPatch):
    client = older_collection()

    def refuse(*_: object) -> None:
        raise UnexpectedResponse(404, "Not Found", b"", None)  # type: ignore[arg-type]

    monkeypatch.setattr(client, "create_vector_name", refuse)
    store = ServerStore(client, "products", LAYOUT)
    store.open()
    store.write([product("new", 1, picture=True)])
    assert names(store.search_dense(DENSE_UNIT[1], 1)) == ["new"]
    assert store.search_dense(PICTURE_UNIT[1], 9, using=PICTURE) == []
    assert store.fetch([point_id("new")], (), vectors=True)[0].picture is None
    # A collection that is made anew has room for them.
    second = store.make_second()
    second.write([product("new", 1, picture=True)])
    store.change_to(second)
    store.close()
