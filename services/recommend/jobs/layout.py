"""The folder of a job: which files there are, and that each is whole.

    manifest.json              how many shards of users and parts of items there are
    events/shard-00000.parquet     user, place, item: every user in one shard, places from 0
    pairs/shard-00000/part=0/      item, other, weight: what one shard says of two items
    counts/shard-00000.parquet     item, count
    candidates/part-00000.parquet  item, rank, other, similarity: the best of each item of a part

A task writes beside its target and renames, so what has its name is whole, and a task that was
lost can be run again.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

MANIFEST = "manifest.json"


class JobError(RuntimeError):
    """A task cannot run; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """How a job is divided."""

    shards: int
    """Of users."""
    parts: int
    """Of items."""


@dataclass(frozen=True, slots=True)
class JobFolder:
    """Names of files below one folder, which may be a mounted bucket."""

    root: Path

    def manifest(self) -> Manifest:
        """How the job is divided.

        Raises:
            JobError: The events are not divided yet.
        """
        try:
            read = json.loads((self.root / MANIFEST).read_text(encoding="utf-8"))
            return Manifest(int(read["shards"]), int(read["parts"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            message = f"{self.root} holds no {MANIFEST} that can be read; run `shard` first"
            raise JobError(message) from error

    def write_manifest(self, manifest: Manifest) -> None:
        """Say how the job is divided; the last step of dividing it."""
        with replacing(self.root / MANIFEST) as path:
            path.write_text(json.dumps(asdict(manifest)) + "\n", encoding="utf-8")

    def events(self, shard: int) -> Path:
        """File of a shard of users."""
        return self.root / "events" / f"shard-{shard:05}.parquet"

    def pairs(self, shard: int) -> Path:
        """Folder of what a shard says of pairs, a folder `part=N` for each part of items."""
        return self.root / "pairs" / f"shard-{shard:05}"

    def counts(self, shard: int) -> Path:
        """File of how often a shard had each item."""
        return self.root / "counts" / f"shard-{shard:05}.parquet"

    def candidates(self, part: int) -> Path:
        """File of the candidates of a part of items."""
        return self.root / "candidates" / f"part-{part:05}.parquet"


@contextmanager
def replacing(target: Path) -> Generator[Path]:
    """Lends a path to write to, file or folder, which takes the target's name at the end."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    _remove(unfinished)
    try:
        yield unfinished
        if target.is_dir():  # a folder is not replaced by a rename
            _remove(target)
        unfinished.rename(target)
    finally:
        _remove(unfinished)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
