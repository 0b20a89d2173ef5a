"""How well the assistant answers customers, and how fast: `python -m benchmarks.support`.

Starts a suite of its own with the bundled catalogue and an assistant beside it, and asks, one after
another: the labelled requests of `support_intents_en` (dev), our own Chinese ones, 200 questions
that nobody answers, and 200 about products.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping
from typing import Any, cast

from benchmarks import report
from benchmarks.data import data_folder
from services.assistant.evaluation.cases import read_requests
from services.assistant.evaluation.run import Targets, evaluate_support
from shared.catalogue import bundled_catalogue_path, read_catalogue
from shared.cli.catalogue_import import import_whole
from shared.cli.connection import connect
from shared.cli.evaluation_progress import question_progress
from shared.cli.private_suite import private_suite

COMMAND = "python -m benchmarks.support"
NEEDED = ("nlu", "retrieval", "ranking", "reason", "orchestrator")
RANK_1, HANDED_OVER, TEMPLATE_MS, GENERATED_MS = 0.95, 0.9, 80, 250


async def measured(*, triton: bool) -> dict[str, object]:
    """All figures, as `wherefore eval support --json` prints them."""
    requests = read_requests(data_folder("support_intents_en") / "support_intents_en" / "dev.csv")
    path = bundled_catalogue_path()
    products = [row.product for row in read_catalogue(path) if row.product]
    async with private_suite(triton=triton, services=NEEDED) as own:
        target = own.targets.orchestrator
        async with connect(target, retry=False) as channel:
            await import_whole(channel, path, None, target=target)
        targets = Targets(own.targets.nlu, own.targets.retrieval, own.reason_target)
        found = await evaluate_support(targets, requests, products, question_progress)
    return found.as_json()


def section(document: Mapping[str, object], load: float) -> str:
    """The section of RESULTS.md."""
    names = ("requests_en", "requests_zh", "out_of_scope", "products")
    english, chinese, nobody, products = (cast("Mapping[str, Any]", document[n]) for n in names)
    rows = [
        _row(f"English requests ({english['requests']}): right template first",
             english["right_at_rank_1"], f"at least {RANK_1}"),
        _row("… answered, not handed over", english["answered"], ""),
        _row("… right, of those answered", english["right_of_answered"], ""),
        _row(f"Chinese requests ({chinese['requests']}, our own): right template first",
             chinese["right_at_rank_1"], ""),
        _row("… answered, not handed over", chinese["answered"], ""),
        _row("… right, of those answered", chinese["right_of_answered"], ""),
        _row(f"questions of nobody's ({nobody['questions']}): handed over",
             nobody["handed_over"], f"at least {HANDED_OVER}"),
        _row(f"product questions ({products['questions']}): answered", products["answered"], ""),
        _row("… answers that cite evidence", products["answers_that_cite"], "1"),
        _row("… about the right product", products["right_product"], ""),
        _row("… about the field asked for", products["right_field"], ""),
        ["… unsupported claims", str(products["unsupported_claims"]), "0"],
    ]  # fmt: skip
    times = [
        ["by template, English", *_times(english), str(TEMPLATE_MS)],
        ["by template, Chinese", *_times(chinese), str(TEMPLATE_MS)],
        ["generated", *_times(products), str(GENERATED_MS)],
    ]
    kinds = products["kinds"]
    told = (("generated", "answered"), ("ask_back", "asked back"), ("hand_over", "handed over"))
    became = ", ".join(f"{kinds.get(kind, 0)} were {word}" for kind, word in told)
    return f"""
## Customer service

{report.table(("measure", "figure", "aim"), rows)}

{document["templates"]} templates. The thresholds were chosen on 100 other questions of nobody's.
Of the product questions {became}: asked back is where several products go by the name. Every
citation was read again in the catalogue, every claim by the checker of `wherefore eval reasons`.

`Ask`, one client, each question new; load average of the machine at the start {load:.1f} (where it
is above 1, other work ran beside it):

{report.table(("answer", "p50 ms", "p99 ms", "aim p50"), times)}

{report.provenance(COMMAND, "support_intents_en (dev), own questions and the bundled catalogue")}
"""


def _row(name: str, share: float, aim: str) -> list[str]:
    return [name, f"{share:.3f}", aim]


def _times(part: Mapping[str, Any]) -> tuple[str, str]:
    return f"{part['latency_ms']['p50']:.0f}", f"{part['latency_ms']['p99']:.0f}"


def main() -> int:
    """Measures and writes the section; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-triton", action="store_true", help="run the models in the services")
    asked = parser.parse_args()
    load = os.getloadavg()[0]
    document = asyncio.run(measured(triton=not asked.no_triton))
    report.update_section("support", section(document, load))
    products = cast("Mapping[str, Any]", document["products"])
    for name, part in document.items():
        print(name, part)
    return 1 if products["unsupported_claims"] else 0


if __name__ == "__main__":
    sys.exit(main())
