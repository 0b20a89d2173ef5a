"""How often words of the lexicons are right where no model has learnt a shop's own ways."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks import report
from benchmarks.tag_tables import Table
from services.reason.tags.builder import LEXICON_KEYS, default_vocabulary
from services.reason.tags.examples import Example
from services.reason.tags.mentions import MentionFinder
from services.reason.tags.signals import BY_WORDS, gather, mention_columns, word_signals
from shared.text.lexicon import canonical, find_mentions

_CHINESE_KEYS = {"颜色": "colour", "材质": "material"}
PLACES = ("title", "description", "both", "reviews alone")
Rates = dict[str, tuple[int, float]]
"""Place -> mentions, and the share of them that is right."""


def word_rates(table: Table) -> tuple[Rates, float]:
    """Returns how often mentions are right, and how sure the service is of them on average.

    Counted are words of keys that the product states: where it states no colour, none is wrong.
    """
    vocabulary = default_vocabulary()
    finder = MentionFinder(vocabulary)
    found: dict[str, list[bool]] = {place: [] for place in PLACES}
    told: list[float] = []
    for example in table.examples:
        stated = _canonical(example)
        keys = {key for key, _ in stated}
        among = [at for at, term in enumerate(vocabulary.terms) if term.key in keys]
        said = gather(finder.find(example.passages, among), example.passages)
        for at, of in said.items():
            if of.mentions and not of.refused:
                place = (
                    "both"
                    if of.titles and of.descriptions
                    else (
                        "title"
                        if of.titles
                        else "description"
                        if of.descriptions
                        else "reviews alone"
                    )
                )
                found[place].append(vocabulary.terms[at].id in stated)
                signals = word_signals(mention_columns(said, [at]))
                told.append(float(BY_WORDS.probability(signals)[0]))
    rates = {place: (len(of), sum(of) / max(len(of), 1)) for place, of in found.items()}
    return rates, sum(told) / max(len(told), 1)


def words_table(tables: Sequence[tuple[str, tuple[Rates, float]]]) -> str:
    """The rates as Markdown."""
    rows: list[list[str]] = []
    for name, (rates, told) in tables:
        cells = [f"{right:.3f} ({count:,})" if count else "" for count, right in rates.values()]
        every = sum(count for count, _ in rates.values())
        right = sum(count * share for count, share in rates.values()) / max(every, 1)
        rows.append([name, *cells, f"{right:.3f}", f"{told:.3f}"])
    return report.table(("right (mentions)", *PLACES, "all", "confidence told"), rows)


def _canonical(example: Example) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for key, value in example.stated:
        name = _CHINESE_KEYS.get(key, key)
        if kind := LEXICON_KEYS.get(name):
            whole = canonical(kind, value)
            values = [whole] if whole else [m.canonical for m in find_mentions(value, [kind])]
            found.update((name, each) for each in values)
    return found
