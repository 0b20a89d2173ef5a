"""Tenants that were removed: a file that every process reads, and obeys for as long as they stand.

Who is in it gets no call through, and each process deletes what it keeps of them; one that was not
up does so when it starts. That is why names stay in the file when all is done.
"""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, TypeAdapter, ValidationError

from shared.durable_file import write_durably
from shared.security.names import TenantName, is_tenant
from shared.watched_file import WatchedFile

_LOOK_SECONDS: Final = 1.0
_MODE: Final = 0o600
_file: Final = TypeAdapter(dict[TenantName, Annotated[float, Field(ge=0)]])


class RemovedTenants:
    """Those of a file, looked at once a second.

    Args:
        path: The file; nobody is removed where there is none.
    """

    def __init__(self, path: Path) -> None:
        self._file: WatchedFile[Mapping[str, float]] = WatchedFile(
            path, read_removed, OSError, ValueError
        )

    def names(self) -> frozenset[str]:
        """Returns who was removed; while the file is wrong, as it last was right."""
        self._file.look_every(_LOOK_SECONDS)
        return frozenset(self._file.value or ())


def read_removed(path: Path) -> dict[str, float]:
    """Returns the removed tenants of a file, and since when, in seconds since 1970.

    Raises:
        OSError: It is there and cannot be read.
        ValueError: It is wrong.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    try:
        return _file.validate_json(content)
    except ValidationError as error:
        raise ValueError(f"{path}: is no file of removed tenants") from error


def add_removed(path: Path, tenant: str) -> float:
    """Adds a tenant, who stays as they are where they are in it; returns since when they are.

    Raises:
        OSError: The file cannot be read or written.
        ValueError: It is wrong, or the name cannot be a tenant's.
    """
    if not is_tenant(tenant):
        raise ValueError(f"{tenant!r} cannot be the name of a tenant")
    removed = read_removed(path)
    if tenant not in removed:
        removed[tenant] = time.time()
        write_durably(path, f"{json.dumps(removed, indent=2)}\n".encode(), mode=_MODE)
    return removed[tenant]
