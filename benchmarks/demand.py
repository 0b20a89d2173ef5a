"""Forecasts of demand on a time split, in the simulated shop: `python -m benchmarks.demand`.

No set of public data at hand has sales with their days, so they are simulated: shoppers of the shop
of `benchmarks.drifting_shop` search more at the week's end, buy what they like, and change their
taste. They are sold as user events are, written to a file and read back by what `wherefore demand`
reads. Forecasts are made from all but the last days and measured on these.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from google.protobuf.json_format import MessageToJson
from google.protobuf.timestamp_pb2 import Timestamp

from benchmarks import report
from benchmarks.drifting_shop import Shop, attraction, tastes
from services.ranking.config import DEFAULT_WEIGHTS
from services.ranking.ranker import Ranker
from services.ranking.weights import load_weights
from shared.cli.demand_run import read_history
from shared.cli.evaluation_progress import forecast_progress
from shared.demand.evaluation import CHOSEN, Evaluation, evaluate, figures
from shared.demand.methods import BASELINES, CANDIDATES
from wherefore.common.v1.user_event_pb2 import (
    USER_EVENT_TYPE_PURCHASE,
    USER_EVENT_TYPE_VIEW,
    ProductDetail,
    UserEvent,
    UserEventType,
)

COMMAND: Final = "python -m benchmarks.demand"
WEEK_SHAPE: Final = np.array([0.85, 0.8, 0.85, 0.95, 1.2, 1.35, 1.0])
FIRST_DAY: Final = datetime(2026, 3, 2, tzinfo=UTC).timestamp()
BOUGHT: Final = 0.04
"""Of those who would click, who buy."""


def events(days: int, searches: float, seed: int) -> Iterator[UserEvent]:
    """Yields what shoppers do: each product is seen on the first day, and bought now and then.

    Args:
        days: Simulated.
        searches: A day of the most frequent query; the n-th is made 1 / n times as often.
        seed: Of all chance.
    """
    random = np.random.default_rng(seed)
    shop = Shop(Ranker(load_weights(DEFAULT_WEIGHTS), 5_000), random)
    ids = [[c.product.id for c in each.prepared.wanted.candidates] for each in shop.searches]
    for product_id in sorted({product for each in ids for product in each}):
        yield _event(USER_EVENT_TYPE_VIEW, product_id, 1, 0)
    for day, taste in enumerate(tastes(days, shop.brands, random, drifts=True)):
        for place, (search, products) in enumerate(zip(shop.searches, ids, strict=True), start=1):
            shoppers = searches / place * WEEK_SHAPE[day % len(WEEK_SHAPE)]
            sold = random.poisson(shoppers * BOUGHT * attraction(search, taste))
            for product_id, count in zip(products, sold, strict=True):
                if count:
                    yield _event(USER_EVENT_TYPE_PURCHASE, product_id, int(count), day)
    # The day of the last event is taken not to be over.
    yield _event(USER_EVENT_TYPE_VIEW, ids[0][0], 1, days)


def _event(kind: UserEventType.ValueType, product_id: str, count: int, day: int) -> UserEvent:
    return UserEvent(
        type=kind,
        session_id="simulated",
        event_time=Timestamp(seconds=int(FIRST_DAY + day * 86_400)),
        products=[ProductDetail(product_id=product_id, quantity=count)],
    )


def measured(days: int, searches: float, horizon: int, seed: int) -> Evaluation:
    """Simulates, writes the events, reads them back and measures forecasts."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for event in events(days, searches, seed):
                file.write(MessageToJson(event, indent=None) + "\n")
        history = read_history(path, None, None, 0.0)
    with forecast_progress(len(history.units)) as advance:
        return evaluate(history.units, horizon, advance)


def section(found: Evaluation, data: str) -> str:
    """The section of RESULTS.md."""
    told = figures(found)
    names = sorted(told["methods"], key=lambda name: (name != CHOSEN, name not in BASELINES))
    rows = [
        [
            f"**{name}**" if name == CHOSEN else f"`{name}`",
            f"{row['rmsse']:.3f}",
            f"{row['mase']:.3f}",
            f"{row['total_error']:.2f}",
            f"{row['bias']:+.2f}",
            f"{row['pinball']:.3f}",
            f"{row['covered']:.0%}",
        ]
        for name in names
        for row in [told["methods"][name]]
    ]
    single = {name: told["methods"][name]["rmsse"] for name in CANDIDATES}
    best = min(single, key=single.__getitem__)
    chosen = ", ".join(f"`{name}` {count}" for name, count in told["chosen"].items())
    heads = ("forecast by", "RMSSE", "MASE", "units off", "bias", "pinball", "within 80 %")
    return f"""## Demand

{report.provenance(COMMAND, data)}

{report.table(heads, rows)}

Means over {found.products} products that sold {found.sold:,.0f} units in {found.horizon} days
that no forecast had seen ({found.left_out} products with too little history left out). RMSSE and
MASE are by day, against the seasonal naive forecast within the history; "units off" and "bias" are
of the units of the whole horizon; pinball is the mean loss of their quantiles at 0.1, 0.5 and 0.9,
and the last column says how often the first and the last held them, which 80 % are meant to. The
baselines' quantiles are those of all such spans of the last 56 days. Chosen: {chosen}. How much
the errors over all products count in the choice was set on another shop (seed 1).
Of single methods `{best}` is the best here (RMSSE {single[best]:.3f}), which is known only
afterwards."""


def main() -> int:
    """Run the benchmark and write its section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=182, help="simulated (%(default)s)")
    parser.add_argument("--horizon", type=int, default=14, help="days ahead (%(default)s)")
    parser.add_argument(
        "--searches", type=float, default=400, help="of the first query a day (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=29, help="of the shop (%(default)s)")
    parser.add_argument("--print", action="store_true", help="print, and leave RESULTS.md alone")
    options = parser.parse_args()
    found = measured(options.days, options.searches, options.horizon, options.seed)
    data = (
        f"{options.days} simulated days of the drifting shop over the bundled catalogue "
        f"(seed {options.seed})"
    )
    text = section(found, data)
    if options.print:
        print(text)
    else:
        report.update_section("demand", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
