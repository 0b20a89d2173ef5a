"""Settings that every service has, read from its own environment prefix.

Each service's `config.py` subclasses `ServiceSettings`, sets `model_config["env_prefix"]` and adds
its own fields; nothing else in the project reads the environment.
"""

import os
from typing import Literal

from pydantic import Field
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
)

from shared.security.settings import SecuritySettings

MIB = 1024 * 1024
SECRETS_DIR_VARIABLE = "WHEREFORE_SECRETS_DIR"
"""Names a folder of secrets, such as the one that Kubernetes mounts."""


class ServiceSettings(BaseSettings):
    """How one service listens, sheds load, reports and stops.

    A setting may also stand in a file of its own in the folder that WHEREFORE_SECRETS_DIR names,
    called as its variable in lower case: so secrets need not be in the environment.
    """

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Adds the folder of secrets, below the environment."""
        folder = os.environ.get(SECRETS_DIR_VARIABLE)
        secrets = SecretsSettingsSource(settings_cls, folder) if folder else file_secret_settings
        return init_settings, env_settings, dotenv_settings, secrets

    host: str = "127.0.0.1"
    """Address to bind; "0.0.0.0" or "[::]" in a container."""

    port: int = Field(ge=0, le=65535)
    """Port to bind; 0 takes any free one (tests)."""

    inner_port: int | None = Field(default=None, ge=0, le=65535)
    """Port for the other services, who show certificates, while security is on; `port` is then for
    keys and tokens. None: `port` is the one for services."""

    health_port: int | None = Field(default=None, ge=0, le=65535)
    """Port that tells health in the clear, and nothing else, for probes that speak no TLS; None:
    health is told at the other ports alone."""

    security: SecuritySettings = Field(default_factory=SecuritySettings)
    """Credentials, certificates, limits and audit; read from WHEREFORE_SECURITY_*."""

    metrics_port: int = Field(default=0, ge=0, le=65535)
    """Port of the Prometheus exposition over HTTP; 0 turns it off."""

    log_level: str = "info"
    """Least level that is logged: debug, info, warning, error or critical."""

    log_format: Literal["console", "json"] = "json"
    """One JSON object a line, or coloured text for people."""

    max_concurrency: int = Field(default=64, ge=1)
    """Calls worked on at once, at most."""

    latency_target_seconds: float = Field(default=0, ge=0)
    """Time that work on a call may take, in seconds, before fewer are worked on at once: the number
    then follows what the machine can do. 0: always `max_concurrency`. On at the edge, where load is
    shed before any work is done (`WHEREFORE_ORCHESTRATOR_LATENCY_TARGET_SECONDS`)."""

    max_queue: int = Field(default=128, ge=0)
    """Calls that may wait beyond those. Further ones are RESOURCE_EXHAUSTED, and so are calls that
    would be answered after their deadline."""

    drain_seconds: float = Field(default=10, ge=0)
    """Seconds that calls in flight are given to finish after SIGTERM."""

    lame_duck_seconds: float = Field(default=0.5, ge=0)
    """Seconds between reporting NOT_SERVING and refusing new calls, so that balancers notice."""

    default_deadline_seconds: float = Field(default=5, gt=0)
    """Deadline of a call whose client set none (calls that stream requests have no default)."""

    stream_idle_seconds: float = Field(default=300, gt=0)
    """Longest wait for the next message of a call that streams requests; it ends the call."""

    health_interval_seconds: float = Field(default=2, gt=0)
    """Seconds between readiness checks once the service has been ready."""

    max_message_bytes: int = Field(default=16 * MIB, ge=1024)
    """Largest message accepted or sent, in bytes."""

    max_connection_age_seconds: float = Field(default=300, ge=0)
    """Age at which a connection is asked to close, so that clients find new pods; 0 is never."""

    trace_target: str = ""
    """Where spans go by OTLP over gRPC, such as "http://localhost:4317"; empty for nowhere."""

    trace_share: float = Field(default=1, ge=0, le=1)
    """Share of traces that begin here which are recorded; a caller's own decision goes before."""

    max_connection_age_grace_seconds: float = Field(default=3600, ge=0)
    """Seconds that calls on such a connection may still take: an import is one long call, and new
    calls go to a new connection meanwhile."""
