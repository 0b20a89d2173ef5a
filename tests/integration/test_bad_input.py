"""The bad input table: INVALID_ARGUMENT with the field named, for every row."""

import math
import time
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from wherefore.common.v1.product_pb2 import Price, Product
from wherefore.common.v1.user_event_pb2 import USER_EVENT_TYPE_VIEW, ProductDetail, UserEvent
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1.product_service_pb2 import (
    ProductServiceGetRequest,
    ProductServiceImportRequest,
    ProductServiceListRequest,
    ProductServiceUpdateRequest,
)
from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceStub
from wherefore.orchestrator.v1.recommendation_service_pb2 import RecommendRequest
from wherefore.orchestrator.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2 import UserEventServiceWriteRequest
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub

pytestmark = pytest.mark.suite
TIMEOUT = 5.0
SEARCH = "/wherefore.orchestrator.v1.SearchService/Search"


def bad_fields(error: grpc.aio.AioRpcError) -> set[str]:
    """Fields that google.rpc.BadRequest names."""
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    assert status is not None, "no google.rpc.Status in the trailers"
    fields: set[str] = set()
    for detail in status.details:
        request = error_details_pb2.BadRequest()
        if detail.Unpack(request):
            fields |= {violation.field for violation in request.field_violations}
            assert all(violation.description for violation in request.field_violations)
    return fields


async def refused(call: Any, request: Message) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call(request, timeout=TIMEOUT)
    assert "Traceback" not in (error.value.details() or "")
    return error.value


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        pytest.param(SearchRequest(query=""), "query", id="empty"),
        pytest.param(SearchRequest(query=" \t  "), "query", id="blank"),
        pytest.param(SearchRequest(query="x" * 10_240), "query", id="10 kB"),
        pytest.param(SearchRequest(query="电" * 3_400), "query", id="10 kB of Chinese"),
        pytest.param(SearchRequest(query="cup\x00"), "query", id="NUL"),
        pytest.param(SearchRequest(query="cup\x1b[31m"), "query", id="escape"),
        pytest.param(SearchRequest(query="cup", filter="flavour = 1"), "filter", id="field"),
        pytest.param(
            SearchRequest(query="cup", filter="attributes.no_such_key = 1"), "filter", id="key"
        ),
        pytest.param(SearchRequest(query="cup", filter="price <"), "filter", id="cut short"),
        pytest.param(SearchRequest(query="cup", filter="(price < 3"), "filter", id="parenthesis"),
        pytest.param(SearchRequest(query="cup", filter='brand: "x'), "filter", id="quote"),
        pytest.param(SearchRequest(query="cup", filter="(" * 900), "filter", id="deep"),
        pytest.param(SearchRequest(query="cup", filter="price = abc"), "filter", id="not a number"),
        pytest.param(SearchRequest(query="cup", filter="price < NaN"), "filter", id="NaN"),
        pytest.param(SearchRequest(query="cup", page_size=-1), "page_size", id="negative"),
        pytest.param(SearchRequest(query="cup", page_token="forged"), "page_token", id="forged"),
        pytest.param(SearchRequest(query="cup", order_by="colour"), "order_by", id="order"),
        pytest.param(
            SearchRequest(query="cup", serving_config="nope"), "serving_config", id="config"
        ),
        pytest.param(
            SearchRequest(query="cup", read_mask={"paths": ["nope"]}), "read_mask", id="mask"
        ),
    ],
)
async def test_search(channel: grpc.aio.Channel, request_: SearchRequest, field: str) -> None:
    error = await refused(SearchServiceStub(channel).Search, request_)
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert bad_fields(error) == {field}


async def test_a_page_token_of_another_request(channel: grpc.aio.Channel) -> None:
    search = SearchServiceStub(channel).Search
    first = await search(SearchRequest(query="cup", page_size=5), timeout=TIMEOUT)
    error = await refused(
        search, SearchRequest(query="lamp", page_size=5, page_token=first.next_page_token)
    )
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert bad_fields(error) == {"page_token"}


async def test_invalid_utf8_on_the_wire(channel: grpc.aio.Channel) -> None:
    # Field 1 (query), length 2, then bytes that are no UTF-8. No stub would send this.
    call = channel.unary_unary(SEARCH, request_serializer=bytes, response_deserializer=bytes)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call(b"\x0a\x02\xff\xfe", timeout=TIMEOUT)
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert bad_fields(error.value)


async def test_a_deadline_already_passed(channel: grpc.aio.Channel) -> None:
    started = time.monotonic()
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await SearchServiceStub(channel).Search(SearchRequest(query="cup"), timeout=1e-6)
    assert error.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert time.monotonic() - started < TIMEOUT


@pytest.mark.parametrize(
    ("product", "field"),
    [
        (Product(titles={"en": "Cup"}), "id"),
        (Product(id="bad-1"), "titles"),
        (
            Product(
                id="bad-2",
                titles={"en": "Cup"},
                price=Price(currency_code="EUR", amount=math.nan),
            ),
            "price.amount",
        ),
        (
            Product(
                id="bad-3",
                titles={"en": "Cup"},
                price=Price(currency_code="EUR", amount=-1),
            ),
            "price.amount",
        ),
    ],
)
async def test_bad_products(channel: grpc.aio.Channel, product: Product, field: str) -> None:
    error = await refused(
        ProductServiceStub(channel).Update,
        ProductServiceUpdateRequest(product=product, allow_missing=True),
    )
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert any(name.endswith(field) for name in bad_fields(error))

    # The same row in an import is reported, and the good one beside it goes in.
    good = Product(id="it-good-row", titles={"en": "A good row"})
    responses = [
        response
        async for response in ProductServiceStub(channel).Import(
            iter([ProductServiceImportRequest(products=[product, good])]), timeout=30
        )
    ]
    last = responses[-1]
    assert last.failed_count == 1
    assert last.imported_count + last.unchanged_count == 1
    assert last.acknowledged_row == 2
    errors = [row for response in responses for row in response.errors]
    assert [row.row for row in errors] == [1]
    assert field in errors[0].field
    assert errors[0].reason


async def test_duplicate_ids_in_an_import(channel: grpc.aio.Channel) -> None:
    product = Product(id="it-twice", titles={"en": "Twice"})
    responses = [
        response
        async for response in ProductServiceStub(channel).Import(
            iter([ProductServiceImportRequest(products=[product, product])]), timeout=30
        )
    ]
    errors = [row for response in responses for row in response.errors]
    assert [(row.row, row.id, row.field) for row in errors] == [(2, "it-twice", "id")]


@pytest.mark.parametrize(
    ("call", "request_", "field"),
    [
        pytest.param(
            lambda c: RecommendationServiceStub(c).Recommend,
            RecommendRequest(product_ids=["a", "a"]),
            "product_ids",
            id="duplicate ids",
        ),
        pytest.param(
            lambda c: RecommendationServiceStub(c).Recommend,
            RecommendRequest(),
            "user",
            id="nobody",
        ),
        pytest.param(
            lambda c: RecommendationServiceStub(c).Recommend,
            RecommendRequest(user=UserContext(user_id="u"), page_size=-5),
            "page_size",
            id="negative size",
        ),
        pytest.param(
            lambda c: ProductServiceStub(c).Get,
            ProductServiceGetRequest(),
            "product_id",
            id="no id",
        ),
        pytest.param(
            lambda c: ProductServiceStub(c).List,
            ProductServiceListRequest(page_token="forged"),
            "page_token",
            id="forged token",
        ),
        pytest.param(
            lambda c: UserEventServiceStub(c).Write,
            UserEventServiceWriteRequest(event=UserEvent(user_id="u")),
            "type",
            id="event without a type",
        ),
        pytest.param(
            lambda c: UserEventServiceStub(c).Write,
            UserEventServiceWriteRequest(
                event=UserEvent(
                    type=USER_EVENT_TYPE_VIEW,
                    user_id="u",
                    products=[ProductDetail(product_id="p")],
                    attribution_token="forged",
                )
            ),
            "attribution_token",
            id="forged attribution",
        ),
    ],
)
async def test_other_calls(
    channel: grpc.aio.Channel,
    call: Callable[[grpc.aio.Channel], Any],
    request_: Message,
    field: str,
) -> None:
    error = await refused(call(channel), request_)
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert any(field in name for name in bad_fields(error))
