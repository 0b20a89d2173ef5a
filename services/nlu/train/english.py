"""English tasks: entities and intents of shopping queries, and which product a query means.

`python -m services.nlu.train.english` prints what the tasks hold.
"""

# ruff: noqa: S311 - only an order that can be repeated is wanted of the generator.

import csv
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Final

from services.nlu.domain import IntentType
from services.nlu.train.english_catalogue import read_goods
from services.nlu.train.english_facts import goods_queries
from services.nlu.train.english_grammar import QueryWriter, join
from services.nlu.train.english_noise import roughen
from services.nlu.train.english_pairs import matching_pairs
from services.nlu.train.english_weak import WeakLabeller, real_queries
from services.nlu.train.english_words import read_frames
from services.nlu.train.examples import Example, TaskData, TaskKind
from services.nlu.train.marked_text import CHECK, DEV, ENTITY_TYPES, read_marked, write_line

SEED: Final = 20
SEARCHES: Final = 9_500
"""Noun phrases from the lists."""
SENTENCES: Final[Mapping[str, int]] = MappingProxyType(
    {
        "product_search": 2_600,
        "navigational": 1_500,
        "attribute_question": 2_000,
        "recommendation": 2_200,
        "comparison": 1_800,
    }
)
"""Sentences by intent."""
OF_PRODUCTS: Final = 3_000
"""Noun phrases from facts of real products."""
OF_SUPPORT: Final = 45
"""Sentences of each class of support, in other words than the data set's."""
SUPPORT: Final = 700
"""Utterances of customer service among the entities' examples: they name no goods at all."""
SEARCHES_WITH_INTENT: Final = 3_000
"""Noun phrases among the intents' examples."""


def entities_en(data: Path) -> TaskData:
    """Returns queries with the entities of `GUIDELINES.md`; dev is marked by hand.

    Args:
        data: Folder of the data sets.

    Raises:
        FileNotFoundError: A data set is missing.
    """
    written = _written(data)
    support = [Example(text) for text, _ in _utterances(data, "train")]
    Random(SEED).shuffle(support)
    train = [
        Example(item.text, item.spans)
        for item in (*written["searches"], *written["sentences"], *written["real"])
    ]
    return TaskData(
        head="entities",
        kind=TaskKind.TOKENS,
        labels=ENTITY_TYPES,
        train=_shuffled([*train, *support[:SUPPORT]]),
        dev=[Example(item.text, item.spans) for item in read_marked(DEV)],
    )


def intents_en(data: Path) -> TaskData:
    """Returns texts with what their writer wants: five ways to shop, and 27 calls for support.

    Args:
        data: Folder of the data sets.

    Raises:
        FileNotFoundError: A data set is missing.
    """
    written = _written(data)
    support = [Example(text, label=label) for text, label in _utterances(data, "train")]
    shopping = [*written["searches"][:SEARCHES_WITH_INTENT], *written["sentences"]]
    dev = [Example(text, label=label) for text, label in _utterances(data, "dev")]
    dev.extend(Example(item.text, label=item.label) for item in read_marked(DEV))
    return TaskData(
        head="intent",
        kind=TaskKind.CLASSES,
        labels=intent_labels(data),
        train=_shuffled(
            [
                *(Example(item.text, label=item.label) for item in (*shopping, *written["real"])),
                *support,
            ]
        ),
        dev=dev,
    )


def matching_en(data: Path) -> TaskData:
    """Returns queries with a product's text that answers each, and one that seems to.

    Args:
        data: Folder of the data sets.

    Raises:
        FileNotFoundError: A data set is missing.
    """
    train, dev = matching_pairs(data)
    return TaskData(head="matching", kind=TaskKind.PAIRS, labels=(), train=train, dev=dev)


def intent_labels(data: Path) -> tuple[str, ...]:
    """Returns the classes: the ways to shop first, then "support/…" in order."""
    shopping = tuple(SENTENCES)
    return (*shopping, *sorted({label for _, label in _utterances(data, "train")}))


@lru_cache(maxsize=2)
def _written(data: Path) -> Mapping[str, tuple[Example, ...]]:
    """All that is written or labelled here, without what is kept for measuring."""
    random = Random(SEED)
    writer = QueryWriter(random)
    goods = read_goods(data)
    held = {item.text.casefold() for path in (DEV, CHECK) for item in read_marked(path)}
    seen = set(held)

    def fresh(examples: Iterable[Example]) -> list[Example]:
        kept: list[Example] = []
        for example in examples:
            key = example.text.casefold()
            if key not in seen:
                seen.add(key)
                kept.append(example)
        return kept

    search = str(IntentType.PRODUCT_SEARCH)
    labeller = WeakLabeller(goods)
    real = fresh(item for query in real_queries(data) if (item := labeller.label(query)))
    searches = fresh(join(roughen(writer.query_pieces(), random), search) for _ in range(SEARCHES))
    searches += fresh(
        join(roughen(pieces, random), search)
        for pieces in goods_queries(goods, OF_PRODUCTS, random)
    )
    random.shuffle(searches)
    support = {intent: OF_SUPPORT for intent in read_frames() if intent not in SENTENCES}
    sentences = fresh(
        join(roughen(writer.sentence_pieces(intent), random), intent)
        for intent, count in {**SENTENCES, **support}.items()
        for _ in range(count)
    )
    return MappingProxyType(
        {"searches": tuple(searches), "sentences": tuple(sentences), "real": tuple(real)}
    )


def _utterances(data: Path, part: str) -> Iterator[tuple[str, str]]:
    path = data / "support_intents_en" / f"{part}.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            yield row["utterance"], f"{IntentType.SUPPORT}/{row['intent']}"


def _shuffled(examples: list[Example]) -> list[Example]:
    """So that the first few of a task are a fair sample of it."""
    Random(SEED).shuffle(examples)
    return examples


def main() -> int:
    """Prints counts and samples of the English tasks; returns the exit code."""
    home = Path(__file__).resolve().parents[4] / "shared" / "data"
    data = Path(os.environ.get("WHEREFORE_DATA", home))
    say = sys.stdout.write
    for task in (entities_en(data), intents_en(data), matching_en(data)):
        say(f"{task.head}: {len(task.train)} to train on, {len(task.dev)} to measure by\n")
        for half in (task.train, task.dev):
            types = Counter(span.label for item in half for span in item.spans)
            classes = Counter(item.label for item in half if item.label)
            say(f"  {dict((types or classes).most_common())}\n")
        for item in Random(SEED).sample(task.train, 20):
            if task.kind is TaskKind.PAIRS:
                say(f"    {item.text} -> {item.other!r}, not {[*item.negatives]}\n")
            else:
                say(f"    {write_line(item)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
