"""Copies a log of events from files to Redis: `python -m services.orchestrator.event_stream`."""

import argparse
import asyncio
import sqlite3
import sys

from services.orchestrator.config import OrchestratorSettings
from services.orchestrator.event_stream.durability import check_durable
from services.orchestrator.event_stream.link import RedisLink
from services.orchestrator.event_stream.migration import copy_log
from shared.errors import WhereforeError
from shared.folder_lock import FolderLock

_SECONDS = 60.0


def main(arguments: list[str] | None = None) -> int:
    """Copies the log of the settings' folder to the settings' Redis; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m services.orchestrator.event_stream",
        description="Copy the log of events in WHEREFORE_ORCHESTRATOR_DATA_DIR to the Redis that"
        " WHEREFORE_ORCHESTRATOR_EVENTS__REDIS_URL names. The orchestrator must be stopped; the"
        " files stay as they are.",
    )
    parser.add_argument("--tenant", default="", help="whose log; the suite's own by default")
    tenant: str = parser.parse_args(arguments).tenant
    settings = OrchestratorSettings().of_tenant(tenant)
    url = settings.events.redis_url.get_secret_value()
    if not url:
        parser.error("set WHEREFORE_ORCHESTRATOR_EVENTS__REDIS_URL")
    from redis.exceptions import RedisError

    try:
        count = asyncio.run(_copy(settings, url))
    except (OSError, ValueError, WhereforeError, sqlite3.Error, RedisError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{count:,} events are in Redis; the files in {settings.data_dir} are no longer used")
    return 0


async def _copy(settings: OrchestratorSettings, url: str) -> int:
    lock = FolderLock(settings.data_dir, "the user events")
    lock.acquire()
    link = RedisLink(url, f"{{{settings.events.prefix}}}", _SECONDS, _SECONDS)
    try:
        await check_durable(link, required=settings.events.require_durable)
        return await copy_log(settings.data_dir / "events.sqlite", link)
    finally:
        await link.close()
        lock.release()


if __name__ == "__main__":
    sys.exit(main())
