"""Where pictures of products come from: the shop's files, or drawings of the bundled catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from services.orchestrator.pictures.drawn import drawn
from services.orchestrator.pictures.files import PictureFolder
from wherefore.common.v1.product_pb2 import Product


class Pictures(Protocol):
    """The pictures of one product."""

    @property
    def source(self) -> str:
        """Changes with the pictures."""
        ...

    def read(self) -> Iterator[bytes]:
        """Yields the files that can be read, the main one first. Blocks."""
        ...


class PictureSources:
    """Finds pictures of products.

    Args:
        folder: Where files lie; None where there are none.
        draws: Whether products of the bundled catalogue are drawn.
    """

    def __init__(self, folder: Path | None, *, draws: bool = False) -> None:
        self._folder = PictureFolder(folder) if folder is not None else None
        self._draws = draws

    def __bool__(self) -> bool:
        return self._folder is not None or self._draws

    def find(self, product: Product) -> Pictures | None:
        """Returns the pictures of a product; None where it has none. Blocks."""
        found = self._folder.find(product) if self._folder is not None else None
        if found is None and self._draws:
            return drawn(product)
        return found
