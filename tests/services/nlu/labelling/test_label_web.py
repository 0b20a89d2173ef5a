"""The form over a real port: its JSON by httpx, the page in a real browser."""

import asyncio
import os

import httpx
import pytest

from services.nlu.labelling.queue import LabelQueue
from services.nlu.labelling.task import Answer
from services.nlu.labelling.web.app import make_app
from services.nlu.train.examples import Span
from shared.web.serve import WebServer
from tests.browser import needs_browser, open_page
from tests.services.nlu.labelling.conftest import CLASSES, class_items, span_item


async def serve(queue, **options):
    server = WebServer(make_app(queue, hosts=["127.0.0.1"], **options), "127.0.0.1", 0)
    await server.start()
    return server


@pytest.fixture
async def server(queue):
    server = await serve(queue)
    yield server
    await server.stop()


@pytest.fixture
async def span_server(span_queue):
    server = await serve(span_queue)
    yield server
    await server.stop()


@pytest.fixture
async def client(server):
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client:
        yield client


async def post(client, path, **body):
    return await client.post(path, json={"annotator": "ada", **body})


async def test_label_skip_undo_until_the_end(client, queue):
    assert (await client.get("/api/task")).json() == {
        "head": "sentiment",
        "kind": "classes",
        "labels": ["negative", "positive"],
        "strategy": "random",
    }
    state = (await post(client, "/api/next")).json()
    first = state["item"]
    assert first["guess"]["label"] == "positive"
    assert first["guess"]["model"] == "query_zh@1"
    assert state["progress"]["left"] == 6
    done = await post(client, "/api/label", item=first["id"], label="negative", note="so so")
    assert done.json()["item"]["id"] != first["id"]
    # What was acknowledged is on the disk, for whoever opens it next.
    assert '"label":"negative"' in (queue.folder / "labels.jsonl").read_text()
    assert (await post(client, "/api/undo")).json()["item"]["id"] == first["id"]
    state = (await post(client, "/api/skip", item=first["id"])).json()
    while state["item"]:
        state = (
            await post(client, "/api/label", item=state["item"]["id"], label="positive")
        ).json()
    assert state["progress"] == {
        "labelled": 5,
        "skipped": 1,
        "left": 0,
        "counts": {"negative": 0, "positive": 5},
    }


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("/api/label", {"item": "absent", "label": "positive"}, "no such text"),
        ("/api/label", {"item": class_items()[0].id, "label": "meh"}, "no label 'meh'"),
        ("/api/label", {"item": class_items()[0].id, "spans": [[0, 1, "A"]]}, "not for spans"),
        ("/api/label", {"item": class_items()[0].id, "spans": [[0, True, "A"]]}, "spans.0.1"),
        ("/api/label", {"item": 3}, "item"),
        ("/api/next", {"annotator": " "}, "name"),
        ("/api/next", {"more": 1}, "more"),
        ("/api/undo", {}, "nothing to undo"),
        ("/api/skip", {"item": class_items()[0].id, "note": "x" * 2001}, "note"),
    ],
)
async def test_bad_input_is_refused_with_a_reason(client, queue, path, body, message):
    response = await post(client, path, **body)
    assert response.status_code == 400
    assert message in response.json()["error"]
    assert queue.answers() == {}


async def test_only_json_of_the_same_origin_is_taken(client, server):
    body = '{"annotator": "ada"}'
    refused = [
        await client.post("/api/next", content=body),
        await client.post("/api/next", content=body, headers={"content-type": "text/plain"}),
        await client.post("/api/next", content="{", headers={"content-type": "application/json"}),
        await client.post("/api/next", json={"annotator": "x" * 70_000}),
        await client.post(
            "/api/next", json={"annotator": "ada"}, headers={"origin": "http://evil.example"}
        ),
        # A foreign name that was made to point here.
        await client.post(
            "/api/next",
            json={"annotator": "ada"},
            headers={"host": "evil.example", "origin": "http://evil.example"},
        ),
    ]
    assert [response.status_code for response in refused] == [400] * 6
    own = {"origin": f"http://127.0.0.1:{server.port}"}
    taken = await client.post("/api/next", json={"annotator": "ada"}, headers=own)
    assert taken.status_code == 200
    assert (await client.get("/api/label")).status_code == 405
    page = await client.get("/")
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]


async def test_a_full_disk_is_said_and_nothing_counts(client, queue, monkeypatch):
    item = (await post(client, "/api/next")).json()["item"]["id"]

    def fail(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        response = await post(client, "/api/label", item=item, label="positive")
    assert response.status_code == 503
    assert "No space left" in response.json()["error"]
    assert queue.answers() == {}


async def test_many_annotators_at_once_lose_nothing(tmp_path):
    queue = LabelQueue(tmp_path / "busy", CLASSES)
    queue.add(class_items(40))
    server = await serve(queue, show_guess=False)

    async def annotate(client, name):
        state = (await client.post("/api/next", json={"annotator": name})).json()
        while item := state["item"]:
            assert "guess" not in item
            body = {"annotator": name, "item": item["id"], "label": "positive"}
            state = (await client.post("/api/label", json=body)).json()

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client:
        await asyncio.gather(*(annotate(client, f"person {at}") for at in range(4)))
    await server.stop()
    queue.close()
    again = LabelQueue(tmp_path / "busy", CLASSES)
    assert len(again.answers()) == 40
    again.close()


@pytest.mark.browser
@needs_browser
async def test_classes_in_a_browser_by_keyboard(server, queue):
    from playwright.async_api import expect

    async with open_page(server.port) as page:
        await page.goto("/?annotator=ada")
        await expect(page.locator("#counted")).to_contain_text("0 labelled, 0 skipped, 6 left")
        await expect(page.locator("#guess")).to_contain_text("query_zh@1 says: positive")
        await expect(page.get_by_role("button", name="positive")).to_have_class("guessed")
        text = await page.locator("#text").inner_text()
        await page.get_by_label("Note").fill("1 s u")
        await page.keyboard.press("Escape")
        await page.keyboard.press("1")
        await expect(page.locator("#counted")).to_contain_text("1 labelled")
        (given,) = queue.answers().values()
        assert (given["ada"].answer, given["ada"].note) == (Answer("negative"), "1 s u")
        await page.keyboard.press("u")
        await expect(page.locator("#text")).to_have_text(text)
        for left in range(5, 0, -1):
            await page.keyboard.press("s")
            await expect(page.locator("#counted")).to_contain_text(f"{left} left")
        await page.get_by_role("button", name="negative").click()
        await expect(page.get_by_role("heading", name="Nothing is left")).to_be_visible()
        await page.reload()
        await expect(page.locator("#counted")).to_contain_text("1 labelled, 5 skipped, 0 left")


@pytest.mark.browser
@needs_browser
async def test_spans_in_a_browser(span_queue, span_server):
    from playwright.async_api import expect

    async with open_page(span_server.port) as page:
        await page.goto("/?annotator=ada")
        await expect(page.locator("#text mark")).to_have_text(["小米", "手机"])
        await page.get_by_role("button", name="Remove PRODUCT_TYPE").click()
        await expect(page.locator("#text mark")).to_have_text(["小米"])
        # The rainbow takes two of the browser's units, and one code point.
        await page.locator("#source").evaluate("node => node.setSelectionRange(0, 0)")
        await page.locator("#source").focus()
        await page.keyboard.press("2")
        await expect(page.get_by_role("alert")).to_have_text("Select some words first.")
        await page.keyboard.press("End")
        for _ in range(3):
            await page.keyboard.press("Shift+ArrowLeft")
        await page.keyboard.press("2")
        await expect(page.locator("#text mark")).to_have_text(["小米", "手机"])
        await page.keyboard.insert_text("typed")
        await expect(page.locator("#source")).to_have_value(span_item().text)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Nothing is left")).to_be_visible()
    spans = (Span(2, 4, "BRAND"), Span(5, 7, "PRODUCT_TYPE"))
    assert span_queue.answers()[span_item().id]["ada"].answer == Answer(spans=spans)
