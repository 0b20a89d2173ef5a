"""Notices of alerts posted to a URL of the shop's, signed, in order, until they are taken.

The body is the notice as protobuf's JSON. `X-Wherefore-Signature` is "t=SECONDS,v1=HEX": HEX is
HMAC-SHA-256 under the shared secret of the seconds since 1970, a full stop and the body, so that a
receiver can refuse what was changed or is old. A notice that is sent again has the same
`X-Wherefore-Notice`.
"""

import asyncio
import hashlib
import hmac
import sqlite3
import time
from typing import Final

import httpx
import stamina
import structlog
from google.protobuf.json_format import MessageToJson
from prometheus_client import Counter
from pydantic import SecretStr

from services.insight.config import Settings
from services.insight.desk import Desk
from wherefore.insight.v1.alert_pb2 import AlertNotice

POSTED: Final = Counter(
    "wherefore_insight_webhook_total", "Notices posted to the webhook.", ("outcome",)
)
_READER: Final = "webhook"
_AGAIN: Final = frozenset((408, 425, 429))
_BROKEN: Final = 500
_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class WebhookSettingsError(ValueError):
    """The settings of a webhook contradict each other."""


class NotTakenError(Exception):
    """The receiver did not take a notice, and may take it later."""


class Webhook:
    """Posts notices behind the last one that was taken."""

    def __init__(self, settings: Settings, desk: Desk) -> None:
        self._settings = settings
        self._desk = desk
        self._client: httpx.AsyncClient | None = None
        self._posting: asyncio.Task[None] | None = None

    @classmethod
    def of(cls, settings: Settings, desk: Desk) -> "Webhook | None":
        """Returns the webhook of the settings; None where there is no URL.

        Raises:
            WebhookSettingsError: There is a URL and no secret, or it is no URL.
        """
        if not settings.webhook_url:
            return None
        if not settings.webhook_secret.get_secret_value():
            raise WebhookSettingsError("a webhook needs WHEREFORE_INSIGHT_WEBHOOK_SECRET")
        url = httpx.URL(settings.webhook_url)
        if url.scheme not in ("http", "https") or not url.host:
            raise WebhookSettingsError("WHEREFORE_INSIGHT_WEBHOOK_URL is no http(s) URL")
        return cls(settings, desk)

    async def start(self) -> None:
        """Begins to post: behind what was taken before, or with what is told next."""
        self._client = httpx.AsyncClient(
            timeout=self._settings.webhook_timeout_seconds, follow_redirects=False, trust_env=False
        )
        place = await self._desk.place(_READER)
        self._posting = asyncio.create_task(self._run(self._client, place), name="webhook")

    async def close(self) -> None:
        """Stops posting; what was not taken is posted after the next start."""
        if self._posting is not None:
            self._posting.cancel()
            await asyncio.gather(self._posting, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    async def _run(self, client: httpx.AsyncClient, place: int) -> None:
        while not self._desk.ended:
            await self._desk.wait_past(place)
            try:
                for notice in await self._desk.notices(place):
                    await self._deliver(client, notice)
                    place = notice.sequence
                    await self._desk.set_place(_READER, place)
            except sqlite3.Error:  # where it was stays as it is: what follows may be posted twice
                _log.exception("webhook_place_lost")
                await asyncio.sleep(self._settings.webhook_pause_seconds)

    async def _deliver(self, client: httpx.AsyncClient, notice: AlertNotice) -> None:
        while True:
            if await self._tried(client, notice):
                return
            await asyncio.sleep(self._settings.webhook_pause_seconds)

    async def _tried(self, client: httpx.AsyncClient, notice: AlertNotice) -> bool:
        """Whether a notice is done with: taken, or refused for good."""
        try:
            async for attempt in stamina.retry_context(
                on=(NotTakenError, httpx.TransportError),
                attempts=self._settings.webhook_attempts,
                timeout=None,
            ):
                with attempt:
                    await self._post(client, notice)
        except (NotTakenError, httpx.TransportError) as error:
            POSTED.labels("failed").inc()
            _log.warning("webhook_failed", notice=notice.sequence, reason=repr(error))
            return False
        return True

    async def _post(self, client: httpx.AsyncClient, notice: AlertNotice) -> None:
        body = MessageToJson(notice, indent=None, ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json",
            "X-Wherefore-Notice": str(notice.sequence),
            "X-Wherefore-Signature": sign(self._settings.webhook_secret, body, int(time.time())),
        }
        answer = await client.post(self._settings.webhook_url, content=body, headers=headers)
        if answer.is_success:
            POSTED.labels("taken").inc()
        elif answer.status_code >= _BROKEN or answer.status_code in _AGAIN:
            raise NotTakenError(f"status {answer.status_code}")
        else:
            # The receiver says that it never will: the ones behind must not wait for that.
            POSTED.labels("refused").inc()
            _log.error("webhook_refused", notice=notice.sequence, status=answer.status_code)


def sign(secret: SecretStr, body: bytes, seconds: int) -> str:
    """Returns the signature of a body.

    Args:
        secret: What the receiver knows too.
        body: As it is posted.
        seconds: Since 1970.
    """
    key = secret.get_secret_value().encode()
    made = hmac.new(key, b"%d." % seconds + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={made}"
