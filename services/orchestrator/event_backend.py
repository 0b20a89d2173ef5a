"""Which log of events is used: files of one process, or a Redis stream that several share."""

from pathlib import Path

from pydantic import BaseModel, Field, SecretStr

from services.orchestrator.event_files.store import SqliteEventStore
from services.orchestrator.event_store import EventStore


class EventLogSettings(BaseModel):
    """Where user events are kept. See docs/resilience.md."""

    redis_url: SecretStr = SecretStr("")
    """Redis whose stream is the log, such as "rediss://:PASSWORD@HOST:6379/0" (extra `redis`), so
    that several orchestrators work at a time. Empty: files in `data_dir`, of one at a time."""

    prefix: str = Field(default="wherefore:events", pattern=r"^[^{}\s]+$")
    """Of the names of all keys in Redis: each log has its own."""

    require_durable: bool = True
    """Whether to refuse a Redis that would lose acknowledged events, as it is set; false warns."""

    replicas: int = Field(default=0, ge=0)
    """Replicas of Redis that must have an event, too, before it is acknowledged."""

    read_seconds: float = Field(default=0.25, gt=0)
    """Longest wait for what Redis knows of a user; answers go without after that."""

    write_seconds: float = Field(default=2, gt=0)
    """Longest wait for an event to be on disk; UNAVAILABLE after that."""

    def of_tenant(self, tenant: str) -> "EventLogSettings":
        """Returns the settings for the log of a tenant."""
        return self.model_copy(update={"prefix": f"{self.prefix}:tenants:{tenant}"})


def event_store(settings: EventLogSettings, folder: Path, key_file: Path | None) -> EventStore:
    """Returns the log of events, not opened yet.

    Args:
        settings: Which.
        folder: Of the files, and of the keys where no file of keys is named.
        key_file: Keys that seal the log.
    """
    if not settings.redis_url.get_secret_value():
        return SqliteEventStore(folder / "events.sqlite", key_file)
    from services.orchestrator.event_stream.store import RedisEventStore

    return RedisEventStore(
        settings.redis_url.get_secret_value(),
        settings.prefix,
        key_file or folder / "events.key",
        read_seconds=settings.read_seconds,
        write_seconds=settings.write_seconds,
        copies=settings.replicas,
        require_durable=settings.require_durable,
    )
