"""What one search asks of every pool: from measured costs to visits of stations.

A leg is a part of the answer's latency as it was measured with one caller, and the visits that it
holds: so long it keeps a server of a pool. What is left of it is no queue's: the network, waiting
for nobody. With more callers each visit waits, and the leg takes that much longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from shared.planning.costs import Costs, Language, Reasons, SearchCosts
from shared.planning.distribution import mean, variability
from shared.planning.shard_curve import ShardCurve
from shared.planning.workload import Workload

ENGINE: Final = "qdrant"
READING, WRITING = "triton, reading", "triton, reasons"
POOLS: Final = (
    "orchestrator", "nlu", READING, "retrieval", ENGINE, "ranking", "reason", WRITING, "recommend",
)  # fmt: skip
"""In the order in which a search comes to them."""
_LEAST_MS: Final = 0.05
"""Of a visit: the kernel counts processor time in steps of 10 ms, so less may read as nothing."""
_OWN: Final = 0.2
"""Least share of retrieval's work that is its own."""
SMALL_PAGE, PAGE = 5, 20
"""Sizes of page that were measured; others lie on the line through them."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Time of one server of a pool, milliseconds."""

    pool: str
    service_ms: float
    width: float = 1.0
    """Processors that the server is: of a forward pass over several threads more than one."""

    @property
    def work_ms(self) -> float:
        """Time of processors."""
        return self.service_ms * self.width


@dataclass(frozen=True, slots=True)
class Leg:
    """A part of the latency, visits included and waits left out."""

    quantiles: tuple[float, ...]
    """Milliseconds at `distribution.PROBABILITIES`."""
    visits: tuple[Visit, ...]

    @property
    def scv(self) -> float:
        """Squared coefficient of variation, which its visits share."""
        return variability(self.quantiles)


@dataclass(frozen=True, slots=True)
class SearchKind:
    """Searches that cost alike."""

    share: float
    legs: tuple[Leg, ...]
    """One after the other; the fan-out over shards is not among them."""
    aside: tuple[Visit, ...]
    """Work that nobody waits for, and what runs beside longer things."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What a search asks, on average and by kind."""

    reasons: Reasons
    kinds: tuple[SearchKind, ...]

    def visits(self) -> list[tuple[float, Visit, float]]:
        """Returns share, visit and squared coefficient of variation of all visits of all kinds."""
        found: list[tuple[float, Visit, float]] = []
        for kind in self.kinds:
            found += [(kind.share, v, leg.scv) for leg in kind.legs for v in leg.visits]
            found += [(kind.share, v, 1.0) for v in kind.aside]
        return found


def demand(workload: Workload, costs: Costs, reasons: Reasons) -> Demand:
    """Returns what searches ask, by language and by whether they were asked before.

    Raises:
        CostsError: A kind that is needed was not measured.
    """
    again, chinese = workload.cache_hits, workload.chinese_share
    shares: dict[tuple[Language, bool], float] = {
        ("en", False): (1 - again) * (1 - chinese),
        ("zh", False): (1 - again) * chinese,
        # Repeated searches were measured in English only: what is kept is read, not understood.
        ("en", True): again,
    }
    return Demand(
        reasons,
        tuple(
            _kind(workload, costs, reasons, language, share, repeated=repeated)
            for (language, repeated), share in shares.items()
            if share > 0
        ),
    )


def _kind(
    workload: Workload,
    costs: Costs,
    reasons: Reasons,
    language: Language,
    share: float,
    *,
    repeated: bool,
) -> SearchKind:
    searches = costs.searches
    measured = searches.kind(reasons, language, page_size=PAGE, repeated=repeated)
    # Without reasons Triton only reads; what it works beyond that is the writer's.
    plain = searches.kind("off", language, page_size=PAGE, repeated=repeated)
    larger = searches.kind(reasons, "en", page_size=PAGE, repeated=False)
    smaller = searches.kind(reasons, "en", page_size=SMALL_PAGE, repeated=False)
    sized = _Sized(measured, larger, smaller, workload.page_size)

    def served(process: str) -> Visit:
        return Visit(process, max(_LEAST_MS, sized.cpu(process)))

    reading = min(plain.cpu_ms.get("triton", 0.0), measured.cpu_ms.get("triton", 0.0))
    writing = max(0.0, sized.cpu("triton") - reading) if reasons == "model" else 0.0
    # The engine's work is the shards'; what the process does beside it is the service's own.
    engine = ShardCurve.of(costs.shards).work_ms.at(searches.products)
    retrieval = max(_LEAST_MS, sized.cpu("retrieval"))
    hop = workload.policy.hop_ms
    gpu = workload.policy.gpu_cores
    legs = [
        _leg(sized, ("own",), 0.0, [served("orchestrator")], gpu),
        _leg(
            sized,
            ("nlu",),
            2 * hop,
            [served("nlu"), Visit(READING, reading)],
            gpu,
        ),
        _leg(
            sized,
            ("retrieval", "products"),
            3 * hop,
            [Visit("retrieval", max(_OWN * retrieval, retrieval - engine))],
            gpu,
        ),
        _leg(sized, ("ranking",), hop, [served("ranking")], gpu),
    ]
    if reasons != "off":
        visits = [served("reason")]
        visits += [Visit(WRITING, writing)] if writing else []
        legs.append(_leg(sized, ("reason",), len(visits) * hop, visits, gpu))
    return SearchKind(share, tuple(legs), (served("recommend"),))


class _Sized:
    """A kind at another size of page."""

    def __init__(
        self, measured: SearchCosts, larger: SearchCosts, smaller: SearchCosts, page_size: int
    ) -> None:
        self._measured, self._larger, self._smaller = measured, larger, smaller
        self._beyond = page_size - PAGE

    def cpu(self, process: str) -> float:
        """Processor time of a process, milliseconds."""
        costs = [one.cpu_ms.get(process, 0.0) for one in (self._larger, self._smaller)]
        return self._on_line(self._measured.cpu_ms.get(process, 0.0), *costs)

    def latency(self, stage: str) -> list[float]:
        """Quantiles of a stage, milliseconds."""
        quantiles = self._measured.latency_ms[stage]
        before = mean(quantiles)
        ends = [mean(one.latency_ms[stage]) for one in (self._larger, self._smaller)]
        factor = self._on_line(before, *ends) / before if before > 0 else 1.0
        return [value * factor for value in quantiles]

    def _on_line(self, value: float, larger: float, smaller: float) -> float:
        each = max(0.0, (larger - smaller) / (PAGE - SMALL_PAGE))
        return max(0.2 * value, value + each * self._beyond)


def _leg(
    sized: _Sized, stages: Sequence[str], extra_ms: float, visits: Sequence[Visit], gpu: float
) -> Leg:
    """A leg of measured stages; on a GPU the models' part of it shrinks."""
    quantiles = [sum(values) for values in zip(*map(sized.latency, stages), strict=True)]
    before = max(mean(quantiles), 1e-3)
    # More time of processors than of the clock: the models work on several at once.
    others = sum(v.service_ms for v in visits if not _model(v))
    models = sum(v.service_ms for v in visits if _model(v))
    width = max(1.0, models / max(before - others, 0.1 * before))
    held = [replace(v, service_ms=v.service_ms / width, width=width) if _model(v) else v
            for v in visits]  # fmt: skip
    kept = held
    if gpu:
        kept = [Visit(v.pool, v.service_ms / gpu) if _model(v) else v for v in visits]
    saved = sum(v.service_ms for v in held) - sum(v.service_ms for v in kept)
    after = max(before - saved, sum(v.service_ms for v in kept))
    return Leg(tuple(q * after / before + extra_ms for q in quantiles), tuple(kept))


def _model(visit: Visit) -> bool:
    return visit.pool in (READING, WRITING)
