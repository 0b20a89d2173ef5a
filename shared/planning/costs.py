"""What was measured: the one data file that plans are computed from.

`python -m benchmarks.plan_check --measure` writes it; no figure in it is typed by hand.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from shared.planning.distribution import PROBABILITIES

COSTS: Final = Path(__file__).with_name("costs.json")
Reasons = Literal["model", "template", "off"]
Language = Literal["en", "zh"]
Quantiles = list[float]
"""Milliseconds at `distribution.PROBABILITIES`."""

STAGES: Final = ("own", "nlu", "retrieval", "engine", "ranking", "products", "reason")
"""Parts of an answer's latency that follow each other: the orchestrator's own and the way to the
client, understanding, retrieval without its engine, the engine's slower leg, ranking, the products
of the page, reasons."""


class CostsError(Exception):
    """The data file is not there, or is not what it should be."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Provenance(_Model):
    """How figures came about."""

    command: str
    data: str
    date: str
    revision: str
    machine: str
    load_average: float = 0.0
    """Processes that wanted a processor in the minute before: other work than what is measured."""

    def __str__(self) -> str:
        return f"{self.command} on {self.data}, {self.date}, {self.revision}; {self.machine}"


class SearchCosts(_Model):
    """What one kind of search costs."""

    reasons: Reasons
    language: Language
    page_size: int = Field(gt=0)
    repeated: bool
    """Whether the same few queries were asked over and over."""
    calls: int = Field(gt=0)
    whole_share: float
    """Share of the answers that left nothing out."""
    clients: int = Field(gt=1)
    """Callers at a time for `cpu_ms` and `rate`: enough to keep the machine busy, as a call takes
    more processor time where its hyperthread's twin works too."""
    cpu_ms: dict[str, float]
    """Processor time of a call by process, the callers' under `client`, idle work taken off."""
    rate: float = Field(gt=0)
    """Answers a second that these callers got."""
    latency_ms: dict[str, Quantiles]
    """Of STAGES, and of the `whole` as the caller saw it; one caller at a time."""

    @model_validator(mode="after")
    def _has_all(self) -> SearchCosts:
        missing = {*STAGES, "whole"} - self.latency_ms.keys()
        short = [name for name, q in self.latency_ms.items() if len(q) != len(PROBABILITIES)]
        if missing or short:
            raise ValueError(f"latencies of {sorted(missing) or short} are missing or not whole")
        return self


class Searches(_Model):
    """All kinds of search that were measured."""

    provenance: Provenance
    products: int
    cores: int
    idle_cores: dict[str, float]
    """Processors that each process keeps busy while nobody asks."""
    kinds: list[SearchCosts]

    def kind(
        self, reasons: Reasons, language: Language, *, page_size: int, repeated: bool
    ) -> SearchCosts:
        """Returns a kind.

        Raises:
            CostsError: It was not measured.
        """
        wanted = (reasons, language, page_size, repeated)
        for kind in self.kinds:
            if (kind.reasons, kind.language, kind.page_size, kind.repeated) == wanted:
                return kind
        raise CostsError(f"no costs of searches of the kind {wanted}: measure them anew")


class Events(_Model):
    """What a user event costs."""

    provenance: Provenance
    calls: int
    cpu_ms: dict[str, float]
    """By process; `redis` where the log was in Redis."""
    redis_bytes: float
    """Memory of Redis for one event, with what finds it; 0 where no Redis was measured."""


class MemorySize(_Model):
    """Memory of every process at one size of the catalogue."""

    products: int
    resident_mib: dict[str, float]


class Memory(_Model):
    """Memory by size of the catalogue."""

    provenance: Provenance
    sizes: list[MemorySize]


class ShardSize(_Model):
    """The retrieval service alone, over one store of so many products."""

    products: int
    cpu_ms: float
    """Processor time of one Retrieve."""
    engine_ms: Quantiles
    """The slower leg of each."""
    resident_mib: float
    disk_mib: float
    build_cpu_seconds: float
    """To write and index all of them."""


class Shards(_Model):
    """The cost curve of one shard."""

    provenance: Provenance
    sizes: list[ShardSize]

    @property
    def largest(self) -> int:
        """The largest size that was measured; beyond it a fit is an extrapolation."""
        return max(one.products for one in self.sizes)


class Costs(_Model):
    """All that plans are computed from."""

    searches: Searches
    events: Events
    memory: Memory
    shards: Shards


def read_costs(path: Path = COSTS) -> Costs:
    """Reads the data file.

    Raises:
        CostsError: It is not there, or not what it should be.
    """
    try:
        return Costs.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CostsError(f"no costs in {path}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise CostsError(f"{path}: {place}: {first['msg']}") from error
