"""What every adapter of the VectorStore port does alike with a second index."""

from pathlib import Path

import numpy as np
import pytest
from qdrant_client import QdrantClient, models

from services.retrieval.store.edge import EdgeStore
from services.retrieval.store.edge_folder import EdgeFolder
from services.retrieval.store.layout import Layout
from services.retrieval.store.port import SparseVector, StoredProduct, VectorStore, point_id
from services.retrieval.store.server import ServerStore
from shared.errors import FailedPreconditionError

pytestmark = pytest.mark.filterwarnings(
    "ignore:Local mode performs exact:UserWarning", "ignore:Payload indexes have no effect"
)
LAYOUT = Layout(dimension=8)


def product(name: str, value: int = 0) -> StoredProduct:
    dense = np.eye(8, dtype=np.float32)[value % 8]
    return StoredProduct(name, SparseVector((value + 1,), (1.0,)), dense, {"brand": f"b{value}"})


def names(store: VectorStore) -> set[str]:
    return {record.product_id for record in store.scan(())}


def test_a_second_index_is_not_seen_until_it_answers(store: VectorStore) -> None:
    store.write([product("old")])
    second = store.make_second()
    second.write([product("new")])
    assert names(store) == {"old"}
    store.change_to(second)
    assert names(store) == {"new"}
    store.write([product("later", 1)])
    assert names(store) == {"new", "later"}
    former = store.former()
    assert former is not None
    assert [record.product_id for record in former.scan(())] == ["old"]


def test_one_goes_back_and_forth(store: VectorStore) -> None:
    store.write_meta({"version": 3})
    store.write([product("old")])
    second = store.make_second()
    second.write([product("new")])
    store.change_to(second)
    for expected in ("old", "new", "old"):
        former = store.former()
        assert former is not None
        store.change_to(former)
        assert names(store) == {expected}
        assert store.read_meta() == {"version": 3}


def test_the_former_one_is_dropped(store: VectorStore) -> None:
    store.write([product("old")])
    store.drop_former()
    assert names(store) == {"old"}
    store.change_to(store.make_second())
    store.drop_former()
    store.drop_former()
    assert store.former() is None
    assert names(store) == set()


def test_a_third_one_takes_the_place_of_the_former(store: VectorStore) -> None:
    for name in ("one", "two", "three"):
        index = store.make_second()
        index.write([product(name)])
        store.change_to(index)
    former = store.former()
    assert former is not None
    assert [record.product_id for record in former.scan(())] == ["two"]
    assert names(store) == {"three"}


def test_a_second_one_may_be_given_up(store: VectorStore) -> None:
    store.write([product("old")])
    store.make_second().write([product("new")])
    store.drop_second()
    store.drop_second()
    assert names(store) == {"old"}
    store.make_second().write([product("other")])
    assert names(store) == {"old"}


def test_products_are_read_whole_and_written_alike(store: VectorStore) -> None:
    bare = StoredProduct("bare", SparseVector((), ()), None, {"brand": "b"})
    store.write([product("a", 2), bare])
    second = store.make_second()
    copies = store.copies([point_id("a"), point_id("bare"), point_id("nothing")])
    second.write(copies)
    read = {each.product_id: each for each in second.copies(second.points())}
    assert read.keys() == {"a", "bare"}
    assert read["a"].payload == {"brand": "b2"}
    assert read["a"].dense == pytest.approx(np.eye(8)[2])
    assert read["a"].sparse == SparseVector((3,), (1.0,))
    assert read["bare"].dense is None
    assert read["bare"].sparse == SparseVector((), ())


# Of the embedded store alone.


def opened(folder: Path) -> EdgeStore:
    store = EdgeStore(folder, LAYOUT)
    store.open()
    return store


def test_what_answers_answers_after_a_restart(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.write([product("old")])
    second = store.make_second()
    second.write([product("new")])
    store.change_to(second)
    store.close()

    store = opened(tmp_path)
    assert names(store) == {"new"}
    former = store.former()
    assert former is not None
    store.change_to(former)
    store.close()

    store = opened(tmp_path)
    assert names(store) == {"old"}
    store.drop_former()
    assert [path.name for path in tmp_path.glob("index-*")] == []
    store.close()


def test_leftovers_are_removed_at_the_start(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.write([product("old")])
    store.close()
    for name in ("index-cut", "snapshot-cut"):
        (tmp_path / name).mkdir()
    (tmp_path / "tenants").mkdir()
    opened(tmp_path).close()
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == [
        "points-0",
        "tenants",
    ]
    store = opened(tmp_path)
    store.change_to(store.make_second())
    # Ends between the change and the end of the deletion.
    store._point(store._pointer()[0], "")
    store.close()
    opened(tmp_path).close()
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == [
        store._folder.path.name,
        "tenants",
    ]


def test_a_short_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = opened(tmp_path)
    store.write([product("old")])
    monkeypatch.setattr(EdgeFolder, "size_bytes", lambda _: 1 << 50)
    with pytest.raises(FailedPreconditionError, match=r"takes about \d+ MiB .* MiB are free"):
        store.make_second()
    assert names(store) == {"old"}
    store.close()


def test_a_snapshot_is_a_store_of_its_own(tmp_path: Path) -> None:
    store = opened(tmp_path / "store")
    store.write([product("old")])
    store.write_meta({"version": 2})
    for _ in range(2):  # there and back: another index is kept, which is not in it
        former = store.former() or store.make_second()
        former.write([product("old")])
        store.change_to(former)
    with store.snapshot() as folder:
        assert not (folder / "index.json").exists()
        store.write([product("later")])
        copy = tmp_path / "copy"
        folder.rename(copy)
    restored = opened(copy)
    assert names(restored) == {"old"}
    assert restored.read_meta() == {"version": 2}
    restored.close()
    assert names(store) == {"old", "later"}
    store.close()


# Of a server alone.


def test_a_collection_without_an_alias_goes_on_and_gets_one() -> None:
    client = QdrantClient(":memory:")
    first = ServerStore(client, "products", LAYOUT)
    first.open()
    first.write([product("old")])
    delete = models.DeleteAlias(alias_name="products_live")
    client.update_collection_aliases([models.DeleteAliasOperation(delete_alias=delete)])
    again = ServerStore(client, "products", LAYOUT)
    again.open()
    assert names(again) == {"old"}
    second = again.make_second()
    second.write([product("new")])
    again.change_to(second)
    # The other replica, which knows nothing of it, is answered by the new one.
    assert names(first) == {"new"}
    live = {each.alias_name: each.collection_name for each in client.get_aliases().aliases}
    assert live == {"products_live": "products_v2", "products_former": "products"}
    again.drop()
    assert client.get_collections().collections == []
    assert client.get_aliases().aliases == []


def test_a_server_makes_its_own_snapshots() -> None:
    store = ServerStore(QdrantClient(":memory:"), "products", LAYOUT)
    with pytest.raises(FailedPreconditionError, match="Qdrant"):
        store.snapshot()
