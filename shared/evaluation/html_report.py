"""A search evaluation as one HTML file that loads nothing: figures, charts, the worst queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from shared.evaluation import report
from shared.evaluation.charts import difference_bars, interval_bars
from shared.evaluation.comparison import Comparisons, compare
from shared.evaluation.rankers import PATH
from shared.evaluation.search_evaluation import SearchEvaluation
from wherefore.common.v1.product_pb2 import Product

WORST = 12
"""Queries that are shown with their products."""
SHOWN = 10
MEASURES = (report.NDCG, report.NDCG_JUDGED_ONLY, report.MRR, report.RECALL, report.JUDGED)
NAMES = {
    PATH: "whole path",
    "precise": "whole path, precise",
    "fused": "both legs, no ranking",
    "dense": "dense leg only",
    "sparse": "sparse leg only",
}
STYLE = Path(__file__).with_name("report.css")
_HIGHEST_OF_SCALE = 3


def render(evaluation: SearchEvaluation, *, catalogue: str, notes: Sequence[str] = ()) -> str:
    """The whole page.

    Args:
        evaluation: With rankings and products.
        catalogue: What was searched in, for the head of the page.
        notes: What the reader must know to trust the figures.
    """
    compared = compare(evaluation.systems, PATH)
    body = "".join(
        [
            _head(evaluation, compared, catalogue, notes),
            _systems(evaluation, compared),
            _differences(evaluation),
            _worst(evaluation),
            _conventions(),
        ]
    )
    style = STYLE.read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Search evaluation</title><style>{style}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )


def _head(
    evaluation: SearchEvaluation, compared: Comparisons, catalogue: str, notes: Sequence[str]
) -> str:
    figures = "".join(
        f'<div class="card figure"><span class="soft">{escape(_label(measure))}</span>'
        f"<b>{one.interval.mean:.3f}</b>"
        f'<span class="soft">95 % {one.interval.low:.3f} to {one.interval.high:.3f}</span></div>'
        for measure, one in ((m, compared[PATH].get(m)) for m in MEASURES)
        if one is not None
    )
    return (
        "<h1>Search evaluation</h1>"
        f'<p class="soft">{escape(catalogue)} · {len(evaluation.judgments):,} judged queries · '
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC</p>"
        + "".join(f"<p>{escape(note)}</p>" for note in notes)
        + f"<h2>The whole path</h2><div class='figures'>{figures}</div>"
    )


def _systems(evaluation: SearchEvaluation, compared: Comparisons) -> str:
    order = [PATH, *(name for name in reversed(list(evaluation.systems)) if name != PATH)]
    rows: list[str] = []
    for name in order:
        cells = [f"<td>{escape(_name(name))}</td>"]
        for measure in MEASURES:
            one = compared[name].get(measure)
            cells.append(f"<td>{one.interval.mean:.3f}</td>" if one else "<td>–</td>")
        one = compared[name].get(report.NDCG)
        if name == PATH or one is None:
            cells.append("<td></td>" * 3)
        else:
            away = one.difference.interval
            cells += [
                f"<td>{away.mean:+.3f} [{away.low:+.3f}, {away.high:+.3f}]</td>",
                f"<td>{one.difference.p:.4f}</td>",
                f"<td>{one.p_randomisation:.4f}</td>",
            ]
        rows.append(f"<tr{' class=first' if name == PATH else ''}>{''.join(cells)}</tr>")
    headings = [
        "system",
        *(_label(measure) for measure in MEASURES),
        "path − system, nDCG@10",
        "p, bootstrap",
        "p, randomisation",
    ]
    charts = "".join(
        _chart(measure, order, compared) for measure in (report.NDCG, report.NDCG_JUDGED_ONLY)
    )
    return (
        "<h2>What each part is worth</h2>"
        f'<div class="card"><table><tr>{"".join(f"<th>{escape(h)}</th>" for h in headings)}</tr>'
        f"{''.join(rows)}</table></div>{charts}"
    )


def _chart(measure: str, order: Sequence[str], compared: Comparisons) -> str:
    intervals = {
        _name(name): compared[name][measure].interval for name in order if measure in compared[name]
    }
    if not intervals:
        return ""
    return (
        f'<div class="card"><p class="soft">{escape(_label(measure))} with 95 % intervals</p>'
        f"{interval_bars(intervals, _label(measure))}</div>"
    )


def _differences(evaluation: SearchEvaluation) -> str:
    """The whole path against the legs without ranking, query by query."""
    path = evaluation.systems[PATH].by_query[report.NDCG]
    fused = evaluation.systems["fused"].by_query[report.NDCG]
    differences = sorted(
        ((query, value - fused[query]) for query, value in path.items() if query in fused),
        key=lambda item: -item[1],
    )
    if not differences:
        return ""
    better = sum(value > 0 for _, value in differences)
    worse = sum(value < 0 for _, value in differences)
    return (
        "<h2>What ranking does, query by query</h2>"
        f"<p>nDCG@10 of the whole path less that of both legs without ranking: {better} queries "
        f"are better, {worse} worse, {len(differences) - better - worse} alike. Point at a bar for "
        "its query.</p>"
        f'<div class="card">{difference_bars(differences, "differences of nDCG@10 by query")}</div>'
    )


def _worst(evaluation: SearchEvaluation) -> str:
    path = evaluation.systems[PATH].by_query[report.NDCG]
    worst = sorted(path, key=lambda query: (path[query], query))[:WORST]
    cards = "".join(_query_card(evaluation, query, path[query]) for query in worst)
    return (
        f"<h2>The {len(worst)} worst queries</h2>"
        '<p>The number before a product is its grade; "?" marks one that nobody judged. The third '
        f"column is the best order that the judgements allow.</p>{cards}"
    )


def _query_card(evaluation: SearchEvaluation, query: str, value: float) -> str:
    ratings = evaluation.judgments[query]
    ideal = sorted(ratings, key=lambda product_id: -ratings[product_id])
    fused = evaluation.systems["fused"].by_query[report.NDCG].get(query)
    columns = [
        (f"{_name(PATH)} · {value:.3f}", _ranked(evaluation, PATH, query)),
        (f"{_name('fused')} · {fused or 0:.3f}", _ranked(evaluation, "fused", query)),
        ("best order of the judged · 1.000", ideal),
    ]
    lists = "".join(
        f'<div><span class="soft">{escape(title)}</span>'
        f"<ol>{_products(ids[:SHOWN], ratings, evaluation.products)}</ol></div>"
        for title, ids in columns
    )
    failed = evaluation.failures.get(query)
    note = f'<p class="soft">failed: {escape(str(failed))}</p>' if failed else ""
    return (
        f'<section class="card"><div class="head"><h3>{escape(query)}</h3>'
        f'<span class="soft">{len(ratings)} products judged</span></div>{note}'
        f'<div class="columns">{lists}</div></section>'
    )


def _ranked(evaluation: SearchEvaluation, system: str, query: str) -> Sequence[str]:
    ranking = evaluation.rankings.get(system, {}).get(query)
    return ranking.full if ranking else ()


def _products(
    ids: Sequence[str], ratings: Mapping[str, int], products: Mapping[str, Product]
) -> str:
    if not ids:
        return '<li><span></span><span></span><span class="soft">nothing</span></li>'
    return "".join(
        f"<li><span class='soft'>{rank}</span>{_grade(ratings.get(product_id))}"
        f"<span>{_describe(product_id, products.get(product_id))}</span></li>"
        for rank, product_id in enumerate(ids, start=1)
    )


def _grade(rating: int | None) -> str:
    if rating is None:
        return '<span class="grade unjudged">?</span>'
    kind = "none" if rating == 0 else "top" if rating >= _HIGHEST_OF_SCALE else "some"
    return f'<span class="grade {kind}">{rating}</span>'


def _describe(product_id: str, product: Product | None) -> str:
    if product is None:
        return f'{escape(product_id)} <span class="soft">not in the catalogue</span>'
    title = next((product.titles[tag] for tag in sorted(product.titles)), product_id)
    price = (
        f"{product.price.amount:,.2f} {product.price.currency_code}"
        if product.HasField("price")
        else ""
    )
    beside = " · ".join(part for part in (product.brand, price, product_id) if part)
    return f'{escape(title)} <span class="soft">{escape(beside)}</span>'


def _conventions() -> str:
    lines = "".join(
        f"<p><b>{escape(_label(name))}</b>: {escape(meaning)}.</p>"
        for name, meaning in report.CONVENTIONS.items()
    )
    return (
        "<h2>How to read the figures</h2>"
        f'<div class="card">{lines}<p>Intervals: percentile bootstrap over queries, of differences '
        "over pairs of values of the same query. p: two-sided, of the paired bootstrap and of the "
        "paired randomisation test.</p></div>"
    )


def _label(measure: str) -> str:
    return measure.replace("_", " ")


def _name(system: str) -> str:
    return NAMES.get(system, system)
