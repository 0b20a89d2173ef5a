"""Settings of the insight service; the only reader of its environment (`WHEREFORE_INSIGHT_*`)."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.inference.settings import REPOSITORY
from shared.settings import ServiceSettings

OPINION_MODEL = REPOSITORY / "opinion" / "1" / "opinion.npz"


class Settings(ServiceSettings):
    """Where the service listens, what it reads, and when it tells of a surge."""

    model_config = SettingsConfigDict(env_prefix="WHEREFORE_INSIGHT_", env_nested_delimiter="__")

    port: int = Field(default=7708, ge=0, le=65535)
    metrics_port: int = Field(default=7798, ge=0, le=65535)

    data_dir: Path = Path(".wherefore/data/insight")
    """Folder of the texts and alerts that are kept."""
    key_file: Path | None = None
    """Keys that seal them, made on first use; `mentions.key` in the folder by default."""
    domain: str = "shop"
    """Topics and labels: "shop", "finance", or a file; docs/monitoring.md has the form."""
    opinion_model: Path = OPINION_MODEL
    """Model that reads moods, where the domain uses it; `python -m services.insight.train`."""

    window_seconds: int = Field(default=10, ge=1, le=3_600)
    """Length of a window of event time."""
    disorder_seconds: int = Field(default=10, ge=0)
    """How far the newest text runs ahead before a window is closed and read for surges."""
    lateness_seconds: int = Field(default=600, ge=0)
    """How much longer a text of a closed window still counts; later ones count nowhere."""
    idle_seconds: float = Field(default=30, gt=0)
    """Without texts for so long, windows are read though they are not closed."""
    future_seconds: int = Field(default=300, ge=0)
    """A text from further in the future than that is refused."""
    retention_days: int = Field(default=31, ge=1)
    """How long texts and counts are kept, by event time."""

    alert_dimensions: tuple[str, ...] = ("product", "brand", "topic")
    """Of which series surges are told: product, brand, topic, all; a JSON list."""
    alert_evidence: float = Field(default=7.0, gt=0)
    """Evidence (log-likelihood ratio) at which a surge is told; more for fewer, later alerts."""
    alert_min_texts: int = Field(default=8, ge=1)
    """Fewest texts of a surge."""
    alert_min_negatives: int = Field(default=6, ge=1)
    """Fewest negatives of a surge."""
    alert_warm_hours: float = Field(default=3.0, ge=0)
    """How long the stream runs before a surge is told."""

    max_subscribers: int = Field(default=64, ge=1)
    """Streams of alerts open at once."""

    webhook_url: str = ""
    """Where alerts are posted; empty for nowhere."""
    webhook_secret: SecretStr = SecretStr("")
    """Signs what is posted (HMAC-SHA-256); needed with a URL."""
    webhook_timeout_seconds: float = Field(default=5, gt=0)
    """Longest wait for an answer."""
    webhook_attempts: int = Field(default=6, ge=1)
    """Tries of one notice before a pause."""
    webhook_pause_seconds: float = Field(default=60, gt=0)
    """Pause after these; then it is tried again, so that none is lost and order is kept."""
