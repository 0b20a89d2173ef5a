"""The demo page in a real browser before the whole suite with the bundled catalogue."""

import re

import pytest

from shared.suite import Suite
from tests.browser import needs_browser, open_page
from tests.services.orchestrator.web.talkative import point_at, settled

pytestmark = [pytest.mark.suite, pytest.mark.browser, needs_browser]


@pytest.mark.parametrize(
    ("locale", "query", "condition", "feature"),
    [
        ("en-GB", "headphones under 300", "price ≤ 300", "found high by all searches together"),
        ("zh-CN", "双肩包 不要黑色", "颜色 不要 black", "各路召回综合靠前"),
    ],
)
async def test_a_search_says_why(
    suite: Suite, locale: str, query: str, condition: str, feature: str
) -> None:
    from playwright.async_api import expect

    async with open_page(suite.ports.orchestrator_http, locale=locale) as page:
        await page.goto("/")
        await expect(page.locator(".card")).to_have_count(8)
        await page.fill("#query", query)
        await page.keyboard.press("Enter")
        await expect(page.locator("#about mark").first).to_be_visible()
        await expect(page.locator(".card")).to_have_count(20)
        word = query.partition(" ")[0]
        await expect(page.locator("#about mark", has_text=word).first).to_be_visible()
        await expect(page.locator("#about .chips")).to_contain_text(condition)
        await expect(page.locator(".card .reason")).to_have_count(20)
        await settled(page)
        await expect(page.locator(".card .writer")).to_have_count(20)
        await page.locator(".clause").first.click()
        await expect(page.locator(".reason .evidence li").first).to_be_visible()
        await point_at(page.locator(".card").nth(1).locator(".clause").first)
        await expect(page.locator("#peek li").first).to_contain_text(re.compile(r"\d%"))
        await page.locator(".explain").first.click()
        panel = page.locator("#why")
        await expect(panel.locator(".clauses > li").first).to_be_visible()
        await expect(panel.locator(".legs")).to_contain_text("sparse")
        await expect(panel.locator(".parts th", has_text=feature).first).to_be_attached()
        # At least six stages say how long they took.
        await expect(panel.locator("section").last.locator("th").nth(5)).to_be_attached()


async def test_for_you_speaks_of_what_was_bought(suite: Suite) -> None:
    from playwright.async_api import expect

    async with open_page(suite.ports.orchestrator_http) as page:
        await page.goto("/?q=red dress for women")
        title = await page.locator(".card h2").first.inner_text()
        await page.locator("[data-event=PURCHASE]").first.click()
        await expect(page.locator("#toast")).to_contain_text("Bought")
        await page.click("#tab-foryou")
        await expect(page.locator("#status")).to_contain_text("what you just did")
        await expect(page.locator(".card .reason", has_text=title).first).to_be_visible()
        assert title not in await page.locator(".card h2").all_inner_texts()
