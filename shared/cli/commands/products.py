"""`wherefore products`: read, list and delete products."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from shared.cli import failures, output
from shared.cli.options import Filter, Json, PageToken, Target, Timeout

if TYPE_CHECKING:
    from wherefore.orchestrator.v1.product_service_pb2 import (
        ProductServiceListRequest,
        ProductServiceListResponse,
    )

app = App(name="products", help="Read, list and delete products.")

Id = Annotated[str, Parameter(help="Id in the catalogue.")]


@app.command
def get(product_id: Id, /, *, target: Target = None, timeout: Timeout = 10.0) -> int:
    """Print one product as JSON.

    For example:
        wherefore products get p-1001
    """
    return asyncio.run(_get(product_id, target, timeout))


@app.command(name="list")
def list_products(
    *,
    filter: Filter = "",  # noqa: A002 - the option is called --filter
    page_size: Annotated[int, Parameter(help="Products on a page, at most 1,000.")] = 50,
    page_token: PageToken = "",
    json: Json = False,
    target: Target = None,
    timeout: Timeout = 10.0,
) -> int:
    """List products in order of id.

    For example:
        wherefore products list --page-size 10

        wherefore products list --filter 'brand: "Sony" AND price < 100' --json
    """
    from wherefore.orchestrator.v1.product_service_pb2 import ProductServiceListRequest

    request = ProductServiceListRequest(filter=filter, page_size=page_size, page_token=page_token)
    return asyncio.run(_list(request, json, target, timeout))


@app.command
def delete(
    *product_ids: Id,
    allow_missing: Annotated[
        bool, Parameter(negative="", help="Ids that are not there are no error.")
    ] = False,
    target: Target = None,
    timeout: Timeout = 10.0,
) -> int:
    """Delete products.

    For example:
        wherefore products delete p-1001 p-1002
    """
    if not product_ids:
        raise failures.CommandError("which products? give their ids", code=failures.USAGE)
    return asyncio.run(_delete(product_ids, allow_missing, target, timeout))


async def _get(product_id: str, target: str | None, timeout: float) -> int:  # noqa: ASYNC109
    from shared.cli.connection import connect
    from wherefore.orchestrator.v1.product_service_pb2 import ProductServiceGetRequest
    from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceStub

    async with connect(target) as channel:
        response = await ProductServiceStub(channel).Get(
            ProductServiceGetRequest(product_id=product_id), timeout=timeout
        )
    output.print_message(response.product)
    return failures.OK


async def _list(
    request: ProductServiceListRequest,
    json: bool,
    target: str | None,
    timeout: float,  # noqa: ASYNC109 - a gRPC deadline, kept by the call itself
) -> int:
    from shared.cli.connection import connect
    from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceStub

    async with connect(target) as channel:
        response = await ProductServiceStub(channel).List(request, timeout=timeout)
    if json:
        output.print_message(response)
    else:
        _print_table(response)
    return failures.OK


def _print_table(response: ProductServiceListResponse) -> None:
    from rich import box
    from rich.table import Table

    from shared.cli import answer_view

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in ("Id", "Title", "Brand", "Price"):
        table.add_column(
            heading, overflow="fold", justify="right" if heading == "Price" else "left"
        )
    for product in response.products:
        table.add_row(
            output.text(product.id),
            output.text(answer_view.title(product, product.language_code)),
            output.text(product.brand),
            answer_view.format_price(product.price) if product.HasField("price") else "",
        )
    console = output.console()
    console.print(table)
    if response.next_page_token:
        console.print(output.text(f"more: --page-token {response.next_page_token}"))


async def _delete(
    product_ids: tuple[str, ...],
    allow_missing: bool,
    target: str | None,
    timeout: float,  # noqa: ASYNC109 - a gRPC deadline, kept by the call itself
) -> int:
    from shared.cli.connection import connect
    from wherefore.orchestrator.v1.product_service_pb2 import ProductServiceDeleteRequest
    from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceStub

    async with connect(target) as channel:
        for product_id in product_ids:
            await ProductServiceStub(channel).Delete(
                ProductServiceDeleteRequest(product_id=product_id, allow_missing=allow_missing),
                timeout=timeout,
            )
            print(f"deleted {output.clean(product_id)}", flush=True)
    return failures.OK
