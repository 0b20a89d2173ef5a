"""Prices of accounts on the demo page, in a real browser before a real orchestrator."""

import json

import httpx
import pytest
import pytest_asyncio

from tests.browser import needs_browser, open_page
from tests.services.orchestrator import fake_backends
from tests.services.orchestrator.web.applied import page_with
from tests.services.orchestrator.web.talkative import Talkative, expecting, settled

pytestmark = [pytest.mark.browser, needs_browser, pytest.mark.asyncio(loop_scope="module")]
# Of p00 to p29; p29 costs 24 in the catalogue, and p27 10.
TERMS = """
currency: EUR
groups:
  - {id: trade, discounts: [{percent: 10}]}
accounts:
  - id: acme
    group: trade
    prices:
      - {product: p29, price: 18, breaks: {20: 16, 100: 14.25}, minimum: 10, step: 5}
      - {product: p27, price: 11}
  - {id: zeta}
"""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    (folder / "terms.yaml").write_text(TERMS)
    terms = {"file": folder / "terms.yaml", "demo": True}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(fake_backends, "Backends", Talkative)
        async with page_with(folder, terms=terms, default_deadline_seconds=60) as running:
            yield running


@pytest_asyncio.fixture(loop_scope="module")
async def page(shop):
    async with open_page(shop.port, reduced_motion="reduce") as page:
        yield page


def card(page, product):
    return page.locator(f".card[data-product={product}]")


async def test_a_visitor_looks_as_an_account_and_sees_its_prices(page):
    await page.goto("/?q=cup")
    await settled(page)
    await expecting(page.locator("#account option")).to_have_text(["everybody", "acme", "zeta"])
    await expecting(card(page, "p29").locator(".price")).to_have_text("€24")
    await expecting(page.locator(".set-by")).to_have_count(0)
    # The keyboard alone chooses.
    await page.locator("#account").focus()
    await page.keyboard.press("ArrowDown")
    await page.wait_for_url("**/?q=cup&account=acme")
    agreed = card(page, "p29")
    await expecting(agreed.locator(".price")).to_have_text("Your price: €18")
    await expecting(agreed.locator("s.was")).to_have_text("List price: €24")
    await expecting(agreed.locator(".set-by")).to_have_text("contract price")
    await expecting(agreed.locator(".breaks li")).to_have_text(["from 20 €16", "from 100 €14.25"])
    await expecting(agreed.locator(".lots")).to_have_text("in packs of 5 · at least 10")
    dearer = card(page, "p27")
    await expecting(dearer.locator(".price")).to_have_text("Your price: €11")
    await expecting(dearer.locator("s.was")).to_have_count(0)
    await page.reload()
    await expecting(agreed.locator(".set-by")).to_have_text("contract price")
    await page.go_back()
    await expecting(card(page, "p29").locator(".price")).to_have_text("€24")
    await expecting(page.locator("#account")).to_have_value("")


async def test_the_panel_says_why_a_price_is_what_it_is(page):
    await page.goto("/?q=cup&account=acme")
    await settled(page)
    await card(page, "p29").locator(".explain").click()
    panel = page.locator("#why")
    await expecting(panel).to_contain_text("agreed with acme for this product")
    rows = panel.locator(".terms div")
    await expecting(rows).to_have_text(
        ["Your price€18 −25%", "List price€24", "from 20€16 −33%", "from 100€14.25 −41%"]
    )
    await page.keyboard.press("Escape")
    other = page.locator(".card:has(.set-by:text('your discount'))").first
    await other.locator(".explain").click()
    await expecting(panel).to_contain_text("A discount of the group trade.")
    await expecting(panel.locator(".terms div").first).to_contain_text("−10%")
    # What each word did is asked for the same account.
    await panel.get_by_role("button", name="Which words counted?").click()
    await expecting(panel.locator(".words .hint")).not_to_have_count(0)
    await expecting(panel.locator(".words")).not_to_contain_text("did not accept")


async def test_what_is_bought_is_the_least_order_of_the_account(page):
    sent = []
    page.on("request", lambda each: sent.append(each) if each.url.endswith("events") else None)
    await page.goto("/?q=cup&account=acme")
    await settled(page)
    await card(page, "p29").locator("[data-event=PURCHASE]").click()
    await expecting(page.locator("#toast")).to_contain_text("Bought")
    event = json.loads(sent[0].post_data)["event"]
    assert (event["accountId"], event["products"][0]["quantity"]) == ("acme", 10)


async def test_terms_are_told_in_chinese_too(shop):
    async with open_page(shop.port, locale="zh-CN") as page:
        await page.goto("/?q=cup&account=acme")
        await settled(page)
        agreed = card(page, "p29")
        await expecting(agreed.locator(".price")).to_contain_text("你的价格")
        await expecting(agreed.locator(".set-by")).to_have_text("合同价")
        await expecting(agreed.locator(".breaks li").first).to_contain_text("满 20 件")
        await expecting(agreed.locator(".lots")).to_have_text("每包 5 件 · 10 件起订")
        await agreed.locator(".explain").click()
        await expecting(page.locator("#why")).to_contain_text("与 acme 为这件商品约定的价格")


async def test_nothing_is_cut_off_on_a_phone(shop):
    async with open_page(shop.port, viewport={"width": 360, "height": 740}) as page:
        await page.goto("/?q=cup&account=acme")
        await expecting(page.locator(".breaks")).to_have_count(1)
        assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        await expecting(page.locator("#account")).to_be_visible()


async def test_nobody_is_offered_accounts_that_the_shop_does_not_show(tmp_path):
    (tmp_path / "terms.yaml").write_text(TERMS)
    async with (
        page_with(tmp_path, terms={"file": tmp_path / "terms.yaml"}) as running,
        open_page(running.port) as page,
    ):
        await page.goto("/?q=cup&account=acme")
        await expecting(page.locator(".card")).to_have_count(20)
        await expecting(page.locator(".set-by")).to_have_count(0)
        await expecting(page.locator("#accounts")).to_be_hidden()
        async with httpx.AsyncClient() as client:
            address = f"http://127.0.0.1:{running.port}/api/accounts"
            assert (await client.post(address, json={})).json() == {"accounts": []}
