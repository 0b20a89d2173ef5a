"""Settings of the NLU service."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.inference import InferenceSettings
from shared.inference.settings import (
    ATTRIBUTION_MODEL,
    CROSS_MODEL,
    PICTURE_MODEL,
    QUERY_MODELS,
)
from shared.settings import ServiceSettings


class NluSettings(ServiceSettings):
    """Read from WHEREFORE_NLU_*; nested fields by "__": WHEREFORE_NLU_INFERENCE__BACKEND."""

    model_config = SettingsConfigDict(env_prefix="WHEREFORE_NLU_", env_nested_delimiter="__")

    port: int = Field(default=7701, ge=0, le=65535)

    inference: InferenceSettings = InferenceSettings()
    """Which encoder makes the vectors, and where the models are served."""

    query_models: dict[str, str] = Field(default_factory=lambda: dict(QUERY_MODELS))
    """Learnt readers of queries: BCP-47 language -> model, such as {"en": "query_en", "zh":
    "query_zh"}. Languages without one are read by that of "en"; empty leaves queries to the rules.
    A reader that is the vector model as well (`inference.model`) gives both in one forward pass."""

    intent_heads: tuple[str, ...] = ()
    """Heads of intents, such as ["shop_intents"]: entries of the model repository that `wherefore
    train federated publish` made, one for a reader. The newest version takes over within
    `version_poll_seconds`; see docs/federated.md."""

    cross_model: str = CROSS_MODEL
    """Model that reads pairs together for Match; empty for none."""

    attribution_model: str = ATTRIBUTION_MODEL
    """Model that says what each word did to the answer of `cross_model`; empty for none."""

    picture_model: str = PICTURE_MODEL
    """Dual encoder of pictures and texts: an entry of the model repository, or the path of a folder
    with a CLIP-type model of Hugging Face ("./models/clip", run in process by torch); empty for
    none."""

    picture_languages: tuple[str, ...] = ("en",)
    """BCP-47 languages that its text side reads; ["*"] for a multilingual one. Texts in others are
    given to it as an English gloss."""

    follow_versions: bool = True
    """Whether readers move on to a newer version once Triton serves one. Vectors never do: they
    stay with `inference.version`, which the index was made with."""

    version_poll_seconds: float = Field(default=5.0, gt=0)
    """Seconds between looks at the versions."""

    encoder_languages: tuple[str, ...] = ("en",)
    """BCP-47 languages that the encoder reads; ["*"] for a multilingual one. Queries in others are
    given to it as an English gloss."""

    retrieval_target: str = "127.0.0.1:7702"
    """HOST:PORT of the retrieval service, whose terms make brands and product types known.
    Optional: while it does not answer, lexicons and patterns do without. Empty never asks."""

    terms_poll_seconds: float = Field(default=5.0, gt=0)
    """Seconds between looks at the version of the index."""

    terms_timeout_seconds: float = Field(default=10.0, gt=0)
    """Longest wait for the terms, in seconds."""

    embedding_budget_seconds: float = Field(default=0.5, gt=0)
    """Longest wait of Parse for its models, in seconds; without them the answer is degraded."""

    embedding_reserve_seconds: float = Field(default=0.02, ge=0)
    """Seconds kept back of the caller's deadline, so that a degraded answer still arrives."""

    batch_budget_seconds: float = Field(default=5.0, gt=0)
    """Longest wait of ParseBatch for its models, in seconds."""

    vector_cache_size: int = Field(default=10_000, ge=1)
    """Readings of queries kept, each with its vector about 2.5 kB at 384 dimensions."""

    parse_cache_size: int = Field(default=10_000, ge=1)
    """Parsed queries kept."""
