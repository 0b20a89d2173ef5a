"""Takes the pictures of the demo's pages that the docs show.

Starts a suite of its own, imports the bundled catalogue and looks at it with Chromium:

    python tools/demo_screenshot.py [--only demo --only chat] [--out docs/images] [--dark]
"""

import asyncio
import io
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import cyclopts
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from shared.catalogue import bundled_catalogue_path  # noqa: E402
from shared.suite import PortPlan, Suite  # noqa: E402
from shared.suite.ports import ALL  # noqa: E402

WIDTH, HEIGHT = 1280, 900
MOST_BYTES = 200_000
QUERY = "wireless headphones under 300"
OF_CONTRACT = "Stellune titanium vacuum flask with tea strainer, 350 ml"
"""Finds a product that one of the demo's accounts has a contract price for."""
WARM_UP = 3
"""Searches before the one in the picture: the first ones pay for caches that fill."""
TALK = (
    "I want to cancel my order",
    "00123842",
    "how much is the Lumoria D910?",
    "I want to talk to a person",
)
VARIABLES = {
    "WHEREFORE_ORCHESTRATOR_PICTURES_DRAWN": "true",
    # Pages ask for more than they do where somebody reads in between.
    "WHEREFORE_ORCHESTRATOR_DEFAULT_DEADLINE_SECONDS": "30",
}

DEMO_ACCOUNTS = {"WHEREFORE_ORCHESTRATOR_TERMS__DEMO": "true"}
OF_ACCOUNTS = ("account",)
"""Pictures of a suite that offers accounts."""


def take(
    only: Annotated[
        tuple[str, ...], cyclopts.Parameter(help="Of the pictures, by name; all when absent.")
    ] = (),
    out: Annotated[Path, cyclopts.Parameter(help="Folder of the pictures.")] = (
        ROOT / "docs" / "images"
    ),
    dark: Annotated[bool, cyclopts.Parameter(help="In dark colours.")] = False,
) -> None:
    """Take the pictures of the demo's pages."""
    if unknown := set(only) - set(SHOTS):
        raise SystemExit(f"there are {', '.join(SHOTS)}, and no {', '.join(unknown)}")
    out.mkdir(parents=True, exist_ok=True)
    wanted = only or tuple(SHOTS)
    for variables, names in (
        (VARIABLES, [name for name in wanted if name not in OF_ACCOUNTS]),
        (VARIABLES | DEMO_ACCOUNTS, [name for name in wanted if name in OF_ACCOUNTS]),
    ):
        if names:
            shoot_all(names, variables, out, dark)


def shoot_all(names: Sequence[str], variables: Mapping[str, str], out: Path, dark: bool) -> None:
    """Start a suite with some settings and take pictures of its pages."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Suite(
            Path(folder), PortPlan.free(), services=ALL, private=True, variables=variables
        ) as suite,
    ):
        suite.up()
        asyncio.run(import_bundled(suite.target("orchestrator")))
        for name in names:
            asyncio.run(shoot(suite.ports.orchestrator_http, name, out / f"{name}.png", dark))


async def import_bundled(target: str) -> None:
    """Import the bundled catalogue, vectors and all."""
    from shared.channel import open_channel
    from shared.cli.catalogue_import import import_whole

    async with open_channel(target) as channel:
        await import_whole(channel, bundled_catalogue_path(), None, target=target)


async def shoot(port: int, name: str, out: Path, dark: bool) -> None:
    """Show a page and save what is seen of it."""
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page(
            base_url=f"http://127.0.0.1:{port}",
            viewport={"width": WIDTH, "height": HEIGHT},
            locale="en-GB",
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        await SHOTS[name](page)
        if await page.locator(".degraded").count():
            raise SystemExit("the suite did not answer in full; run this on a quieter machine")
        save(await page.screenshot(), out)
        await browser.close()


def save(data: bytes, out: Path) -> None:
    """Save a screenshot in 256 colours, which pages of few colours are told by."""
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    picture.quantize(256, dither=Image.Dither.NONE).save(out, optimize=True)
    size = out.stat().st_size
    print(f"{out}: {size:,} bytes")
    if size > MOST_BYTES:
        raise SystemExit(f"that is more than {MOST_BYTES:,} bytes")


async def show_search(page: Any) -> None:
    """The results of a query, with the panel of the first one open."""
    for _ in range(WARM_UP + 1):
        await page.goto(f"/?q={quote(QUERY)}")
        await page.locator(".card").first.wait_for()
        # Reasons come behind the page.
        await page.locator("#results:not([aria-busy])").wait_for()
    await page.locator(".explain").first.click()
    await page.locator(".opinions:not([aria-busy])").wait_for()
    await page.evaluate("scrollTo(0, 0)")


async def show_account(page: Any) -> None:
    """The results of a query as an account sees them, and why its price is what it is."""
    for _ in range(WARM_UP + 1):
        await page.goto(f"/?q={quote(OF_CONTRACT)}&account=harbour-hotels")
        await page.locator(".card .set-by").first.wait_for()
        await page.locator("#results:not([aria-busy])").wait_for()
    await page.locator(".card:has(.lots) .explain").first.click()
    await page.locator(".opinions:not([aria-busy])").wait_for()
    await page.evaluate("scrollTo(0, 0)")


async def show_pictures(page: Any) -> None:
    """A picture of the shop, with what is to be other than in it."""
    await page.goto("/pictures")
    suitcase = page.locator("#own-list [data-product^=bags-]").first
    chosen = await suitcase.get_attribute("data-product")
    await page.goto(f"/pictures?{urlencode({'product': chosen, 'edit': 'black'})}")
    await page.locator("#results .card .art img").first.wait_for()


async def show_chat(page: Any) -> None:
    """A conversation, with the evidence of an answer."""
    await page.goto("/chat")
    for count, said in enumerate(TALK, start=1):
        await page.fill("#message", said)
        await page.keyboard.press("Enter")
        await page.locator("#talk:not([aria-busy])").wait_for()
        await page.locator(".turn.theirs").nth(count - 1).locator(".kind").wait_for()
    await page.locator(".turn.theirs .clause").last.click()
    await page.locator(".turn.mine").nth(1).scroll_into_view_if_needed()


async def show_monitor(page: Any) -> None:
    """The sample's reviews, and the alerts that they raise."""
    await page.goto("/monitor")
    await page.locator("#play").click()
    await page.locator("#notices .opened").nth(1).wait_for()
    await page.locator("#played").wait_for(state="hidden")
    await page.locator(".alert").nth(1).wait_for()
    await page.evaluate("scrollTo(0, 0)")


SHOTS: dict[str, Callable[[Any], Awaitable[None]]] = {
    "demo": show_search,
    "account": show_account,
    "pictures": show_pictures,
    "chat": show_chat,
    "monitor": show_monitor,
}
"""The pictures of the docs, by name."""


if __name__ == "__main__":
    cyclopts.run(take)
