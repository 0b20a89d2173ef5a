"""Small pictures of products for the demo page, from the files that their vectors are made of.

What is sent is never what lies in the folder: each file is decoded within limits and written anew.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from typing import Final

from cachetools import LRUCache
from google.protobuf.field_mask_pb2 import FieldMask

from services.orchestrator.budget import stage_timeout
from services.orchestrator.clients import Clients
from services.orchestrator.pictures.sources import Pictures, PictureSources
from shared.errors import InvalidArgumentError
from wherefore.common.v1.product_pb2 import Product
from wherefore.retrieval.v1.retrieval_service_pb2 import GetProductsRequest

MOST_PRODUCTS: Final = 100
_SIDE: Final = 240
_KEPT: Final = 512
"""Of about 10 KB."""
_DECODED_AT_ONCE: Final = 2


class Thumbnails:
    """Makes small pictures of products.

    Args:
        clients: Of the services.
        sources: Of pictures.
    """

    def __init__(self, clients: Clients, sources: PictureSources) -> None:
        self._clients = clients
        self._sources = sources
        self._kept: LRUCache[str, bytes] = LRUCache(_KEPT)
        self._decoding = asyncio.Semaphore(_DECODED_AT_ONCE)

    async def of(self, product_ids: Sequence[str]) -> dict[str, bytes]:
        """Returns JPEG files, by the id of the products whose main picture can be read.

        Args:
            product_ids: Of products; at most 100.

        Raises:
            InvalidArgumentError: There are more.
            UnavailableError: Retrieval does not answer.
        """
        if len(product_ids) > MOST_PRODUCTS:
            raise InvalidArgumentError.of("productIds", f"give at most {MOST_PRODUCTS}")
        if not self._sources or not product_ids:
            return {}
        found = await self._clients.get_products(
            GetProductsRequest(
                product_ids=product_ids, read_mask=FieldMask(paths=["id", "images", "attributes"])
            ),
            stage_timeout(self._clients.settings.budgets.products),
        )
        made = await asyncio.gather(*map(self._of, found.products))
        pairs = zip(found.products, made, strict=True)
        return {product.id: thumbnail for product, thumbnail in pairs if thumbnail}

    async def _of(self, product: Product) -> bytes:
        pictures = await asyncio.to_thread(self._sources.find, product)
        if pictures is None:
            return b""
        if (kept := self._kept.get(pictures.source)) is not None:
            return kept
        async with self._decoding:
            made = await asyncio.to_thread(_thumbnail, pictures)
        self._kept[pictures.source] = made
        return made


def _thumbnail(pictures: Pictures) -> bytes:
    """Returns the first picture made small; empty where it cannot be read."""
    try:
        from PIL import Image

        from shared.pictures.decoding import decode
    except ImportError:
        return b""
    data = next(iter(pictures.read()), b"")
    try:
        picture = Image.fromarray(decode(data, "images[0]"))
    except InvalidArgumentError:
        return b""
    picture.thumbnail((_SIDE, _SIDE))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=85)
    return file.getvalue()
