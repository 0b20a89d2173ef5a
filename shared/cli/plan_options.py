"""The options of `wherefore plan`, as people write them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

if TYPE_CHECKING:
    from shared.planning.workload import Policy, Prices, Workload


@Parameter(name="*")
@dataclass(frozen=True)
class TrafficOptions:
    """What is asked."""

    reasons: Annotated[
        Literal["auto", "model", "template", "off"],
        Parameter(help="What words reasons; auto: the richest that meets the target."),
    ] = "auto"
    page_size: Annotated[int, Parameter(help="Results of a page, at most 100.")] = 20
    chinese: Annotated[str, Parameter(help="Share of the searches in Chinese, such as 30%.")] = "0%"
    cache_hits: Annotated[
        str, Parameter(help="Share of the searches that were asked before, lately.")
    ] = "0%"
    events: Annotated[str, Parameter(help="User events a second, such as 2k.")] = "0"
    event_days: Annotated[str, Parameter(help="Days for which they are kept.")] = "30"


@Parameter(name="*")
@dataclass(frozen=True)
class MachineOptions:
    """What there is to run on, and what is to spare."""

    headroom: Annotated[str, Parameter(help="Share of processors that stays free.")] = "30%"
    zones: Annotated[int, Parameter(help="Availability zones, of which one may be lost.")] = 3
    copies: Annotated[int, Parameter(help="Least copies of each shard.")] = 2
    quantisation: Annotated[
        Literal["none", "int8", "binary"], Parameter(help="Of the vectors in memory.")
    ] = "int8"
    shard_products: Annotated[
        str, Parameter(help="Most products of a shard; auto: the largest measured, 1M at least.")
    ] = "auto"
    asked: Annotated[
        str, Parameter(help="Share of the shards that a search asks; see docs/internet_scale.md.")
    ] = "100%"
    node_cores: Annotated[int, Parameter(help="Most processors of a node.")] = 8
    node_memory: Annotated[str, Parameter(help="Most memory of a node of Qdrant.")] = "128GiB"
    hop: Annotated[str, Parameter(help="Round trip between two machines.")] = "0.5ms"
    gpu_cores: Annotated[
        str,
        Parameter(help="Processors whose work of Triton one GPU does; 0: no GPUs. Not measured."),
    ] = "0"


@Parameter(name="*")
@dataclass(frozen=True)
class PriceOptions:
    """What a month is counted with; the defaults are assumptions."""

    price_vcpu: Annotated[float, Parameter(help="Of a vCPU-hour.")] = 0.04
    price_gib: Annotated[float, Parameter(help="Of a GiB-hour of memory.")] = 0.005
    price_gpu: Annotated[float, Parameter(help="Of a GPU-hour.")] = 2.5
    price_disk: Annotated[float, Parameter(help="Of a GB-month of disk.")] = 0.10
    currency: Annotated[str, Parameter(help="What prices are in.")] = "USD"


def read(
    products: str,
    qps: str,
    p99: str,
    *,
    traffic: TrafficOptions,
    machines: MachineOptions,
    prices: PriceOptions,
) -> Workload:
    """Reads the options.

    Raises:
        PlanInputError: For a value that no plan can be made of; it names the option.
    """
    from shared.planning import units
    from shared.planning.workload import Workload

    return Workload(
        products=units.count(products, "--products"),
        qps=units.count(qps, "--qps", least=0.01, most=1e7),
        p99_ms=units.milliseconds(p99, "--p99", least=1.0),
        reasons=traffic.reasons,
        page_size=units.whole(traffic.page_size, "--page-size", least=1, most=100),
        chinese_share=units.share(traffic.chinese, "--chinese"),
        cache_hits=units.share(traffic.cache_hits, "--cache-hits"),
        events=units.count(traffic.events, "--events", least=0.0, most=1e7),
        event_days=units.count(traffic.event_days, "--event-days", least=0.0, most=3650),
        policy=_policy(machines),
        prices=_prices(prices),
    )


def _policy(options: MachineOptions) -> Policy:
    from shared.planning import units
    from shared.planning.workload import Policy

    largest = 0.0
    if options.shard_products != "auto":
        largest = units.count(options.shard_products, "--shard-products", least=1e3, most=1e9)
    asked = units.share(options.asked, "--asked")
    if not asked:
        raise units.PlanInputError("--asked", "a search asks one shard at least; give more than 0")
    return Policy(
        headroom=units.share(options.headroom, "--headroom", most=0.95),
        zones=units.whole(options.zones, "--zones", least=1, most=12),
        shard_copies=units.whole(options.copies, "--copies", least=1, most=12),
        quantisation=options.quantisation,
        most_shard_products=largest,
        asked_share=asked,
        node_cores=units.whole(options.node_cores, "--node-cores", least=2, most=256),
        node_gib=units.gibibytes(options.node_memory, "--node-memory", least=1.0),
        hop_ms=units.milliseconds(options.hop, "--hop", most=1e3),
        gpu_cores=units.count(options.gpu_cores, "--gpu-cores", least=0.0, most=1e5),
    )


def _prices(options: PriceOptions) -> Prices:
    from shared.planning import units
    from shared.planning.workload import Prices

    named = {
        "--price-vcpu": options.price_vcpu,
        "--price-gib": options.price_gib,
        "--price-gpu": options.price_gpu,
        "--price-disk": options.price_disk,
    }
    for flag, value in named.items():
        if not 0 <= value < 1e6:  # noqa: PLR2004 - no price is that high; NaN is none either
            raise units.PlanInputError(flag, f"{value:g} is no price; give 0 or more")
    return Prices(*named.values(), currency=options.currency)
