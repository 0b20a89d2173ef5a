"""Takes the snapshot that retrieval sends of a running index into an archive."""

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from shared.backup.archive import ArchiveWriter
from shared.backup.contents import PRODUCTS, TENANTS
from shared.backup.manifest import BackupError, ProductsPosition
from shared.request_context import working_for
from wherefore.retrieval.v1.index_admin_service_pb2 import SnapshotRequest
from wherefore.retrieval.v1.index_admin_service_pb2_grpc import IndexAdminServiceStub

if TYPE_CHECKING:
    import grpc.aio

_SECONDS: Final = 6 * 3600.0


async def add_products(
    writer: ArchiveWriter, channel: "grpc.aio.Channel", tenant: str
) -> ProductsPosition:
    """Adds the products of a tenant.

    Args:
        writer: Of the archive.
        channel: To retrieval.
        tenant: Whose they are; "" for the suite's own.

    Raises:
        BackupError: What is sent is no snapshot.
        grpc.aio.AioRpcError: Retrieval does not send it.
    """
    folder = f"{PRODUCTS}/{TENANTS}/{tenant}" if tenant else PRODUCTS
    position: ProductsPosition | None = None
    under_way = False
    with working_for(tenant):
        call = IndexAdminServiceStub(channel).Snapshot(SnapshotRequest(), timeout=_SECONDS)
        async for response in call:
            match response.WhichOneof("piece"):
                case "description":
                    position = ProductsPosition(
                        index_version=response.description.index_version,
                        product_count=response.description.product_count,
                    )
                case "file":
                    if under_way:
                        writer.end()
                    path = PurePosixPath(response.file.path)
                    if path.is_absolute() or ".." in path.parts:
                        raise BackupError(f"retrieval sent a file of the name {path}")
                    writer.begin(f"{folder}/{path}", response.file.size_bytes)
                    under_way = True
                case _:
                    writer.write(response.data)
    if position is None or not under_way:
        raise BackupError("retrieval sent no snapshot")
    writer.end()
    return position
