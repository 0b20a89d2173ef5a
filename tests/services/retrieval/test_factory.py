from pathlib import Path

import pytest

from services.retrieval.config import RetrievalSettings
from services.retrieval.store.factory import open_store
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
