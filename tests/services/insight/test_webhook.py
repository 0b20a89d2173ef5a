import asyncio
import hashlib
import hmac
import json
from contextlib import asynccontextmanager

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uvicorn import Config, Server

from services.insight.config import Settings
from services.insight.desk import Desk
from services.insight.webhook import Webhook, WebhookSettingsError, sign
from tests.services.insight.serving import ingest, post_of, serving
from tests.services.insight.streams import burst, in_order, quiet

SECRET = "of both"  # noqa: S105 - of a test
SURGE = [post_of(m) for m in in_order(quiet(1, 160), burst(120, 10, 120))]


class Receiver:
    """Takes what is posted, after some answers that were told to it."""

    def __init__(self, *answers: int) -> None:
        self.answers = list(answers)
        self.taken: list[dict[str, object]] = []
        self.posts: list[tuple[str, int]] = []
        self.port = 0

    async def take(self, request: Request) -> Response:
        body = await request.body()
        name = request.headers["x-wherefore-notice"]
        parts = dict(p.split("=", 1) for p in request.headers["x-wherefore-signature"].split(","))
        signed = f"{parts['t']}.".encode() + body
        right = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(right, parts["v1"]):
            return Response(status_code=403)
        status = self.answers.pop(0) if self.answers else 204
        self.posts.append((name, status))
        if status == 0:
            await asyncio.sleep(5)
        if status == 204:
            self.taken.append(json.loads(body))
        return Response(status_code=status or 204)

    @asynccontextmanager
    async def listening(self):
        app = Starlette(routes=[Route("/hook", self.take, methods=["POST"])])
        server = Server(Config(app, port=0, log_level="error", lifespan="off"))
        task = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
        self.port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.should_exit = server.force_exit = True
            await task

    @property
    def settings(self):
        return {
            "webhook_url": f"http://127.0.0.1:{self.port}/hook",
            "webhook_secret": SecretStr(SECRET),
            "webhook_timeout_seconds": 0.5,
            "webhook_pause_seconds": 0.05,
            "webhook_attempts": 2,
        }


async def until(holds):
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - as any test may
            await asyncio.sleep(0.02)


async def test_notices_are_posted_signed_and_in_order(tmp_path):
    async with Receiver().listening() as receiver, serving(tmp_path, **receiver.settings) as stub:
        await ingest(stub, SURGE, size=10)
        await until(lambda: any(n["change"] == "ALERT_CHANGE_CLOSED" for n in receiver.taken))
    assert receiver.taken[0]["change"] == "ALERT_CHANGE_OPENED"
    places = [int(str(each["sequence"])) for each in receiver.taken]
    assert places == list(range(1, len(places) + 1))
    assert [name for name, _ in receiver.posts] == [str(place) for place in places]
    assert receiver.taken[0]["alert"]["series"]["value"] == "p1"


async def test_it_is_tried_again_and_no_notice_is_lost(tmp_path):
    receiver = Receiver(500, 429, 503, 0)
    async with receiver.listening(), serving(tmp_path, **receiver.settings) as stub:
        await ingest(stub, SURGE, size=10)
        await until(lambda: any(n["change"] == "ALERT_CHANGE_CLOSED" for n in receiver.taken))
    assert receiver.posts[:5] == [("1", 500), ("1", 429), ("1", 503), ("1", 0), ("1", 204)]
    assert [int(str(each["sequence"])) for each in receiver.taken] == list(
        range(1, len(receiver.taken) + 1)
    )


async def test_what_is_refused_for_good_does_not_hold_up_the_rest(tmp_path):
    receiver = Receiver(400)
    async with receiver.listening(), serving(tmp_path, **receiver.settings) as stub:
        await ingest(stub, SURGE, size=10)
        await until(lambda: any(n["change"] == "ALERT_CHANGE_CLOSED" for n in receiver.taken))
    assert receiver.posts[0] == ("1", 400)
    assert receiver.taken[0]["sequence"] == "2"


async def test_a_restart_goes_on_behind_what_was_taken(tmp_path):
    async with Receiver().listening() as receiver:
        settings = receiver.settings
        async with serving(tmp_path, **settings) as stub:
            await ingest(stub, SURGE[: len(SURGE) * 8 // 10], size=10)
            await until(lambda: receiver.taken)
        receiver.answers = [503] * 3
        async with serving(tmp_path, **settings) as stub:
            await ingest(stub, SURGE[len(SURGE) * 8 // 10 :], size=10)
            await until(lambda: receiver.taken[-1]["change"] == "ALERT_CHANGE_CLOSED")
    places = [int(str(each["sequence"])) for each in receiver.taken]
    assert places == list(range(1, len(places) + 1))


def test_the_signature_covers_time_and_body():
    one = sign(SecretStr("a"), b"{}", 7)
    assert one.startswith("t=7,v1=")
    assert one == sign(SecretStr("a"), b"{}", 7)
    others = [sign(SecretStr("b"), b"{}", 7), sign(SecretStr("a"), b"[]", 7)]
    assert one not in [*others, sign(SecretStr("a"), b"{}", 8)]


@pytest.mark.parametrize(
    "settings",
    [
        {"webhook_url": "http://127.0.0.1/hook"},
        {"webhook_url": "ftp://127.0.0.1/hook", "webhook_secret": "x"},
        {"webhook_url": "no url", "webhook_secret": "x"},
    ],
)
def test_settings_that_contradict_are_refused(tmp_path, settings):
    chosen = Settings(port=0, data_dir=tmp_path, **settings)
    with pytest.raises((WebhookSettingsError, httpx.InvalidURL)):
        Webhook.of(chosen, Desk(chosen, tmp_path))
