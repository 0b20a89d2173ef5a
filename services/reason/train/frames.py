"""Sentence frames: how evidence is said, and how clauses join to a sentence.

The corpus is distilled from them. Each pattern assigns a form to every clause: a verb phrase (V), a
phrase (F) or a clause with its own subject (C), so that what comes out is grammatical by make.
"""

import random
import re
import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Final

from services.reason.train.choices import written_out
from services.reason.train.opinion_frames import opinion_frames
from services.reason.wording.opinions import FAULT, MIXED, PRAISE, RATED, READ, is_opinion

DATA: Final = Path(__file__).parent / "data"
LANGUAGES: Final = ("en", "zh")
_SLOT: Final = re.compile(r"\{(\w+)\}")
_PATTERNS: Final[dict[int, tuple[str, ...]]] = {
    1: ("it V", "it V", "this V", "C", "C"),
    2: (
        "it V and V",
        "this V and V",
        "F, it V",
        "it V, and C",
        "C, and it V",
        "F and F",
        "it V; C",
        "C; it V",
        "C, and C",
    ),
    3: (
        "it V, V and V",
        "this V, V and V",
        "F, it V and V",
        "it V and V; C",
        "it V and V, and C",
        "C, and it V and V",
        "F, F and F",
        "F, it V; C",
        "F, it V, and C",
        "C; it V and V",
        "it V; C, and it V",
    ),
    4: (
        "it V, V, V and V",
        "F, it V, V and V",
        "F, it V and V; C",
        "it V and V; it also V and V",
        "F, F, F and F",
        "C, and it V, V and V",
        "it V, V and V; C",
        "it V and V; C, and it V",
    ),
    5: (
        "it V, V, V, V and V",
        "F, it V, V and V; C",
        "F, it V, V, V and V",
        "F, F, F, F and F",
        "it V and V; it also V, V and V",
        "it V, V and V; C, and it V",
    ),
}
"""English: by number of clauses. What stands before a letter belongs to that clause."""
_OF_REVIEWS: Final[dict[int, tuple[str, ...]]] = {
    1: ("it V", "it V", "this V", "C", "C", "C"),
    2: ("it V and V", "it V, and C", "C, and it V", "C, and C", "it V; C", "F, it V", "C; C"),
    3: ("it V, V and V", "it V and V, and C", "it V and V; C", "C, C, and C", "C; it V and V"),
}
"""Of summaries, likewise."""
_OPENED: Final[dict[int, tuple[str, ...]]] = {
    1: ("it V", "C"),
    2: ("F, it V", "F, it V", "F, C", "F, C", "it V, and C", "it V and V"),
    3: ("F, it V and V", "F, it V, and C", "F, C, and C", "F, C, and it V", "it V; C, and C"),
}
"""Of summaries that open with how many reviews there are."""
_FORMS: Final = {"V": "vp", "F": "frag", "C": "full"}
_SUBJECTS_ZH: Final = ("", "", "这款", "它")
_JOINERS_ZH: Final = ("，", "，", "，", "；", "，而且", "，同时", "，并且")
_ALSO_ZH: Final = ("有", "被", "可", "能", "适", "比", "在", "来自")
"""First characters of verb phrases that 还 may stand before."""
_IN_ORDER: Final = 0.75
"""Share of sentences that keep the order of the evidence."""
_PLAIN: Final = 0.7
"""Share of Chinese clauses that are chosen among those without a comma of their own."""
_TRIES: Final = 6
_TURNS: Final = 0.85
"""Share of turns from praise to fault, or back, that are marked as such."""
_SIDE: Final = {PRAISE: 1, FAULT: -1, MIXED: 0}


@dataclass(frozen=True, slots=True)
class WrittenClause:
    """One clause of a sentence, with slots.

    Attributes:
        position: Of its evidence, from 1.
        text: Its words as they follow the clause before, slots as "<shown>".
    """

    position: int
    text: str


@lru_cache(maxsize=2)
def frames(language: str) -> dict[str, dict[str, list[str]]]:
    """Returns the frames of a language by kind of evidence and form."""
    text = (DATA / f"frames_{language}.toml").read_text(encoding="utf-8")
    return {**tomllib.loads(text), **opinion_frames(language)}


def kinds() -> tuple[str, ...]:
    """Returns every kind of evidence that has frames, in the order of the vocabulary."""
    return tuple(frames("en"))


def reason_kinds() -> tuple[str, ...]:
    """Returns those of reasons."""
    return tuple(kind for kind in kinds() if not is_opinion(kind))


@lru_cache(maxsize=512)
def variants(language: str, kind: str, form: str) -> tuple[str, ...]:
    """Returns every wording of a kind in a form, choices written out, slots as "<shown>"."""
    found: list[str] = []
    for frame in frames(language)[kind].get(form, []):
        found += [_tidy(text, language) for text in written_out(frame)]
    return tuple(dict.fromkeys(found))


def _tidy(text: str, language: str) -> str:
    text = _SLOT.sub(r"<\1>", text)
    return re.sub(r" {2,}", " ", text).strip() if language == "en" else text.strip()


def write(wanted: Sequence[str], language: str, rng: random.Random) -> list[WrittenClause]:
    """Writes one sentence over evidence.

    Args:
        wanted: Kinds of the evidence, strongest first; 1 to 5.
        language: "en" or "zh".
        rng: Decides the pattern and the words.

    Returns:
        The clauses in the order of the sentence, which ends in a full stop. Of a few attempts the
        one that repeats itself least.
    """
    compose = _english if language == "en" else _chinese
    attempts = [compose(wanted, rng) for _ in range(_TRIES if len(wanted) > 1 else 1)]
    return min(attempts, key=lambda clauses: _repeats(clauses, language))


def _order(wanted: Sequence[str], rng: random.Random) -> list[int]:
    positions = list(range(1, len(wanted) + 1))
    # A summary says praise before faults, as its evidence comes.
    if not is_opinion(wanted[0]) and rng.random() > _IN_ORDER:
        rng.shuffle(positions)
    return positions


def _english(wanted: Sequence[str], rng: random.Random) -> list[WrittenClause]:
    pattern = rng.choice(_patterns(wanted))
    pieces = re.split(r"([VFC])", pattern)
    before, forms = pieces[0::2], pieces[1::2]
    order = _order(wanted, rng)
    clauses: list[WrittenClause] = []
    for index, (position, form) in enumerate(zip(order, forms, strict=True)):
        last = index + 1 == len(order)
        words = _pick("en", wanted[position - 1], _FORMS[form], rng, closes=last)
        # A comma or semicolon ends the clause before; "and it" begins this one.
        mark, lead = re.fullmatch(r"([,;]?)(.*)", before[index]).groups()  # pyright: ignore[reportOptionalMemberAccess]
        if mark and clauses:
            clauses[-1] = WrittenClause(clauses[-1].position, clauses[-1].text + mark)
        if clauses and turns(wanted[clauses[-1].position - 1], wanted[position - 1], rng):
            lead = re.sub(r"\band ", "but ", lead)
        clauses.append(WrittenClause(position, lead + words + ("." if last else "")))
    return clauses


def _patterns(wanted: Sequence[str]) -> tuple[str, ...]:
    if wanted[0] in (READ, RATED) and len(wanted) in _OPENED:
        return _OPENED[len(wanted)]
    if is_opinion(wanted[0]) and len(wanted) in _OF_REVIEWS:
        return _OF_REVIEWS[len(wanted)]
    return _PATTERNS[len(wanted)]


def turns(before: str, after: str, rng: random.Random) -> bool:
    """Whether a clause is marked as a turn from praise to fault, or back."""
    first, second = (_SIDE.get(kind.partition(".")[0], 0) for kind in (before, after))
    return first * second < 0 and rng.random() < _TURNS


def _pick(language: str, kind: str, form: str, rng: random.Random, *, closes: bool) -> str:
    """One wording; within a sentence one without "and" and ":", which would tangle with its own."""
    options = variants(language, kind, form)
    if not closes:
        plain = [text for text in options if " and " not in text and ":" not in text]
        options = plain or options
    return rng.choice(options)


def _chinese(wanted: Sequence[str], rng: random.Random) -> list[WrittenClause]:
    order = _order(wanted, rng)
    clauses: list[WrittenClause] = []
    spoken = ""
    for index, position in enumerate(order):
        form = rng.choice(("vp", "full"))
        options = variants("zh", wanted[position - 1], form)
        if len(order) > 1 and rng.random() < _PLAIN:
            options = [text for text in options if "，" not in text] or options
        words = rng.choice(options)
        subject = rng.choice(_SUBJECTS_ZH) if form == "vp" else ""
        if clauses:
            last = index + 1 == len(order)
            mark, joiner = _joined(clauses[-1].text, words, form, rng, last=last)
            if turns(wanted[clauses[-1].position - 1], wanted[position - 1], rng):
                joiner = rng.choice(("但", "但", "不过"))
            elif wanted[clauses[-1].position - 1] in (READ, RATED):
                mark, joiner = "，", ""
            clauses[-1] = WrittenClause(clauses[-1].position, clauses[-1].text + mark)
            # After a clause about somebody else the product has to be named again.
            subject = rng.choice(("它", "这款")) if form == "vp" and spoken == "full" else ""
            subject = joiner + subject if joiner != "还" else subject + joiner
        clauses.append(WrittenClause(position, subject + words))
        spoken = form
    clauses[-1] = WrittenClause(clauses[-1].position, clauses[-1].text + "。")
    return clauses


def _joined(
    before: str, words: str, form: str, rng: random.Random, *, last: bool
) -> tuple[str, str]:
    """Returns the mark after a clause and the conjunction before the next."""
    if "，" in before or "，" in words or "：" in before:
        return "；", rng.choice(("", "", "另外，")) if last else ""
    if form == "vp" and words.startswith(_ALSO_ZH) and rng.random() < 0.4:  # noqa: PLR2004
        return "，", "还"
    joiner = rng.choice(_JOINERS_ZH) if last else rng.choice(("，", "，", "；"))
    return joiner[:1], joiner[1:]


def _repeats(clauses: Sequence[WrittenClause], language: str) -> int:
    """Counts words (characters in Chinese) in runs of two that stand more than once."""
    text = " ".join(clause.text for clause in clauses)
    units = re.findall(r"<\w+>|\w+", text) if language == "en" else re.findall(r"<\w+>|\w", text)
    runs = Counter(pairwise(units))
    return sum(count - 1 for count in runs.values())
