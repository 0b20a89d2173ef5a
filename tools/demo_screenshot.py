"""Takes the picture of the demo page that the README shows.

Starts a suite of its own, imports the bundled catalogue and looks at it with Chromium:

    python tools/demo_screenshot.py [--query QUERY] [--out docs/images/demo.png]
"""

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import cyclopts

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from shared.catalogue import bundled_catalogue_path  # noqa: E402
from shared.suite import PortPlan, Suite  # noqa: E402

WIDTH, HEIGHT = 1280, 900
MOST_BYTES = 400_000
WARM_UP = 3
"""Searches before the one in the picture: the first ones pay for caches that fill."""


def take(
    query: Annotated[str, cyclopts.Parameter(help="What is searched for.")] = (
        "wireless headphones under 300"
    ),
    out: Annotated[Path, cyclopts.Parameter(help="Where the picture goes.")] = (
        ROOT / "docs" / "images" / "demo.png"
    ),
    dark: Annotated[bool, cyclopts.Parameter(help="In dark colours.")] = False,
) -> None:
    """Take a picture of the results of a query, with the panel of the first one open."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        Suite(Path(folder), PortPlan.free(), private=True) as suite,
    ):
        suite.up()
        asyncio.run(import_bundled(suite.target("orchestrator")))
        asyncio.run(shoot(suite.ports.orchestrator_http, query, out, dark))
    size = out.stat().st_size
    print(f"{out}: {size:,} bytes")
    if size > MOST_BYTES:
        raise SystemExit(f"that is more than {MOST_BYTES:,} bytes")


async def import_bundled(target: str) -> None:
    """Import the bundled catalogue, vectors and all."""
    from shared.channel import open_channel
    from shared.cli.catalogue_import import import_whole

    async with open_channel(target) as channel:
        await import_whole(channel, bundled_catalogue_path(), None, target=target)


async def shoot(port: int, query: str, out: Path, dark: bool) -> None:
    """Search, open the panel of the first result and save what is seen."""
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page(
            viewport={"width": WIDTH, "height": HEIGHT},
            locale="en-GB",
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        for _ in range(WARM_UP + 1):
            await page.goto(f"http://127.0.0.1:{port}/?q={quote(query)}")
            await page.locator(".card").first.wait_for()
            # Reasons come behind the page.
            await page.locator("#results:not([aria-busy])").wait_for()
        if await page.locator(".degraded").count():
            raise SystemExit("the suite did not answer in full; run this on a quieter machine")
        await page.locator(".explain").first.click()
        await page.evaluate("scrollTo(0, 0)")
        await page.screenshot(path=out)
        await browser.close()


if __name__ == "__main__":
    cyclopts.run(take)
