"""Costs of a made-up suite, of the order of measured ones."""

import numpy as np

from shared.planning.costs import (
    STAGES,
    Costs,
    Events,
    Language,
    Memory,
    MemorySize,
    Provenance,
    Reasons,
    SearchCosts,
    Searches,
    Shards,
    ShardSize,
)
from shared.planning.demand import PAGE, SMALL_PAGE
from shared.planning.distribution import PROBABILITIES
from shared.planning.one_machine import answers_per_second

PROCESSES = ("orchestrator", "nlu", "retrieval", "ranking", "reason", "recommend", "triton")
PROVENANCE = Provenance(
    command="made up", data="nothing", date="2026-11-27", revision="none", machine="no machine"
)


def spread(mean: float) -> list[float]:
    """Quantiles with a tail: a gamma-like shape, scaled to the mean."""
    raw = np.array([0.4, 0.5, 0.55, 0.7, 0.9, 1.2, 1.6, 1.9, 2.3, 2.6, 3.2])
    middle = np.sum(np.diff(PROBABILITIES) * (raw[1:] + raw[:-1]) / 2)
    return [float(value) for value in raw / middle * mean]


def search_costs(
    reasons: Reasons, language: Language, page_size: int, *, repeated: bool
) -> SearchCosts:
    extra = page_size / PAGE
    nlu = 1.0 if repeated else 7.0 if language == "en" else 12.0
    reason = {"off": 0.0, "template": 4.0 * extra, "model": 55.0 * extra}[reasons]
    latency = {
        "own": 4.0, "nlu": nlu, "retrieval": 5.0, "engine": 3.0, "ranking": 4.0,
        "products": 1.0 + extra, "reason": reason,
    }  # fmt: skip
    cpu = {
        "orchestrator": 3.0, "nlu": nlu / 3, "retrieval": 8.0, "ranking": 3.5,
        "reason": min(reason, 3.0 * extra), "recommend": 0.5, "client": 1.0,
        "triton": (0.0 if repeated else 3.0) + (70.0 * extra if reasons == "model" else 0.0),
    }  # fmt: skip
    return SearchCosts(
        reasons=reasons,
        language=language,
        page_size=page_size,
        repeated=repeated,
        calls=100,
        whole_share=1.0,
        clients=4,
        cpu_ms=cpu,
        rate=answers_per_second(cpu, 4, 2, delay_ms=5.0),
        latency_ms={name: spread(latency[name]) for name in STAGES}
        | {"whole": spread(sum(latency.values()))},
    )


def costs() -> Costs:
    kinds: list[tuple[Language, int, bool]] = [
        ("en", PAGE, False),
        ("zh", PAGE, False),
        ("en", SMALL_PAGE, False),
        ("en", PAGE, True),
    ]
    ways: tuple[Reasons, ...] = ("off", "template", "model")
    return Costs(
        searches=Searches(
            provenance=PROVENANCE,
            products=20_000,
            cores=2,
            idle_cores=dict.fromkeys(PROCESSES, 0.001),
            kinds=[
                search_costs(way, language, page, repeated=repeated)
                for way in ways
                for language, page, repeated in kinds
            ],
        ),
        events=Events(
            provenance=PROVENANCE,
            calls=1000,
            cpu_ms={"orchestrator": 1.0, "recommend": 0.1, "redis": 0.05},
            redis_bytes=600,
        ),
        memory=Memory(
            provenance=PROVENANCE,
            sizes=[
                MemorySize(
                    products=size,
                    resident_mib=dict.fromkeys(PROCESSES, 150.0 + size / 1000),
                )
                for size in (2_000, 10_000)
            ],
        ),
        shards=Shards(
            provenance=PROVENANCE,
            sizes=[
                ShardSize(
                    products=size,
                    cpu_ms=8 + 0.02 * size**0.5,
                    engine_ms=spread(0.06 * size**0.4),
                    resident_mib=200 + size * 0.004,
                    disk_mib=100 + size * 0.006,
                    build_cpu_seconds=size * 0.003,
                )
                for size in (2_000, 20_000, 200_000, 1_000_000)
            ],
        ),
    )
