"""Files of products' pictures: below one configured folder, and nowhere else.

Nothing is ever fetched from an address: a catalogue comes from outside, and would choose what the
shop's servers call.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from services.orchestrator.tokens import fingerprint
from wherefore.common.v1.product_pb2 import Product

MOST_FILES: Final = 4
"""Of a product: the first ones, the main one among them."""
MOST_BYTES: Final = 10 * 2**20


@dataclass(frozen=True, slots=True)
class PictureFiles:
    """The files of one product's pictures.

    Attributes:
        paths: In the order of the product's images.
        source: Changes with the files: their names, sizes and times.
    """

    paths: tuple[Path, ...]
    source: str


class PictureFolder:
    """The folder that pictures of products are read from.

    Args:
        root: The folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def find(self, product: Product) -> PictureFiles | None:
        """Returns the files of a product's pictures; None where none is there. Blocks.

        An image's uri is a path below the folder, with or without "/" before it, or one that begins
        with "file:" and leads there. What leads out of it, symbolic links too, is not there.
        """
        paths: list[Path] = []
        stamps: list[str] = []
        for image in product.images:
            if len(paths) == MOST_FILES:
                break
            path = self._path(image.uri)
            try:
                status = path.stat() if path else None
            except OSError:  # it went since it was found
                continue
            if path and status and status.st_size <= MOST_BYTES:
                paths.append(path)
                stamps += [image.uri, str(status.st_size), str(status.st_mtime_ns)]
        return PictureFiles(tuple(paths), fingerprint(stamps)) if paths else None

    def _path(self, uri: str) -> Path | None:
        try:
            parts = urlsplit(uri)
            if parts.scheme not in ("", "file") or parts.netloc:
                return None
            named = unquote(parts.path)
            whole = Path(named)
            inside = whole if parts.scheme else self._root / named.lstrip("/")
            path = inside.resolve()
            there = path.is_relative_to(self._root) and path.is_file()
        except (OSError, ValueError):  # a name that no file can have
            return None
        return path if there else None
