"""Settings of the reason service; the only reader of its environment (`WHEREFORE_REASON_*`)."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.inference import InferenceSettings
from shared.inference.settings import REASON_MODEL, REPOSITORY
from shared.settings import ServiceSettings

DEFAULT_BANNED_WORDS = (
    "最",
    "第一",
    "顶级",
    "绝对",
    "保证",
    "100%",
    "best",
    "guaranteed",
    "perfect",
    "unbeatable",
    "number one",
)
"""Superlatives that advertising law (such as China's article 9) or good sense forbids."""


BannedCategory = Literal["superlative", "guarantee", "medical", "green", "pressure", "quantity"]

CATEGORY_MODEL = REPOSITORY / "product_category" / "1" / "classifier.npz"


class Settings(ServiceSettings):
    """Where the service listens and what it never says."""

    model_config = SettingsConfigDict(env_prefix="WHEREFORE_REASON_", env_nested_delimiter="__")

    port: int = 7704
    metrics_port: int = 7794
    banned_words: tuple[str, ...] = DEFAULT_BANNED_WORDS
    """Clauses with one of these in our own words are dropped; a JSON list in the environment."""

    banned_file: Path | None = None
    """Further banned claims, in the form of services/reason/safety/data/banned.toml."""
    allowed_claims: tuple[BannedCategory, ...] = ()
    """Categories of banned claims that this shop may make; a JSON list in the environment."""

    nlu_target: str = "127.0.0.1:7701"
    """Where summaries get vectors of sentences."""
    summary_embed_seconds: float = Field(default=2.0, gt=0)
    """Longest wait for them; without them summaries compare words."""
    summary_cache_vectors: int = Field(default=20_000, ge=0)
    """Vectors of sentences kept, about 1.6 kB each; 0 for none."""
    summary_languages: tuple[str, ...] = ("en",)
    """Languages that the NLU's encoder reads well; a JSON list. Elsewhere words are compared."""

    model: str = REASON_MODEL
    """Model of the repository that words reasons, such as "reason_small"; empty for templates."""
    inference: InferenceSettings = InferenceSettings()
    """Where it lies (`inference.model_dir`) and runs: a Triton server or this process;
    `inference.model` is not read."""
    model_startup_seconds: float = Field(default=20, ge=0)
    """How long the service waits at its start for the model, before it goes on without it."""
    model_seconds: float = Field(default=0.2, gt=0)
    """Longest that the model gets for a page; templates answer what it has not written then."""
    model_rows: int = Field(default=20, ge=1)
    """Reasons of a page, from its top, that the model is asked for."""
    model_pages: int = Field(default=1, ge=1)
    """Pages at the model at once; others wait for their turn, and templates answer those that would
    miss their time. More suit a GPU, where a page more costs the others little."""
    model_threads: int = Field(default=1, ge=0)
    """Threads of the model in process; 0 for as many as there are cores, which its small matrices
    do not use and other work on the machine pays for."""

    tags_vocabulary: Path | None = None
    """The shop's vocabulary of tags, by `wherefore tags vocabulary`; the lexicons' when absent."""
    tags_model: Path | None = None
    """Model of its tagged products, by `wherefore tags train`; words alone when absent."""

    category_model: Path | None = CATEGORY_MODEL
    """Classifier by `wherefore train categories`; that of the bundled catalogue when absent."""
    category_embed_seconds: float = Field(default=10.0, gt=0)
    """Longest wait for 256 vectors of a taxonomy; without them words are compared."""

    cache_reasons: int = Field(default=20_000, ge=0)
    """Reasons in the model's words that are kept for the next request; 0 for none."""
    cache_seconds: float = Field(default=3_600, gt=0)
    """How long."""
    late_seconds: float = Field(default=2.0, ge=0)
    """Longest that a page which missed its time is written on for the next request; 0 for never."""
    late_pages: int = Field(default=8, ge=1)
    """Pages that may wait for that; more are dropped."""
