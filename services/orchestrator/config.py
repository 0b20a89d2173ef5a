"""Settings of the orchestrator."""

import hmac
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from services.orchestrator.brown_out import BrownOutSettings
from services.orchestrator.cache_settings import CacheSettings
from services.orchestrator.event_backend import EventLogSettings
from services.orchestrator.privacy_settings import PrivacySettings
from services.orchestrator.sponsored.settings import SponsoredSettings
from services.orchestrator.stage_budgets import Budgets
from services.orchestrator.stock.settings import StockSettings
from services.orchestrator.terms.settings import TermsSettings
from shared.settings import ServiceSettings
from shared.tenant_folder import tenant_folder


class OrchestratorSettings(ServiceSettings):
    """Read from WHEREFORE_ORCHESTRATOR_*; nested fields by "__"."""

    model_config = SettingsConfigDict(
        env_prefix="WHEREFORE_ORCHESTRATOR_", env_nested_delimiter="__"
    )

    port: int = Field(default=7700, ge=0, le=65535)

    inner_port: int | None = Field(default=7706, ge=0, le=65535)
    """Port for the other services while security is on; `port` is then the public one."""

    http_enabled: bool = True
    """Whether to serve the demo page and its JSON."""

    http_port: int = Field(default=7780, ge=0, le=65535)
    """Port of the demo page; 0 takes any free one (tests)."""

    nlu_target: str = "127.0.0.1:7701"
    """HOST:PORT of the NLU."""

    retrieval_target: str = "127.0.0.1:7702"
    """HOST:PORT of retrieval, without which there is no answer."""

    retrieval_patience_seconds: float = Field(default=3, ge=0)
    """How long a call waits while no retrieval can be reached, as in the moment between two that
    share a folder; half of what is left of its deadline at most. 0: it fails at once."""

    ranking_target: str = "127.0.0.1:7703"
    """HOST:PORT of ranking."""

    reason_target: str = "127.0.0.1:7704"
    """HOST:PORT of the reasons."""

    recommend_target: str = "127.0.0.1:7705"
    """HOST:PORT of recommendation."""

    assistant_target: str = ""
    """HOST:PORT of customer service, for the demo page and for users' data; empty for none."""

    insight_target: str = ""
    """HOST:PORT of opinion monitoring, likewise."""

    data_dir: Path = Path(".wherefore/data/orchestrator")
    """Folder of user events and of the key; one process may use it at a time."""

    token_key: SecretStr = SecretStr("")
    """Key that signs tokens, at least 32 characters, the same on all replicas. Empty: one is made
    and kept in `data_dir`."""

    previous_token_keys: SecretStr = SecretStr("")
    """Keys that signed tokens before, separated by white space: while a key is changed, tokens of
    the one before are still read. Take them out after a day."""

    privacy: PrivacySettings = PrivacySettings()

    events: EventLogSettings = EventLogSettings()

    budgets: Budgets = Budgets()

    latency_target_seconds: float = Field(default=0.3, ge=0)
    """As of any service, but on: the edge is where load is shed, and what it lets in the services
    behind it can do. 0: always `max_concurrency` calls at once, which ends in late answers for all
    where a machine cannot do so many."""

    brown_out: BrownOutSettings = BrownOutSettings()

    hedge_share: float = Field(default=0.05, ge=0, le=1)
    """Reads sent a second time, for each read, as the first is later than 95 % of them are; where a
    target names several addresses. 0: none."""

    rules_file: Path | None = None
    """File of merchandising rules (YAML), read again whenever it changes; none when not set."""

    rules_poll_seconds: float = Field(default=1.0, gt=0)
    """Pause between looks at it."""

    stock: StockSettings = StockSettings()

    sponsored: SponsoredSettings = SponsoredSettings()

    terms: TermsSettings = TermsSettings()

    startup_wait_seconds: float = Field(default=20, ge=0)
    """How long readiness waits at the start for the NLU, ranking and reasons."""

    experiments_file: Path | None = None
    """File of experiments (YAML), read again whenever it changes; none when not set."""

    experiments_poll_seconds: float = Field(default=1.0, gt=0)
    """Least time between looks at it."""

    shown_pages: int = Field(default=0, ge=0)
    """Pages that were shown which are kept, to be written with their events, about 3 kB each. 0:
    none is, and ranking learns nothing from events."""

    shown_seconds: float = Field(default=3600, gt=0)
    """How long such a page is kept."""

    candidates: int = Field(default=100, ge=1, le=1000)
    """Products that are retrieved and ranked at a time."""

    next_items: bool = False
    """Whether "for-you" asks the model of sequences too; recommendation must have one
    (`WHEREFORE_RECOMMEND_NEXT_ITEM_MODEL`)."""

    chosen_weight: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    """Weight of what shoppers chose after the same query, in the fusion of the legs; 0 for none."""

    chosen_candidates: int = Field(default=20, ge=1, le=100)
    """Most products of that leg."""

    cross_candidates: int = Field(default=20, ge=1, le=256)
    """Best products that the serving config "precise" reads together with the query."""

    cross_concurrency: int = Field(default=1, ge=1, le=256)
    """Queries read at once. One keeps all cores of a CPU busy; more suit a GPU."""

    ranking_cache_size: int = Field(default=1_000, ge=1)
    """Rankings kept for further pages; about 10 kB each."""

    ranking_cache_seconds: float = Field(default=600, gt=0)
    """How long a ranking is kept."""

    cache: CacheSettings = CacheSettings()

    parse_cache_size: int = Field(default=2_000, ge=1)
    """Parsed queries kept."""

    parse_cache_seconds: float = Field(default=15, gt=0)
    """How long a parsed query is kept: new brands of the catalogue are not known sooner."""

    completion_refresh_seconds: float = Field(default=5, gt=0)
    """Pause between looks at whether the catalogue or the users' searches changed."""

    completion_terms_timeout_seconds: float = Field(default=60, gt=0)
    """Longest wait for the catalogue's terms, which retrieval gathers by a walk over the index."""

    breaker_failures: int = Field(default=3, ge=1)
    """Failures in a row after which a dependency is not asked for a while."""

    breaker_reset_seconds: float = Field(default=1.0, gt=0)
    """How long it is not asked."""

    import_batches: int = Field(default=3, ge=1, le=32)
    """Batches of an import worked on at once, so that embedding and indexing overlap."""

    pictures_dir: Path | None = None
    """Folder that the pictures of products are read from at import, by their uris as paths below
    it; None reads none. A tenant's are in a folder of its name there, and it reads no others.
    Nothing is ever fetched from an address."""

    pictures_drawn: bool = False
    """Whether products of the bundled catalogue, which has no photographs, are drawn at import."""

    embed_timeout_seconds: float = Field(default=60, gt=0)
    """Longest wait for the vectors of one batch of an import, in seconds."""

    embed_reset_seconds: float = Field(default=2.0, gt=0)
    """How long products go in without vectors before the model is asked again."""

    write_timeout_seconds: float = Field(default=60, gt=0)
    """Longest wait for one batch to be durable, in seconds."""

    popularity_half_life_days: float = Field(default=7, gt=0)
    """Age at which an event counts half for popularity and interests."""

    @model_validator(mode="after")
    def _one_ledger(self) -> Self:
        if self.sponsored.campaigns_file and self.events.redis_url.get_secret_value():
            raise ValueError("sponsored.campaigns_file needs events in files: budgets are of one")
        return self

    def of_tenant(self, tenant: str) -> "OrchestratorSettings":
        """Returns the settings for a tenant's own data, key and rules; these for ""."""
        if not tenant:
            return self
        own = {
            "data_dir": tenant_folder(self.data_dir, tenant),
            "events": self.events.of_tenant(tenant),
            "token_key": _key_of(self.token_key, tenant),
            "previous_token_keys": SecretStr(
                " ".join(
                    _key_of(SecretStr(key), tenant).get_secret_value()
                    for key in self.previous_token_keys.get_secret_value().split()
                )
            ),
            "rules_file": _file_of(self.rules_file, tenant),
            "experiments_file": _file_of(self.experiments_file, tenant),
            "sponsored": self.sponsored.of_file(_file_of(self.sponsored.campaigns_file, tenant)),
            "terms": self.terms.of_files(
                _file_of(self.terms.file, tenant), _file_of(self.terms.prices_file, tenant)
            ),
            "stock": self.stock.of_file(_file_of(self.stock.forecast_file, tenant)),
            "pictures_dir": self.pictures_dir / tenant if self.pictures_dir else None,
            "http_enabled": False,
        }
        return self.model_copy(update=own)


def _file_of(file: Path | None, tenant: str) -> Path | None:
    """Returns a tenant's file of the same name, in a folder called as it; None without one."""
    own = file.parent / tenant / file.name if file else None
    return own if own and own.exists() else None


def _key_of(key: SecretStr, tenant: str) -> SecretStr:
    """Returns the key of a tenant, from which nobody finds that of another; none from none."""
    text = key.get_secret_value()
    if not text:
        return key
    return SecretStr(hmac.digest(text.encode(), tenant.encode(), "sha256").hex())
