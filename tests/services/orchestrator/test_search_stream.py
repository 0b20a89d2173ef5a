"""Streamed searches over real ports: the page first, its reasons as they come, the end."""

import asyncio

import grpc
import pytest

from shared.errors import error_from_rpc
from tests.services.orchestrator.fake_reasons import BROKEN_OFF
from wherefore.common.v1.diagnostics_pb2 import DEGRADATION_CAUSE_OVERLOADED, Degradation
from wherefore.orchestrator.v1.search_service_pb2 import (
    ReasonWriters,
    SearchRequest,
    SearchResponse,
    SearchStreamEnd,
    SearchStreamRequest,
    SearchStreamResponse,
)
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.reason.v1.reason_pb2 import Generator, Reason, ReasonClause

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def streamed(running, by_clause=False, timeout=5.0, **fields):  # noqa: ASYNC109
    request = SearchRequest(query=fields.pop("query", "cup"), **fields)
    call = SearchServiceStub(running.channel).SearchStream(
        SearchStreamRequest(request=request, by_clause=by_clause), timeout=timeout
    )
    return [part async for part in call]


def taken_apart(
    parts: list[SearchStreamResponse],
) -> tuple[SearchResponse, list[Reason], list[ReasonClause], SearchStreamEnd]:
    assert parts[0].WhichOneof("part") == "page"
    assert parts[-1].WhichOneof("part") == "end"
    between = {part.WhichOneof("part") for part in parts[1:-1]}
    assert between <= {"reason", "clause"}
    reasons = [part.reason for part in parts if part.HasField("reason")]
    clauses = [part.clause for part in parts if part.HasField("clause")]
    return parts[0].page, reasons, clauses, parts[-1].end


async def test_the_parts_are_the_answer_of_search(shop):
    whole = await SearchServiceStub(shop.channel).Search(SearchRequest(query="cup", page_size=7))
    page, reasons, clauses, end = taken_apart(await streamed(shop, page_size=7))
    assert not clauses
    assert not any(result.HasField("reason") for result in page.results)
    by_id = {reason.product_id: reason for reason in reasons}
    assert len(by_id) == len(reasons) == 7
    for result in page.results:
        result.reason.CopyFrom(by_id[result.product.id])
    assert list(page.results) == list(whole.results)
    assert page.estimated_total == whole.estimated_total
    assert not end.degraded
    assert {t.stage for t in end.timings} == {t.stage for t in whole.timings}
    assert 0 < end.page_nanos < end.first_text_nanos
    assert end.reason_writers == ReasonWriters(model_count=7)


async def test_the_end_counts_who_wrote_the_reasons(running):
    told = running.fake.reasons_by_place
    told[0] = {"generator": Generator.GENERATOR_TEMPLATE}
    told[1] = {"generator": Generator.GENERATOR_MODEL, "cached": True}
    told[2] = {"generator": Generator.GENERATOR_TEMPLATE, "text": ""}
    *_, end = taken_apart(await streamed(running, page_size=5))
    assert end.reason_writers == ReasonWriters(model_count=3, cached_count=1, template_count=1)


async def test_what_the_model_had_no_time_for_is_told_at_the_end(running):
    running.fake.reason_losses.append(
        Degradation(stage="reason.model", cause=DEGRADATION_CAUSE_OVERLOADED, fallback="template")
    )
    page, reasons, _, end = taken_apart(await streamed(running))
    assert len(reasons) == len(page.results)
    assert not page.degraded
    assert list(end.degraded) == running.fake.reason_losses
    whole = await SearchServiceStub(running.channel).Search(SearchRequest(query="cup"), timeout=5)
    assert list(whole.degraded) == running.fake.reason_losses


async def test_clauses_come_before_their_reason(shop):
    parts = await streamed(shop, by_clause=True, page_size=3)
    _, reasons, clauses, _ = taken_apart(parts)
    assert [clause.product_id for clause in clauses] == [r.product_id for r in reasons]
    for clause, reason in zip(clauses, reasons, strict=True):
        assert reason.text.startswith(clause.text)


async def test_further_pages_stream_too(shop):
    first, *_ = taken_apart(await streamed(shop, page_size=10))
    second, reasons, _, _ = taken_apart(
        await streamed(shop, page_size=10, page_token=first.next_page_token)
    )
    assert [result.rank for result in second.results] == list(range(11, 21))
    assert {r.product_id for r in reasons} == {r.product.id for r in second.results}


async def test_no_reasons_where_none_are_wanted(shop):
    page, reasons, _, end = taken_apart(await streamed(shop, skip_reasons=True))
    assert page.results
    assert not reasons
    assert not end.first_text_nanos
    assert not end.HasField("reason_writers")
    assert "reason" not in {t.stage for t in end.timings}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"query": " "}, "request.query"),
        ({"filter": "price <"}, "request.filter"),
        ({"page_token": "forged"}, "request.page_token"),
    ],
)
async def test_bad_requests_name_the_field(shop, fields, field):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await streamed(shop, **fields)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert [v.field for v in error_from_rpc(caught.value).violations] == [field]


@pytest.mark.parametrize("part", ["reason", "reason.stream"])
async def test_reasons_that_are_lost_leave_the_page(running, part):
    running.fake.broken.add(part)
    page, reasons, _, end = taken_apart(await streamed(running))
    assert len(page.results) == 20
    assert len(reasons) == (BROKEN_OFF if part == "reason.stream" else 0)
    assert [d.stage for d in end.degraded] == ["reason"]


async def test_reasons_that_hang_end_with_their_budget(running):
    running.fake.slow.add("reason.stream")
    page, reasons, _, end = taken_apart(await streamed(running))
    assert len(page.results) == 20
    assert len(reasons) == 1
    assert [d.stage for d in end.degraded] == ["reason"]


async def test_who_goes_away_ends_the_call_behind(running):
    running.fake.slow.add("reason.stream")
    before = running.fake.streams_ended
    request = SearchStreamRequest(request=SearchRequest(query="cup"))
    call = SearchServiceStub(running.channel).SearchStream(request, timeout=5)
    async for part in call:
        if part.HasField("reason"):
            break
    call.cancel()
    async with asyncio.timeout(5):
        while running.fake.streams_ended == before:  # noqa: ASYNC110 - a fake has no event
            await asyncio.sleep(0.01)
