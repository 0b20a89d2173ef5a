"""Collections of a Qdrant server, made as a layout says."""

import structlog
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from services.retrieval.store.layout import Layout
from services.retrieval.store.port import DENSE, PICTURE, SPARSE
from services.retrieval.store.server_models import QUANTISATION

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


def create_collection(client: QdrantClient, name: str, layout: Layout) -> None:
    """Creates a collection, without payload indexes."""
    client.create_collection(
        name,
        vectors_config={
            DENSE: models.VectorParams(
                size=layout.dimension,
                distance=models.Distance.COSINE,
                hnsw_config=models.HnswConfigDiff(
                    m=layout.hnsw_m, ef_construct=layout.hnsw_ef_construct
                ),
            ),
            PICTURE: models.VectorParams(
                size=layout.picture_dimension, distance=models.Distance.COSINE
            ),
        },
        sparse_vectors_config={SPARSE: models.SparseVectorParams(modifier=models.Modifier.IDF)},
        on_disk_payload=True,
        quantization_config=QUANTISATION[layout.quantisation],
        shard_number=layout.shards,
        replication_factor=layout.replicas,
        write_consistency_factor=layout.write_consistency,
    )


def add_pictures(client: QdrantClient, name: str, dimension: int) -> bool:
    """Gives a collection that was made without them a place for vectors of pictures.

    A server that cannot does without: products are found as before, and pictures once the
    collection was made anew.

    Returns:
        Whether there is such a place now.
    """
    config = models.DenseVectorNameConfig(
        dense=models.DenseVectorConfig(size=dimension, distance=models.Distance.COSINE)
    )
    try:
        client.create_vector_name(name, PICTURE, config)
    except (UnexpectedResponse, ValueError) as error:
        _log.warning("no vectors of pictures", collection=name, reason=str(error))
        return False
    return True
