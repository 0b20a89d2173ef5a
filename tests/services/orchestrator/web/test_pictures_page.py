"""The page of picture search in a real browser, before real retrieval and the NLU's own service."""

import base64
from types import SimpleNamespace

import pytest
import pytest_asyncio

from shared.catalogue.slugs import image_uri
from tests.browser import needs_browser, open_page
from tests.services.nlu.pictures.files import ColourEncoder, encoded, plain, png
from tests.services.orchestrator.pictured import pictured_shop, product
from tests.services.orchestrator.web.talkative import expecting
from tests.shared.pictures.png import png_that_says

pytestmark = [pytest.mark.browser, needs_browser, pytest.mark.asyncio(loop_scope="module")]

COLOURS = ("red", "blue", "green", "yellow")
HOSTILE = "<img src=x onerror=document.title='owned'>"


@pytest.fixture(scope="module")
def encoder() -> ColourEncoder:
    return ColourEncoder()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shop(tmp_path_factory, encoder):
    """Cups of four colours, a drawn bag, a kettle without a picture, and one with a rude title."""
    folder = tmp_path_factory.mktemp("page")
    pictures = folder / "pictures"
    pictures.mkdir()
    rows = []
    for colour in COLOURS:
        (pictures / f"{colour}.png").write_bytes(encoded(plain(colour, (90, 120))))
        rows.append(product(f"c-{colour}", f"{colour}.png", colour=colour))
        rows[-1].category_path.extend(["Kitchen", "Cups"])
    (pictures / "rude.png").write_bytes(png("purple"))
    rows += [
        product("bag", image_uri("bags"), "Bag", "brown"),
        product("kettle", title="Kettle"),
        product("rude", "rude.png", HOSTILE),
    ]
    async with pictured_shop(
        folder, encoder, rows, pictures_dir=pictures, pictures_drawn=True, http_enabled=True
    ) as running:
        yield SimpleNamespace(port=running.service.http_port, channel=running.channel)


@pytest_asyncio.fixture(loop_scope="module")
async def page(shop):
    async with open_page(shop.port, reduced_motion="reduce") as page:
        await page.goto("/pictures")
        await expecting(page.locator("#own-list button")).to_have_count(6)
        yield page


def upload(colour: str, name: str = "mine.png") -> dict[str, object]:
    return {"name": name, "mimeType": "image/png", "buffer": png(colour)}


def cards(page):
    return page.locator("#results .card")


def first(page):
    return cards(page).first


async def search(page) -> None:
    await page.get_by_role("button", name="Search", exact=True).click()


async def test_a_chosen_picture_finds_what_looks_like_it(page):
    await page.set_input_files("#file", upload("blue"))
    await expecting(page.locator("#shown")).to_contain_text("Your picture: mine.png")
    await expecting(page.locator("#shown img")).to_have_attribute("src", _data_url("blue"))
    await search(page)
    await expecting(first(page)).to_have_attribute("data-product", "c-blue")
    await expecting(page.locator("#status")).to_have_text("6 products, the best fit first")
    await expecting(first(page)).to_contain_text("Like the picture1.00")
    await expecting(first(page).locator(".art img")).to_be_visible()
    assert (await first(page).locator(".art img").get_attribute("src")).startswith(
        "data:image/jpeg;base64,"
    )
    await expecting(cards(page).locator("[data-product=kettle]")).to_have_count(0)


def _data_url(colour: str) -> str:
    return f"data:image/png;base64,{base64.b64encode(png(colour)).decode()}"


async def test_a_text_is_sought_and_its_colour_words_are_told(page):
    await expecting(page.locator("#weight")).to_be_disabled()
    await expecting(page.locator("#edit")).to_be_disabled()
    await page.fill("#text", "a green cup")
    await page.keyboard.press("Enter")
    await expecting(first(page)).to_have_attribute("data-product", "c-green")
    await expecting(first(page).locator(".colour.met")).to_have_text("green, as you said")
    await expecting(first(page)).to_contain_text("Fits the text")
    other = page.locator("[data-product=c-red] .colour")
    await expecting(other).to_have_text("you said green; the shop says red")
    assert page.url.endswith("/pictures?text=a+green+cup")


async def test_like_this_but(page):
    await page.set_input_files("#file", upload("blue"))
    await page.fill("#edit", "red")
    await page.keyboard.press("Enter")
    await expecting(first(page)).to_have_attribute("data-product", "c-red")
    await expecting(first(page)).to_contain_text("Like the picture, but red")
    await expecting(first(page).locator(".colour.met")).to_have_text("red, as you said")


async def test_a_product_with_a_change_is_sought_among_its_kind(page):
    await page.get_by_role("button", name="Cup c-yellow").first.click()
    await page.fill("#edit", "red")
    await page.keyboard.press("Enter")
    await expecting(first(page)).to_have_attribute("data-product", "c-red")
    status = page.locator("#status")
    await expecting(status).to_have_text("3 products of “Kitchen > Cups”, the best fit first")
    await page.click("#language")
    await expecting(status).to_have_text("“Kitchen > Cups”中3 件商品，最符合的在前")


async def test_weights_move_results_between_picture_and_text(page):
    await page.set_input_files("#file", upload("red"))
    await page.fill("#text", "blue")
    slider = page.locator("#weight")
    await expecting(page.locator("#weight-said")).to_have_text("picture 50 %, text 50 %")
    await slider.focus()
    await page.keyboard.press("Home")
    await expecting(slider).to_have_attribute("aria-valuetext", "picture 100 %, text 0 %")
    await search(page)
    await expecting(first(page)).to_have_attribute("data-product", "c-red")
    await expecting(first(page).locator("tr")).to_have_count(2)
    await slider.focus()
    await page.keyboard.press("End")
    await search(page)
    await expecting(first(page)).to_have_attribute("data-product", "c-blue")


async def test_pictures_of_the_shop_are_offered_and_searched_from(page):
    own = page.locator("#own-list button")
    await expecting(own).to_have_count(6)
    await page.get_by_role("button", name="Cup c-yellow").first.click()
    await expecting(page.locator("#shown")).to_contain_text("The picture of Cup c-yellow")
    await expecting(page.locator("#own-list [aria-pressed=true]")).to_have_count(1)
    await expecting(cards(page)).to_have_count(5)  # without itself
    bag = page.locator(".card[data-product=bag]")
    await bag.get_by_role("button", name="Search from this one").click()
    await expecting(page.locator("#shown")).to_contain_text("The picture of Bag bag")
    await expecting(page.locator(".card[data-product=c-yellow]")).to_be_visible()
    assert page.url.endswith("/pictures?product=bag")
    await page.reload()
    await expecting(page.locator("#shown")).to_contain_text("The picture of Bag bag")
    await page.get_by_role("button", name="Take it away").click()
    await expecting(page.locator("#shown p")).to_have_count(0)
    await expecting(page.locator("#file")).to_be_focused()


async def test_dropped_and_pasted_pictures(page):
    for kind, colour in (("drop", "green"), ("paste", "red")):
        await page.evaluate(
            """async ([kind, url, name]) => {
              const bytes = Uint8Array.from(atob(url.split(",")[1]), (c) => c.charCodeAt(0));
              const data = new DataTransfer();
              data.items.add(new File([bytes], name, { type: "image/png" }));
              const event = kind === "drop"
                ? new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true })
                : new ClipboardEvent("paste", { clipboardData: data, bubbles: true });
              document.body.dispatchEvent(event);
            }""",
            [kind, _data_url(colour), f"{kind}.png"],
        )
        await expecting(page.locator("#shown")).to_contain_text(f"{kind}.png")
        await search(page)
        await expecting(first(page)).to_have_attribute("data-product", f"c-{colour}")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"%PDF-1.7 no picture", "is no JPEG, PNG, WEBP or GIF"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "is no JPEG"),
        (encoded(plain("red", (400, 400)), "JPEG")[:400], "broken"),
        (png_that_says(20_000, 20_000), "at most 40,000,000 pixels"),
        (b"", "is empty"),
    ],
    ids=["PDF", "SVG", "truncated", "bomb", "empty"],
)
async def test_bad_uploads_are_told_where_they_were_chosen(page, data, told):
    await page.set_input_files(
        "#file", {"name": "bad.png", "mimeType": "image/png", "buffer": data}
    )
    await expecting(page.locator("#shown")).to_contain_text("bad.png")
    await search(page)
    await expecting(page.locator("#picture-error")).to_contain_text(told)
    await expecting(page.locator("#picture-error")).to_contain_text("This was not accepted")
    await expecting(page.locator("#file")).to_have_attribute("aria-invalid", "true")
    await expecting(cards(page)).to_have_count(0)
    # A good one takes the complaint away.
    await page.set_input_files("#file", upload("red"))
    await search(page)
    await expecting(first(page)).to_have_attribute("data-product", "c-red")
    await expecting(page.locator("#picture-error")).to_be_empty()
    page.problems.clear()  # the browser's own lines about the refusal, and of what it cannot show


async def test_what_is_too_large_is_not_sent(page):
    big = {"name": "big.png", "mimeType": "image/png", "buffer": b"\xff" * (10 * 2**20 + 1)}
    await page.set_input_files("#file", big)
    await expecting(page.locator("#picture-error")).to_have_text(
        "This file has 10.0 MB: at most 10 MB are taken."
    )
    await expecting(page.locator("#shown p")).to_have_count(0)


async def test_nothing_to_search_for_is_said_beside_the_text(page):
    await search(page)
    await expecting(page.locator("#text-error")).to_contain_text("Give a picture, or say")
    await expecting(page.locator("#text")).to_be_focused()


async def test_keyboard_alone_is_enough(page):
    await expecting(page.locator("#own-list button")).to_have_count(6)
    own = page.locator("#own-list button").first
    for _ in range(25):
        await page.keyboard.press("Tab")
        if await own.evaluate("node => node === document.activeElement"):
            break
    await expecting(own).to_be_focused()
    await page.keyboard.press("Space")
    await expecting(cards(page)).to_have_count(5)
    await page.locator("#edit").focus()
    await page.keyboard.type("green")
    await page.keyboard.press("Enter")
    await expecting(first(page)).to_contain_text("but green")
    await page.locator(".skip").focus()
    await page.keyboard.press("Enter")
    await expecting(page.locator("#results")).to_be_focused()


async def test_everything_to_be_filled_in_has_a_name(page):
    unnamed = await page.evaluate(
        """() => [...document.querySelectorAll("input, button")]
          .filter((node) => !node.labels?.length && !node.ariaLabel && !node.textContent.trim())
          .map((node) => node.outerHTML)"""
    )
    assert not unnamed
    await expecting(page.get_by_label("What counts more")).to_have_attribute("type", "range")


async def test_both_languages(page):
    await page.click("#language")
    await expecting(page.locator("h1")).to_have_text("以图找货")
    await expecting(page.locator("html")).to_have_attribute("lang", "zh-CN")
    await page.fill("#text", "红色 杯子")
    await page.keyboard.press("Enter")
    await expecting(first(page)).to_have_attribute("data-product", "c-red")
    await expecting(first(page).locator(".colour.met")).to_have_text("红色，如你所说")
    await page.click("#language")
    await expecting(first(page)).to_contain_text("Fits the text")


async def test_titles_are_shown_as_the_texts_that_they_are(page):
    await page.set_input_files("#file", upload("purple"))
    await search(page)
    await expecting(first(page).locator("h2")).to_have_text(f"{HOSTILE} rude")
    assert await page.title() == "Search by pictures · Wherefore"


async def test_a_lost_encoder_is_told(page, encoder):
    encoder.lost = True
    try:
        await page.set_input_files("#file", upload("red"))
        await search(page)
        alert = page.locator("#results").get_by_role("alert")
        await expecting(alert).to_contain_text("their model does not answer")
        # Words still find, and the page says that no picture was looked at.
        await page.get_by_role("button", name="Take it away").click()
        await page.fill("#text", "kettle")
        await search(page)
        await expecting(page.locator("[data-product=kettle]")).to_contain_text("by its words")
        await expecting(page.locator(".degraded")).to_contain_text("no picture was looked at")
    finally:
        encoder.lost = False
        page.problems.clear()


async def test_without_pictures_of_the_shop_none_are_offered(tmp_path, encoder):
    async with (
        pictured_shop(tmp_path, encoder, [product("kettle")], http_enabled=True) as running,
        open_page(running.service.http_port) as page,
    ):
        await page.goto("/pictures")
        await expecting(page.locator("#own")).to_be_hidden()
        await page.fill("#text", "blue")
        await page.keyboard.press("Enter")
        await expecting(page.locator("#results")).to_contain_text("No product has a picture")
        await expecting(page.locator(".degraded")).to_contain_text("no picture was looked at")


async def test_nothing_is_cut_off_on_a_phone(shop):
    async with open_page(shop.port, viewport={"width": 360, "height": 740}) as page:
        await page.goto("/pictures?text=red")
        await expecting(first(page)).to_be_visible()
        wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0


async def test_other_pages_lead_there(page):
    for path in ("/", "/chat", "/monitor"):
        await page.goto(path)
        await expecting(page.locator("nav").get_by_role("link", name="Pictures")).to_have_attribute(
            "href", "/pictures"
        )
    page.problems.clear()  # this suite has no insight service behind the last one
