"""Completions over a real port, before the real retrieval service."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace

import grpc
import pytest
import pytest_asyncio

from shared.errors import InvalidArgumentError, error_from_rpc
from tests.services.orchestrator.real_retrieval import serve_with_retrieval
from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.user_event_pb2 import USER_EVENT_TYPE_SEARCH, UserEvent
from wherefore.orchestrator.v1 import completion_service_pb2 as pb
from wherefore.orchestrator.v1.completion_service_pb2_grpc import CompletionServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2 import UserEventServiceWriteRequest
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SimpleNamespace]:
    products: list[Product] = []
    for n in range(6):
        product = Product(id=f"p{n}", titles={"en": f"Steel kettle {n}", "zh": f"不锈钢水壶{n}"})
        product.brand = "Kettler"
        product.category_path.extend(["Kitchen", "Kettles"])
        products.append(product)
    async with serve_with_retrieval(
        tmp_path_factory.mktemp("shop"), products, completion_refresh_seconds=0.05
    ) as running:
        await settled(lambda: running.service._completer.has_catalogue)
        yield running


async def settled(condition) -> None:
    for _ in range(1_000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come about")


async def complete(shop: SimpleNamespace, prefix: str, **fields: object) -> pb.CompleteResponse:
    request = pb.CompleteRequest(prefix=prefix, **fields)  # type: ignore[arg-type]
    return await CompletionServiceStub(shop.channel).Complete(request, timeout=5)


async def test_the_catalogue_completes(shop: SimpleNamespace) -> None:
    response = await complete(shop, "KET")
    assert {c.text for c in response.completions} == {"kettle", "Kettler"}
    assert {c.source for c in response.completions} == {
        pb.COMPLETION_SOURCE_PRODUCT_TYPE,
        pb.COMPLETION_SOURCE_BRAND,
    }
    assert all((c.match_start, c.match_end) == (0, 3) for c in response.completions)
    assert not response.degraded
    assert response.request_id
    assert len((await complete(shop, "ket", limit=1)).completions) == 1


async def test_chinese_completes_by_characters_and_pinyin(shop: SimpleNamespace) -> None:
    for typed in ("水", "shuihu", "sh"):
        response = await complete(shop, typed, language_code="zh-CN")
        assert response.completions[0].text == "水壶"


async def test_a_wrong_letter_is_tolerated(shop: SimpleNamespace) -> None:
    response = await complete(shop, "kettel")
    texts = [c.text for c in response.completions]
    assert "kettle" in texts
    (kettles,) = (c for c in response.completions if c.text == "kettle")
    assert kettles.corrected


async def test_what_five_users_search_for_completes(shop: SimpleNamespace) -> None:
    write = UserEventServiceStub(shop.channel).Write
    for n in range(5):
        assert not [
            c for c in (await complete(shop, "kettle for")).completions if not c.corrected
        ], f"{n} users are too few"
        event = UserEvent(type=USER_EVENT_TYPE_SEARCH, user_id=f"u{n}", query="kettle for two")
        await write(UserEventServiceWriteRequest(event=event), timeout=5)
        changes = shop.service._searches.changes
        await settled(lambda c=changes: shop.service._completer._changes >= c)
    response = await complete(shop, "kettle for")
    assert response.completions[0].text == "kettle for two"
    assert response.completions[0].source == pb.COMPLETION_SOURCE_SEARCHES


@pytest.mark.parametrize(
    ("prefix", "fields", "field"),
    [
        ("", {}, "prefix"),
        ("  ", {}, "prefix"),
        ("x" * 101, {}, "prefix"),
        ("a\x00", {}, "prefix"),
        ("a", {"limit": -1}, "limit"),
        ("a", {"language_code": "!"}, "language_code"),
    ],
)
async def test_bad_requests_name_the_field(
    shop: SimpleNamespace, prefix: str, fields: dict[str, object], field: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await complete(shop, prefix, **fields)
    error = error_from_rpc(raised.value)
    assert isinstance(error, InvalidArgumentError)
    assert [violation.field for violation in error.violations] == [field]


@pytest.mark.parametrize("prefix", ["%", "🦄", "'; --", "\\", "a" * 100, "，", "ａ"])
async def test_anything_typed_is_answered(shop: SimpleNamespace, prefix: str) -> None:
    await complete(shop, prefix)


async def test_without_a_catalogue_it_says_so(running: SimpleNamespace) -> None:
    # The retrieval in small describes no index.
    response = await complete(running, "ket")
    assert [d.stage for d in response.degraded] == ["completion.catalogue"]
