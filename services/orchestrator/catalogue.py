"""Single products: read, changed under a mask, deleted, listed."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from weakref import WeakValueDictionary

from google.protobuf.field_mask_pb2 import FieldMask

from services.orchestrator import masks
from services.orchestrator.budget import stage_timeout
from services.orchestrator.clients import Clients
from services.orchestrator.embedder import Embedder, vector_source
from services.orchestrator.pictures.embedder import PictureEmbedder
from services.orchestrator.stage_budgets import StageBudget
from services.orchestrator.tokens import PageToken, TokenSigner, fingerprint
from shared.catalogue import content_etag, validate_product
from shared.errors import (
    AbortedError,
    FieldViolation,
    InternalError,
    InvalidArgumentError,
    NotFoundError,
    WhereforeError,
)
from wherefore.common.v1.diagnostics_pb2 import Degradation, RowError
from wherefore.common.v1.product_pb2 import Product
from wherefore.retrieval.v1.retrieval_service_pb2 import (
    DeleteRequest,
    GetProductsRequest,
    ListProductsRequest,
)

_READ: Final = StageBudget(seconds=30.0, reserve=0.05)
"""A page may be a thousand whole products: it may take what time its caller has."""


@dataclass(frozen=True, slots=True)
class ProductPage:
    """Products in order of id."""

    products: list[Product]
    next_page_token: str


@dataclass(frozen=True, slots=True)
class Updated:
    """A changed product."""

    product: Product
    degradation: Degradation | None = None
    """Why it has no semantic vector, or none of its pictures."""


class ProductCatalogue:
    """The catalogue, product by product. Retrieval keeps it; nothing is kept here."""

    def __init__(
        self, clients: Clients, embedder: Embedder, pictures: PictureEmbedder, signer: TokenSigner
    ) -> None:
        self._clients = clients
        self._embedder = embedder
        self._pictures = pictures
        self._signer = signer
        self._timeout = clients.settings.write_timeout_seconds
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def get(self, product_id: str, paths: Sequence[str]) -> Product:
        """Returns one product under a mask.

        Raises:
            NotFoundError: It is not there.
        """
        product = await self._find(product_id, masks.top_level(paths))
        if product is None:
            raise NotFoundError(f"no product {product_id!r} in the catalogue")
        return masks.trim(product, paths)

    async def update(
        self, change: Product, paths: Sequence[str], *, allow_missing: bool
    ) -> Updated:
        """Changes a product; returns it as it is then, durable.

        Raises:
            NotFoundError: It is not there.
            AbortedError: The etag sent along is not the current one, or it changed meanwhile.
            InvalidArgumentError: What would come out breaks the contract.
        """
        lock = self._locks.setdefault(change.id, asyncio.Lock())
        async with lock:  # read, change and write as one; across replicas the etag guards
            current, sources, pictures = await self._read(change.id)
            if current is None and not allow_missing:
                raise NotFoundError(f"no product {change.id!r} in the catalogue")
            if change.etag and change.etag != (current.etag if current else ""):
                raise AbortedError(
                    f"product {change.id!r} changed since etag {change.etag[:32]!r} was read"
                )
            product = changed(current, change, paths)
            violations = validate_product(product)
            if violations:
                raise InvalidArgumentError(
                    *(FieldViolation(f"product.{v.field}", v.description) for v in violations)
                )
            same = current is not None and content_etag(product) == current.etag
            whole = sources.get(product.id) == vector_source(product)
            differ = await asyncio.to_thread(self._pictures.differ, product, pictures)
            if current is not None and same and whole and not differ:
                return Updated(current)
            made = await self._embedder.documents([product], sources, [product.id] if same else [])
            unread = await self._pictures.add(made.documents, pictures)
            response = await self._clients.index(made.documents, self._timeout)
            for error in response.errors:
                raise _refusal(error)
            stored = await self._find(change.id, [])
            return Updated(stored or product, made.degradation or unread)

    async def delete(self, product_id: str, *, allow_missing: bool) -> None:
        """Deletes a product.

        Raises:
            NotFoundError: It is not there.
        """
        response = await self._clients.delete(
            DeleteRequest(product_ids=[product_id]), self._timeout
        )
        if not response.deleted_count and not allow_missing:
            raise NotFoundError(f"no product {product_id!r} in the catalogue")

    async def list(
        self, page_size: int, page_token: str, condition: str, paths: Sequence[str]
    ) -> ProductPage:
        """Returns a page of the products that meet a filter.

        Raises:
            InvalidArgumentError: For a bad filter or token.
        """
        owner = fingerprint(["list", condition])
        after = self._signer.read_page(page_token, owner).ranking_id if page_token else ""
        response = await self._clients.list_products(
            ListProductsRequest(
                page_size=page_size,
                after_id=after,
                filter=condition,
                read_mask=FieldMask(paths=masks.top_level(paths)),
            ),
            stage_timeout(_READ),
        )
        token = ""
        if response.next_after_id:
            token = self._signer.page(PageToken(response.next_after_id, 0, 0), owner)
        return ProductPage([masks.trim(p, paths) for p in response.products], token)

    async def _read(
        self, product_id: str
    ) -> tuple[Product | None, Mapping[str, str], Mapping[str, str]]:
        """Returns a product whole, and what its vectors were made of by its id, if it has them."""
        response = await self._clients.get_products(
            GetProductsRequest(
                product_ids=[product_id], include_vector_sources=True, include_picture_sources=True
            ),
            stage_timeout(_READ),
        )
        product = response.products[0] if response.products else None
        return product, response.vector_sources, response.picture_sources

    async def _find(self, product_id: str, fields: Sequence[str]) -> Product | None:
        response = await self._clients.get_products(
            GetProductsRequest(product_ids=[product_id], read_mask=FieldMask(paths=fields)),
            stage_timeout(_READ),
        )
        return response.products[0] if response.products else None


def _refusal(error: RowError) -> WhereforeError:
    """Returns what a refusal by the index amounts to, of a product that met the contract."""
    if error.field in ("vector_source", "picture_source"):
        return AbortedError(f"product {error.id!r} changed meanwhile: send the change again")
    return InternalError(f"the index refused {error.field}")


def changed(current: Product | None, change: Product, paths: Sequence[str]) -> Product:
    """Returns what a change makes of a product (https://google.aip.dev/134).

    All that is set in `change` when there is no mask; everything for "*", and for a product that is
    made. The id stays; fields that only the server sets are left out of account.
    """
    product = Product()
    if current is None or masks.EVERYTHING in paths:
        product.CopyFrom(change)
    else:
        product.CopyFrom(current)
        chosen = paths or [field.name for field, _ in change.ListFields()]
        for path in chosen:
            if path.split(".", 1)[0] not in ("id", *masks.OUTPUT_ONLY):
                masks.copy_path(change, product, path)
    for name in masks.OUTPUT_ONLY:
        product.ClearField(name)
    return product
