"""The dashboard in a real browser: the page's own orchestrator before the real insight service."""

import datetime
import re
from contextlib import AsyncExitStack

import grpc
import pytest
import pytest_asyncio

from tests.browser import needs_browser, open_page
from tests.services.insight.serving import ingest
from tests.services.orchestrator.web.applied import insight, page_with
from tests.services.orchestrator.web.talkative import expecting, held_back
from wherefore.insight.v1.insight_service_pb2_grpc import InsightServiceStub
from wherefore.insight.v1.opinion_pb2 import Post

pytestmark = [pytest.mark.browser, needs_browser, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def board(tmp_path_factory):
    """A dashboard whose sample was played."""
    folder = tmp_path_factory.mktemp("board")
    async with (
        insight(folder) as service,
        page_with(folder, insight_target=f"127.0.0.1:{service.port}") as orchestrator,
        open_page(orchestrator.port) as page,
    ):
        await page.goto("/monitor")
        await expecting(page.locator("#empty")).to_be_visible()
        await expecting(page.locator("#live")).to_contain_text("Live since")
        await page.get_by_role("button", name="Play the sample").click()
        # Alerts are told while the texts come in.
        await expecting(page.locator("#notices .opened")).to_have_count(2, timeout=20_000)
        await expecting(page.locator("#alerts")).to_be_focused()
        yield orchestrator


@pytest_asyncio.fixture(loop_scope="module")
async def page(board):
    async with open_page(board.port, reduced_motion="reduce") as page:
        await page.goto("/monitor")
        yield page


async def test_alerts_show_what_drives_them(page):
    alerts = page.locator(".alert")
    await expecting(alerts).to_have_count(2)
    lasting, over = page.locator(".alert.open"), page.locator(".alert.closed")
    await expecting(lasting.locator(".state")).to_have_text("lasts")
    await expecting(over.locator(".state")).to_have_text("over")
    await expecting(lasting.locator(".chips")).to_contain_text("cracked")
    await expecting(over.locator(".chips")).to_contain_text("address")
    await expecting(lasting).to_contain_text("were expected")
    await expecting(lasting.locator("q").first).to_be_visible()
    await over.locator("summary").click()
    await expecting(over.locator("q").first).to_be_visible()


async def test_plots_say_in_words_and_a_table_what_they_show(page):
    share = page.locator("figure").first.locator("svg")
    await expecting(share).to_have_attribute("role", "img")
    await expecting(share).to_have_attribute("aria-label", re.compile("lie above the band"))
    await expecting(page.locator("path.band").first).to_be_attached()
    await expecting(page.locator("rect.alerted")).to_have_count(2)
    await expecting(page.locator("circle.outside").nth(1)).to_be_attached()
    await expecting(page.locator("rect.negative").first).to_be_attached()
    await page.locator("#plots summary").click()
    rows = page.locator(".figures-table tbody tr")
    await expecting(rows.nth(29)).to_be_visible()
    hours = await rows.count()
    assert 30 <= hours <= 37
    await page.select_option("#span", "day")
    # The page is drawn anew when its answers are here, a moment after the choice.
    await expecting(rows).not_to_have_count(hours)
    await expecting(rows.first).to_be_attached()
    days = await rows.count()
    assert 1 <= days <= 10
    await expecting(page.locator("figure circle")).to_have_count(days)


async def test_trend_and_season_say_what_they_need(page):
    trend = page.locator("#trend")
    await expecting(trend.locator("h2")).to_have_text("Trend and season")
    await expecting(trend.locator(".direction")).to_have_count(2)
    await expecting(trend.locator(".direction").first).to_contain_text("needs 4 whole days")
    await expecting(trend.locator(".no-hours")).to_contain_text("two whole days")
    await expecting(trend.locator(".no-days")).to_contain_text("two whole weeks")


async def test_trend_and_season_are_drawn_of_weeks_of_texts(tmp_path):
    """Negatives rise day by day, noon is busy, and Saturdays are."""
    newest = datetime.datetime(2026, 11, 28, 0, 30, tzinfo=datetime.UTC)
    posts = []
    for day in range(20):
        for hour in range(24):
            at = newest - datetime.timedelta(days=20 - day, hours=-hour)
            many = 1 + 3 * (at.hour == 12) + 2 * (at.weekday() == 5)
            for n in range(many):
                bad = (hour + n) % 24 < day
                text = "terrible, broken on arrival" if bad else "works well, very happy"
                post = Post(id=f"{day}-{hour}-{n}", text=text, product_id="p1")
                post.event_time.FromDatetime(at + datetime.timedelta(seconds=n))
                posts.append(post)
    async with (
        insight(tmp_path) as service,
        grpc.aio.insecure_channel(f"127.0.0.1:{service.port}") as channel,
        page_with(tmp_path, insight_target=f"127.0.0.1:{service.port}") as orchestrator,
        open_page(orchestrator.port, reduced_motion="reduce") as page,
    ):
        await ingest(InsightServiceStub(channel), posts)
        await page.goto("/monitor")
        trend = page.locator("#trend")
        share = trend.locator(".direction").nth(1)
        await expecting(share).to_contain_text("rises, +")
        await expecting(share).to_contain_text("percentage points a day")
        await expecting(share).to_have_class(re.compile("rises"))
        hours, days = trend.locator(".season").nth(0), trend.locator(".season").nth(1)
        await expecting(hours.locator("rect.usual")).to_have_count(24)
        await expecting(hours).to_contain_text("Most at 12:")
        await expecting(hours.locator("svg")).to_have_attribute("aria-label", re.compile("12"))
        await expecting(days.locator("rect.usual")).to_have_count(7)
        await expecting(days).to_contain_text("Most at Sat:")
        await page.click("#language")
        await expecting(share).to_contain_text("上升，每天 +")
        await expecting(days).to_contain_text("周六")


async def test_a_filter_shows_one_series_and_its_alerts(page):
    await page.select_option("#dimension", "PRODUCT")
    await expecting(page.locator("#series tr")).to_have_count(5)
    await page.select_option("#value", "northpeak-boots")
    await expecting(page.locator(".alert")).to_have_count(1)
    await expecting(page.locator(".alert")).to_contain_text("parcel")
    await page.select_option("#value", "miro-tea")
    await expecting(page.locator("#alerts")).to_contain_text("No alerts.")
    await page.select_option("#dimension", "BRAND")
    await page.get_by_role("button", name="Lumoria (brand)").click()
    await expecting(page.locator("#value")).to_have_value("Lumoria")
    await expecting(page.locator(".alert")).to_have_count(1)
    await page.select_option("#dimension", "TOPIC")
    await expecting(page.locator("#series")).to_contain_text("Delivery (topic)")


async def test_choices_that_come_before_the_answer_to_the_last_are_kept(page):
    which = page.locator("#value")
    await page.select_option("#dimension", "PRODUCT")
    await page.select_option("#value", "northpeak-boots")
    await expecting(page.locator(".alert")).to_have_count(1)
    async with held_back(page, "insight/aggregates"):
        await page.select_option("#dimension", "BRAND")
        # Nobody can choose a product as a brand meanwhile.
        await expecting(which.locator("option")).to_have_count(1)
        await expecting(which).to_be_disabled()
        await page.select_option("#span", "day")
    await page.select_option("#value", "Lumoria")
    await expecting(page.locator("#subscribe")).to_contain_text("Lumoria (brand)")
    await expecting(page.locator("#dimension")).to_have_value("BRAND")
    await expecting(page.locator("#span")).to_have_value("day")
    async with held_back(page, "insight/aggregates"):
        await page.select_option("#value", "Northpeak")
        await page.select_option("#span", "hours")
    await expecting(page.locator("#subscribe")).to_contain_text("Northpeak (brand)")
    await expecting(which).to_have_value("Northpeak")
    await expecting(page.locator(".alert")).to_contain_text("parcel")


async def test_subscriptions_are_shown_and_ended(page):
    await expecting(page.locator("#subscribed")).to_have_text("all alerts")
    await page.select_option("#dimension", "PRODUCT")
    await page.select_option("#value", "miro-tea")
    await page.click("#subscribe")
    await expecting(page.locator("#subscribed li")).to_contain_text("miro-tea (product)")
    await expecting(page.locator("#live")).to_contain_text("Live since")
    await page.get_by_role("button", name="End the subscription to miro-tea").click()
    await expecting(page.locator("#subscribed")).to_have_text("all alerts")


async def test_both_languages(page):
    await page.click("#language")
    await expecting(page.locator("h1")).to_have_text("大家怎么说")
    await expecting(page.locator(".alert .state").first).to_have_text("持续中")
    await page.select_option("#dimension", "TOPIC")
    await expecting(page.locator("#series")).to_contain_text("物流")


async def test_texts_are_shown_as_the_texts_that_they_are(page):
    hostile = "<img src=x onerror=document.title='owned'> terrible, broken"
    sent = await page.evaluate(
        """async (text) => {
          const { ask } = await import("/static/api.js");
          const at = Date.now();
          const posts = Array.from({ length: 80 }, (_, n) => ({
            id: `h${n}`, eventTime: new Date(at - n * 100).toISOString(), text,
            productId: "<b>evil</b>", brand: "<i>evil</i>" }));
          return ask("insight/ingest", { posts });
        }""",
        hostile,
    )
    assert sent["countedCount"] == "80"
    await page.select_option("#dimension", "PRODUCT")
    await expecting(page.locator("#series")).to_contain_text("<b>evil</b>")
    assert await page.locator("#board img, #series b, #board i").count() == 0
    assert await page.title() == "What people say · Wherefore"


async def test_nothing_is_cut_off_on_a_phone(board):
    async with open_page(board.port, viewport={"width": 360, "height": 740}) as page:
        await page.goto("/monitor")
        await expecting(page.locator(".alert").first).to_be_visible()
        wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0


async def test_the_page_comes_back_after_a_restart_and_does_not_hold_one_up(tmp_path):
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(insight(tmp_path))
        port = service.port
        orchestrator = await stack.enter_async_context(
            page_with(tmp_path, insight_target=f"127.0.0.1:{port}")
        )
        page = await stack.enter_async_context(open_page(orchestrator.port))
        await page.goto("/monitor")
        live = page.locator("#live")
        await expecting(live).to_have_attribute("data-state", "live")
        await service.stop()
        await expecting(live).to_have_attribute("data-state", "broken")
        await stack.enter_async_context(insight(tmp_path, port))
        await expecting(live).to_have_attribute("data-state", "live", timeout=20_000)
        # A page that follows must not keep the orchestrator from stopping.
        await orchestrator.server.stop()
        await expecting(live).to_have_attribute("data-state", "broken")
        page.problems.clear()  # the browser's own lines about refusals
        await page.close()
