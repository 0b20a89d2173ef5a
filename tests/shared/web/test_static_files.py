"""Copies of files are asked for anew, and answers are not kept."""

import asyncio
import os
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from shared.web.headers import SecurityHeaders
from shared.web.static_files import HashedStaticFiles


def app(folder: Path) -> Starlette:
    async def answer(_):
        return JSONResponse({})

    return Starlette(
        routes=[Route("/api", answer), Mount("/", HashedStaticFiles(directory=folder))],
        middleware=[Middleware(SecurityHeaders), Middleware(GZipMiddleware, minimum_size=100)],
    )


async def get(application: Starlette, path: str, **headers: str) -> tuple[int, dict[str, str]]:
    sent: list[dict] = []

    async def receive() -> dict:
        await asyncio.Event().wait()  # the client stays
        raise AssertionError

    async def send(message: dict) -> None:
        sent.append(message)

    fields = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": fields}
    await application(scope, receive, send)
    return sent[0]["status"], {k.decode(): v.decode() for k, v in sent[0]["headers"]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "page.css").write_text("a" * 500)
    return tmp_path


async def test_known_content_is_not_sent_again(folder):
    application = app(folder)
    status, headers = await get(application, "/page.css")
    assert (status, headers["cache-control"]) == (200, "no-cache")
    assert "last-modified" not in headers
    tag = headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        status, headers = await get(application, "/page.css", if_none_match=known)
        assert (status, headers["etag"], headers["cache-control"]) == (304, tag, "no-cache")
    assert (await get(application, "/page.css", if_none_match='"other"'))[0] == 200


async def test_another_content_of_same_time_and_size_has_another_tag(folder):
    file = folder / "page.css"
    os.utime(file, (1_580_601_600, 1_580_601_600))
    before = (await get(app(folder), "/page.css"))[1]["etag"]
    release = folder / "release"
    release.mkdir()
    (release / "page.css").write_text("b" * 500)
    os.utime(release / "page.css", (1_580_601_600, 1_580_601_600))
    assert (await get(app(release), "/page.css"))[1]["etag"] != before


async def test_compressed_bytes_have_a_weak_tag(folder):
    application = app(folder)
    strong = (await get(application, "/page.css"))[1]["etag"]
    headers = (await get(application, "/page.css", accept_encoding="gzip"))[1]
    assert headers["content-encoding"] == "gzip"
    assert headers["etag"] == f"W/{strong}"


async def test_answers_are_not_kept(folder):
    headers = (await get(app(folder), "/api"))[1]
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]


async def test_nothing_outside_the_folder_is_served(folder):
    (folder.parent / "secret").write_text("x")
    assert (await get(app(folder), "/../secret"))[0] == 404
