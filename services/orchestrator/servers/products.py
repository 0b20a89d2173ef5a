"""ProductService: translates."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import grpc.aio

from services.orchestrator import masks, validation
from services.orchestrator.catalogue import ProductCatalogue
from services.orchestrator.catalogue_import import CatalogueImporter, Row
from services.orchestrator.pictures.sent import SentPictures
from shared.errors import InvalidArgumentError
from wherefore.orchestrator.v1 import product_service_pb2 as pb
from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceServicer

DEFAULT_PAGE = 50
MAX_PAGE = 1_000
MAX_BATCH = 256
MAX_PICTURES = 512
MAX_ROW = 10**15
_Context = grpc.aio.ServicerContext[Any, Any]


class ProductServer(ProductServiceServicer):
    """Serves the catalogue."""

    def __init__(self, catalogue: ProductCatalogue, importer: CatalogueImporter) -> None:
        self._catalogue = catalogue
        self._importer = importer

    async def Import(  # noqa: N802 # the contract's name
        self, request_iterator: AsyncIterator[pb.ProductServiceImportRequest], context: _Context
    ) -> AsyncIterator[pb.ProductServiceImportResponse]:
        """See the contract."""
        total = pb.ProductServiceImportResponse()
        async for report in self._importer.run(_batches(request_iterator)):
            total.acknowledged_row = max(total.acknowledged_row, report.acknowledged_row)
            total.imported_count += report.imported
            total.unchanged_count += report.unchanged
            total.failed_count += len(report.errors)
            response = pb.ProductServiceImportResponse()
            response.CopyFrom(total)
            response.errors.extend(report.errors)
            if report.degraded:
                response.degraded.append(report.degraded)
            yield response

    async def Get(  # noqa: N802 # the contract's name
        self, request: pb.ProductServiceGetRequest, context: _Context
    ) -> pb.ProductServiceGetResponse:
        """See the contract."""
        _check_id("product_id", request.product_id)
        paths = masks.check_paths(request.read_mask.paths, "read_mask")
        return pb.ProductServiceGetResponse(
            product=await self._catalogue.get(request.product_id, paths)
        )

    async def Update(  # noqa: N802 # the contract's name
        self, request: pb.ProductServiceUpdateRequest, context: _Context
    ) -> pb.ProductServiceUpdateResponse:
        """See the contract."""
        _check_id("product.id", request.product.id)
        paths = masks.check_paths(request.update_mask.paths, "update_mask")
        updated = await self._catalogue.update(
            request.product, paths, allow_missing=request.allow_missing
        )
        degraded = [updated.degradation] if updated.degradation else []
        return pb.ProductServiceUpdateResponse(product=updated.product, degraded=degraded)

    async def Delete(  # noqa: N802 # the contract's name
        self, request: pb.ProductServiceDeleteRequest, context: _Context
    ) -> pb.ProductServiceDeleteResponse:
        """See the contract."""
        _check_id("product_id", request.product_id)
        await self._catalogue.delete(request.product_id, allow_missing=request.allow_missing)
        return pb.ProductServiceDeleteResponse()

    async def List(  # noqa: N802 # the contract's name
        self, request: pb.ProductServiceListRequest, context: _Context
    ) -> pb.ProductServiceListResponse:
        """See the contract."""
        found = validation.Violations()
        found.filter(request.filter)
        found.raise_any()
        page = await self._catalogue.list(
            validation.page_size(request.page_size, DEFAULT_PAGE, MAX_PAGE),
            request.page_token,
            request.filter.strip(),
            masks.check_paths(request.read_mask.paths, "read_mask"),
        )
        return pb.ProductServiceListResponse(
            products=page.products, next_page_token=page.next_page_token
        )


async def _batches(
    requests: AsyncIterator[pb.ProductServiceImportRequest],
) -> AsyncIterator[Sequence[Row]]:
    place = 1
    async for request in requests:
        count = len(request.products)
        if count > MAX_BATCH:
            raise InvalidArgumentError.of("products", f"at most {MAX_BATCH} a message, not {count}")
        if request.rows and len(request.rows) != count:
            raise InvalidArgumentError.of("rows", "give one for each product, or none")
        if not 0 <= request.first_row <= MAX_ROW:
            raise InvalidArgumentError.of("first_row", f"must be 0 to {MAX_ROW}")
        pictures = _pictures(request)
        place = request.first_row or place
        rows = [
            Row(
                place + i,
                request.rows[i] if request.rows else place + i,
                product,
                SentPictures(product, pictures) if pictures else None,
            )
            for i, product in enumerate(request.products)
        ]
        place += count
        if rows:
            yield rows


def _pictures(request: pb.ProductServiceImportRequest) -> dict[str, bytes]:
    """Returns the pictures of a message by their uris."""
    if len(request.pictures) > MAX_PICTURES:
        given = len(request.pictures)
        raise InvalidArgumentError.of("pictures", f"at most {MAX_PICTURES} a message, not {given}")
    known = {image.uri for product in request.products for image in product.images}
    found: dict[str, bytes] = {}
    for at, picture in enumerate(request.pictures):
        if picture.uri not in known:
            raise InvalidArgumentError.of(
                f"pictures[{at}].uri", "is that of no image of these products"
            )
        if picture.uri in found:
            raise InvalidArgumentError.of(f"pictures[{at}].uri", "was given already")
        found[picture.uri] = picture.data
    return found


def _check_id(field: str, product_id: str) -> None:
    found = validation.Violations()
    found.text(field, product_id, validation.MAX_ID, required=True)
    found.raise_any()
