"""Where a service keeps a tenant's data on disk, and how it is deleted."""

import os
import shutil
from pathlib import Path
from typing import Final

from shared.durable_file import sync_folder
from shared.folder_lock import FolderLock

_FOLDER: Final = "tenants"
KEY_FILES: Final = ("*.key", "*.keys.sqlite*")
"""Names of files without which the others cannot be read."""


def tenant_folder(data_dir: Path, tenant: str) -> Path:
    """Returns the folder of a tenant; `data_dir` itself for ""."""
    return data_dir / _FOLDER / tenant if tenant else data_dir


def delete_tenant_folder(data_dir: Path, tenant: str) -> None:
    """Deletes a tenant's folder; does nothing where it is gone. Begun anew it goes on.

    Keys go first and are overwritten, so that whatever is left by a crash, or in a backup without
    keys, cannot be read.

    Raises:
        FolderInUseError: Another process works with it.
        OSError: A file cannot be deleted.
        ValueError: There is no tenant.
    """
    if not tenant:
        raise ValueError("the suite's own data is no tenant's")
    folder = tenant_folder(data_dir, tenant)
    if not folder.exists():
        return
    lock = FolderLock(folder, "the tenant's data")
    lock.acquire()
    try:
        for pattern in KEY_FILES:
            for file in folder.glob(pattern):
                _overwrite(file)
                file.unlink()
        sync_folder(folder)
        shutil.rmtree(folder)
    finally:
        lock.release()
    sync_folder(folder.parent)


def _overwrite(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.write(bytes(file.stat().st_size))
        opened.flush()
        os.fsync(opened.fileno())
