"""The entities of English queries by dictionary alone: the baseline of the learnt model.

Brands and kinds of product of the catalogue, the lexicons, and patterns for sizes, models and
prices, as `services.nlu.entities` and `services.nlu.constraints` find them without any model.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from services.nlu.catalogue_terms import CatalogueTerms
from services.nlu.constraints import find_constraints
from services.nlu.entities import find_entities
from services.nlu.train.catalogue import (
    count_terms,
    data_folder,
    known_catalogues,
    read_products,
)
from services.nlu.train.examples import Example, Span
from services.nlu.train.marked_text import DEV, ENTITY_TYPES, read_marked
from services.nlu.working_text import WorkingText


@dataclass(frozen=True, slots=True)
class Score:
    """Counts of exact spans with exact types."""

    right: int
    found: int
    gold: int

    @property
    def precision(self) -> float:
        """Share of what was found that is right; 1 when nothing was found."""
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """Share of the gold spans that were found; 1 when there are none."""
        return self.right / self.gold if self.gold else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of both; over all types together it is the micro F1."""
        total = self.found + self.gold
        return 2 * self.right / total if total else 1.0


def dictionary_spans(query: str, terms: CatalogueTerms) -> tuple[Span, ...]:
    """Returns what the rules find in a query, in order."""
    working = WorkingText(query)
    entities, _ = find_constraints(working.text, find_entities(working.text, terms))
    spans: list[Span] = []
    for entity in entities:
        written = working.text[entity.start : entity.end]
        start = entity.start + len(written) - len(written.lstrip())
        spans.append(Span(start, start + len(written.strip()), entity.type.name))
    return tuple(spans)


def score(
    gold: Sequence[Sequence[Span]], found: Sequence[Sequence[Span]], label: str = ""
) -> Score:
    """Counts over all queries, of one type or of all."""

    def pairs(rows: Sequence[Sequence[Span]]) -> set[tuple[int, Span]]:
        return {
            (at, span)
            for at, spans in enumerate(rows)
            for span in spans
            if not label or span.label == label
        }

    wanted, made = pairs(gold), pairs(found)
    return Score(len(wanted & made), len(made), len(wanted))


def report(examples: Sequence[Example], terms: CatalogueTerms) -> str:
    """Returns a table: a line a type, and all together."""
    gold = [example.spans for example in examples]
    found = [dictionary_spans(example.text, terms) for example in examples]
    lines = [f"{'type':14} precision  recall      F1   spans"]
    for label in (*ENTITY_TYPES, ""):
        one = score(gold, found, label)
        lines.append(
            f"{label or 'micro':14} {one.precision:9.3f} {one.recall:7.3f} {one.f1:7.3f} "
            f"{one.gold:7d}"
        )
    return "\n".join(lines)


def main() -> None:
    """Prints the baseline on a file of marked queries."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=data_folder())
    parser.add_argument("--queries", type=Path, default=DEV)
    options = parser.parse_args()
    terms = count_terms(read_products(known_catalogues(options.data)))
    examples = read_marked(options.queries)
    print(f"{len(examples)} queries of {options.queries.name}; dictionary alone")
    print(report(examples, terms))


if __name__ == "__main__":
    main()
