"""Pictures that come with the products of an import, as bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Final

from services.orchestrator.tokens import fingerprint
from shared.pictures.folder import MOST_FILES
from wherefore.common.v1.product_pb2 import Product

_MARK: Final = "sent:"


class SentPictures:
    """Pictures of one product.

    Args:
        product: Names them.
        files: Pictures of several products by their uris, some of them this one's.
    """

    def __init__(self, product: Product, files: Mapping[str, bytes]) -> None:
        uris = [image.uri for image in product.images if image.uri in files][:MOST_FILES]
        self._files = [files[uri] for uri in uris]
        self._of = _prefix(product)
        self._source = ""

    def __bool__(self) -> bool:
        return bool(self._files)

    @property
    def source(self) -> str:
        """Changes with the bytes, and with what images the product has. Blocks at first."""
        if not self._source:
            digests = [blake2b(data).hexdigest() for data in self._files]
            self._source = self._of + fingerprint(digests)
        return self._source

    def read(self) -> Iterator[bytes]:
        """Yields the files, the main one first."""
        yield from self._files


class StoredVector:
    """Pictures whose vector is stored and stays: there is nothing to be read.

    Args:
        source: What it was made of.
    """

    def __init__(self, source: str) -> None:
        self.source = source

    def read(self) -> Iterator[bytes]:
        """Yields nothing."""
        yield from ()


def was_sent(source: str) -> bool:
    """Whether a stored vector was made of pictures that came with an import."""
    return source.startswith(_MARK)


def still_holds(source: str, product: Product) -> bool:
    """Whether such a vector is of the images that the product has now."""
    return source.startswith(_prefix(product))


def _prefix(product: Product) -> str:
    return f"{_MARK}{fingerprint([image.uri for image in product.images])}:"
