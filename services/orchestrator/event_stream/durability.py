"""Whether a Redis keeps what it acknowledges, as it is set now."""

from collections.abc import Mapping
from typing import Any, Final

import structlog

from services.orchestrator.event_stream.link import RedisLink

_log: structlog.stdlib.BoundLogger = structlog.get_logger()
_SETTINGS: Final = (
    "appendonly",
    "appendfsync",
    "no-appendfsync-on-rewrite",
    "maxmemory-policy",
    "save",
)
_EVICTS: Final = "allkeys"


def problems(settings: Mapping[str, str]) -> list[str]:
    """Returns what would lose acknowledged events, and what to set.

    Args:
        settings: Of Redis by name; one that is not told is taken to be right.
    """
    found: list[str] = []
    if settings.get("appendonly", "yes") != "yes":
        found.append("appendonly is no: set `appendonly yes`")
    if (fsync := settings.get("appendfsync", "always")) != "always":
        found.append(f"appendfsync is {fsync}: set `appendfsync always`")
    if settings.get("no-appendfsync-on-rewrite", "no") != "no":
        found.append("no-appendfsync-on-rewrite is yes: set it to `no`")
    if (policy := settings.get("maxmemory-policy", "")).startswith(_EVICTS):
        found.append(f"maxmemory-policy is {policy}, which drops keys: set `noeviction`")
    return found


async def check_durable(link: RedisLink, *, required: bool) -> None:
    """Refuses a Redis that would lose what it acknowledged.

    Args:
        link: To it.
        required: Whether to refuse it, or only to warn.

    Raises:
        ValueError: It would lose events.
        UnavailableError: It is away.
    """
    settings = await _settings(link)
    found = problems(settings)
    if found and required:
        raise ValueError(
            f"the Redis of the log of events would lose acknowledged events: {'; '.join(found)}."
            " To take it all the same, set WHEREFORE_ORCHESTRATOR_EVENTS__REQUIRE_DURABLE=false"
        )
    if found:
        _log.warning("events_not_durable", problems=found)
    if "appendfsync" not in settings:
        _log.warning("events_durability_unknown", reason="Redis does not tell appendfsync")
    if settings.get("save"):
        _log.warning("events_snapshots", reason="snapshots of Redis keep what is erased: save ''")


async def _settings(link: RedisLink) -> dict[str, str]:
    from redis.exceptions import ResponseError

    async def ask() -> dict[str, str]:
        try:
            return {
                name: value
                for each in _SETTINGS
                for name, value in _texts(await link.redis.config_get(each)).items()
            }
        except ResponseError:  # CONFIG is often kept from callers where Redis is a service
            told = await link.redis.info("persistence")
            return {"appendonly": "yes" if told.get("aof_enabled") else "no"}

    return await link.ask(ask, link.read_seconds * len(_SETTINGS))


def _texts(found: Mapping[Any, Any]) -> dict[str, str]:
    return {_text(name): _text(value) for name, value in found.items()}


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
