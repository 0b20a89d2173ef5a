"""What a suite does now, read from the metrics of its services: what `wherefore top` shows."""

from __future__ import annotations

import http.client
import math
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families

from shared.errors import SERVER_FAULTS
from shared.suite.ports import ALL, PortPlan

TIMEOUT_SECONDS = 1.0
BREAKER_STATES = ("closed", "half-open", "open")
_FAULTS = frozenset(code.name for code in SERVER_FAULTS)

Labels = frozenset[tuple[str, str]]
Samples = Mapping[tuple[str, Labels], float]
_STARTED: tuple[str, Labels] = ("process_start_time_seconds", frozenset())


@dataclass(frozen=True, slots=True)
class Scrape:
    """Samples of every service that answered, at one time (seconds since the epoch)."""

    at: float
    services: Mapping[str, Samples]


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """A process: memory in MiB, share of one core."""

    service: str
    answers: bool
    memory_mib: float = 0.0
    cpu_share: float = 0.0
    in_flight: int = 0
    shed_per_second: float = 0.0


@dataclass(frozen=True, slots=True)
class MethodRow:
    """A method: calls a second, milliseconds (None without calls), share of faults of ours."""

    service: str
    method: str
    calls_per_second: float
    p50_ms: float | None
    p99_ms: float | None
    error_share: float


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole: of look-ups that hit, or of public calls that went without a stage."""

    name: str
    share: float
    per_second: float


@dataclass(frozen=True, slots=True)
class Overview:
    """What a suite did between two scrapes, or since its start."""

    seconds: float
    services: Sequence[ServiceRow]
    methods: Sequence[MethodRow] = ()
    degraded: Sequence[Share] = ()
    caches: Sequence[Share] = ()
    breakers: Mapping[str, str] = field(default_factory=dict[str, str])
    models: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    """Models in use, as "NAME@VERSION (BACKEND)", by service."""


def scrape(ports: PortPlan) -> Scrape:
    """Reads the metrics of all services at once; one that does not answer is left out."""
    with ThreadPoolExecutor(len(ALL)) as pool:
        read = list(pool.map(_read, [int(getattr(ports, f"{name}_metrics")) for name in ALL]))
    found = {name: each for name, each in zip(ALL, read, strict=True) if each is not None}
    return Scrape(time.time(), found)


def parse(text: str) -> Samples:
    """Returns the samples of an exposition."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def overview(now: Scrape, before: Scrape | None = None) -> Overview:
    """Compares two scrapes; without an earlier one it counts from the start of each service."""
    parts = {name: _Part(now, before, name) for name in now.services}
    public = parts.get("orchestrator")
    answered = public.total("wherefore_requests_total") if public else 0.0
    return Overview(
        seconds=max((part.seconds for part in parts.values()), default=0.0),
        services=[_service_row(name, parts.get(name)) for name in ALL],
        methods=[row for name in ALL if name in parts for row in _methods(name, parts[name])],
        degraded=_degraded(parts.values(), answered),
        caches=_caches(parts.values()),
        breakers={
            name: BREAKER_STATES[int(value)]
            for part in parts.values()
            for name, value in sorted(part.latest("wherefore_breaker_state", "dependency").items())
        },
        models={name: part.models() for name, part in parts.items() if part.models()},
    )


class _Part:
    """One service between two scrapes. A service that restarted meanwhile counts from 0."""

    def __init__(self, now: Scrape, before: Scrape | None, name: str) -> None:
        self._now = now.services[name]
        started = self._now.get(_STARTED, now.at)
        known = before.services.get(name) if before is not None else None
        same = known is not None and known.get(_STARTED) == self._now.get(_STARTED)
        self._before: Samples = known if known is not None and same else {}
        since = before.at if before is not None and same else started
        self.seconds = max(now.at - since, 1e-3)

    def grown(self, name: str) -> dict[Labels, float]:
        """How much the series of a counter have grown."""
        return {
            labels: max(0.0, value - self._before.get((name, labels), 0.0))
            for (each, labels), value in self._now.items()
            if each == name
        }

    def total(self, name: str) -> float:
        """How much a counter has grown, its series together."""
        return sum(self.grown(name).values())

    def latest(self, name: str, label: str = "") -> dict[str, float]:
        """The present values of a gauge by one label."""
        return {
            dict(labels).get(label, ""): value
            for (each, labels), value in self._now.items()
            if each == name
        }

    def models(self) -> list[str]:
        """Models in use."""
        found = [
            dict(labels)
            for (name, labels), value in self._now.items()
            if name == "wherefore_models" and value > 0
        ]
        return sorted(f"{each['model']}@{each['version']} ({each['backend']})" for each in found)


def quantile(share: float, buckets: Mapping[float, float]) -> float | None:
    """Returns a quantile as Prometheus does: linear inside the bucket that it falls into.

    Args:
        share: Between 0 and 1.
        buckets: Upper bound -> calls up to it; the last is infinite.
    """
    whole = max(buckets.values(), default=0.0)
    if whole <= 0:
        return None
    wanted, below, start = share * whole, 0.0, 0.0
    for bound, count in sorted(buckets.items()):
        if count >= wanted:
            if math.isinf(bound):
                return start  # longer than the largest bound, nobody knows by how much
            return start + (bound - start) * (wanted - below) / max(count - below, 1e-12)
        below, start = count, bound
    return start


def _service_row(name: str, part: _Part | None) -> ServiceRow:
    if part is None:
        return ServiceRow(name, answers=False)
    return ServiceRow(
        name,
        answers=True,
        memory_mib=sum(part.latest("process_resident_memory_bytes").values()) / 2**20,
        cpu_share=part.total("process_cpu_seconds_total") / part.seconds,
        in_flight=int(sum(part.latest("wherefore_requests_in_flight", "method").values())),
        shed_per_second=part.total("wherefore_admission_rejected_total") / part.seconds,
    )


def _methods(service: str, part: _Part) -> list[MethodRow]:
    calls: dict[str, float] = defaultdict(float)
    faults: dict[str, float] = defaultdict(float)
    buckets: dict[str, dict[float, float]] = defaultdict(dict)
    for labels, grown in part.grown("wherefore_requests_total").items():
        told = dict(labels)
        calls[told["method"]] += grown
        faults[told["method"]] += grown if told["code"] in _FAULTS else 0.0
    for labels, grown in part.grown("wherefore_request_seconds_bucket").items():
        told = dict(labels)
        buckets[told["method"]][float(told["le"])] = grown
    return [
        MethodRow(
            service,
            method.rsplit(".", 1)[-1],
            count / part.seconds,
            _milliseconds(quantile(0.5, buckets[method])),
            _milliseconds(quantile(0.99, buckets[method])),
            faults[method] / count,
        )
        for method, count in sorted(calls.items())
        if count
    ]


def _degraded(parts: Iterable[_Part], answered: float) -> list[Share]:
    found: list[Share] = []
    for part in parts:
        for labels, grown in part.grown("wherefore_degraded_total").items():
            told = dict(labels)
            share = grown / answered if answered else 0.0
            if grown:
                name = f"{told['stage']}: {told['cause']}"
                found.append(Share(name, share, grown / part.seconds))
    return sorted(found, key=lambda each: -each.per_second)


def _caches(parts: Iterable[_Part]) -> list[Share]:
    found: list[Share] = []
    for part in parts:
        hits: dict[str, float] = defaultdict(float)
        lookups: dict[str, float] = defaultdict(float)
        # The cache of worded reasons counts more outcomes than these two.
        for name in ("wherefore_cache_lookups_total", "wherefore_reason_cache_total"):
            for labels, grown in part.grown(name).items():
                told = dict(labels)
                cache = told.get("cache", "reason.words")
                hits[cache] += grown if told["outcome"] == "hit" else 0.0
                lookups[cache] += grown if told["outcome"] in ("hit", "miss") else 0.0
        found += [
            Share(cache, hits[cache] / count, count / part.seconds)
            for cache, count in sorted(lookups.items())
            if count
        ]
    return found


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1e3


def _read(port: int) -> Samples | None:
    if not port:
        return None
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/metrics")
        with connection.getresponse() as response:
            return parse(response.read().decode()) if response.status == http.client.OK else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
