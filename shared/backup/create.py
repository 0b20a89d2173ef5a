"""Makes a backup, of a suite that runs or does not."""

import datetime
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from shared.backup.archive import ArchiveWriter, add_manifest, written
from shared.backup.contents import PRODUCTS, contents_of, tenants_of
from shared.backup.manifest import FORMAT, Manifest, ProductsPosition
from shared.backup.products import add_products
from shared.backup.sqlite_copy import copy_databases, last_sequences
from shared.folder_lock import FolderInUseError, FolderLock

if TYPE_CHECKING:
    import grpc.aio

_PIECE: Final = 1 << 20
_NAME: Final = "wherefore-%Y%m%dT%H%M%SZ.tar.gz"


@dataclass(frozen=True, slots=True)
class BackupPlan:
    """What is backed up, and where to."""

    home: Path
    """State of the suite."""
    security: Path
    """Folder of certificates and keys."""
    archive: Path
    """The file that is made."""
    version: str
    """Of the program."""
    with_keys: bool = False


def archive_name(at: datetime.datetime) -> str:
    """Returns what an archive is called."""
    return at.strftime(_NAME)


def now() -> datetime.datetime:
    """Returns the time of day."""
    return datetime.datetime.now(datetime.UTC)


async def create(
    plan: BackupPlan, channel: "grpc.aio.Channel", tell: Callable[[str], None]
) -> Manifest:
    """Makes a backup.

    What follows the log of events is read before it, so that it never knows of more than the log;
    keys are read with it, in the same moment.

    Args:
        plan: What is wanted.
        channel: To retrieval, which is asked for the products while it runs.
        tell: Told what is being done.

    Raises:
        BackupError: There is such a file, or a file changed as none may.
        OSError: Something cannot be read or written.
        sqlite3.Error: A log of events is damaged.
        grpc.aio.AioRpcError: Retrieval does not send the products.
    """
    began = now()
    with written(plan.archive) as writer, ExitStack() as stack:
        running = not _held(plan.home / PRODUCTS, stack)
        contents = contents_of(plan.home, plan.security, products=not running)
        tell("state of the services")
        for name, path in contents.replaced.items():
            _add_file(writer, name, path)
        left_out: list[str] = []
        for name, path in contents.keys.items():
            if plan.with_keys:
                _add_file(writer, name, path)
            else:
                left_out.append(name)
        logs: dict[str, dict[str, int]] = {}
        for group in contents.databases:
            tell(f"the log {next(iter(group))}")
            logs |= _add_databases(writer, plan, group, contents.key_databases)
        if not plan.with_keys:
            left_out += contents.key_databases
        for name, path in contents.appended.items():
            data = _whole_lines(path)
            writer.add(name, len(data), [data])
        products: dict[str, ProductsPosition] = {}
        for tenant in ("", *tenants_of(plan.home)) if running else ():
            tell(f"products of {tenant}" if tenant else "products")
            products[tenant] = await add_products(writer, channel, tenant)
        manifest = Manifest(
            format=FORMAT,
            wherefore_version=plan.version,
            began_at=began,
            ended_at=now(),
            with_keys=plan.with_keys,
            left_out=sorted(left_out),
            logs=logs,
            products=products,
            files=writer.files,
        )
        add_manifest(writer, manifest)
    return manifest


def _held(folder: Path, stack: ExitStack) -> bool:
    """Holds the products' folder, so that nobody writes to it; False where somebody does."""
    if not folder.is_dir():
        return True
    lock = FolderLock(folder, "the product store")
    try:
        lock.acquire()
    except FolderInUseError:
        return False
    stack.callback(lock.release)
    return True


def _add_file(writer: ArchiveWriter, name: str, path: Path) -> None:
    # What is replaced meanwhile stays what it was for whoever has it open.
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        writer.add(name, size, _pieces(file.read, size))


def _pieces(read: Callable[[int], bytes], size: int) -> Iterator[bytes]:
    while size and (data := read(min(size, _PIECE))):
        size -= len(data)
        yield data


def _whole_lines(path: Path) -> bytes:
    """What is appended while it is read may end within a line; what was acknowledged does not."""
    data = path.read_bytes()
    return data[: data.rfind(b"\n") + 1]


def _add_databases(
    writer: ArchiveWriter, plan: BackupPlan, group: Mapping[str, Path], keys: set[str]
) -> dict[str, dict[str, int]]:
    sequences: dict[str, dict[str, int]] = {}
    with tempfile.TemporaryDirectory(dir=plan.archive.parent, prefix=".copies-") as folder:
        wanted = {name: path for name, path in group.items() if plan.with_keys or name not in keys}
        copies = {name: Path(folder) / str(number) for number, name in enumerate(wanted)}
        copy_databases({wanted[name]: copy for name, copy in copies.items()})
        for name, copy in copies.items():
            sequences[name] = last_sequences(copy)
            _add_file(writer, name, copy)
    return sequences
