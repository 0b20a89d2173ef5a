"""What an archive says of itself: its last member, so that one that was cut short has none."""

import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"


class BackupError(Exception):
    """A backup cannot be made, read or restored, for a reason that its user can read."""


class ArchivedFile(BaseModel):
    """A file of the archive."""

    model_config = ConfigDict(extra="forbid")

    path: str
    """Below the state of the suite, with "/"."""
    size_bytes: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class ProductsPosition(BaseModel):
    """What an index held."""

    index_version: int
    product_count: int


class Manifest(BaseModel):
    """Of the whole archive."""

    model_config = ConfigDict(extra="forbid")

    format: Literal[1]
    wherefore_version: str
    began_at: datetime.datetime
    """Everything acknowledged before is in it."""
    ended_at: datetime.datetime
    with_keys: bool
    """Whether the keys of events, tokens and certificates are in it."""
    left_out: list[str]
    """Keys that were there and are not in it."""
    logs: dict[str, dict[str, int]]
    """Last sequence by table, by SQLite file."""
    products: dict[str, ProductsPosition]
    """By tenant; "" for the suite's own. Of indexes that were in use."""
    files: list[ArchivedFile]

    @property
    def size_bytes(self) -> int:
        """Bytes of all files together."""
        return sum(file.size_bytes for file in self.files)
