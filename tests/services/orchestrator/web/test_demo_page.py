"""The demo page in a real browser before a real orchestrator."""

import re

import pytest

from tests.browser import needs_browser, open_page
from tests.services.orchestrator.web.talkative import expecting, held_back, point_at, settled

pytestmark = [pytest.mark.browser, needs_browser, pytest.mark.asyncio(loop_scope="module")]

RAINBOW = "🌈"  # one code point, two UTF-16 units: spans count code points


async def test_results_come_with_reasons_and_evidence(page):
    await expecting(page.locator("#status")).to_have_text("Popular now")
    await page.fill("#query", "steel cup")
    await page.keyboard.press("Enter")
    await expecting(page.locator(".card")).to_have_count(20)
    await expecting(page.locator("#status")).to_contain_text("Best of 30 products")
    await expecting(page.locator(".card .reason")).to_have_count(20)
    await expecting(page.locator(".card .writer")).to_have_count(20)  # nothing is put anew now
    await page.locator(".clause").first.click()
    evidence = page.locator(".reason .evidence").first
    await expecting(evidence).to_contain_text("steel")
    await expecting(evidence).to_contain_text("attributes.material")
    await page.click("#more")
    await expecting(page.locator(".card")).to_have_count(30)
    await expecting(page.locator("#more")).to_be_hidden()


async def test_pointing_at_a_clause_shows_its_evidence(page, talkative):
    await page.fill("#query", "steel cup")
    await page.keyboard.press("Enter")
    await settled(page)
    await point_at(page.locator(".clause").first)
    peek = page.locator("#peek")
    await expecting(peek).to_contain_text("As you asked")
    await expecting(peek).to_contain_text("attributes.material")
    await expecting(peek).to_contain_text("strength 90%")
    await expecting(peek.locator("rect.fill")).to_have_attribute("width", "90%")
    await expecting(page.locator(".reason .evidence").first).to_be_hidden()
    box, sight = await peek.bounding_box(), page.viewport_size
    assert 0 <= box["x"] <= sight["width"] - box["width"]
    assert 0 <= box["y"] <= sight["height"] - box["height"]
    await page.mouse.move(0, 0)
    await expecting(peek).to_be_hidden()
    # Pressing keeps the evidence open; the box does not cover it.
    await page.locator(".clause").first.click()
    await expecting(page.locator(".reason .evidence").first).to_be_visible()
    await expecting(peek).to_be_hidden()


async def test_who_wrote_a_reason_is_said_in_both_languages(page):
    await page.fill("#query", "steel cup")
    await page.keyboard.press("Enter")
    await expecting(page.locator("#status")).to_contain_text("Best of")
    writers = page.locator(".card .writer")
    await expecting(writers).to_have_count(20)
    await expecting(writers.first).to_have_text("worded by the model")
    await expecting(writers.first).to_have_attribute("title", re.compile("reason_small@1"))
    await page.locator(".explain").first.click()
    await expecting(page.locator("#why .writer")).to_have_text("worded by the model")
    await page.get_by_role("button", name="Close").click()
    await page.click("#language")
    await expecting(writers.first).to_have_text("由模型措辞")


async def test_panel_says_how_a_result_came_about(page):
    await page.goto(f"/?q={RAINBOW} not steel cup")
    await expecting(page.locator("#about mark")).to_have_text("steelnot · material")
    await settled(page)
    await page.locator(".explain").nth(1).click()
    panel = page.locator("#why")
    await expecting(panel.locator("mark")).to_contain_text("steel")
    await expecting(panel.locator(".clauses")).to_contain_text("Made of steel")
    await expecting(panel.locator(".legs")).to_contain_text("sparse")
    bars = panel.locator("section", has_text="What moved its score")
    await expecting(bars.locator("tr")).to_have_text(["rated well+0.500", "in stock−0.250"])
    await expecting(bars.locator("rect.minus")).to_have_count(1)
    times = panel.locator("section", has_text="Where the time went")
    for stage in ("Everything", "Understanding", "Retrieval", "Ranking", "Reasons"):
        await expecting(times).to_contain_text(stage)
    await expecting(page.locator(".card").nth(1)).to_have_class("card current")
    words = panel.locator("section", has_text="Word by word")
    await words.get_by_role("button", name="Which words counted?").click()
    await expecting(words).to_contain_text("In meaning +")
    await expecting(words.locator(".parsed")).to_contain_text(f"{RAINBOW} not")
    await expecting(words.get_by_role("button")).to_have_count(0)
    await panel.get_by_role("button", name="Next result").click()
    await expecting(page.locator(".card").nth(2)).to_have_class("card current")
    await panel.get_by_role("button", name="Close").click()
    await expecting(panel).to_be_hidden()


async def test_keyboard_alone_is_enough(page):
    await expecting(page.locator("#query")).to_be_focused()
    await page.keyboard.type("steel cup")
    await page.keyboard.press("Enter")
    await expecting(page.locator(".card .writer")).to_have_count(20)
    clause = page.locator(".clause").first
    for _ in range(30):
        await page.keyboard.press("Tab")
        if await clause.evaluate("node => node === document.activeElement"):
            break
    await expecting(clause).to_be_focused()
    await page.keyboard.press("Space")
    await expecting(clause).to_have_attribute("aria-expanded", "true")
    await expecting(page.locator(".reason .evidence").first).to_be_visible()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expecting(page.locator("#why")).to_be_visible()
    await expecting(page.locator("#why-title")).to_be_focused()
    await page.keyboard.press("Escape")
    await expecting(page.locator("#why")).to_be_hidden()
    await expecting(page.locator(".explain").first).to_be_focused()
    await page.locator("#skip").focus()
    await page.keyboard.press("Enter")
    await expecting(page.locator("#results")).to_be_focused()
    await expecting(page.locator(".card")).to_have_count(20)


async def test_chinese_page_and_query(page):
    await page.click("#language")
    await expecting(page.locator("html")).to_have_attribute("lang", "zh-CN")
    await page.fill("#query", "不锈钢杯")
    await page.keyboard.press("Enter")
    await expecting(page.locator("#status")).to_contain_text("件商品")
    await expecting(page.locator("#about mark")).to_have_text("钢材质")
    await page.locator(".explain").first.click()
    panel = page.locator("#why")
    for words in ("为什么", "词语", "评分高", "没有现货", "查询理解", "排序", "逐词说明"):
        await expecting(panel).to_contain_text(words)
    await expecting(panel).not_to_contain_text("rated well")
    await page.reload()
    await expecting(page.locator("#tab-foryou")).to_have_text("为你推荐")


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("reason", "results come without reasons"),
        ("ranking", "products stand in the order they were found"),
        ("nlu", "the query was searched as plain words"),
    ],
)
async def test_what_is_lost_is_said(page, talkative, part, words):
    talkative.fake.broken.add(part)
    await page.goto("/?q=steel cup")
    await expecting(page.locator(".card")).to_have_count(20)
    await expecting(page.locator(".degraded")).to_contain_text(words)
    await page.locator(".explain").first.click()
    await expecting(page.locator("#why")).to_contain_text("Found by")
    talkative.fake.broken.clear()


async def test_given_up_conditions_and_suggestions(page):
    await page.goto("/?q=stel cup under 1")
    await expecting(page.locator(".relaxed")).to_contain_text("price <= 1")
    await expecting(page.locator("#about .chip")).to_contain_text("given up")
    await page.locator(".correction .link").click()
    await expecting(page.locator("#query")).to_have_value("steel cup under 1")


async def test_errors_offer_another_try(page, talkative):
    talkative.fake.broken.add("retrieval")
    await page.goto("/?q=steel cup")
    alert = page.get_by_role("alert")
    await expecting(alert).to_contain_text("The product index cannot be reached")
    assert all("503" in problem for problem in page.problems)
    page.problems.clear()
    talkative.fake.broken.clear()
    # The breaker lets a probe through only after a moment.
    await page.wait_for_timeout(300)
    await alert.get_by_role("button").click()
    await expecting(page.locator(".card")).to_have_count(20)


async def test_for_you_follows_what_was_done(page):
    await page.click("#tab-foryou")
    await expecting(page.locator("#status")).to_contain_text("Popular now")
    await page.locator("[data-event=PURCHASE]").first.click()
    await expecting(page.locator("#toast")).to_contain_text("Bought")
    await expecting(page.locator("#status")).to_contain_text("what you just did")
    await page.click("#restart")
    await expecting(page.locator("#status")).to_contain_text("Popular now")


async def test_typing_shows_completions_that_the_keyboard_takes(page):
    box, options = page.locator("#query"), page.locator("#completions [role=option]")
    await box.press_sequentially("ste", delay=20)
    await expecting(options).to_have_count(2)
    await expecting(box).to_have_attribute("aria-expanded", "true")
    await expecting(options.first).to_contain_text("Steel cups")
    await expecting(options.first.locator("b")).to_have_text("Ste")
    await expecting(options.first).to_contain_text("kind of product")
    await box.press("ArrowDown")
    await box.press("ArrowDown")
    await expecting(box).to_have_attribute("aria-activedescendant", "completion-1")
    await expecting(options.nth(1)).to_have_attribute("aria-selected", "true")
    await box.press("ArrowUp")
    await box.press("Enter")
    await expecting(box).to_have_value("Steel cups")
    await expecting(options).to_have_count(0)
    await expecting(page.locator(".card")).to_have_count(20)
    await page.wait_for_url("**/?q=Steel+cups")


async def test_completions_close_without_being_taken(page):
    box, options = page.locator("#query"), page.locator("#completions [role=option]")
    await box.press_sequentially("ej", delay=20)
    await expecting(options).to_contain_text("耳机")
    await box.press("Escape")
    await expecting(options).to_have_count(0)
    await expecting(box).to_have_value("ej")
    await expecting(box).to_have_attribute("aria-expanded", "false")
    await box.fill("mu")
    await expecting(options).to_have_count(1)
    # What was typed is searched for, not what was offered.
    await box.press("Enter")
    await page.wait_for_url("**/?q=mu")
    await expecting(options).to_have_count(0)
    await box.fill("mug")
    await options.first.click()
    await expecting(box).to_have_value("Mugs")


async def test_results_are_narrowed_down(page, talkative):
    await page.fill("#query", "steel cup")
    await page.keyboard.press("Enter")
    bar = page.locator("#facets")
    await expecting(bar.locator("summary")).to_have_text(["Brand", "Price"])
    await bar.locator("summary").first.click()
    await expecting(bar.locator("details[open] li")).to_have_text(["Acme30", "Zeta4"])
    for count, value in enumerate(("Acme", "Zeta"), start=1):
        await bar.get_by_label(value).check()
        # It is there once the answer is, and the list made anew.
        await expecting(bar.locator("summary b")).to_have_text([str(count)])
        # The list stays open for the next choice, and the keyboard where it was.
        await expecting(bar.get_by_label(value)).to_be_checked()
        await expecting(bar.get_by_label(value)).to_be_focused()
    await page.keyboard.press("Escape")
    await expecting(bar.locator("details[open]")).to_have_count(0)
    await expecting(bar.locator("summary").first).to_be_focused()
    await bar.locator("summary").nth(1).click()
    await bar.get_by_label("below 10").check()
    await expecting(bar.locator("summary b")).to_have_text(["2", "1"])
    assert talkative.fake.filters[-1] == ('((brand: "acme") OR (brand: "zeta")) AND ((price < 10))')
    await page.reload()
    await expecting(bar.locator("summary b")).to_have_text(["2", "1"])
    await bar.get_by_role("button").click()
    await expecting(bar.locator("summary b")).to_have_count(0)
    await page.wait_for_url("**/?q=steel+cup")
    assert not talkative.fake.filters[-1]


async def test_a_choice_stays_when_the_next_comes_before_its_answer(page, talkative):
    await page.goto("/?q=steel cup")
    await settled(page)
    bar = page.locator("#facets")
    async with held_back(page, "search/stream"):
        await bar.locator("summary").first.click()
        await bar.get_by_label("Acme").check()
        await bar.get_by_label("Zeta").check()
        await bar.get_by_label("Acme").uncheck()
        await bar.locator("summary").nth(1).click()
        await bar.get_by_label("below 10").check()
    await expecting(bar.locator("summary b")).to_have_text(["1", "1"])
    await settled(page)
    assert talkative.fake.filters[-1] == '((brand: "zeta")) AND ((price < 10))'


async def test_history_of_the_browser_leads_back(page):
    await page.fill("#query", "steel cup")
    await page.keyboard.press("Enter")
    await expecting(page.locator(".card")).to_have_count(20)
    await page.select_option("#order", "price")
    await page.wait_for_url("**/?q=steel+cup&order=price")
    await page.click("#tab-foryou")
    await page.go_back()
    await expecting(page.locator("#query")).to_have_value("steel cup")
    await expecting(page.locator("#order")).to_have_value("price")
    await page.go_back()
    await page.go_back()
    await expecting(page.locator("#status")).to_have_text("Popular now")


async def test_nothing_is_cut_off_on_a_phone(talkative):
    phone = {"width": 360, "height": 740}
    async with open_page(talkative.port, viewport=phone) as page:
        await page.goto("/?q=steel cup")
        await page.locator(".explain").first.click()
        await expecting(page.locator("#why")).to_be_visible()
        wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0
        inside = await page.evaluate("why.scrollWidth - why.clientWidth")
        assert inside <= 0
