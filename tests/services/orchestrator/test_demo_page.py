"""The demo page in a real browser before a real orchestrator."""

from pathlib import Path

import pytest

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not CHROMIUM.exists(), reason="Chromium is not installed (apt-get install chromium)"
    ),
]


async def test_search_reasons_and_recommendations(running):
    from playwright.async_api import async_playwright, expect

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        page = await browser.new_page(locale="en-GB")
        problems: list[str] = []
        page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: problems.append(str(e)))
        await page.goto(f"http://127.0.0.1:{running.service.http_port}/")
        await page.fill("#query", "steel cup")
        await page.keyboard.press("Enter")
        await expect(page.locator(".card")).to_have_count(20)
        await page.locator(".clause").first.click()
        await expect(page.locator(".evidence").first).to_contain_text("steel")
        await page.locator(".explain").first.click()
        await expect(page.locator("#why")).to_contain_text("sparse")
        await page.keyboard.press("Escape")
        await page.click("#more")
        await expect(page.locator(".card")).to_have_count(30)
        await page.locator("[data-event=PURCHASE]").first.click()
        await expect(page.locator("#toast")).to_contain_text("bought")
        await page.click("#tab-foryou")
        await expect(page.locator("#status")).to_contain_text("what you just did")
        running.fake.broken.add("reason")
        await page.click("#tab-search")
        await expect(page.locator(".degraded")).to_contain_text("reasons are missing")
        assert not problems
        await browser.close()
