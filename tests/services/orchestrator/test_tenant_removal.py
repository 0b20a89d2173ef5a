"""All that the orchestrator keeps of a tenant is deleted, on disk and in Redis, and no more."""

from pathlib import Path

import pytest

from services.orchestrator.answer_cache import redis_prefix
from services.orchestrator.cache_settings import CacheSettings
from services.orchestrator.config import OrchestratorSettings
from services.orchestrator.event_backend import EventLogSettings, event_store
from services.orchestrator.tenants import forget_tenant
from shared.cache.second_level import RedisLevel
from shared.errors import UnavailableError
from shared.redis_keys import delete_keys
from tests.redis_server import RedisServer
from wherefore.common.v1.user_event_pb2 import USER_EVENT_TYPE_SEARCH, UserEvent

TENANTS = ("acme", "acme-2", "")


def settings_of(folder: Path, url: str = "") -> OrchestratorSettings:
    return OrchestratorSettings(
        data_dir=folder / "data",
        events=EventLogSettings(redis_url=url),
        cache=CacheSettings(redis_url=url),
    )


async def write(settings: OrchestratorSettings, tenant: str) -> int:
    """Writes an event and returns how many there are."""
    own = settings.of_tenant(tenant)
    store = event_store(own.events, own.data_dir, own.privacy.key_file)
    await store.open()
    event = UserEvent(id=f"of {tenant}", type=USER_EVENT_TYPE_SEARCH, user_id="ada", query="mug")
    event.event_time.GetCurrentTime()
    await store.append([event])
    found = await store.after(0, 10)
    await store.close()
    return len(found.events)


async def test_files_are_deleted(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    for tenant in TENANTS:
        assert await write(settings, tenant) == 1
    for _ in range(2):
        await forget_tenant(settings, "acme")
    assert not settings.of_tenant("acme").data_dir.exists()
    assert await write(settings, "acme-2") == 1  # the same event: it is there
    assert await write(settings, "") == 1


async def test_redis_is_emptied_of_a_tenant(tmp_path: Path, redis: RedisServer) -> None:
    settings = settings_of(tmp_path, redis.url)

    def level(tenant: str) -> RedisLevel:
        return RedisLevel(redis.url, prefix=redis_prefix(tenant), timeout_seconds=5)

    for tenant in TENANTS:
        assert await write(settings, tenant) == 1
        kept = level(tenant)
        for number in range(50):
            await kept.set(bytes([number]) * 32, b"page", 600)
        await kept.close()
    before = await names(redis)
    theirs = {each for each in before if b"wherefore:acme:" in each or b"tenants:acme}" in each}
    assert len(theirs) > 50
    for _ in range(2):
        await forget_tenant(settings, "acme")
    assert await names(redis) == before - theirs
    for tenant in ("acme-2", ""):
        kept = level(tenant)
        assert await kept.get(bytes([7]) * 32)
        await kept.close()
        assert await write(settings, tenant) == 1


async def test_a_redis_that_is_away_keeps_the_removal_undone(
    tmp_path: Path, redis: RedisServer
) -> None:
    settings = settings_of(tmp_path, redis.url)
    redis.stop()
    with pytest.raises(UnavailableError):
        await forget_tenant(settings, "acme")
    with pytest.raises(ValueError, match="prefix"):
        await delete_keys(redis.url, "")


async def names(redis: RedisServer) -> set[bytes]:
    from redis.asyncio import Redis

    client = Redis.from_url(redis.url)
    found = set(await client.keys(b"*"))
    await client.aclose()
    return found
