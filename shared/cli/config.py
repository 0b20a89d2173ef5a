"""What the command line reads from the environment."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

_CHECKOUT = next(
    (folder for folder in Path(__file__).resolve().parents if (folder / "protos").is_dir()),
    Path(),
)
"""The repository where the command runs from one; the working folder otherwise."""


class CliSettings(BaseSettings):
    """Where the suite keeps its state and where it answers."""

    model_config = SettingsConfigDict(env_prefix="WHEREFORE_", env_ignore_empty=True)

    home: Path = _CHECKOUT / ".wherefore"
    """State of the suite: pids, logs, data, import checkpoints."""
    target: str = "127.0.0.1:7700"
    """Address of the public services, HOST:PORT."""
    tenant: str = ""
    """Tenant that commands act for, in a suite with tenants."""
    orchestrator_nlu_target: str = "127.0.0.1:7701"
    """Address of the query understanding."""
    orchestrator_reason_target: str = "127.0.0.1:7704"
    """Address of reasons and summaries."""
    orchestrator_retrieval_target: str = "127.0.0.1:7702"
    """Address of retrieval."""


class ApplicationSettings(BaseSettings):
    """Where the applications answer, which jobs of an installation never call."""

    model_config = SettingsConfigDict(env_prefix="WHEREFORE_", env_ignore_empty=True)

    assistant_target: str = "127.0.0.1:7707"
    """Address of customer service."""
