"""`wherefore eval reasons`: whether what the suite says is true, by a checker of its own."""

from __future__ import annotations

import asyncio
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from shared.cli import failures, output
from shared.cli.commands.import_ import CatalogueFormat
from shared.cli.options import Json, NoTriton

if TYPE_CHECKING:
    from shared.evaluation.fluency import HeldOut


def reasons(
    *,
    catalogue: Annotated[Path, Parameter(help="The catalogue to search in.")],
    queries: Annotated[Path, Parameter(help="A text file, a query a line.")],
    format: Annotated[  # noqa: A002 - the option is called --format
        CatalogueFormat | None, Parameter(help="Of the catalogue; guessed when absent.")
    ] = None,
    generator: Annotated[
        str | None,
        Parameter(
            help='What words the reasons: "template", or a model such as "reason_small"; '
            "as the suite is set up when absent."
        ),
    ] = None,
    plain_text: Annotated[
        Path | None,
        Parameter(
            help="A text file of sentences that people wrote and no generator was trained on, in "
            "English, Chinese or both; adds the perplexity of the reasons under a model of it."
        ),
    ] = None,
    max_unsupported: Annotated[
        int | None,
        Parameter(help="Exit with 1 when more claims are unsupported; 0 unless --fail-under."),
    ] = None,
    fail_under: Annotated[
        float | None,
        Parameter(help="Exit with 1 when a smaller share of the claims is supported, 0 to 1."),
    ] = None,
    min_rejected: Annotated[
        float,
        Parameter(help="Exit with 1 when the verifier rejects a smaller share of false claims."),
    ] = 0.99,
    html: Annotated[
        Path | None, Parameter(help="Write 100 samples to this file, for people to read.")
    ] = None,
    no_triton: NoTriton = False,
    json: Json = False,
) -> int:
    """Measure whether the reasons are true, fitting, varied and fluent.

    Starts a suite of its own beside any other, imports the catalogue, and searches each
    query twice: as a visitor nobody knows, and as a user who looked at (or bought) the
    first result. It asks for recommendations as well, for that user and beside that product.

    A checker that shares no code with the reason service reads each claim back out of the
    sentence and holds it against the catalogue, the query, the page and the history. What
    it cannot account for counts as unsupported. Then both are put to the test: claims and
    sentences are made false in one way each, and what the verifier of the service rejects
    and the checker notices of them is counted.

    Exit code 1 when a claim is unsupported, or less than 99 % of the false ones rejected;
    the options change these bounds, so that a build can hold a shop to them.

    For example:

        wherefore eval reasons --catalogue products.jsonl.gz --queries queries.txt

        wherefore eval reasons --catalogue shop.csv --queries queries.txt --html reasons.html

        wherefore eval reasons --catalogue shop.csv --queries queries.txt
            --generator template --fail-under 0.999 --json > reasons.json
    """
    if html and not html.parent.is_dir():
        raise failures.CommandError(f"no folder {html.parent}", code=failures.USAGE)
    for name, share in (("--fail-under", fail_under), ("--min-rejected", min_rejected)):
        if share is not None and not 0 <= share <= 1:
            raise failures.CommandError(f"{name} {share}: 0 to 1", code=failures.USAGE)
    asked = _read_lines(queries, "query")
    held_out = _held_out(plain_text) if plain_text else ()
    _check(catalogue, format, generator)
    from services.reason.evaluation.attacked import attack_pages
    from shared.cli import reasons_evaluation_view as view
    from shared.cli.reason_pages import pages_of_suite
    from shared.evaluation.reasons.bounds import Bounds
    from shared.evaluation.reasons.figures import document
    from shared.evaluation.reasons.score import score

    (pages,) = asyncio.run(
        pages_of_suite(catalogue, asked, format, triton=not no_triton, generators=[generator])
    )
    evaluation = score(pages, held_out, attack_pages(pages))

    if html:
        from shared.evaluation.reasons.html import render

        html.write_text(render(evaluation, catalogue=catalogue.name), encoding="utf-8")
    if json:
        output.print_json(document(evaluation))
    else:
        for table in view.tables(evaluation):
            output.console().print(table)
    for note in (*islice(view.unsupported(evaluation), view.SHOWN), *view.notes(evaluation)):
        failures.say(note)
    broken = Bounds(max_unsupported, fail_under, min_rejected).broken(evaluation)
    for bound in broken:
        failures.say(bound)
    return failures.FAILED if broken else failures.OK


def _check(
    catalogue: Path,
    format: CatalogueFormat | None,  # noqa: A002 - named as the option
    generator: str | None,
) -> None:
    """What would be found wrong once a suite is up is said before one starts."""
    from shared.catalogue import CatalogueError, read_catalogue
    from shared.cli.reason_pages import TEMPLATE
    from shared.inference.settings import REPOSITORY

    try:
        product = next(
            (row.product for row in read_catalogue(catalogue, format) if row.product), None
        )
    except (CatalogueError, OSError) as error:
        raise failures.CommandError(f"{catalogue}: {_why(error)}", code=failures.USAGE) from error
    if product is None:
        raise failures.CommandError(f"{catalogue} holds no product", code=failures.USAGE)
    known = sorted(path.parent.parent.name for path in REPOSITORY.glob("reason_*/1/tokens.json"))
    if generator not in (None, TEMPLATE, *known):
        names = ", ".join((TEMPLATE, *known))
        raise failures.CommandError(
            f"--generator {generator}: there are {names}", code=failures.USAGE
        )


def _why(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "no text of UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)


def _held_out(path: Path) -> list[HeldOut]:
    from shared.evaluation.fluency import fluency_model
    from shared.text.language import detect_language

    texts: dict[str, list[str]] = {"en": [], "zh": []}
    for line in _read_lines(path, "sentence"):
        texts.setdefault(detect_language(line)[0], []).append(line)
    try:
        found = [fluency_model(texts[code], code) for code in ("en", "zh") if texts[code]]
    except ValueError as error:
        raise failures.CommandError(f"{path}: {error}", code=failures.USAGE) from error
    if not found:
        raise failures.CommandError(f"{path}: no English and no Chinese", code=failures.USAGE)
    return found


def _read_lines(path: Path, what: str) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise failures.CommandError(f"{path}: {_why(error)}", code=failures.USAGE) from error
    found = [line.strip() for line in lines if line.strip()]
    if not found:
        raise failures.CommandError(f"{path} holds no {what}", code=failures.USAGE)
    return found
