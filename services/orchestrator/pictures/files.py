"""Files of products' pictures, and what tells that they are others than before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from services.orchestrator.tokens import fingerprint
from shared.pictures.folder import MOST_BYTES, MOST_FILES, bytes_of, path_below
from wherefore.common.v1.product_pb2 import Product


@dataclass(frozen=True, slots=True)
class PictureFiles:
    """The files of one product's pictures.

    Attributes:
        paths: In the order of the product's images.
        source: Changes with the files: their names, sizes and times.
    """

    paths: tuple[Path, ...]
    source: str

    def read(self) -> Iterator[bytes]:
        """Yields what is in them, without those that cannot be read. Blocks."""
        for path in self.paths:
            if data := bytes_of(path):
                yield data


class PictureFolder:
    """The folder that pictures of products are read from.

    Args:
        root: The folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def find(self, product: Product) -> PictureFiles | None:
        """Returns the files of a product's pictures; None where none is there. Blocks."""
        paths: list[Path] = []
        stamps: list[str] = []
        for image in product.images:
            if len(paths) == MOST_FILES:
                break
            path = path_below(self._root, image.uri)
            try:
                status = path.stat() if path else None
            except OSError:  # it went since it was found
                continue
            if path and status and status.st_size <= MOST_BYTES:
                paths.append(path)
                stamps += [image.uri, str(status.st_size), str(status.st_mtime_ns)]
        return PictureFiles(tuple(paths), fingerprint(stamps)) if paths else None
