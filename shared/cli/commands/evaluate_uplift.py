"""`wherefore eval uplift`: what a property of shown products does to clicks, from a log."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from shared.cli import failures, output
from shared.cli.extras import require_extra
from shared.cli.options import Json

if TYPE_CHECKING:
    from services.ranking.uplift.estimate import Uplift

_FORETOLD = 0.9
_LEFT_OUT = 0.1
_IMBALANCE = 0.1
LIBRARIES = ("doubleml", "sklearn", "matplotlib")


def uplift(
    *,
    logs: Annotated[
        Path, Parameter(help="JSON lines of shown pages; docs/ranking.md describes them.")
    ],
    feature: Annotated[
        str,
        Parameter(help="The property: a feature, a fact of the log or place, such as rating>=0.7."),
    ],
    outcome: Annotated[Literal["click", "purchase"], Parameter(help="What comes of it.")] = "click",
    without: Annotated[
        tuple[str, ...],
        Parameter(
            help="Columns that follow from the property, and are no confounders.",
            negative="",
            consume_multiple=True,
        ),
    ] = (),
    plot: Annotated[Path | None, Parameter(help="Write the picture to this SVG file.")] = None,
    seed: Annotated[int, Parameter(help="The same seed gives the same folds.")] = 0,
    json: Json = False,
) -> int:
    """Estimate what a property of shown products does to clicks or purchases.

    Needs no service. Compares products with the property to those without it that are
    alike in all else that the log knows: features, facts and the place. Double machine
    learning (the library DoubleML), folds of whole queries, 95 % intervals that hold for
    results of one query depending on one another.

    What the log does not know is not adjusted for; "robustness" says how much of it would
    undo the estimate. A log in which nothing can be compared is refused.

    For example:

        wherefore eval uplift --logs pages.jsonl.gz --feature stock

        wherefore eval uplift --logs pages.jsonl --feature "rating>=0.8" --plot rating.svg

        wherefore eval uplift --logs pages.jsonl --feature reason --outcome purchase --json
    """
    require_extra("causal", LIBRARIES)
    from services.ranking.clicks.page_log import PageLogError, read_pages
    from services.ranking.uplift.estimate import estimate_uplift
    from services.ranking.uplift.rows import Property, UpliftRefusedError, read_rows

    if plot and not plot.parent.is_dir():
        raise failures.CommandError(f"no folder {plot.parent}", code=failures.USAGE)
    try:
        wanted = Property.parse(feature)
        pages = list(read_pages(logs))
        found = estimate_uplift(read_rows(pages, wanted, outcome, without), seed=seed)
    except (PageLogError, UpliftRefusedError) as error:
        raise failures.CommandError(str(error), code=failures.USAGE) from error
    if plot:
        from services.ranking.uplift.plot import plot_uplift

        plot_uplift(plot, found, f"{wanted} on {outcome}s")
    if json:
        output.print_json({"property": str(wanted), "outcome": outcome} | _document(found))
    else:
        output.console().print(output.text(_said(found, str(wanted), outcome)))
    for warning in _warnings(found):
        failures.say(warning)
    return failures.OK


def _document(found: Uplift) -> dict[str, object]:
    effect, naive = found.effect, found.naive
    return {
        "effect": [effect.mean, effect.low, effect.high],
        "p": found.p,
        "naive": [naive.mean, naive.low, naive.high],
        "rate_without": found.rate,
        "rows": found.rows,
        "with_property": found.treated,
        "queries": found.queries,
        "left_out": found.left_out,
        "foretold_auc": found.foretold,
        "imbalance": {"before": found.imbalance[0], "after": found.imbalance[1]},
        "robustness": found.robustness,
    }


def _said(found: Uplift, wanted: str, outcome: str) -> str:
    effect, naive = found.effect, found.naive
    return "\n".join(
        [
            f"{wanted} on {outcome}s, {found.rows:,} results of {found.queries:,} queries, "
            f"{found.treated:,} with it",
            f"  effect      {effect.mean:+.4f}  ({effect.low:+.4f} to {effect.high:+.4f}), "
            f"p = {found.p:.4f}; without it {found.rate:.4f}",
            f"  as they are {naive.mean:+.4f}  ({naive.low:+.4f} to {naive.high:+.4f}), "
            "no effect but a difference",
            f"  compared    {1 - found.left_out:.1%} of the log; the rest of it foretells the "
            f"property with AUC {found.foretold:.2f}",
            f"  balance     confounders differ by {found.imbalance[0]:.2f} standard deviations at "
            f"most, weighted {found.imbalance[1]:.2f}",
            f"  robustness  {found.robustness:.1%} of what is left unexplained, if something "
            "unlogged explained it, would undo the effect",
        ]
    )


def _warnings(found: Uplift) -> list[str]:
    told: list[str] = []
    if found.left_out > _LEFT_OUT:
        told.append(
            f"{found.left_out:.0%} of the log has nothing to be compared with and is left out: the "
            "effect holds for the rest"
        )
    if found.foretold > _FORETOLD:
        told.append("the log foretells the property almost for sure: trust the effect little")
    if found.imbalance[1] > _IMBALANCE:
        told.append(
            f"after weighting a confounder still differs by {found.imbalance[1]:.2f} standard "
            "deviations: the regression carries what the weights do not"
        )
    return told
