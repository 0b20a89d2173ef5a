from pathlib import Path

import pytest
from qdrant_client import QdrantClient

from services.retrieval.config import RetrievalSettings
from services.retrieval.store.factory import drop_store, open_store
from services.retrieval.store.layout import Layout
from services.retrieval.store.server import ServerStore
from shared.errors import UnavailableError


def test_the_embedded_store_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WHEREFORE_QDRANT_URL", raising=False)
    monkeypatch.setenv("WHEREFORE_RETRIEVAL_DATA_DIR", str(tmp_path))
    settings = RetrievalSettings()
    assert settings.data_dir == tmp_path
    assert open_store(settings).name == "qdrant-edge"


def test_a_url_chooses_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHEREFORE_QDRANT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("WHEREFORE_QDRANT_API_KEY", "")
    store = open_store(RetrievalSettings())
    assert store.name == "qdrant"
    with pytest.raises(UnavailableError, match="cannot be reached"):
        store.open()
    with pytest.raises(UnavailableError):
        store.ping()
    store.close()


def test_the_products_of_a_tenant_are_dropped_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WHEREFORE_QDRANT_URL", raising=False)
    settings = RetrievalSettings(data_dir=tmp_path)
    folders: list[Path] = []
    for tenant in ("acme", "bolt", ""):
        own = settings.of_tenant(tenant)
        store = open_store(own)
        store.open()
        if tenant == "acme":
            with pytest.raises(UnavailableError):  # it is open
                drop_store(settings, "acme")
        store.write_meta({"of": tenant})
        store.close()
        folders.append(own.data_dir)
    for _ in range(2):
        drop_store(settings, "acme")
    assert not folders[0].exists()
    for tenant, folder in (("bolt", folders[1]), ("", folders[2])):
        assert folder.exists()
        store = open_store(settings.of_tenant(tenant))
        store.open()
        assert store.read_meta() == {"of": tenant}
        store.close()


def test_a_server_that_is_away_keeps_the_removal_undone(tmp_path: Path) -> None:
    settings = RetrievalSettings(data_dir=tmp_path, qdrant_url="http://127.0.0.1:1")
    with pytest.raises(UnavailableError):
        drop_store(settings, "acme")


def test_collections_of_a_server_are_dropped_and_no_others() -> None:
    client = QdrantClient(":memory:")
    names = ("products-a", "products")
    stores = [ServerStore(client, name, Layout(dimension=8)) for name in names]
    for name, store in zip(names, stores, strict=True):
        store.open()
        store.write_meta({"of": name})
    for _ in range(2):
        stores[0].drop()
    assert {each.alias_name for each in client.get_aliases().aliases} == {"products_live"}
    assert {each.name for each in client.get_collections().collections} == {
        "products",
        "products_meta",
    }
    assert stores[1].read_meta() == {"of": "products"}
