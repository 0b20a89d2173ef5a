"""Whether reasons are true, and whether false ones pass: `python -m benchmarks.reason_truth`.

Three catalogues (the bundled one, icecat, luma), each in a suite of its own, are searched in
English and Chinese as `wherefore eval reasons` does. A checker of its own holds every claim against
the records. Then the verifier is attacked: claims of the same pages, each made false in one way.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import report
from benchmarks.data import data_folder, icecat
from services.reason.config import DEFAULT_BANNED_WORDS
from services.reason.evaluation.attacks import attacks
from services.reason.facts import PagePrices, Scene
from services.reason.verify import Verifier
from shared.catalogue import bundled_catalogue_path
from shared.cli.commands.evaluate_reasons import pages_of_suite
from shared.evaluation.reasons.collect import ReasonPage
from shared.evaluation.reasons.score import ReasonEvaluation, score
from wherefore.common.v1.user_profile_pb2 import RecentProduct, UserProfile

QUERIES = Path(__file__).parent / "queries"
COMMAND = "python -m benchmarks.reason_truth"
_EVERY, _OTHERS = 4, 3
"""Of the pages, one in so many is attacked, with evidence of so many products of other pages."""


@dataclass(frozen=True, slots=True)
class Shop:
    """A catalogue with queries."""

    name: str
    path: Path
    kind: str | None
    queries: Sequence[str]


def shops() -> list[Shop]:
    """The three catalogues."""
    judged = icecat()
    english = sorted(_judged_queries(judged.judgments))
    chinese = [line.split("\t")[1] for line in _lines(QUERIES / "icecat_zh.tsv") if "\t" in line]
    return [
        Shop("bundled", bundled_catalogue_path(), None, _lines(QUERIES / "bundled.txt")),
        Shop("icecat", judged.catalogue, None, [*english[::2], *chinese[::2]]),
        Shop("luma", data_folder("luma") / "luma", "luma", _lines(QUERIES / "luma.txt")),
    ]


def attacked(pages: Sequence[ReasonPage]) -> tuple[Counter[str], Counter[str], list[str]]:
    """Attack the verifier with false claims of the pages.

    Returns:
        Attacks by kind, those that were rejected by kind, and the words of some that were not.
    """
    verifier = Verifier(DEFAULT_BANNED_WORDS)
    made, rejected, passed = Counter[str](), Counter[str](), list[str]()
    scenes = [_scenes(page) for page in pages if page.reasons]
    for number, of_page in enumerate(scenes[::_EVERY]):
        others = [page[0] for page in scenes[number + 1 :: 7][:_OTHERS]]
        for scene, language in of_page[:3]:
            for attack in attacks(scene, [other for other, _ in others], language):
                made[attack.kind] += 1
                if verifier.check(attack.claim, attack.scene).holds:
                    passed.append(f"{attack.kind}: {attack.claim.text} ({attack.claim.code})")
                else:
                    rejected[attack.kind] += 1
    return made, rejected, passed


def _scenes(page: ReasonPage) -> list[tuple[Scene, str]]:
    prices = PagePrices.of([given.record.product for given in page.reasons])
    user = UserProfile(
        recent_products=[
            RecentProduct(
                product_id=seen.product.id,
                action="purchase" if seen.bought else "click",
                title=next(iter(seen.product.titles.values()), ""),
            )
            for seen in page.history
        ],
        brand_affinities={seen.product.brand.lower(): 1.0 for seen in page.history},
    )
    anchors = tuple(seen.product.id for seen in page.history)
    return [
        (
            Scene(
                given.record.product,
                page.understanding,
                user if page.history else None,
                prices,
                anchors,
                time.time(),
            ),
            given.reason.language_code or "en",
        )
        for given in page.reasons
    ]


def section(
    evaluations: dict[str, ReasonEvaluation],
    made: Counter[str],
    rejected: Counter[str],
) -> str:
    """The section of RESULTS.md."""
    total, stopped = sum(made.values()), sum(rejected.values())
    return "\n\n".join(
        (
            "## Are reasons true",
            report.provenance(
                COMMAND,
                ", ".join(f"{name} ({len(e.pages)} pages)" for name, e in evaluations.items()),
            ),
            report.table(
                (
                    "catalogue", "reasons", "claims", "unsupported", "by the model",
                    "query taken up", "different on a page", "most often on a page",
                    "history named", "to strangers",
                ),
                [_row(name, each) for name, each in evaluations.items()],
            ),
            f"The verifier under attack: {total:,} false claims, {stopped / total:.2%} rejected.",
            report.table(
                ("attack", "claims", "rejected"),
                [
                    (kind, f"{count:,}", f"{rejected[kind] / count:.2%}")
                    for kind, count in sorted(made.items())
                ],
            ),
            "Pages of 10, each query as a visitor nobody knows and as a user who looked at or\n"
            "bought the first result. Claims are read back out of the words by\n"
            "`shared/evaluation/claims`, which shares no code with the service, and held against\n"
            "the catalogue, the query, the page and the history. Attacks are claims of the same\n"
            "pages, each made false in one way (`services/reason/evaluation/attacks.py`).",
        )
    )  # fmt: skip


def _row(name: str, evaluation: ReasonEvaluation) -> tuple[str, ...]:
    figures = evaluation.as_json()
    return (
        name,
        f"{len(evaluation.scored):,}",
        f"{evaluation.claims:,}",
        f"{evaluation.unsupported:,}",
        f"{evaluation.model_share:.1%}",
        f"{figures['query_coverage']:.3f}",
        f"{figures['distinct_on_page']:.3f}",
        f"{evaluation.most_repeated}",
        f"{figures['history_named']:.1%}",
        f"{figures['history_named_to_strangers']:.1%}",
    )


def _lines(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _judged_queries(path: Path) -> set[str]:
    from shared.evaluation.judgments import read_judgments

    return set(read_judgments(path))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--only", help="one catalogue: bundled, icecat or luma; not written")
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args(arguments)
    evaluations: dict[str, ReasonEvaluation] = {}
    made, rejected = Counter[str](), Counter[str]()
    for shop in shops():
        if options.only not in (None, shop.name):
            continue
        pages = asyncio.run(pages_of_suite(shop.path, shop.queries, shop.kind))
        evaluations[shop.name] = score(pages)
        for each in evaluations[shop.name].scored:
            for claim in each.checked.unsupported:
                print(f"unsupported {claim.causes}: {claim.text} | {each.checked.text}")
        tried, stopped, passed = attacked(pages)
        made += tried
        rejected += stopped
        for words in passed[:20]:
            print(f"not rejected: {words}")
    body = section(evaluations, made, rejected)
    print(body)
    if not options.no_write and options.only is None:
        report.update_section("reason_truth", body)
    return 0


if __name__ == "__main__":
    sys.exit(main())
