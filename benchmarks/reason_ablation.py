"""What the constraint is worth: `python -m benchmarks.reason_ablation`.

Products that the model never saw are searched in a suite of its own. The evidence of each reason
is then worded once more: by templates, by the model with and without its grammar (same weights,
same seeds), and with and without the verifier. The checker of `wherefore eval reasons` holds all of
it against the same records.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final

from google.protobuf import json_format

from benchmarks import report
from benchmarks.data import data_folder
from benchmarks.free_wording import write_freely
from benchmarks.plain_text import plain_text
from benchmarks.reason_ablation_report import COMMAND, Row, section
from benchmarks.reason_truth import shops
from services.reason.config import DEFAULT_BANNED_WORDS
from services.reason.evaluation.attacked import said_claims, scene_of
from services.reason.facts import Claim, Fact, Scene
from services.reason.train.corpus import CorpusSettings, load_catalogue
from services.reason.train.scenes import products_of
from services.reason.verify import Verifier
from services.reason.worded import seed_of, told_to_model
from services.reason.wording.batch import Wanted
from services.reason.wording.decode import decode
from services.reason.wording.onnx_engine import OnnxEngine
from services.reason.wording.rendering import SaidReason
from services.reason.wording.sampling import SamplingSettings
from services.reason.wording.served import SERVED_GRAPH, read_grammar
from services.reason.wording.slots import fill
from shared.cli.reason_pages import TEMPLATE, pages_of_suite
from shared.evaluation.claims import Record
from shared.evaluation.claims.checker import check_text
from shared.evaluation.fluency import HeldOut, fluency_model, measure, slotted
from shared.evaluation.reasons.collect import BESIDE, ReasonPage
from shared.evaluation.reasons.variety import distinct
from shared.inference.settings import REPOSITORY

MODEL: Final = REPOSITORY / "reason_small" / "1"
_MOST_PAGES: Final = 300
_SENTENCES: Final = 20_000
_WARM: Final = 1.5
"""Temperature at which the nucleus holds more of what the model has not learnt to say."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A reason to word, with all that judges it."""

    scene: Scene
    record: Record
    facts: Sequence[Fact]
    wanted: Wanted
    template: Sequence[Claim]
    template_text: str


@dataclass(frozen=True, slots=True)
class Written:
    """What one way of wording said; `claims` is None where it is not whole."""

    text: str
    claims: Sequence[Claim] | None


def held_out_catalogue(folder: Path) -> Path:
    """Writes the products of the test split of all catalogues that the corpus is drawn over."""
    path = folder / "held-out.jsonl"
    with path.open("w", encoding="utf-8") as stream:
        for name in CorpusSettings().catalogues:
            for product in products_of(name, iter(load_catalogue(name, data_folder())))["test"]:
                row = json_format.MessageToDict(product)
                stream.write(json.dumps(row, ensure_ascii=False) + "\n")
    return path


def queries(folder: Path) -> list[str]:
    """The queries of `benchmarks.reason_truth`, catalogues in turn."""
    found = [list(shop.queries) for shop in shops(folder)]
    longest = max(map(len, found))
    return [group[at] for at in range(longest) for group in found if at < len(group)]


def to_word(pages: Sequence[ReasonPage], knows: Callable[[Wanted], bool]) -> list[list[Asked]]:
    """Returns the reasons of pages that the model has learnt to say, page by page."""
    found: list[list[Asked]] = []
    for page in pages:
        if page.kind in BESIDE:
            continue  # what ties a product to another is not in the answer
        rows: list[Asked] = []
        for given in page.reasons:
            scene, language = scene_of(page, given), given.reason.language_code
            claims = told_to_model(said_claims(given))
            facts = [claim.facts[0] for claim in claims]
            if not facts:
                continue
            try:
                evidence = [fill(fact, language) for fact in facts]
            except ValueError:
                continue
            wanted = Wanted(evidence, language, seed_of(scene, language, 0))
            if knows(wanted):
                text = given.reason.text
                rows.append(Asked(scene, given.record, facts, wanted, claims, text))
        if rows:
            found.append(rows)
    return found[:_MOST_PAGES]


def claims_of(said: SaidReason, facts: Sequence[Fact]) -> list[Claim] | None:
    """Returns clauses as claims; None where one rests on evidence that was not given."""
    if any(clause.position >= len(facts) for clause in said.clauses):
        return None
    return [
        Claim(clause.text, facts[clause.position].code, (facts[clause.position],))
        for clause in said.clauses
    ]


def stands(asked: Asked, written: Written, verifier: Verifier) -> bool:
    """Whether a reason would be served."""
    return bool(written.claims) and all(
        verifier.check(claim, asked.scene, asked.wanted.language).holds
        for claim in written.claims or ()
    )


def row_of(
    name: str,
    asked: Sequence[Asked],
    written: Sequence[Written],
    *,
    verified: bool,
    milliseconds: float,
    held_out: Sequence[HeldOut],
) -> Row:
    """Judges what was written; where it is verified, the template answers for what is rejected."""
    verifier = Verifier(DEFAULT_BANNED_WORDS)
    good = [stands(one, said, verifier) for one, said in zip(asked, written, strict=True)]
    texts = [
        one.template_text if verified and not fine else said.text
        for one, said, fine in zip(asked, written, good, strict=True)
    ]
    kept = [(one, text) for one, text in zip(asked, texts, strict=True) if text]
    checked = [check_text(text, one.record) for one, text in kept]
    return Row(
        name,
        len(kept),
        sum(len(each.claims) for each in checked),
        sum(len(each.unsupported) for each in checked),
        good.count(False) / len(good),
        {
            each.language: measure(each, {name: list(_words(kept, each.language))})[name].perplexity
            for each in held_out
        },
        distinct([text for _, text in kept], 1),
        distinct([text for _, text in kept], 2),
        sum(len(slotted(text, one.wanted.language)) for one, text in kept) / len(kept),
        milliseconds,
        [f"{claim.text}: {each.text}" for each in checked for claim in each.unsupported],
    )


def _words(kept: Sequence[tuple[Asked, str]], language: str) -> Iterator[list[str]]:
    for one, text in kept:
        if one.wanted.language == language:
            yield slotted(text, language, [v for f in one.facts for v in (f.value, f.meets)])


def ablate(
    pages: Sequence[Sequence[Asked]],
    model: Path,
    held_out: Sequence[HeldOut],
    settings: SamplingSettings,
) -> list[Row]:
    """Words all pages in every way."""
    grammar = read_grammar(model, DEFAULT_BANNED_WORDS)
    engine = OnnxEngine(model / SERVED_GRAPH, 1)
    bound: list[Written] = []
    free: list[Written] = []
    spent = {"bound": 0.0, "free": 0.0}
    for page in pages:
        wanted = [one.wanted for one in page]
        began = time.perf_counter()
        with_grammar = decode(wanted, grammar, engine, settings)
        spent["bound"] += time.perf_counter() - began
        began = time.perf_counter()
        without = write_freely(wanted, grammar, engine, settings)
        spent["free"] += time.perf_counter() - began
        for one, said, loose in zip(page, with_grammar, without, strict=True):
            bound.append(Written(said.text, claims_of(said, one.facts)) if said else _NONE)
            if loose is None:
                free.append(_NONE)
            else:
                claims = claims_of(loose.said, one.facts) if loose.sound else None
                free.append(Written(loose.said.text, claims))
    asked = [one for page in pages for one in page]
    by_template = [Written(one.template_text, one.template) for one in asked]
    page_ms = {name: 1000 * seconds / len(pages) for name, seconds in spent.items()}
    ways = (
        ("templates", by_template, True, 0.0),
        ("grammar and verifier", bound, True, page_ms["bound"]),
        ("grammar alone", bound, False, page_ms["bound"]),
        ("verifier alone", free, True, page_ms["free"]),
        ("neither", free, False, page_ms["free"]),
    )
    return [
        row_of(name, asked, written, verified=verified, milliseconds=ms, held_out=held_out)
        for name, written, verified, ms in ways
    ]


_NONE: Final = Written("", None)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--queries", type=int, default=100, help="queries; each makes three pages")
    parser.add_argument("--model", type=Path, default=MODEL, help="folder of a version")
    parser.add_argument("--examples", type=int, default=0, help="unsupported claims to print")
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args(arguments)
    grammar = read_grammar(options.model, DEFAULT_BANNED_WORDS)
    held_out = [fluency_model(texts[:_SENTENCES], code) for code, texts in plain_text().items()]
    with tempfile.TemporaryDirectory() as folder:
        catalogue = held_out_catalogue(Path(folder))
        asked = list(islice(queries(Path(folder)), options.queries))
        (pages,) = asyncio.run(
            pages_of_suite(catalogue, asked, triton=False, generators=[TEMPLATE])
        )
        products = sum(1 for _ in catalogue.open(encoding="utf-8"))
    worded = to_word(pages, lambda one: grammar.knows_all(one.evidence, one.language))
    served, warm = SamplingSettings(), SamplingSettings(temperature=_WARM)
    rows = ablate(worded, options.model, held_out, served)
    rows += [
        replace(row, name=f"{row.name}, temperature {_WARM}")
        for row in ablate(worded, options.model, held_out, warm)[1:]
    ]
    for row in rows:
        for text in row.examples[: options.examples]:
            print(f"{row.name}: {text}")
    data = f"{products:,} products of the test splits of the three catalogues"
    body = section(rows, len(worded), data)
    print(body)
    if not options.no_write:
        report.update_section("reason_ablation", body)
    return 0


if __name__ == "__main__":
    sys.exit(main())
