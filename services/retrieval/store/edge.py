"""Qdrant's engine inside the process, the default store: the index that answers and its like.

lock            held by the one process that has the store open
index.json      which folder answers ("." until there was a second index), and the former one
index-*/        each a folder of an index, as this one is before there is a second
"""

import json
import secrets
import shutil
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Final

from services.retrieval.store.edge_folder import EdgeFolder
from services.retrieval.store.edge_index import EdgeIndex
from services.retrieval.store.layout import Layout
from services.retrieval.store.port import Claim, VectorIndex
from shared.durable_file import write_durably
from shared.errors import FailedPreconditionError
from shared.folder_lock import FolderLock
from shared.settings import MIB

_POINTER: Final = "index.json"
_HERE: Final = "."
_OWN_FILES: Final = ("points-*", "current.json", "meta.json")


class EdgeStore(EdgeIndex):
    """A `VectorStore` in a folder of its own. One process at a time may open it."""

    name = "qdrant-edge"
    shared = False
    """See `VectorStore.shared`."""

    def __init__(self, folder: Path, layout: Layout, least_free_bytes: int = 0) -> None:
        super().__init__(folder, layout, least_free_bytes)
        self._root = folder
        self._least_free_bytes = least_free_bytes
        self._lock = FolderLock(folder, "the product store")
        self._second: EdgeIndex | None = None
        self._former: EdgeIndex | None = None

    def open(self) -> None:
        """See `VectorStore`.

        Raises:
            FolderInUseError: When another process has it open.
        """
        self._lock.acquire()
        live, former = self._pointer()
        self._remove_all_but({live, former})
        self._folder = EdgeFolder(self._root / live, self._layout, self._least_free_bytes)
        super().open()

    def close(self) -> None:
        """See `VectorStore`."""
        self.drop_second()
        self._close_former()
        super().close()
        self._lock.release()

    def claim(self) -> AbstractContextManager[Claim]:
        """See `VectorStore`: this process has the folder as long as the store is open."""
        return nullcontext(self._lock)

    def make_second(self) -> EdgeIndex:
        """See `VectorStore`."""
        self.drop_second()
        # Twice: its graph is built over a copy of it.
        needed = 2 * self._folder.size_bytes() + self._least_free_bytes
        if (free := shutil.disk_usage(self._root).free) < needed:
            raise FailedPreconditionError(
                f"a second index takes about {needed // MIB + 1} MiB of the disk of the product"
                f" store, and {free // MIB} MiB are free: make room, and try again"
            )
        # A name of its own: what built the graph of one that was cut short may still be writing.
        folder = self._root / f"index-{secrets.token_hex(4)}"
        self._second = EdgeIndex(folder, self._layout, self._least_free_bytes)
        self._second.open()
        return self._second

    def change_to(self, index: VectorIndex) -> None:
        """See `VectorStore`."""
        if not isinstance(index, EdgeIndex):
            raise TypeError("an index of another store")
        index.write_meta(self._meta)
        index.flush()
        before, (_, older) = self._folder, self._pointer()
        self._point(self._name_of(index.folder), self._name_of(before))
        self._folder = index.folder
        if index is self._second:
            self._second = None
        if older and index is not self._former:
            self._close_former()
            self._remove(older)
        self._former = EdgeIndex(before.path, self._layout, self._least_free_bytes)
        self._former._folder, self._former._meta = before, self._meta

    def former(self) -> EdgeIndex | None:
        """See `VectorStore`."""
        _, name = self._pointer()
        if name and self._former is None:
            former = EdgeIndex(self._root / name, self._layout, self._least_free_bytes)
            former.open()
            self._former = former
        return self._former

    def drop_former(self) -> None:
        """See `VectorStore`."""
        live, name = self._pointer()
        if name:
            self._point(live, "")
            self._close_former()
            self._remove(name)

    def drop_second(self) -> None:
        """See `VectorStore`."""
        if self._second is not None:
            second, self._second = self._second, None
            second.folder.close(keep=False)
            shutil.rmtree(second.folder.path, ignore_errors=True)

    @contextmanager
    def snapshot(self) -> Generator[Path]:
        """See `VectorStore`."""
        folder = self._root / f"snapshot-{secrets.token_hex(4)}"
        try:
            self._folder.snapshot(folder)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _close_former(self) -> None:
        if self._former is not None:
            self._former.folder.close(keep=False)
            self._former = None

    def _pointer(self) -> tuple[str, str]:
        """Names of the folder that answers, and of the former one or ""."""
        path = self._root / _POINTER
        if not path.exists():
            return _HERE, ""
        found = json.loads(path.read_bytes())
        return found["folder"], found["former"]

    def _point(self, live: str, former: str) -> None:
        document = {"folder": live, "former": former}
        write_durably(self._root / _POINTER, json.dumps(document).encode())

    def _name_of(self, folder: EdgeFolder) -> str:
        return _HERE if folder.path == self._root else folder.path.name

    def _remove_all_but(self, names: set[str]) -> None:
        """Removes what a change, a second index or a snapshot that was cut short has left."""
        for folder in (*self._root.glob("index-*/"), *self._root.glob("snapshot-*/")):
            if folder.name not in names:
                shutil.rmtree(folder)
        if _HERE not in names:
            self._remove(_HERE)

    def _remove(self, name: str) -> None:
        if name != _HERE:
            shutil.rmtree(self._root / name, ignore_errors=True)
            return
        for pattern in _OWN_FILES:
            for path in self._root.glob(pattern):
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink()
