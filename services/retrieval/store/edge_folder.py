"""The folder of one index: which shard is in use, and how it is changed for a better one.

    current.json    the generation in use, and how many points its graph was built over
    points-*/       that generation's shard
    meta.json       the document of `write_meta`

`optimize` builds the HNSW graph on a copy in another process, brings over what was written
meanwhile and changes to the copy, the next generation. Files are replaced in one piece, so a crash
at any point leaves a whole generation.
"""

import json
import secrets
import shutil
import subprocess
import sys
import threading
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import qdrant_edge as qe

from services.retrieval.store.edge_models import add_pictures, to_config
from services.retrieval.store.generation import Generation
from services.retrieval.store.layout import Layout
from shared.durable_file import write_durably
from shared.errors import InternalError, UnavailableError

_CURRENT: Final = "current.json"
META: Final = "meta.json"
"""Name of the document of `write_meta`."""
_DOCUMENTS: Final = (_CURRENT, META)
_PAGE: Final = 1_000
_READ_BYTES: Final = 1 << 20
_FULL_SECONDS: Final = 30.0
_OPTIMIZER: Final = Path(__file__).with_name("optimize_process.py")


class EdgeFolder:
    """The shard in use, for readers and writers of all threads.

    Args:
        folder: Where it lies.
        layout: What the index is made of.
        least_free_bytes: What writes leave free on the disk. The engine writes into mapped files:
            on a disk that is full to the last byte the kernel ends its process.
    """

    def __init__(self, folder: Path, layout: Layout, least_free_bytes: int = 0) -> None:
        self.path = folder
        """Where it lies."""
        self._layout = layout
        self._config = to_config(layout)
        self._least_free_bytes = least_free_bytes
        self._generation: Generation | None = None
        self._write_lock = threading.Lock()
        self._missed: set[str] | None = None  # ids written while a copy is being optimised
        self._optimizer: subprocess.Popen[bytes] | None = None
        self.unoptimized = 0
        """Points written since the graph was built; after a restart, by how many there are more."""

    def open(self) -> None:
        """Opens the shard, or creates it."""
        self.path.mkdir(parents=True, exist_ok=True)
        current = self.read_json(_CURRENT)
        name: str = current.get("folder", "points-0")
        for leftover in self.path.glob("points-*"):
            if (
                leftover.name != name or not current
            ):  # an optimisation or a start that was cut short
                shutil.rmtree(leftover)
        path = self.path / name
        if current:
            shard = self._load(path)
        else:
            path.mkdir()
            shard = qe.EdgeShard.create(str(path), self._config)
            self.write_json(_CURRENT, {"folder": name, "points": 0})
        self._generation = Generation(name, shard)
        self.unoptimized = abs(shard.info().points_count - current.get("points", 0))

    def _load(self, path: Path) -> qe.EdgeShard:
        """Opens a shard; one that was made before there were vectors of pictures gets them."""
        try:
            return qe.EdgeShard.load(str(path), self._config)
        except Exception as error:  # the engine raises no other type
            older = to_config(self._layout, pictures=False)
            try:
                shard = qe.EdgeShard.load(str(path), older)
            except Exception:
                raise error from None  # it is not that
        add_pictures(shard, self._layout)
        shard.flush()
        return shard

    def close(self, *, keep: bool = True) -> None:
        """Closes the shard, with everything written on disk where it is to be kept."""
        with self._write_lock:
            generation, self._generation = self._generation, None
            if self._optimizer:
                self._optimizer.terminate()
            if generation:
                generation.close(keep=keep)

    @contextmanager
    def reading(self) -> Generator[qe.EdgeShard]:
        """Lends the shard to a reader."""
        while True:
            generation = self._generation
            if generation is None:
                raise UnavailableError("the product store is closed")
            if generation.enter():
                break
        try:
            yield generation.shard
        finally:
            generation.leave()

    @contextmanager
    def writing(
        self, points: Iterable[str] = (), *, grows: bool = False
    ) -> Generator[qe.EdgeShard]:
        """Lends the shard to the one writer, who names the points that are to be written.

        Raises:
            UnavailableError: It `grows`, and the disk is nearly full.
        """
        with self._write_lock, self.reading() as shard:
            if grows:
                self._check_room()
            yield shard
            written = set(points)
            self.unoptimized += len(written)
            if self._missed is not None:
                self._missed |= written

    def optimize(self) -> None:
        """Builds the graph and changes to it; one call at a time."""
        with self._write_lock, self.reading() as shard:
            shard.flush()
            copy = self._copy()
            self._missed = set()
            command = [sys.executable, str(_OPTIMIZER), str(copy)]
            self._optimizer = subprocess.Popen(command, stderr=subprocess.PIPE)  # noqa: S603 # ours
        try:
            _, problem = self._optimizer.communicate()
            if self._generation is None:
                return  # closed meanwhile; the next start removes the copy
            if self._optimizer.returncode:
                raise InternalError(f"optimisation failed: {problem[-2000:]!r}")
            self._change_to(copy)
        finally:
            self._missed = self._optimizer = None

    def read_json(self, name: str) -> dict[str, Any]:
        """Reads a small document of the folder; empty where there is none."""
        path = self.path / name
        return json.loads(path.read_bytes()) if path.exists() else {}

    def write_json(self, name: str, document: Mapping[str, Any]) -> None:
        """Replaces a small document durably; a crash leaves the old one or the new one."""
        write_durably(self.path / name, json.dumps(document, ensure_ascii=False).encode())

    def size_bytes(self) -> int:
        """Returns the room that the shard in use takes on the disk."""
        if self._generation is None:
            raise UnavailableError("the product store is closed")
        files = (self.path / self._generation.folder).rglob("*")
        return sum(file.stat().st_size for file in files if file.is_file())

    def snapshot(self, target: Path) -> None:
        """Copies the shard, with the documents, into a folder of its own; writes wait meanwhile.

        Raises:
            UnavailableError: The disk has no room for it, or the store is closed.
        """
        with self._write_lock, self.reading() as shard:
            shard.flush()
            copy = self._copy()
            documents = {name: self.read_json(name) for name in _DOCUMENTS}
        target.mkdir(parents=True)
        copy.replace(target / documents[_CURRENT]["folder"])
        for name, document in documents.items():
            (target / name).write_text(json.dumps(document), encoding="utf-8")

    def _check_room(self, more_bytes: int = 0) -> None:
        free = shutil.disk_usage(self.path).free
        if free < self._least_free_bytes + more_bytes:
            raise UnavailableError(
                f"the disk of the product store is nearly full: {free >> 20} MiB are free",
                retry_after_seconds=_FULL_SECONDS,
            )

    def _copy(self) -> Path:
        if self._generation is None:
            raise UnavailableError("the product store is closed")
        self._check_room(self.size_bytes())
        # A name of its own: the process of an optimisation that was cut short may still be writing.
        copy = self.path / f"points-{secrets.token_hex(4)}"
        shutil.copytree(self.path / self._generation.folder, copy)
        return copy

    def _change_to(self, copy: Path) -> None:
        _read_ahead(copy)
        shard = qe.EdgeShard.load(str(copy), self._config)
        with self._write_lock:
            old = self._generation
            if old is None:  # closed meanwhile; the next start removes the copy
                shard.close()
                return
            missed = sorted(self._missed or ())
            for start in range(0, len(missed), _PAGE):
                _bring_over(missed[start : start + _PAGE], old.shard, shard)
            # What built the graph has synced the rest; a flush stops all searches for as long.
            if _bring_indexes_over(old.shard, shard) or missed:
                shard.flush()
            self.write_json(_CURRENT, {"folder": copy.name, "points": shard.info().points_count})
            self._generation = Generation(copy.name, shard)
            self.unoptimized = len(missed)
        old.close(keep=False)
        shutil.rmtree(self.path / old.folder, ignore_errors=True)


def _read_ahead(folder: Path) -> None:
    """Brings the files of a shard into the page cache.

    The engine keeps Python's interpreter lock while it loads, and a shard that another process has
    closed is read from the disk: 2.1 s for 2,000 products with 30 indexes, in which no search is
    answered; 0.09 s where the files are in memory.
    """
    buffer = bytearray(_READ_BYTES)
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb", buffering=0) as file:
                while file.readinto(buffer):
                    pass


def _bring_over(points: list[str], old: qe.EdgeShard, new: qe.EdgeShard) -> None:
    ids: list[qe.PointId] = [*points]
    found = old.retrieve(ids, with_payload=True, with_vector=True)
    there = {str(record.id) for record in found}
    copies = [qe.Point(record.id, record.vector or {}, record.payload) for record in found]
    gone: list[qe.PointId] = [point for point in points if point not in there]
    new.update(qe.UpdateOperation.upsert_points(copies))
    new.update(qe.UpdateOperation.delete_points(gone))


def _bring_indexes_over(old: qe.EdgeShard, new: qe.EdgeShard) -> int:
    """Makes the indexes that are missing; returns how many they were."""
    there = new.info().payload_schema
    missing = {key: i for key, i in old.info().payload_schema.items() if key not in there}
    for key, index in missing.items():
        new.update(qe.UpdateOperation.create_field_index(key, index.data_type))
    return len(missing)
