"""What is too old goes, from files, counts and followers; pseudonyms change in time."""

import asyncio
import time
from pathlib import Path

import pytest

from services.orchestrator.privacy_settings import PrivacySettings
from services.orchestrator.sweeper import Sweeper
from tests.services.orchestrator.conftest import serve
from tests.services.orchestrator.test_user_data import ANN, followed, write
from wherefore.common.v1.user_event_pb2 import UserEvent
from wherefore.common.v1.user_profile_pb2 import UserContext

pytestmark = pytest.mark.asyncio(loop_scope="module")
DAY = 86_400


def sweeper(shop, **settings: float) -> Sweeper:
    service = shop.service
    return Sweeper(service._store, service._events, PrivacySettings(**settings))


def aged(days: float):
    at = UserEvent().event_time
    at.FromMicroseconds(int((time.time() - days * DAY) * 1e6))
    return at


async def test_old_events_go_with_what_they_counted(running, tmp_path: Path) -> None:
    store = running.service._store
    for days, user, product in ((31, "ann", "p03"), (40, "bob", "p03"), (29, "bob", "p05")):
        await write(running, user, product, query="lamp", event_time=aged(days))
    assert running.service._popularity.top(9) == ["p03", "p05"]
    before = store.log_id
    assert await sweeper(running).sweep() == 0
    assert store.log_id == before
    assert await sweeper(running, retention_days=30).sweep() == 2
    assert store.log_id != before  # who follows learns anew
    assert running.service._popularity.top(9) == ["p05"]
    assert (await followed(running))[0][0].products[0].product_id == "p05"
    assert await store.recent("u:ann", 9) == []
    assert (await store.holding(ANN)).subjects == ()  # the key went too
    assert [e.products[0].product_id for e in await store.recent("u:bob", 9)] == ["p05"]
    assert await sweeper(running, retention_days=30).sweep() == 0


async def test_it_sweeps_by_itself(tmp_path: Path) -> None:
    async with serve(tmp_path) as shop:
        await write(shop, "ann", event_time=aged(3))
        await write(shop, "bob")
    async with serve(tmp_path, privacy={"retention_days": 1}) as shop:
        for _ in range(200):
            if not await shop.service._store.recent("u:ann", 9):
                break
            await asyncio.sleep(0.05)
        assert await shop.service._store.recent("u:ann", 9) == []
        assert len(await shop.service._store.recent("u:bob", 9)) == 1


async def test_pseudonyms_change_when_their_time_is_up(running) -> None:
    await write(running, "ann")
    store = running.service._store
    (event,), _ = await followed(running)
    assert event.user_id == store.alias(UserContext(user_id="ann")).user_id
    await sweeper(running, alias_days=1).sweep()
    assert (await followed(running))[0][0].user_id == event.user_id
    await sweeper(running, alias_days=1e-9).sweep()
    assert (await followed(running))[0][0].user_id != event.user_id
