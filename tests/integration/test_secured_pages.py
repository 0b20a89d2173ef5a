"""The pages while security is on, in a real browser: with a key that opens them, and without."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from PIL import Image

from shared.security.api_keys import new_key
from shared.security.settings import SecuritySettings
from shared.suite import Suite
from tests.browser import needs_browser, open_page
from tests.integration.shops import Shop, open_shop
from wherefore.orchestrator.v1.product_service_pb2 import ProductServiceImportRequest
from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceStub

pytestmark = [pytest.mark.suite, pytest.mark.browser, needs_browser]

PATIENCE_MS = 30_000


@pytest.fixture(scope="module")
def shop(edge: grpc.Channel, security: SecuritySettings, pictures_dir: Path) -> Shop:
    """A shop with a catalogue, in which the first product has a picture."""
    shop = open_shop(edge, security, "paged", "Wendelin", "marlstone")
    (pictures_dir / shop.tenant).mkdir()
    Image.new("RGB", (224, 224), "red").save(pictures_dir / shop.tenant / "kettle.png")
    pictured = shop.products()[0]
    pictured.images.add(uri="kettle.png")
    request = ProductServiceImportRequest(products=[pictured], rows=[1])
    *_, last = ProductServiceStub(edge).Import(iter([request]), timeout=60, metadata=shop.metadata)
    assert last.imported_count == 1
    assert not last.degraded
    return shop


@pytest.fixture(scope="module")
def keys(shop: Shop, security: SecuritySettings) -> dict[str, str]:
    return {
        role: new_key(security.api_keys_file, f"page-{role}", [role], tenant=shop.tenant)
        for role in ("shopper", "shop", "catalogue")
    }


@pytest.fixture
async def page(secured: Suite) -> AsyncIterator[Any]:
    port = secured.ports.orchestrator_http
    async with open_page(port, scheme="https", ignore_https_errors=True) as page:
        page.set_default_timeout(PATIENCE_MS)
        yield page
        refusals = ("401", "403")  # the browser tells of each
        page.problems[:] = [each for each in page.problems if not any(r in each for r in refusals)]


async def use(page: Any, key: str) -> None:
    await page.locator(".key-form input").last.fill(key)
    await page.keyboard.press("Enter")


async def asks_for_a_key(page: Any) -> None:
    from playwright.async_api import expect

    alert = page.get_by_role("alert")
    await expect(alert).to_contain_text("A key is needed", timeout=PATIENCE_MS)
    await expect(alert).to_contain_text("This suite asks who you are. Your shop's key shows")
    box = await page.locator(".key-form input").bounding_box()
    assert box["width"] > 150, "there is room for a key"


async def denies(page: Any, words: str = "This key does not open it.") -> None:
    from playwright.async_api import expect

    await expect(page.get_by_role("alert")).to_contain_text(words, timeout=PATIENCE_MS)


async def test_the_search_page(page: Any, keys: dict[str, str], shop: Shop) -> None:
    from playwright.async_api import expect

    await page.goto("/?q=kettle")
    await asks_for_a_key(page)
    await use(page, "wk_000000000000_guess")
    await asks_for_a_key(page)
    await use(page, keys["catalogue"])
    await denies(page)
    await use(page, keys["shopper"])
    card = page.locator(".card").first
    await expect(card).to_contain_text(shop.brand, timeout=PATIENCE_MS)
    await expect(page.get_by_role("alert")).to_have_count(0)
    await page.locator("#results:not([aria-busy])").wait_for()
    # What a browser's key may not ask is told in its place.
    await card.locator(".explain").click()
    await page.get_by_role("button", name="Which words counted?").click()
    await expect(page.locator("#why .words")).to_contain_text("This key does not open it.")
    await page.keyboard.press("Escape")
    await card.locator("[data-event=VIEW]").click()
    await expect(page.locator("#toast")).to_contain_text("You looked at it")
    await page.click("#tab-foryou")
    await expect(page.locator("#status")).to_contain_text("Chosen from what you just did")


async def test_the_page_of_pictures(page: Any, keys: dict[str, str], shop: Shop) -> None:
    from playwright.async_api import expect

    await page.goto("/pictures")
    await asks_for_a_key(page)
    await use(page, keys["shopper"])
    await expect(page.get_by_role("alert")).to_have_count(0, timeout=PATIENCE_MS)
    await page.fill("#text", "kettle")
    await page.keyboard.press("Enter")
    first = page.locator("#results .card").first
    await expect(first).to_contain_text(f"{shop.brand} kettle 0", timeout=PATIENCE_MS)
    await expect(first.locator(".art img")).to_be_visible(timeout=PATIENCE_MS)


async def test_the_chat_page(page: Any, keys: dict[str, str]) -> None:
    from playwright.async_api import expect

    await page.goto("/chat")
    await page.fill("#message", "where is my order 00123842?")
    await page.keyboard.press("Enter")
    await asks_for_a_key(page)
    await use(page, keys["catalogue"])
    await denies(page)
    await use(page, keys["shopper"])
    await expect(page.locator(".turn.theirs .kind")).to_have_count(1, timeout=PATIENCE_MS)
    await expect(page.get_by_role("alert")).to_have_count(0)


async def test_the_dashboard(page: Any, keys: dict[str, str]) -> None:
    from playwright.async_api import expect

    await page.goto("/monitor")
    await asks_for_a_key(page)
    await use(page, keys["shopper"])
    await denies(page, "a key of the role “shop” opens them")
    await use(page, keys["shop"])
    await expect(page.locator("#empty")).to_be_visible(timeout=PATIENCE_MS)
    await expect(page.locator("#live")).to_have_attribute("data-state", "live")
    # The whole sample is a load of its own: a few texts show what the key may send and see.
    sent = await page.evaluate(
        """async () => {
          const { ask } = await import("/static/api.js");
          const posts = Array.from({ length: 20 }, (_, n) => ({
            id: `m${n}`, eventTime: new Date(Date.now() - n * 1000).toISOString(),
            text: "Works well, very happy with it", productId: "marl-1", brand: "Wendelin" }));
          return ask("insight/ingest", { posts });
        }"""
    )
    assert sent["countedCount"] == "20"
    await page.reload()
    await page.select_option("#dimension", "BRAND")
    await expect(page.locator("#series")).to_contain_text("Wendelin (brand)", timeout=PATIENCE_MS)
    await expect(page.get_by_role("alert")).to_have_count(0)
