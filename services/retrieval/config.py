"""Settings of the retrieval service."""

from pathlib import Path

from pydantic import AliasChoices, Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from services.retrieval.store.layout import (
    HNSW_EF,
    HNSW_EF_CONSTRUCT,
    HNSW_M,
    OVERSAMPLING,
    Quantisation,
)
from shared.settings import ServiceSettings
from shared.tenant_folder import tenant_folder


class RetrievalSettings(ServiceSettings):
    """Read from WHEREFORE_RETRIEVAL_*; the Qdrant server from WHEREFORE_QDRANT_URL and _API_KEY."""

    model_config = SettingsConfigDict(env_prefix="WHEREFORE_RETRIEVAL_", populate_by_name=True)

    port: int = Field(default=7702, ge=0, le=65535)

    data_dir: Path = Path(".wherefore/data/retrieval")
    """Folder of the embedded store; one process may use it at a time."""

    qdrant_url: str = Field(default="", validation_alias=AliasChoices("WHEREFORE_QDRANT_URL"))
    """A Qdrant server, such as "http://qdrant:6333"; empty for the embedded store."""

    qdrant_api_key: SecretStr = Field(
        default=SecretStr(""), validation_alias=AliasChoices("WHEREFORE_QDRANT_API_KEY")
    )
    """Key of the server, if it wants one."""

    qdrant_timeout_seconds: int = Field(default=5, ge=1)
    """Longest wait for one call of the server."""

    collection: str = "products"
    """Name of the collection on the server."""

    vector_dimension: int = Field(default=384, ge=1, le=65536)
    """Components of the semantic vectors; fixed once there are products."""

    picture_dimension: int = Field(default=128, ge=1, le=65536)
    """Components of the vectors of pictures, as the NLU's picture model makes them (512 of most
    CLIP models); fixed once the index exists."""

    hnsw_m: int = Field(default=HNSW_M, ge=4, le=128)
    """Edges per node of the HNSW graph."""

    hnsw_ef_construct: int = Field(default=HNSW_EF_CONSTRUCT, ge=8, le=2000)
    """Candidates looked at while the graph is built."""

    hnsw_ef: int = Field(default=HNSW_EF, ge=8, le=2000)
    """Candidates looked at in a search."""

    quantisation: Quantisation = "none"
    """"int8" or "binary" keeps small copies of the vectors for searches; docs/scale.md says what
    they cost in recall."""

    oversampling: float = Field(default=OVERSAMPLING, ge=1, le=20)
    """Quantised candidates for each one wanted, scored again with the whole vectors."""

    shards: int = Field(default=1, ge=1, le=1024)
    """Parts of the collection on a Qdrant cluster; a change takes effect by re-indexing."""

    replicas: int = Field(default=1, ge=1, le=16)
    """Copies of each part, on different nodes of the cluster."""

    write_consistency: int = Field(default=1, ge=1, le=16)
    """Copies that must hold a write before it is acknowledged; at most `replicas`."""

    leg_depth: int = Field(default=200, ge=1, le=1000)
    """Products that each leg brings to the fusion, at least; more where more are asked for."""

    facet_candidates: int = Field(default=300, ge=1, le=1000)
    """Best candidates of a query that facets are counted over."""

    fusion_k: float = Field(default=20.0, gt=0)
    """k of the reciprocal rank fusion."""

    dense_weight: float = Field(default=0.5, ge=0)
    """Weight of the dense leg in the fusion, against 1 for the sparse leg."""

    search_threads: int = Field(default=4, ge=1, le=64)
    """Threads for reads; the event loop never blocks on the store."""

    least_free_mib: int = Field(default=128, ge=0)
    """MiB of the disk that writes leave free: below them products are UNAVAILABLE to write, and go
    on being found. Of the embedded store."""

    optimize_after: int = Field(default=1_000, ge=1)
    """Writes that are worth bringing the HNSW graph up to date, at the end of their stream."""

    optimize_share: float = Field(default=0.3, ge=0, le=1)
    """Share of all products that must wait for it while more are written: the graph is built anew
    as a whole, and what waits is searched exactly."""

    optimize_pause_seconds: float = Field(default=10.0, ge=0)
    """Pause after the last write at which fewer are enough."""

    optimize_threads: int = Field(default=1, ge=1, le=256)
    """Threads that build the graph of the embedded store; searches go on beside them."""

    reindex_grace_seconds: float = Field(default=10.0, ge=0)
    """How long an index is kept once another one answers, for searches that are under way."""

    def of_tenant(self, tenant: str) -> "RetrievalSettings":
        """Returns the settings for a tenant's own collection; these for ""."""
        if not tenant:
            return self
        own = {
            "data_dir": tenant_folder(self.data_dir, tenant),
            "collection": f"{self.collection}-{tenant}",
        }
        return self.model_copy(update=own)

    @model_validator(mode="after")
    def _writes_can_be_met(self) -> "RetrievalSettings":
        if self.write_consistency > self.replicas:
            message = "write_consistency is above replicas: no write could ever be acknowledged"
            raise ValueError(message)
        return self
