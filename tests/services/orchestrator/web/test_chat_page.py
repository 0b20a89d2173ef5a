"""The chat page in a real browser: the page's own orchestrator before the real assistant."""

import pytest
import pytest_asyncio

from tests.browser import needs_browser, open_page
from tests.services.orchestrator.web.applied import assistant, page_with
from tests.services.orchestrator.web.talkative import expecting

pytestmark = [pytest.mark.browser, needs_browser, pytest.mark.asyncio(loop_scope="module")]
HOSTILE = "<img src=x onerror=document.title='owned'><b>bold</b>"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def chat(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chat")
    async with (
        assistant(folder) as service,
        page_with(folder, assistant_target=f"127.0.0.1:{service.port}") as orchestrator,
    ):
        yield orchestrator


@pytest_asyncio.fixture(loop_scope="module")
async def page(chat):
    async with open_page(chat.port, reduced_motion="reduce") as page:
        await page.goto("/chat")
        yield page


async def send(page, text):
    answers = page.locator(".turn.theirs:has(.about-answer)")
    before = await answers.count()
    await page.fill("#message", text)
    await page.keyboard.press("Enter")
    await expecting(answers).to_have_count(before + 1)
    return answers.nth(before)


async def test_a_conversation_asks_back_and_remembers(page):
    await expecting(page.locator("#message")).to_be_focused()
    asked = await send(page, "cancel my order")
    await expecting(asked.locator(".kind")).to_have_text("a question back")
    await expecting(asked.locator(".verdict")).to_have_count(0)
    answered = await send(page, "00123842")
    await expecting(answered.locator(".text")).to_contain_text("00123842")
    await expecting(answered.locator(".kind")).to_have_text("an answer of the shop")
    await expecting(answered.locator(".about-answer")).to_contain_text("Concern: cancel order")
    await expecting(answered.locator(".sure")).to_contain_text("% sure")
    await expecting(page.locator("#talk")).to_have_attribute("role", "log")
    await expecting(page.locator(".turn.mine")).to_have_text(["Youcancel my order", "You00123842"])


async def test_a_claim_opens_its_evidence_by_keyboard_alone(page):
    await page.keyboard.type("what material is the Lumoria")
    await page.keyboard.press("Enter")
    answer = page.locator(".turn.theirs").last
    await expecting(answer.locator(".kind")).to_have_text("written from evidence")
    claims = answer.locator(".clause")
    await expecting(claims).to_have_count(2)
    await claims.nth(1).focus()
    await page.keyboard.press("Enter")
    await expecting(claims.nth(1)).to_have_attribute("aria-expanded", "true")
    evidence = answer.locator("[role=status] .evidence")
    await expecting(evidence).to_contain_text("aluminium")
    await expecting(evidence).to_contain_text("product lamp-white")
    await expecting(evidence).to_contain_text("attributes.material")
    await page.keyboard.press("Space")
    await expecting(evidence).to_be_hidden()
    await answer.locator(".sources summary").click()
    await expecting(answer.locator(".sources li")).to_have_count(2)


async def test_help_is_quoted_from_its_article(page):
    answer = await send(page, "how do I clean a leather bag")
    await answer.locator(".clause").click()
    await expecting(answer.locator("[role=status] .evidence")).to_contain_text("help article care")


async def test_options_are_taken_by_a_press(page):
    asked = await send(page, "how much is the Lumoria")
    options = asked.locator(".options button")
    await expecting(options).to_have_count(2)
    await options.nth(1).click()
    await expecting(page.locator(".turn.mine").last).to_contain_text("desk lamp, black")
    await expecting(page.locator(".turn.theirs").last.locator(".text")).to_contain_text("249")


async def test_a_hand_over_is_told_plainly(page):
    answer = await send(page, "I want to speak to a human")
    handed = answer.locator(".handed")
    await expecting(handed).to_contain_text("A person takes over")
    await expecting(handed).to_contain_text("The customer wants a person.")
    await handed.locator("summary").click()
    await expecting(handed.locator(".told")).to_contain_text("Asked: I want to speak to a human")


async def test_a_correction_is_learnt_and_is_shown_as_the_text_that_it_is(page):
    question = "do you sharpen kitchen knives"
    answer = await send(page, question)
    await answer.get_by_role("button", name="Correct it").click()
    await expecting(answer.locator("textarea")).to_be_focused()
    await answer.locator("textarea").fill(HOSTILE)
    await answer.get_by_role("button", name="Save the answer").click()
    await expecting(answer.locator(".verdict")).to_contain_text("Such questions get this answer")
    again = await send(page, question)
    await expecting(again.locator(".kind")).to_have_text("a learnt answer")
    await expecting(again.locator(".text")).to_have_text(HOSTILE)
    await again.get_by_role("button", name="That is right").click()
    await expecting(again.locator(".verdict")).to_have_text("Noted as right.")
    await send(page, HOSTILE)
    assert await page.locator("#talk img").count() == 0
    assert await page.locator(".turn b b").count() == 0
    assert await page.title() == "Customer service · Wherefore"


async def test_a_correction_with_personal_data_is_refused_and_stays_to_be_changed(page):
    answer = await send(page, "whom do I write to about knives")
    await answer.get_by_role("button", name="Correct it").click()
    await answer.locator("textarea").fill("Write to anna@example.com")
    await answer.get_by_role("button", name="Save the answer").click()
    await expecting(page.locator("#toast")).to_contain_text("did not accept")
    await expecting(answer.locator("textarea")).to_have_value("Write to anna@example.com")
    page.problems.clear()  # the browser's own line about the refusal


async def test_both_languages(page):
    await page.click("#language")
    await expecting(page.locator("h1")).to_have_text("客服")
    await expecting(page.locator("html")).to_have_attribute("lang", "zh-CN")
    answer = await send(page, "取消订单 00123842")
    await expecting(answer.locator(".text")).to_have_attribute("lang", "zh")
    await expecting(answer.locator(".kind")).to_have_text("店铺的答复")
    await expecting(answer.locator(".about-answer")).to_contain_text("事项: 取消订单")
    # What was said stays when the page's language changes.
    await page.click("#language")
    await expecting(page.locator(".turn.theirs .kind")).to_have_text("an answer of the shop")


async def test_starting_over_forgets(page):
    await send(page, "cancel my order")
    await page.click("#again")
    await expecting(page.locator(".turn")).to_have_count(0)
    await expecting(page.locator("#toast")).to_contain_text("forgotten")
    answer = await send(page, "00123842")
    await expecting(answer.locator(".kind")).to_have_text("handed over")


async def test_nothing_is_cut_off_on_a_phone(chat):
    async with open_page(chat.port, viewport={"width": 360, "height": 740}) as page:
        await page.goto("/chat")
        await send(page, "how do I clean a leather bag")
        wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0


async def test_a_service_that_is_gone_is_told_and_asked_again(tmp_path):
    async with (
        assistant(tmp_path) as service,
        page_with(tmp_path, assistant_target=f"127.0.0.1:{service.port}") as orchestrator,
        open_page(orchestrator.port) as page,
    ):
        await page.goto("/chat")
        await service.stop()
        await page.fill("#message", "cancel my order")
        await page.keyboard.press("Enter")
        alert = page.get_by_role("alert")
        await expecting(alert).to_contain_text("Customer service cannot be reached")
        await expecting(page.locator(".turn.mine")).to_contain_text("cancel my order")
        await alert.get_by_role("button").click()
        await expecting(alert).to_contain_text("Customer service cannot be reached")
        assert all("503" in problem for problem in page.problems)
        page.problems.clear()


async def test_a_suite_without_it_says_so(tmp_path):
    async with page_with(tmp_path) as orchestrator, open_page(orchestrator.port) as page:
        await page.goto("/chat")
        await page.fill("#message", "cancel my order")
        await page.keyboard.press("Enter")
        words = "This suite runs without customer service."
        await expecting(page.get_by_role("alert")).to_contain_text(words)
        page.problems.clear()
        await page.goto("/monitor")
        words = "This suite runs without opinion monitoring."
        await expecting(page.get_by_role("alert")).to_contain_text(words)
        page.problems.clear()
