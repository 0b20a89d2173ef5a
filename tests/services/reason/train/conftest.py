"""A grammar over a small vocabulary, made without torch: frames, their tokens, and the guard."""

import random
from collections.abc import Callable, Sequence

import pytest

from services.reason.config import DEFAULT_BANNED_WORDS
from services.reason.facts import Fact
from services.reason.train.frames import LANGUAGES, reason_kinds, write
from services.reason.train.learnt_lexis import lexis_of
from services.reason.train.opinion_frames import draw
from services.reason.train.vocabulary import Vocabulary, texts_of, train_tokenizer
from services.reason.wording.filled import Filled
from services.reason.wording.grammar import Grammar
from services.reason.wording.guard import Guard, guarded_words
from services.reason.wording.opinions import REQUIRED, is_opinion
from services.reason.wording.slots import fill

ROWS = 3_000
VALUES = (
    "jet black",
    "玫瑰金",
    "Zorblax 9000",
    "¥1,299",
    "37%",
    "4.6",
    "12",
    "L",
    "Trail pack 20 l",
)


def rows(count: int = ROWS, seed: int = 5) -> list[dict[str, object]]:
    """Rows of the corpus over freely drawn kinds; every fourth is of a summary."""
    rng = random.Random(seed)  # noqa: S311
    found: list[dict[str, object]] = []
    for index in range(count):
        language = LANGUAGES[index % 2]
        said = rng.choices(reason_kinds(), k=rng.randint(1, 5)) if index % 8 > 1 else draw(rng)
        clauses = write(said, language, rng)
        found.append(
            {
                "item_id": str(index),
                "language": language,
                "evidence": [{"kind": kind, "fills": {}} for kind in said],
                "reason_sequence": [f"<{c.position}>{c.text}" for c in clauses],
            }
        )
    return found


@pytest.fixture(scope="session")
def corpus_rows() -> list[dict[str, object]]:
    return rows()


@pytest.fixture(scope="session")
def vocabulary(corpus_rows: list[dict[str, object]]) -> Vocabulary:
    return Vocabulary(train_tokenizer(texts_of(corpus_rows), 1_500))


@pytest.fixture(scope="session")
def guard() -> Guard:
    return Guard(guarded_words(DEFAULT_BANNED_WORDS))


@pytest.fixture(scope="session")
def grammar(corpus_rows: list[dict[str, object]], vocabulary: Vocabulary, guard: Guard) -> Grammar:
    table = vocabulary.table()
    return Grammar(table, lexis_of(corpus_rows, vocabulary, table.texts), guard)


def fact_of(kind: str, value: Callable[[], str] = lambda: "XT 40") -> Fact:
    """A fact of a kind, with a value of the form of its code."""
    code, _, key = kind.partition(".")
    source = f"attributes.{key}" if key else "product"
    forms = {
        "price_fit": ("299.0 CNY", "500.0"),
        "lowest_price_on_page": ("299.0 CNY", "10"),
        "below_median_price": ("37% 299.0 CNY", "10"),
        "discount": ("25%", ""),
        "well_reviewed": ("4.65 1320", ""),
        "price_in_category": ("36 45", "Backpacks"),
        "popular": ("120", ""),
        "in_stock": ("in stock", ""),
        "new_arrival": ("12", ""),
        "bought_together": ("37", value()),
        "viewed_together": ("250", value()),
        "better_rated": ("4.65 4.2", value()),
        "bought_before": ("1 40", ""),
        "bought_often": ("3 12", ""),
        "exclusion_met": (value(), "Velvetine"),
        "stated_price": ("299.0 CNY", ""),
    }
    if code == "stated_attribute":
        source = "attributes.colour"
    found = forms.get(code, ("41 45", "") if code.startswith("praised_") else (value(), "as asked"))
    return Fact(code, source, *found, 0.5)


def filled(said: Sequence[str], language: str, value: Callable[[], str]) -> list[Filled]:
    """Evidence of kinds, with drawn values."""
    return [
        opinion_of(kind) if is_opinion(kind) else fill(fact_of(kind, value), language)
        for kind in said
    ]


def opinion_of(kind: str) -> Filled:
    """Evidence of a kind of summaries."""
    required = REQUIRED[kind.partition(".")[0]]
    numbers = {"praise": "17", "count": "23", "total": "41", "stars": "4.6"}
    return Filled(kind, {slot: numbers[slot] for slot in required}, required)
