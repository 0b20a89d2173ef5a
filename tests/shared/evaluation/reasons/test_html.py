"""The page of samples for readers: what is wrong comes first, and choices narrow it down."""

from pathlib import Path

import pytest

from shared.evaluation.claims import Record
from shared.evaluation.reasons.collect import GivenReason, ReasonPage
from shared.evaluation.reasons.html import render
from shared.evaluation.reasons.score import score
from tests.browser import CHROMIUM, FLAGS, needs_browser
from tests.shared.evaluation.reasons.test_score import page, product
from wherefore.reason.v1.reason_pb2 import Clause, Evidence, Generator, Reason


def pages() -> list[ReasonPage]:
    """One sentence of the model in Chinese that is false, one in English that holds."""
    made: list[GivenReason] = []
    for text, clause, language, generator in (
        ("Black, as you asked.", "Black, as you asked", "en", Generator.GENERATOR_TEMPLATE),
        ("白色，正合您的要求。", "白色，正合您的要求", "zh", Generator.GENERATOR_MODEL),
    ):
        reason = Reason(
            product_id=f"p-{language}",
            text=text,
            language_code=language,
            clauses=[Clause(text=clause, code="attribute_match", evidence_ids=["e1"])],
            evidence=[
                Evidence(
                    id="e1", code="attribute_match", source="attributes.colour", value="<black>"
                )
            ],
            codes=["attribute_match"],
            generator=generator,
        )
        made.append(GivenReason(reason, Record(product(f"p-{language}", "black"), "black kettle")))
    return [ReasonPage("black kettle", made)]


def test_what_is_wrong_is_marked_and_what_a_catalogue_writes_is_escaped() -> None:
    shown = render(score([page(["White <b>, as you asked."])]), catalogue="shop & co")
    assert 'data-verdict="unsupported"' in shown
    assert "White &lt;b&gt;" in shown
    assert "shop &amp; co" in shown


def test_clauses_carry_their_evidence_and_nothing_is_loaded() -> None:
    shown = render(score(pages()), catalogue="shop")
    assert '<span class="clause query" tabindex="0">Black, as you asked<span class="tip"' in shown
    assert '<span class="clause query fails" tabindex="0">白色' in shown
    assert "attributes.colour: &lt;black&gt;" in shown
    assert shown.index("白色") < shown.index("Black, as you asked<")
    assert "src=" not in shown
    assert "href=" not in shown


@pytest.mark.browser
@needs_browser
async def test_choices_narrow_the_samples(tmp_path: Path) -> None:
    from playwright.async_api import async_playwright, expect

    (tmp_path / "reasons.html").write_text(
        render(score(pages()), catalogue="shop"), encoding="utf-8"
    )
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        shown = await browser.new_page()
        problems: list[str] = []
        shown.on("pageerror", lambda error: problems.append(str(error)))
        await shown.goto((tmp_path / "reasons.html").as_uri())
        visible = shown.locator(".sample:visible")
        await expect(visible).to_have_count(2)
        await shown.select_option("[data-key=language]", "en")
        await expect(visible).to_have_count(1)
        await expect(visible).to_contain_text("Black, as you asked")
        await shown.select_option("[data-key=verdict]", "unsupported")
        await expect(visible).to_have_count(0)
        await shown.select_option("[data-key=language]", "")
        await shown.fill("[data-key=text]", "白色")
        await expect(visible).to_have_count(1)
        await expect(shown.locator(".bar output")).to_have_text("1 of 2")
        tip = visible.locator(".tip").first
        await expect(tip).to_be_hidden()
        await visible.locator(".clause").first.hover()
        await expect(tip).to_be_visible()
        assert problems == []
        await browser.close()
