"""What is kept of answers: settings, which `config` reads."""

from pydantic import BaseModel, Field, SecretStr


class CacheSettings(BaseModel):
    """What is kept of answers, beside parsed queries and rankings. Off unless seconds are set."""

    candidate_seconds: float = Field(default=0, ge=0)
    """How long candidates are kept, while the catalogue stays as it is; 0: not at all."""

    candidate_size: int = Field(default=500, ge=1)
    """Lots of candidates kept, about 50 kB each."""

    page_seconds: float = Field(default=0, ge=0)
    """How long whole pages are kept, while the catalogue, the shop's rules and what is known of
    their user stay as they are; 0: not at all. What others choose shows that much later."""

    page_size: int = Field(default=1_000, ge=1)
    """Pages kept, about 40 kB each."""

    stale_seconds: float = Field(default=0, ge=0)
    """How long after that they are still told, while they are made anew in the background."""

    catalogue_poll_seconds: float = Field(default=1, gt=0)
    """Pause between looks at the version of the catalogue, which other processes may change."""

    redis_url: SecretStr = SecretStr("")
    """Redis that processes share, such as "rediss://:PASSWORD@HOST:6379/0" (extra `redis`); empty
    for none. Answers of one user are never put there."""

    redis_timeout_seconds: float = Field(default=0.02, gt=0)
    """Longest wait for one answer of it."""
