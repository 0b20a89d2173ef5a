"""Pictures that lie beside a catalogue file, for an import that sends them along."""

from __future__ import annotations

from pathlib import Path

from shared.pictures.folder import MOST_FILES, bytes_of, path_below
from wherefore.common.v1.product_pb2 import Product


class PicturesBeside:
    """Reads pictures of products below one folder.

    Args:
        root: The folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def of(self, product: Product) -> dict[str, bytes]:
        """Returns the files of a product's images, four at most, by their uris."""
        found: dict[str, bytes] = {}
        for image in product.images:
            if len(found) == MOST_FILES:
                break
            path = path_below(self._root, image.uri)
            if path and (data := bytes_of(path)):
                found[image.uri] = data
        return found
