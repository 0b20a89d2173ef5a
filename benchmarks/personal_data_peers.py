"""Our patterns beside Presidio's: `python -m benchmarks.personal_data_peers` (extra `peers`).

Three sets of texts: those written by hand (`benchmarks.personal_data`); sentences around what Faker
makes up, which nobody here wrote; and catalogues, in which whatever is found is a false alarm. A
find is right when it overlaps a piece of its kind. Presidio runs its recognisers of patterns,
checksums and telephone numbers, without a language model ("no_op").
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from benchmarks import report
from benchmarks.data import icecat
from benchmarks.personal_data import Text, read_texts, same
from shared.catalogue import bundled_catalogue_path, read_catalogue
from shared.privacy.patterns import KINDS
from shared.privacy.personal import Personal, find_personal

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine, EntityRecognizer

Find = Callable[[str], list[Personal]]

ENTITIES: Final = {
    "EMAIL_ADDRESS": "e-mail",
    "PHONE_NUMBER": "phone",
    "CREDIT_CARD": "bank account",
    "IBAN_CODE": "bank account",
    "US_SSN": "identity card",
}
"""What Presidio calls the kinds that both look for. It has none for addresses and handles."""
OURS: Final = {kind: kind.upper().replace(" ", "_").replace("-", "_") for kind, *_ in KINDS}
THRESHOLD: Final = 0.35
"""Score from which a find of Presidio counts: 0.4 is that of a telephone number without context."""
REGIONS: Final = ("US", "GB", "CN", "DE", "FR")
SENTENCES: Final = {
    "en": ("please use {} thanks", "{} is mine, the kettle broke", "order 4471 goes to {}"),
    "zh": ("请用{}，谢谢", "{}是我的，水壶坏了", "订单4471寄到{}"),
}
MADE: Final = {
    "en_US": ("phone_number", "address", "email", "credit_card_number", "iban", "ssn"),
    "en_GB": ("phone_number", "address", "email", "credit_card_number", "iban"),
    "zh_CN": ("phone_number", "address", "email", "credit_card_number", "iban", "ssn"),
}
KIND_OF: Final = {
    "phone_number": "phone",
    "address": "address",
    "email": "e-mail",
    "credit_card_number": "bank account",
    "iban": "bank account",
    "ssn": "identity card",
}


@dataclass(slots=True)
class Tally:
    """Counts of pieces, by kind, and what it took."""

    found: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    missed: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    false: list[str] = field(default_factory=list[str])
    texts: int = 0
    seconds: float = 0.0

    def precision(self) -> str:
        """Share of finds that are right."""
        right = sum(self.found.values())
        return f"{right / max(1, right + len(self.false)):.3f}"

    def recall(self, *kinds: str) -> str:
        """Share of pieces that are found, of some kinds or of all; "" where there is none."""
        of = kinds or tuple({*self.found, *self.missed})
        right = sum(self.found[kind] for kind in of)
        pieces = right + sum(len(self.missed[kind]) for kind in of)
        return f"{right / pieces:.3f}" if pieces else ""

    def microseconds(self) -> str:
        """Processor time for each text."""
        return f"{self.seconds / max(1, self.texts) * 1e6:,.0f}"


def tally(texts: Sequence[Text], find: Find) -> Tally:
    """Lets a finder read texts."""
    counted = Tally(texts=len(texts))
    start = time.process_time()
    finds = [find(each.text) for each in texts]
    counted.seconds = time.process_time() - start
    for each, found in zip(texts, finds, strict=True):
        for mark in each.marked:
            if any(same(mark, other) for other in found):
                counted.found[mark.kind] += 1
            else:
                counted.missed[mark.kind].append(each.text[mark.start : mark.end])
        counted.false += [
            each.text[other.start : other.end]
            for other in found
            if not any(same(mark, other) for mark in each.marked)
        ]
    return counted


def made_texts(locale: str, count: int, seed: int) -> list[Text]:
    """Returns sentences around what Faker makes up, `count` of each kind."""
    from faker import Faker

    maker = Faker(locale)
    maker.seed_instance(seed)
    language = locale[:2]
    texts: list[Text] = []
    for method in MADE[locale]:
        for number in range(count):
            piece = str(getattr(maker, method)()).replace("\n", ", ")
            before, after = SENTENCES[language][number % len(SENTENCES[language])].split("{}")
            mark = Personal(KIND_OF[method], len(before), len(before) + len(piece))
            texts.append(Text(language, locale, before + piece + after, [mark]))
    return texts


def catalogue_texts(limit: int) -> Iterator[Text]:
    """Yields titles and descriptions of the bundled catalogue and of icecat."""
    for path in (bundled_catalogue_path(), icecat().catalogue):
        products = (row.product for row in read_catalogue(path) if row.product is not None)
        for _, product in zip(range(limit), products, strict=False):
            for texts in (product.titles, product.descriptions):
                for language, text in texts.items():
                    yield Text(language, path.name, text, [])


def presidio(*, with_ours: bool) -> Find:
    """Returns Presidio, with our patterns plugged in beside its own or without."""
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NoOpNlpEngine
    from presidio_analyzer.predefined_recognizers import (
        CreditCardRecognizer,
        EmailRecognizer,
        IbanRecognizer,
        PhoneRecognizer,
        UsSsnRecognizer,
    )

    recognisers: list[EntityRecognizer] = [
        EmailRecognizer(),
        PhoneRecognizer(supported_regions=REGIONS),
        CreditCardRecognizer(),
        IbanRecognizer(),
        UsSsnRecognizer(),
    ]
    if with_ours:
        recognisers += _ours()
    nothing = NoOpNlpEngine(models=[{"lang_code": "en", "model_name": ""}])
    nothing.load()
    registry = RecognizerRegistry(recognizers=recognisers, supported_languages=["en"])
    return _finder(AnalyzerEngine(registry, nothing, supported_languages=["en"]))


def _ours() -> list[EntityRecognizer]:
    from presidio_analyzer import Pattern, PatternRecognizer

    class Checked(PatternRecognizer):
        def __init__(
            self, kind: str, number: int, regex: str, holds: Callable[[str], bool] | None
        ) -> None:
            pattern = Pattern(f"{kind} {number}", regex, 0.6)
            super().__init__(OURS[kind], name=pattern.name, patterns=[pattern])
            self._holds = holds

        def validate_result(self, pattern_text: str) -> bool | None:
            return self._holds(pattern_text.casefold()) if self._holds else None

    return [
        Checked(kind, number, "(?a)" * bool(pattern.flags & re.ASCII) + pattern.pattern, holds)
        for number, (kind, pattern, holds) in enumerate(KINDS)
    ]


def _finder(engine: AnalyzerEngine) -> Find:
    kinds = ENTITIES | {entity: kind for kind, entity in OURS.items()}

    def find(text: str) -> list[Personal]:
        found = engine.analyze(text, "en", score_threshold=THRESHOLD)
        return [Personal(kinds[each.entity_type], each.start, each.end) for each in found]

    return find


def main() -> int:
    """Prints the tables and writes them down."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--count", type=int, default=300, help="of each kind and locale")
    arguments.add_argument("--seed", type=int, default=2, help="of what is made up")
    arguments.add_argument(
        "--products", type=int, default=100_000, help="of each catalogue, at most"
    )
    arguments.add_argument("--missed", action="store_true", help="tell of ours; write nothing")
    options = arguments.parse_args()
    finders: dict[str, Find] = {
        "ours": find_personal,
        "Presidio": presidio(with_ours=False),
        "Presidio with our patterns": presidio(with_ours=True),
    }
    texts = {f"by hand, {h} half, {lang}": [] for lang in ("en", "zh") for h in ("dev", "blind")}
    for each in read_texts():
        texts[f"by hand, {each.half} half, {each.language}"].append(each)
    texts |= {f"made up, {each}": made_texts(each, options.count, options.seed) for each in MADE}
    texts["catalogues"] = list(catalogue_texts(options.products))
    rows: list[list[str]] = []
    by_kind: list[list[str]] = []
    for name, some in texts.items():
        for finder, find in finders.items():
            find(some[0].text)  # whatever is made at first use
            counted = tally(some, find)
            told = [] if name == "catalogues" else [counted.precision(), counted.recall()]
            told = told or ["", ""]
            rows.append([f"{name}: {finder}", *told, str(len(counted.false))])
            rows[-1] += [f"{counted.texts:,}", counted.microseconds()]
            if name.startswith("made up"):
                recalls = [counted.recall(kind) for kind in dict.fromkeys(KIND_OF.values())]
                by_kind.append([f"{name}: {finder}", *recalls])
            if options.missed and finder == "ours" and "blind" not in name:
                print(name, {kind: each[:12] for kind, each in counted.missed.items() if each})
                print(name, "false:", counted.false[:40])
    head = ["texts", "precision", "recall", "false alarms", "number", "µs each"]
    body = "\n\n".join(
        (
            "## Personal data: ours beside Presidio",
            report.provenance(
                "python -m benchmarks.personal_data_peers",
                f"the hand-written texts, {options.count} pieces of each kind and locale that Faker"
                f" makes up (seed {options.seed}), titles and descriptions of the bundled catalogue"
                " and of icecat",
            )
            + " Times are of the processor, of one thread.",
            report.table(head, rows),
            "Recall of what is made up, by kind:",
            report.table(["texts", *dict.fromkeys(KIND_OF.values())], by_kind),
        )
    )
    print(body)
    if not options.missed:
        report.update_section("personal_data_peers", body)
    return 0


if __name__ == "__main__":
    sys.exit(main())
