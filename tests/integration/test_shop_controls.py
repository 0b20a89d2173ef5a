"""Facets, variants, the shop's rules and completions, through the whole suite."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import grpc
import pytest

from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.user_event_pb2 import USER_EVENT_TYPE_SEARCH, UserEvent
from wherefore.orchestrator.v1.completion_service_pb2 import CompleteRequest
from wherefore.orchestrator.v1.completion_service_pb2_grpc import CompletionServiceStub
from wherefore.orchestrator.v1.product_service_pb2 import (
    ProductServiceDeleteRequest,
    ProductServiceUpdateRequest,
)
from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceStub
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest, SearchResponse
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2 import UserEventServiceWriteRequest
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub
from wherefore.retrieval.v1.facet_pb2 import FACET_SCOPE_FILTER, FacetSpec

pytestmark = pytest.mark.suite

TIMEOUT = 5.0
PATIENCE_SECONDS = 30
# Tells when a file is in force.
MARKER = "  - {id: marker, when: {queries: [mug]}, redirect: /marker}\n"


async def search(channel: grpc.aio.Channel, query: str, **fields: object) -> SearchResponse:
    request = SearchRequest(query=query, **fields)  # type: ignore[arg-type]
    return await SearchServiceStub(channel).Search(request, timeout=TIMEOUT)


def write(path: Path, text: str) -> None:
    path.write_text(text)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(PATIENCE_SECONDS * 5):
        if await holds():
            return
        await asyncio.sleep(0.2)
    raise AssertionError("it did not come about")


async def test_a_facet_value_selects_what_it_counts(channel: grpc.aio.Channel) -> None:
    keys = ("brand", "category", "price", "rating", "colour", "in_stock", "attributes.material")
    answer = await search(
        channel,
        "headphones",
        facets=[FacetSpec(key=key) for key in keys],
        facet_scope=FACET_SCOPE_FILTER,
    )
    assert [facet.key for facet in answer.facets] == list(keys)
    assert not answer.degraded
    for facet in answer.facets:
        assert facet.values
        value = facet.values[0]
        chosen = await search(
            channel,
            "headphones",
            filter=value.filter,
            facets=[FacetSpec(key=facet.key)],
            facet_scope=FACET_SCOPE_FILTER,
        )
        assert chosen.estimated_total == value.count
        # The choice of one value leaves the others to choose from.
        assert list(chosen.facets[0].values) == list(facet.values)
        assert chosen.facets[0].own_condition_left_out


async def test_facets_of_what_was_found(channel: grpc.aio.Channel) -> None:
    answer = await search(channel, "耳机", facets=[FacetSpec(key="category")])
    (facet,) = answer.facets
    assert 0 < facet.counted_products <= 300
    assert any("Headphones" in value.label for value in facet.values[:5])


async def test_variants_are_one_result(channel: grpc.aio.Channel) -> None:
    products = ProductServiceStub(channel)
    ids = [f"it-variant-{colour}" for colour in ("red", "blue", "green")]
    for product_id in ids:
        product = Product(
            id=product_id,
            titles={"en": f"Qwyzzle hammock {product_id[11:]}"},
            variant_group_id="it-qwyzzle",
        )
        request = ProductServiceUpdateRequest(product=product, allow_missing=True)
        await products.Update(request, timeout=TIMEOUT)
    apart = await search(channel, "qwyzzle hammock")
    assert {result.product.id for result in apart.results[:3]} == set(ids)
    grouped = await search(channel, "qwyzzle hammock", group_variants=1)
    first = grouped.results[0]
    assert {first.product.id, *first.other_variant_ids} == set(ids)
    assert first.other_variant_count == 2
    assert not set(first.other_variant_ids) & {result.product.id for result in grouped.results}
    for product_id in ids:
        await products.Delete(ProductServiceDeleteRequest(product_id=product_id), timeout=TIMEOUT)


@pytest.fixture
async def set_rules(
    channel: grpc.aio.Channel, rules_file: Path
) -> AsyncIterator[Callable[[str], Awaitable[None]]]:
    """Puts rules in force; none again at the end."""

    async def put(text: str) -> None:
        write(rules_file, text)

        async def seen() -> bool:
            answer = await search(channel, "mug", page_size=1)
            return bool(answer.redirect_uri) is (MARKER in text)

        await until(seen)

    yield put
    await put("rules: []\n")


async def test_rules_are_taken_up_while_it_runs(
    channel: grpc.aio.Channel, set_rules: Callable[[str], Awaitable[None]]
) -> None:
    plain = await search(channel, "yoga mat", include_contributions=True)
    last, second = plain.results[-1].product, plain.results[1].product
    brand = plain.results[5].product.brand
    await set_rules(
        "rules:\n"
        "  - id: top\n    when: {query_terms: [yoga]}\n"
        f"    pin: {{product: {last.id}, position: 1}}\n"
        f"  - {{id: gone, block: {{products: [{second.id}]}}}}\n"
        f"  - {{id: brand, boost: {{filter: 'brand: \"{brand}\"', strength: 0.3}}}}\n" + MARKER
    )
    ruled = await search(channel, "yoga mat", include_contributions=True)
    ids = [result.product.id for result in ruled.results]
    assert ids[0] == last.id
    assert ruled.results[0].pinned
    assert second.id not in ids
    assert [control.id for control in ruled.applied_controls] == ["top", "gone", "brand"]
    assert any(result.boost > 0 for result in ruled.results)
    assert all((r.boost > 0) is (r.product.brand == brand) for r in ruled.results)
    # What a rule adds is no part of the score, which its contributions explain.
    base = {
        round(r.score - math.fsum(c.contribution for c in r.contributions), 6)
        for r in ruled.results
    }
    assert len(base) == 1
    places = [result.score + result.boost for result in ruled.results if not result.pinned]
    assert places == sorted(places, reverse=True)


async def test_a_bad_file_leaves_the_rules_before_in_force(
    channel: grpc.aio.Channel,
    rules_file: Path,
    set_rules: Callable[[str], Awaitable[None]],
) -> None:
    await set_rules("rules:\n" + MARKER)
    await set_rules("rules:\n" + MARKER + "  - {id: bad, marker: 1}\n")

    async def told() -> bool:
        return bool((await search(channel, "mug")).degraded)

    await until(told)
    answer = await search(channel, "mug")
    assert answer.redirect_uri == "/marker"
    (degraded,) = answer.degraded
    assert degraded.stage == "merchandising"
    assert "line 3" in degraded.detail


async def test_completions(channel: grpc.aio.Channel) -> None:
    complete = CompletionServiceStub(channel).Complete

    async def texts(prefix: str, language: str = "") -> list[str]:
        request = CompleteRequest(prefix=prefix, language_code=language)
        response = await complete(request, timeout=TIMEOUT)
        return [each.text for each in response.completions if not response.degraded]

    async def read() -> bool:
        return bool(await texts("headp"))

    await until(read)
    assert any("headphone" in text.casefold() for text in await texts("headp"))
    assert any("headphone" in text.casefold() for text in await texts("haedph"))
    assert "耳机" in await texts("耳")
    assert "耳机" in await texts("erji", "zh")

    write = UserEventServiceStub(channel).Write
    for number in range(5):
        assert "qwyzzle lantern" not in await texts("qwyzzle l")
        event = UserEvent(
            type=USER_EVENT_TYPE_SEARCH, user_id=f"it-typist-{number}", query="Qwyzzle lantern"
        )
        await write(UserEventServiceWriteRequest(event=event), timeout=TIMEOUT)

    async def learnt() -> bool:
        return "qwyzzle lantern" in await texts("qwyzzle l")

    await until(learnt)
