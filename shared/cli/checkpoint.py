"""Where an interrupted import left off, kept between runs of the command."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """What makes a file the same one as before, and the suite it goes to."""

    path: str
    size: int
    modified_nanos: int
    format: str
    target: str

    @classmethod
    def of(cls, path: Path, format: str, target: str) -> FileIdentity:  # noqa: A002
        """Identify a file as it is now.

        Raises:
            OSError: It cannot be read.
        """
        status = path.stat()
        return cls(str(path.resolve()), status.st_size, status.st_mtime_ns, format, target)

    @property
    def key(self) -> str:
        """Name for files about it, safe in any file system."""
        written = "\n".join(
            (self.path, str(self.size), str(self.modified_nanos), self.format, self.target)
        )
        return hashlib.sha256(written.encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The last acknowledged row of one file, in a folder of the suite's state."""

    folder: Path
    identity: FileIdentity

    @property
    def path(self) -> Path:
        """Where it is kept."""
        return self.folder / f"{self.identity.key}.json"

    def read(self) -> int:
        """Last acknowledged row; 0 when the file was never begun, was finished or has changed."""
        try:
            row = json.loads(self.path.read_text(encoding="utf-8"))["acknowledged_row"]
        except (OSError, ValueError, KeyError, TypeError):
            # A checkpoint that cannot be read costs time only: unchanged rows are cheap.
            return 0
        return row if isinstance(row, int) and row > 0 else 0

    def write(self, acknowledged_row: int) -> None:
        """Note the last acknowledged row; whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        content = {"file": self.identity.path, "acknowledged_row": acknowledged_row}
        staged = self.path.with_suffix(".tmp")
        staged.write_text(json.dumps(content), encoding="utf-8")
        staged.replace(self.path)

    def clear(self) -> None:
        """Forget it: the file is in."""
        self.path.unlink(missing_ok=True)
