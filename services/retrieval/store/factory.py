"""Chooses the store by the settings."""

from typing import TYPE_CHECKING

from services.retrieval.config import RetrievalSettings
from services.retrieval.fields import INDEXED
from services.retrieval.store.layout import Layout
from services.retrieval.store.port import VectorStore
from shared.settings import MIB
from shared.tenant_folder import delete_tenant_folder

if TYPE_CHECKING:
    from services.retrieval.store.server import ServerStore


def open_store(settings: RetrievalSettings) -> VectorStore:
    """Returns the store that the settings name; it is opened by `VectorStore.open`."""
    layout = Layout(
        dimension=settings.vector_dimension,
        picture_dimension=settings.picture_dimension,
        fields=INDEXED,
        hnsw_m=settings.hnsw_m,
        hnsw_ef_construct=settings.hnsw_ef_construct,
        hnsw_ef=settings.hnsw_ef,
        quantisation=settings.quantisation,
        oversampling=settings.oversampling,
        optimize_threads=settings.optimize_threads,
        shards=settings.shards,
        replicas=settings.replicas,
        write_consistency=settings.write_consistency,
    )
    if settings.qdrant_url:
        return _server_store(settings, layout)
    # The embedded engine is not built for every platform, so it is imported only where it is used.
    from services.retrieval.store.edge import EdgeStore

    return EdgeStore(settings.data_dir, layout, settings.least_free_mib * MIB)


def drop_store(settings: RetrievalSettings, tenant: str) -> None:
    """Deletes the products of a tenant, whose store is closed; does nothing where they are gone.

    Raises:
        OSError: A file cannot be deleted.
        UnavailableError: The server does not answer, or another process has the store open.
    """
    own = settings.of_tenant(tenant)
    if own.qdrant_url:
        store = _server_store(own, Layout())
        try:
            store.drop()
        finally:
            store.close()
    delete_tenant_folder(settings.data_dir, tenant)


def _server_store(settings: RetrievalSettings, layout: Layout) -> "ServerStore":
    from qdrant_client import QdrantClient

    from services.retrieval.store.server import ServerStore

    client = QdrantClient(
        url=settings.qdrant_url,
        api_key=settings.qdrant_api_key.get_secret_value() or None,
        timeout=settings.qdrant_timeout_seconds,
        check_compatibility=False,  # asks the server, which may not be up yet
    )
    return ServerStore(client, settings.collection, layout)
