"""Whether reasons are true, and whether false ones pass: `python -m benchmarks.reason_truth`.

Three catalogues (the bundled one, icecat, luma), each in a suite of its own, are searched in
English and Chinese as `wherefore eval reasons` does, worded by templates and by the model. A
checker of its own holds every claim against the records. Then the verifier is attacked with claims
of the same pages, each made false in one way, and the checker with whole sentences made false.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import reason_report, report
from benchmarks.data import data_folder, icecat, subset
from benchmarks.plain_text import plain_text
from services.reason.evaluation.attacked import attack_pages, refused
from shared.catalogue import bundled_catalogue_path
from shared.cli.reason_pages import TEMPLATE, pages_of_suite
from shared.evaluation.fluency import HeldOut, fluency_model
from shared.evaluation.reasons.collect import ReasonPage
from shared.evaluation.reasons.score import score

QUERIES = Path(__file__).parent / "queries"
MODEL = "reason_small"
_ICECAT = 6_000
"""Products of icecat: all that were judged, and the first of the others."""
_SENTENCES = 20_000
"""Of people's, a language, at most: more make the Chinese model slower and hardly better."""


@dataclass(frozen=True, slots=True)
class Shop:
    """A catalogue with queries."""

    name: str
    path: Path
    kind: str | None
    queries: Sequence[str]


def shops(folder: Path) -> list[Shop]:
    """The three catalogues; of icecat a part, written to a folder, so that a run takes minutes."""
    judged = icecat()
    english = sorted(_judged_queries(judged.judgments))
    chinese = [line.split("\t")[1] for line in _lines(QUERIES / "icecat_zh.tsv") if "\t" in line]
    return [
        Shop("bundled", bundled_catalogue_path(), None, _lines(QUERIES / "bundled.txt")),
        Shop("icecat", subset(judged, _ICECAT, folder), None, [*english[::2], *chinese[::2]]),
        Shop("luma", data_folder("luma") / "luma", "luma", _lines(QUERIES / "luma.txt")),
    ]


def measured(
    name: str, generator: str, pages: Sequence[ReasonPage], held_out: Sequence[HeldOut]
) -> reason_report.Run:
    """Check the pages of one catalogue and generator, and attack them."""
    return reason_report.Run(
        name, generator, score(pages, held_out, attack_pages(pages)), *refused(pages)
    )


def examples(run: reason_report.Run) -> Iterator[dict[str, object]]:
    """Every unsupported claim and every falsehood that passed, with all that tells why."""
    at = {"catalogue": run.catalogue, "generator": run.generator}
    for each in run.evaluation.scored:
        for claim in each.checked.unsupported:
            yield {
                **at,
                "causes": list(claim.causes),
                "claim": claim.text,
                "text": each.checked.text,
                "query": each.given.record.query,
                "product": each.given.record.product.id,
                "codes": list(each.given.reason.codes),
            }
    for by, noticed in (("checker", run.evaluation.checker), ("verifier", run.evaluation.verifier)):
        for words in noticed.passed if noticed else []:
            yield {**at, "passed": by, "text": words}


def _lines(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _judged_queries(path: Path) -> set[str]:
    from shared.evaluation.judgments import read_judgments

    return set(read_judgments(path))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog=reason_report.COMMAND, description=__doc__)
    parser.add_argument("--only", help="one catalogue: bundled, icecat or luma; not written")
    parser.add_argument("--generators", default=f"{TEMPLATE},{MODEL}", help="by commas")
    parser.add_argument(
        "--model-seconds",
        type=float,
        help="that the model gets for a page, where the machine has other work",
    )
    parser.add_argument("--examples", type=Path, help="JSON lines of what is unsupported or passed")
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args(arguments)
    generators = options.generators.split(",")
    if options.model_seconds is not None:
        os.environ["WHEREFORE_REASON_MODEL_SECONDS"] = str(options.model_seconds)
    held_out = [fluency_model(texts[:_SENTENCES], code) for code, texts in plain_text().items()]
    runs: list[reason_report.Run] = []
    with tempfile.TemporaryDirectory() as folder:
        for shop in shops(Path(folder)):
            if options.only in (None, shop.name):
                found = asyncio.run(
                    pages_of_suite(shop.path, shop.queries, shop.kind, generators=generators)
                )
                runs += [
                    measured(shop.name, generator, pages, held_out)
                    for generator, pages in zip(generators, found, strict=True)
                ]
    told = [each for run in runs for each in examples(run)]
    if options.examples:
        lines = [json.dumps(each, ensure_ascii=False) + "\n" for each in told]
        options.examples.write_text("".join(lines), encoding="utf-8")
    for each in told[:40]:
        print(json.dumps(each, ensure_ascii=False))
    body = reason_report.section(runs, options.model_seconds)
    print(body)
    if not options.no_write and options.only is None:
        reason_report.draw(runs)
        report.update_section("reason_truth", body)
    return 0


if __name__ == "__main__":
    sys.exit(main())
