"""`wherefore catalogue`: what is wrong with a catalogue, and mending it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from shared.cli import failures, output
from shared.cli.commands.import_ import CatalogueFormat
from shared.cli.options import Json
from shared.text_file import open_text

if TYPE_CHECKING:
    from shared.catalogue.quality.findings import Finding
    from wherefore.common.v1.product_pb2 import Product

app = App(name="catalogue", help="Check a catalogue, and mend it by what was accepted.")

Catalogue = Annotated[
    Path | None, Parameter(help="The catalogue, gzipped or not; the bundled one when absent.")
]
Format = Annotated[
    CatalogueFormat | None,
    Parameter(name="--format", help="Guessed from name and content when absent."),
]


@app.command
def check(
    catalogue: Catalogue = None,
    /,
    *,
    out: Annotated[Path | None, Parameter(help="JSON lines to write, a finding each.")] = None,
    queue: Annotated[
        Path | None, Parameter(help="CSV of findings with a fix, to accept in a spreadsheet.")
    ] = None,
    page: Annotated[Path | None, Parameter(help="HTML report to write.")] = None,
    classes: Annotated[
        Path | None,
        Parameter(help="What `wherefore classify --out` wrote: doubted categories are findings."),
    ] = None,
    format_: Format = None,
    json: Json = False,
) -> int:
    """Find duplicates, unmarked variants, gaps, odd titles and prices.

    Attributes that a product lacks are proposed where its own words state them; the
    confidence is how often such words are right among the products that state it.

    For example:
        wherefore catalogue check products.jsonl.gz --page report.html

        wherefore catalogue check products.jsonl.gz --out findings.jsonl --queue queue.csv
    """
    from shared.catalogue.quality.check import PASSES, doubted_categories
    from shared.catalogue.quality.check import check as check_all
    from shared.catalogue.quality.findings import ordered, write_findings
    from shared.catalogue.quality.page import render
    from shared.catalogue.quality.queue import write_queue
    from shared.cli.catalogue_rows import all_products
    from shared.cli.classification import ResultFile
    from shared.cli.evaluation_progress import check_progress
    from shared.cli.extras import require_extra

    require_extra("catalogue", ["datasketch"])
    path, products = all_products(catalogue, format_)
    with check_progress(PASSES * len(products)) as advance:
        findings = check_all(products, advance)
    try:
        if classes is not None:
            findings = ordered([*findings, *doubted_categories(ResultFile(classes).lines())])
        if out is not None:
            write_findings(out, findings)
        if queue is not None:
            failures.say(f"{write_queue(queue, findings):,} findings with a fix are in {queue}")
        if page is not None:
            page.write_text(render(path.name, products, findings), encoding="utf-8")
    except OSError as error:
        raise failures.CommandError(f"cannot read or write: {error}") from error
    _tell(products, findings, json=json)
    return failures.OK


@app.command
def fix(
    catalogue: Path,
    /,
    *,
    findings: Annotated[Path, Parameter(help="What `check --out` wrote.")],
    out: Annotated[Path, Parameter(help="Catalogue to write, JSON lines; gzipped for .gz.")],
    queue: Annotated[
        Path | None, Parameter(help="The queue with yes or no in the column accept.")
    ] = None,
    accept_above: Annotated[
        float | None,
        Parameter(help="Confidence, 0 to 1, from which undecided findings are accepted too."),
    ] = None,
    format_: Format = None,
) -> int:
    """Write a catalogue anew with the findings that were accepted.

    For example:
        wherefore catalogue fix shop.jsonl --findings f.jsonl --queue q.csv --out new.jsonl.gz

        wherefore catalogue fix shop.jsonl --findings f.jsonl --accept-above 0.95 --out new.jsonl
    """
    from google.protobuf.json_format import MessageToJson

    from shared.catalogue.quality.findings import read_findings
    from shared.catalogue.quality.fixes import apply
    from shared.catalogue.quality.queue import accepted, read_decisions
    from shared.cli.catalogue_rows import product_rows

    if queue is None and accept_above is None:
        raise failures.CommandError(
            "nothing is accepted: give --queue or --accept-above", code=failures.USAGE
        )
    if accept_above is not None and not 0 <= accept_above <= 1:
        raise failures.CommandError("--accept-above must be 0 to 1", code=failures.USAGE)
    try:
        decisions = read_decisions(queue) if queue is not None else {}
        chosen = list(accepted(read_findings(findings), decisions, accept_above))
    except (OSError, ValueError) as error:
        raise failures.CommandError(str(error), code=failures.USAGE) from error
    count = 0
    with open_text(out, "w") as file:
        for product in apply((p for _, p in product_rows(catalogue, format_)), chosen):
            file.write(MessageToJson(product, indent=None, ensure_ascii=False) + "\n")
            count += 1
    failures.say(f"{len(chosen):,} findings applied; {count:,} products written to {out}")
    return failures.OK


def _tell(products: Sequence[Product], findings: Sequence[Finding], *, json: bool) -> None:
    counts = Counter((one.severity, one.kind) for one in findings)
    mended = Counter(one.kind for one in findings if one.fix)
    if json:
        output.print_json(
            {
                "products": len(products),
                "findings": [
                    {"severity": severity, "kind": kind, "count": count, "with_fix": mended[kind]}
                    for (severity, kind), count in counts.items()
                ],
            }
        )
        return
    from rich.table import Table

    table = Table("severity", "kind", "findings", "with a fix", "such as")
    first: dict[tuple[str, str], str] = {}
    for one in findings:
        first.setdefault((one.severity, one.kind), f"{one.products[0]}: {one.field} {one.message}")
    for (severity, kind), count in counts.items():
        table.add_row(severity, kind, f"{count:,}", f"{mended[kind]:,}",
                      output.text(first[severity, kind]))  # fmt: skip
    output.console().print(table)
