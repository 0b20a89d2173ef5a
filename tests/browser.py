"""A page of a real browser that tells what went wrong on it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

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

needs_browser = pytest.mark.skipif(
    not CHROMIUM.exists(), reason="Chromium is not installed (apt-get install chromium)"
)


@asynccontextmanager
async def open_page(port: int, *, scheme: str = "http", **context: Any) -> AsyncIterator[Any]:
    """Opens pages of one visitor; fails at the end if the console had an error, or if
    another site was asked for something.

    `page.problems` lists errors so far, so that a test may clear those that it provokes.
    """
    from playwright.async_api import async_playwright

    site = f"{scheme}://127.0.0.1:{port}"

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        visitor = await browser.new_context(base_url=site, **{"locale": "en-GB", **context})
        page = await visitor.new_page()
        page.problems = problems = []
        page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "request",
            lambda r: None if r.url.startswith(f"{site}/") else problems.append(r.url),
        )
        try:
            yield page
            assert not problems
        finally:
            await browser.close()
