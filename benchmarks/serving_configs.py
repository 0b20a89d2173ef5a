"""How good the serving configs are as they are served: `python -m benchmarks.serving_configs`.

Hand-made links of the luma shop, asked of the public Recommend RPC of a running suite, once with
the catalogue alone and once with events. `benchmarks.cross_recommendation` measures trained rankers
on the same links, without any service.
"""

from __future__ import annotations

import argparse
import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks import report
from benchmarks.cross_recommendation import KINDS, Shop, folds_of, read_shop
from benchmarks.data import data_folder
from benchmarks.served_shop import Answer, ServedShop, served_shop
from shared.evaluation.metrics import recall
from shared.evaluation.significance import bootstrap_interval, paired_bootstrap
from shared.rank_fusion import fused_scores
from wherefore.common.v1.user_event_pb2 import (
    USER_EVENT_TYPE_PURCHASE,
    USER_EVENT_TYPE_VIEW,
    ProductDetail,
    UserEvent,
    UserEventType,
)

K = 10
_PAGE = 100
_CUSTOMERS = 2
"""Fewer are not counted by the service."""
CONFIGS = {"crosssell": "complements", "upsell": "up-sell", "related": "you-may-also-like"}
"""The serving config that a kind of link is asked of."""
SIMILAR, TOGETHER = "similar", "frequently-bought-together"
_GRAPH_LEGS = frozenset({"complement", "step_up"})
_COUNT_LEGS = frozenset({"bought_together", "viewed_together"})

TEXT_ALONE = "item text alone"
SERVED, COLD = "as served, with events", "as served, catalogue alone"
FOUND = "before ranking, with events"
NO_GRAPH, GRAPH_ALONE = "without the knowledge graph", "knowledge graph alone, no events"
NO_COUNTS = "without co-occurrence"
SYSTEMS = (TEXT_ALONE, SIMILAR, COLD, SERVED, FOUND, NO_GRAPH, NO_COUNTS, GRAPH_ALONE)
ABLATIONS = (NO_GRAPH, NO_COUNTS, GRAPH_ALONE)
HEADINGS = ("system", "all seeds", "seeds kept apart", "95 % interval", "against text", "p")

Recalls = dict[str, dict[str, float]]
"""Recall@10 by seed by system."""
Answers = dict[tuple[str, str], Answer]
"""By config and seed."""


@dataclass
class Asked:
    """What the suites answered."""

    cold: Answers = field(default_factory=Answers)
    """With the catalogue alone."""
    warm: Answers = field(default_factory=Answers)
    """With events of others."""


def wanted(shop: Shop, kind: str) -> dict[str, set[str]]:
    """What the links of a kind offer, by seed."""
    found: dict[str, set[str]] = defaultdict(set)
    for seed, other in shop.links[kind]:
        found[seed].add(other)
    return found


def kept_apart(shop: Shop) -> frozenset[str]:
    """Products whose links nobody looked at while the serving configs were made better."""
    return frozenset[str]().union(*folds_of(shop.products)[1::2])


def served_folds(shop: Shop) -> list[frozenset[str]]:
    """Every product once; a fold holds as many that were kept apart as others."""
    folds = folds_of(shop.products)
    return [one | other for one, other in zip(folds[::2], folds[1::2], strict=True)]


def events_of_others(shop: Shop, fold: frozenset[str]) -> list[UserEvent]:
    """Events of customers who do what the links of products outside a fold say.

    Each cross-sell link is bought by two customers, both ends at once, and each related link is
    looked at by two. No event joins the ends of a link, of any kind, out of a seed of the fold.
    """
    answers = {
        frozenset(link) for links in shop.links.values() for link in links if link[0] in fold
    }
    events: list[UserEvent] = []
    for kind in ("crosssell", "related"):
        for link in shop.links[kind]:
            if link[0] in fold or frozenset(link) in answers:
                continue
            for customer in range(_CUSTOMERS):
                user = f"{kind}-{link[0]}-{link[1]}-{customer}"
                if kind == "crosssell":
                    events.append(_event(USER_EVENT_TYPE_PURCHASE, user, link))
                else:
                    events += [_event(USER_EVENT_TYPE_VIEW, user, [end]) for end in link]
    return events


def _event(kind: UserEventType.ValueType, user: str, product_ids: Iterable[str]) -> UserEvent:
    details = [ProductDetail(product_id=each) for each in product_ids]
    return UserEvent(type=kind, user_id=user, products=details)


async def ask_all(shop: Shop) -> Asked:
    """Ask about every seed, of a suite without events and of one for each fold."""
    asked = Asked()
    async with served_shop(shop.products, []) as served:
        for kind, config in CONFIGS.items():
            await _ask(served, [config], wanted(shop, kind), asked.cold)
    for fold in served_folds(shop):
        async with served_shop(shop.products, events_of_others(shop, fold)) as served:
            for kind, config in CONFIGS.items():
                seeds = sorted(fold & wanted(shop, kind).keys())
                await _ask(served, [config, SIMILAR, TOGETHER], seeds, asked.warm)
    return asked


async def _ask(
    served: ServedShop, configs: Sequence[str], seeds: Iterable[str], into: Answers
) -> None:
    for seed in seeds:
        for config in configs:
            if (config, seed) not in into:
                into[config, seed] = await served.recommend(seed, config, _PAGE)


def measure_kind(shop: Shop, kind: str, asked: Asked) -> Recalls:
    """Recall@10 of every seed with every system, by links of one kind."""
    config = CONFIGS[kind]
    recalls: Recalls = {name: {} for name in SYSTEMS}
    for seed, others in sorted(wanted(shop, kind).items()):
        warm, cold = asked.warm[config, seed], asked.cold[config, seed]
        similar, together = asked.warm[SIMILAR, seed], asked.warm[TOGETHER, seed]
        orders = {
            TEXT_ALONE: _by_text(shop, seed),
            SIMILAR: served_order(similar),
            COLD: served_order(cold),
            SERVED: served_order(warm),
            FOUND: found_order(warm),
            NO_GRAPH: without_graph(warm, together, similar),
            NO_COUNTS: found_order(cold),
            GRAPH_ALONE: by_legs(cold, _GRAPH_LEGS),
        }
        for name, order in orders.items():
            found = recall(order, dict.fromkeys(others, 1), K)
            assert found is not None
            recalls[name][seed] = found
    return recalls


def _by_text(shop: Shop, seed: str) -> list[str]:
    texts = shop.texts(seed)
    del texts[seed]
    ids = list(texts)
    return [ids[at] for at in np.argsort([-value for value in texts.values()], kind="stable")]


def served_order(answer: Answer) -> list[str]:
    """Ids as a shopper sees them."""
    return [result.product.id for result in answer.results]


def found_order(answer: Answer) -> list[str]:
    """Ids by the legs together, before ranking."""
    ordered = sorted(answer.results, key=lambda result: -result.fused_score)
    return [result.product.id for result in ordered]


def by_legs(answer: Answer, legs: frozenset[str]) -> list[str]:
    """Ids that some legs found, merged by reciprocal ranks, each leg with the same weight."""
    placed: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for result in answer.results:
        for leg in result.legs:
            if leg.leg in legs:
                placed[leg.leg].append((leg.rank, result.product.id))
    scores = fused_scores((1.0, [each for _, each in sorted(found)]) for found in placed.values())
    return sorted(scores, key=lambda each: (-scores[each], each))


def without_graph(answer: Answer, together: Answer, similar: Answer) -> list[str]:
    """What is left where the graph finds nothing: what was chosen together, then what is alike."""
    counted = by_legs(answer, _COUNT_LEGS) or by_legs(together, _COUNT_LEGS)
    return list(dict.fromkeys([*counted, *found_order(similar)]))


def section(shop: Shop, recalls: Mapping[str, Recalls]) -> str:
    """The section of RESULTS.md."""
    apart = kept_apart(shop)
    lines = [
        "## Serving configs as they are served",
        "",
        report.provenance(
            "python -m benchmarks.serving_configs",
            f"luma, {len(shop.products)} shop products, through the Recommend RPC of a suite",
        ),
    ]
    for kind, title in KINDS.items():
        seeds = recalls[kind][TEXT_ALONE]
        kept = [seed for seed in seeds if seed in apart]
        lines += [
            "",
            f"### {title.capitalize()} links: `{CONFIGS[kind]}`",
            "",
            f"Recall@{K} of {len(seeds)} seeds, {len(kept)} of them kept apart.",
            "",
            report.table(HEADINGS, [_row(name, recalls[kind], kept) for name in SYSTEMS]),
            "",
            "Less than before ranking, seeds kept apart: "
            + "; ".join(_loss(name, recalls[kind], kept) for name in ABLATIONS)
            + ".",
        ]
    return "\n".join([*lines, "", _NOTE])


_NOTE = f"""Item text: cosine of all-MiniLM-L6-v2 vectors of title and description. The other rows
are pages of {_PAGE} of the public RPC, as ranked or, before ranking, by the legs together. "With
events": {_CUSTOMERS} customers buy the ends of each cross-sell link together, and {_CUSTOMERS} look
at those of each related link, which stands in for the logs that this shop lacks. In 5 folds over
seeds, each with a suite of its own, no event joins a seed of the fold with what it is measured by,
so the figures are those of a new product while others have a history. Up-sell reads no events.

Ablations are taken from the legs of the same answers. Without the graph there is left what was
chosen together with the product itself, then what is alike; without co-occurrence is the suite
without events, texts and graph; the graph alone is its own legs there, without texts.

The rules were made better by looking at half of the seeds; intervals, p (two-sided, paired
bootstrap over seeds) and differences are of the other half. A seed with more than {K} links cannot
reach recall 1."""


def _row(name: str, recalls: Recalls, kept: Sequence[str]) -> list[str]:
    own = [recalls[name][seed] for seed in kept]
    shown = bootstrap_interval(own)
    row = [
        f"**{name}**" if name == SERVED else f"`{name}`" if name == SIMILAR else name,
        f"{np.mean(list(recalls[name].values())):.3f}",
        f"{shown.mean:.3f}",
        f"{shown.low:.3f} to {shown.high:.3f}",
    ]
    if name == TEXT_ALONE:
        return [*row, "", ""]
    away = paired_bootstrap(own, [recalls[TEXT_ALONE][seed] for seed in kept])
    return [*row, f"{away.interval.mean:+.3f}", f"{away.p:.4f}"]


def _loss(name: str, recalls: Recalls, kept: Sequence[str]) -> str:
    full, other = ([recalls[each][seed] for seed in kept] for each in (FOUND, name))
    away = paired_bootstrap(full, other)
    shown = away.interval
    return f"{name} {shown.mean:+.3f} ({shown.low:+.3f} to {shown.high:+.3f}, p {away.p:.4f})"


def main() -> None:
    """Run the benchmark; writes its section of RESULTS.md unless told not to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args()
    shop = read_shop(data_folder("luma") / "luma")
    asked = asyncio.run(ask_all(shop))
    recalls = {kind: measure_kind(shop, kind, asked) for kind in KINDS}
    body = section(shop, recalls)
    print(body)
    if not options.no_write:
        report.update_section("serving-configs", body)


if __name__ == "__main__":
    main()
