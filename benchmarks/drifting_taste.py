"""Learning while serving, in a shop whose taste drifts: `python -m benchmarks.drifting_taste`.

Simulated shoppers search the bundled catalogue, look at the first places most, and click what they
like. The ranking service's own code ranks, frozen or learning from their events, each in a shop of
its own with the same shoppers. What a page is worth, the clicks to expect of it, is computed from
the hidden taste and compared with the best order there is. `python -m benchmarks.drifting_services`
does the same in small through the services.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks import plots, report
from benchmarks.drifting_shop import (
    INDIVIDUAL,
    MISTAKE,
    PLACES,
    QUERIES,
    SEVERITY,
    Shop,
    Taste,
    attraction,
    tastes,
    worth,
)
from services.ranking.clicks.behaviour import (
    Behaviour,
    Cascade,
    PositionBased,
    follow_through,
)
from services.ranking.config import DEFAULT_WEIGHTS, OnlineSettings
from services.ranking.exploration import Explorer
from services.ranking.features import FEATURE_SET
from services.ranking.online.learner import OnlineLearner
from services.ranking.ranker import Placed, Ranker
from services.ranking.variants import Variant, Variants
from services.ranking.weights import load_weights
from shared.evaluation.significance import bootstrap_interval, paired_randomisation
from wherefore.common.v1 import user_event_pb2 as pb
from wherefore.common.v1.shown_page_pb2 import ShownPage, ShownPlace

Floats = NDArray[np.float64]

FROZEN, ONLINE, EXPLORING = "frozen", "online", "online, exploring"
DRIFTING: Final = "drifting taste"
CASCADE: Final = "drifting taste, shoppers who read from the top"
STAYING: Final = "taste that stays"
SHOPPERS: Final[Mapping[str, tuple[Behaviour, bool]]] = {
    DRIFTING: (PositionBased(SEVERITY), True),
    CASCADE: (Cascade(), True),
    STAYING: (PositionBased(SEVERITY), False),
}
"""By name: how shoppers click, and whether their taste drifts."""
SYSTEMS: Final[Mapping[str, Sequence[str]]] = {
    DRIFTING: (FROZEN, ONLINE, EXPLORING),
    CASCADE: (FROZEN, ONLINE),
    STAYING: (FROZEN, ONLINE),
}
PAGES, SEEDS, WINDOW = 2_000, 8, 100
EXPLORED: Final = 0.3
"""Standard deviations of the belief that the exploring system draws its weights by."""
PICTURE: Final = Path(report.ROOT / "docs" / "images" / "drifting_taste.svg")
_START: Final = 1_700_000_000


class Simulation:
    """One shop with one system.

    Args:
        seed: The same seed gives the same shop, searches, taste and shoppers to every system.
        system: What ranks.
        behaviour: How shoppers click.
        pages: Searches.
        drifts: Whether taste does.
    """

    def __init__(
        self, seed: int, system: str, behaviour: Behaviour, pages: int, *, drifts: bool
    ) -> None:
        random = np.random.default_rng(seed)
        weights = load_weights(DEFAULT_WEIGHTS)
        online = OnlineSettings()
        self._learner = OnlineLearner(
            weights,
            online.choice(),
            online.least_updates,
        )
        self._ranker = Ranker(
            weights,
            10_000,
            clock=lambda: 1.795e9,  # a little after the newest product
            variants=Variants(
                weights,
                head=self._learner,
                default=Variant.WEIGHTS if system == FROZEN else Variant.ONLINE,
            ),
            explorer=Explorer(EXPLORED, np.random.default_rng(seed + 1_000))
            if system == EXPLORING
            else None,
        )
        self._behaviour = behaviour
        self._shop = Shop(self._ranker, random)
        self._tastes = tastes(pages, self._shop.brands, random, drifts=drifts)
        self._random = random
        self._explores = system == EXPLORING
        self._learns = system != FROZEN

    def run(self) -> Floats:
        """Serves all pages; returns (pages, 2) what each was worth and could have been."""
        found = [self._serve(number, taste) for number, taste in enumerate(self._tastes)]
        return np.array(found)

    def _serve(self, number: int, taste: Taste) -> tuple[float, float]:
        # One draw a page, whatever is shown, so that all systems meet the same shopper.
        shopper = np.random.default_rng([number, int(self._random.integers(2**31))])
        search = self._shop.searches[int(shopper.integers(len(self._shop.searches)))]
        # Before enough was learnt to have a belief, exploring would be another thing.
        explore = self._explores and self._learner.deviation("search") is not None
        wanted = replace(
            search.prepared.wanted, explore=explore, include_features=True, limit=PLACES
        )
        ranking = self._ranker.place(replace(search.prepared, wanted=wanted))
        rows = {c.product.id: row for row, c in enumerate(wanted.candidates)}
        order = [rows[placed.product_id] for placed in ranking.results]
        individual = shopper.normal(0.0, INDIVIDUAL, len(rows))
        likes = attraction(search, taste, individual)[order]
        clicked = self._behaviour.click(MISTAKE + (1.0 - MISTAKE) * likes[np.newaxis], shopper)
        _, bought = follow_through(clicked, likes[np.newaxis], shopper)
        if self._learns:
            self._tell(number, ranking.results, clicked[0], bought[0])
        expected = attraction(search, taste)
        return worth(order, expected), worth(np.argsort(-expected).tolist(), expected)

    def _tell(
        self,
        number: int,
        shown: Sequence[Placed],
        clicked: NDArray[np.bool_],
        bought: NDArray[np.bool_],
    ) -> None:
        page = ShownPage(
            serving_config="search",
            language_code="en",
            feature_set=FEATURE_SET,
            places=[
                ShownPlace(product_id=each.product_id, place=each.rank, features=each.features)
                for each in shown
            ],
        )
        kinds = (pb.USER_EVENT_TYPE_CLICK, clicked), (pb.USER_EVENT_TYPE_PURCHASE, bought)
        for kind, happened in kinds:
            for row in np.flatnonzero(happened):
                event = pb.UserEvent(
                    type=kind,
                    user_id=f"shopper-{number}",
                    attribution_token=f"page-{number}",
                    shown=page,
                )
                event.event_time.seconds = _START + 10 * number
                event.products.add(product_id=shown[row].product_id)
                self._learner.learn(event)


def run_one(job: tuple[int, str, str, int, Path | None]) -> Floats:
    """Runs one seed of one system, unless it was kept; for a pool of processes."""
    seed, system, shoppers, pages, kept = job
    name = f"{shoppers} {system} {pages} {seed}.npy".replace(" ", "_")
    if kept is not None and (kept / name).exists():
        return np.load(kept / name)
    behaviour, drifts = SHOPPERS[shoppers]
    found = Simulation(seed, system, behaviour, pages, drifts=drifts).run()
    if kept is not None:
        np.save(kept / name, found)
    return found


def measure(
    shoppers: str, seeds: int, pages: int, processes: int, kept: Path | None
) -> dict[str, list[Floats]]:
    """All seeds of all systems: by system, (windows,) the share of the best order's worth."""
    systems = SYSTEMS[shoppers]
    jobs = [(seed, system, shoppers, pages, kept) for system in systems for seed in range(seeds)]
    with ProcessPoolExecutor(processes) as pool:
        found = list(pool.map(run_one, jobs))
    shares: dict[str, list[Floats]] = {system: [] for system in systems}
    for (_, system, *_), values in zip(jobs, found, strict=True):
        # A mean of ratios would weigh poor searches most: worth is summed in windows.
        whole = len(values) // WINDOW * WINDOW
        summed = values[:whole].reshape(-1, WINDOW, 2).sum(axis=1)
        shares[system].append(summed[:, 0] / summed[:, 1])
    return shares


def rows_of(shoppers: str, found: Mapping[str, Sequence[Floats]]) -> list[list[str]]:
    """Rows of the table: share of the best order, and the gain over the frozen weights."""
    rows: list[list[str]] = []
    frozen = [float(run.mean()) for run in found[FROZEN]]
    for system in found:
        means = [float(run.mean()) for run in found[system]]
        own = bootstrap_interval(means)
        row = [f"{shoppers}: {system}", f"{own.mean:.3f}", f"{own.low:.3f} to {own.high:.3f}"]
        if system == FROZEN:
            row += ["", "", ""]
        else:
            gaps = [a - b for a, b in zip(means, frozen, strict=True)]
            gap = bootstrap_interval(gaps)
            p = paired_randomisation(means, frozen)
            above = sum(each > 0 for each in gaps)
            row += [f"{gap.mean:+.3f} ({gap.low:+.3f} to {gap.high:+.3f})", f"{p:.4f}"]
            row.append(f"{above} of {len(gaps)}")
        rows.append(row)
    return rows


def section(results: Mapping[str, Mapping[str, Sequence[Floats]]], seeds: int, pages: int) -> str:
    """The section of RESULTS.md."""
    rows = [row for name, found in results.items() for row in rows_of(name, found)]
    headings = ["shoppers: system", "share of the best", "95 % interval", "over frozen", "p"]
    data = f"{QUERIES} searches of the bundled catalogue, {pages:,} pages, {seeds} shops each"
    return "\n".join(
        [
            "## Learning while serving",
            "",
            report.provenance("python -m benchmarks.drifting_taste", data),
            "",
            report.table([*headings, "shops where above"], rows),
            "",
            "![What pages are worth while taste drifts](../docs/images/drifting_taste.svg)",
            "",
            "Worth of a page: the clicks to expect of its ten products, by the hidden taste;",
            "the best order knows that taste. Taste wanders to one that is drawn and to another,",
            "and after two thirds of the pages changes from one page to the next; each shop has",
            "its own. Shoppers look at place k as 1 / k^0.8 (the learner begins at 1 / k), click",
            "2 % by mistake, and like brands and prices that no feature tells of, so the best",
            "order is out of reach. What explores draws its weights by 0.3 standard deviations of",
            "what was learnt. Intervals and p (paired randomisation) are over shops. The",
            "shoppers are simulated: the figures say that learning follows, not what a shop gains.",
        ]
    )


def main() -> int:
    """Prints the section, and writes it unless told not to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-write", action="store_true", help="print only")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--pages", type=int, default=PAGES)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="folder of runs, where it goes on")
    parser.add_argument("--shoppers", choices=SHOPPERS, nargs="+", default=list(SHOPPERS))
    options = parser.parse_args()
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
    results = {
        name: measure(name, options.seeds, options.pages, options.processes, options.keep)
        for name in options.shoppers
    }
    body = section(results, options.seeds, options.pages)
    print(body)
    if not options.no_write and DRIFTING in results:
        runs = {name: [run.tolist() for run in of] for name, of in results[DRIFTING].items()}
        windows = len(runs[FROZEN][0])
        plots.curves(
            [WINDOW * (number + 1) for number in range(windows)],
            runs,
            ("pages served", "worth of pages, as a share of the best order"),
            PICTURE,
        )
        report.update_section("drifting-taste", body)
    return 0


if __name__ == "__main__":
    sys.exit(main())
