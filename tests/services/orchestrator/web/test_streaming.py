"""What comes to the demo page in parts: reasons as they are written, and what reviewers say."""

import asyncio
import json
from contextlib import aclosing

import grpc
import httpx
import pytest

from services.orchestrator.pipeline import SearchPipeline
from tests.browser import needs_browser
from tests.services.orchestrator.web.talkative import expecting
from wherefore.common.v1.diagnostics_pb2 import (
    DEGRADATION_CAUSE_DEADLINE,
    DEGRADATION_CAUSE_UNAVAILABLE,
    Degradation,
)
from wherefore.reason.v1.summary_pb2 import (
    PointExample,
    ReviewPoint,
    SummariseResponse,
    SummarySentence,
)

pytestmark = [pytest.mark.browser, needs_browser, pytest.mark.asyncio(loop_scope="module")]


async def search(page, query="steel cup"):
    await page.fill("#query", query)
    await page.keyboard.press("Enter")
    await expecting(page.locator("#status")).to_contain_text("Best of")


async def test_cards_wait_for_no_reason(page, talkative):
    talkative.fake.slow.add("reason.stream")  # after the first reason
    await search(page)
    await expecting(page.locator(".card")).to_have_count(20)
    await expecting(page.locator(".card .coming")).to_have_count(19)
    await expecting(page.locator(".card .reason .clause")).to_have_count(1)
    await page.locator(".explain").nth(1).click()
    reason = page.locator("#why .why-reason")
    await expecting(reason).to_contain_text("The reason is being written")
    # Where no more come in time, their places go, and the page says so.
    talkative.fake.code = grpc.StatusCode.DEADLINE_EXCEEDED
    talkative.fake.broken.add("reason.wait")
    await expecting(page.locator("#notice")).to_contain_text("results come without reasons")
    await expecting(page.locator(".card .coming")).to_have_count(0)
    await expecting(page.locator(".card .reason")).to_have_count(1)
    await expecting(reason).to_contain_text("No reason came")


async def test_the_panel_shows_a_reason_that_comes_later(page, talkative):
    talkative.fake.slow.add("reason.stream")
    await search(page)
    await page.locator(".card:has(.coming) .explain").first.click()
    await expecting(page.locator("#why .why-reason")).to_contain_text("being written")
    talkative.fake.slow.clear()
    await expecting(page.locator("#why .why-reason .clauses > li")).to_have_count(1)


async def test_a_newer_search_is_not_disturbed_by_the_older_one(page, talkative):
    talkative.fake.slow.add("reason.stream")
    await search(page)
    talkative.fake.slow.clear()
    await search(page, "steel mug")
    await expecting(page.locator(".card .reason .clause")).to_have_count(20)
    await expecting(page.locator("#notice")).to_be_empty()


CUT_OFF = "The connection broke while reasons were written."


@pytest.mark.parametrize("error", [None, RuntimeError("gone")])
async def test_a_stream_that_breaks_half_way_leaves_what_came(page, monkeypatch, error):
    """Whether the connection breaks, or the stream is over before its end."""
    whole = SearchPipeline.stream

    async def broken(self, query, *, by_clause):
        parts = whole(self, query, by_clause=by_clause)
        async with aclosing(parts):
            for _ in range(6):  # the page, a clause and its reason twice, a clause
                yield await anext(parts)
        if error is not None:
            await asyncio.sleep(0.5)  # what was sent before an error is thrown away with the rest
            raise error

    monkeypatch.setattr(SearchPipeline, "stream", broken)
    await search(page)
    await expecting(page.locator("#notice")).to_contain_text(CUT_OFF)
    await expecting(page.locator(".card")).to_have_count(20)
    await expecting(page.locator(".card .coming")).to_have_count(0)
    await expecting(page.locator(".card .reason .clause")).to_have_count(2)
    reasons = page.locator(".card .reason")
    await expecting(reasons).to_have_count(3)
    await expecting(reasons.filter(has_text="Made of steel …")).to_have_count(1)
    page.problems.clear()  # the browser's own line about the connection
    monkeypatch.undo()
    await page.locator("#notice button").click()
    await expecting(page.locator(".card .reason .clause")).to_have_count(20)
    await expecting(page.locator("#notice")).to_be_empty()


async def test_reasons_that_the_model_had_no_time_for_are_no_warning(page, talkative):
    losses = talkative.fake.reason_losses
    losses.append(Degradation(stage="reason.model", cause=DEGRADATION_CAUSE_DEADLINE))
    await search(page)
    await expecting(page.locator(".card .reason .clause")).to_have_count(20)
    await expecting(page.locator("#notice")).to_be_empty()
    losses[0].cause = DEGRADATION_CAUSE_UNAVAILABLE
    await search(page, "steel mug")
    await expecting(page.locator("#notice")).to_contain_text("reasons are in fixed words")


async def test_the_panel_says_what_reviewers_say(page, talkative):
    said = [PointExample(text="Keeps tea hot", review_id="r1")]
    talkative.fake.summary = SummariseResponse(
        overview="2 of 3 reviews praise its insulation.",
        pros=[ReviewPoint(aspect="insulation", label="insulation", review_count=2, examples=said)],
        cons=[ReviewPoint(aspect="lid", label="lid", review_count=2, opposing_count=1)],
        language_code="en",
        review_count=3,
    )
    await search(page)
    await page.locator(".explain").first.click()
    opinions = page.locator("#why .opinions")
    await expecting(opinions.locator(".pro")).to_contain_text("insulation2 reviews")
    await expecting(opinions.locator(".pro q")).to_have_text("Keeps tea hot")
    await expecting(opinions.locator(".con")).to_contain_text("lid2 reviews, 1 against")
    await expecting(opinions).to_contain_text("3 reviews read")


async def test_reviews_that_make_no_point_are_quoted(page, talkative):
    talkative.fake.summary = SummariseResponse(
        sentences=[SummarySentence(text="Pours well", review_id="r1")], review_count=1
    )
    await search(page)
    await page.locator(".explain").first.click()
    opinions = page.locator("#why .opinions")
    await expecting(opinions.locator("q")).to_have_text(["Pours well"])
    await expecting(opinions).not_to_contain_text("object")


async def test_a_panel_without_reviews_says_so(page, talkative):
    for product in talkative.fake.products.values():
        del product.reviews[:]
        product.descriptions.clear()
    await search(page)
    await page.locator(".explain").first.click()
    await expecting(page.locator("#why .opinions")).to_contain_text("Nobody has written about it")
    page.problems.clear()  # the browser's own line about the refusal


async def test_the_stream_is_of_server_sent_events(talkative):
    address = f"http://127.0.0.1:{talkative.port}/api/search/stream"
    async with httpx.AsyncClient(timeout=10) as client:
        answer = await client.post(address, json={"request": {"query": "cup", "pageSize": 2}})
        refused = await client.post(address, json={"request": {"query": ""}})
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [
        json.loads(event.removeprefix("data: ")) for event in answer.text.split("\n\n") if event
    ]
    assert [next(iter(event)) for event in events] == ["page", "reason", "reason", "end"]
    assert refused.status_code == 400
    assert "request.query" in refused.text
