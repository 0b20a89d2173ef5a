"""Which form of clause may follow which in English, so that every verb has its subject.

A clause is a verb phrase behind "it" ("comes in black"), a phrase ("in black"), or has a subject of
its own ("the colour is black"), as `train/frames.py` writes them. A model that joins them freely
says "the colour is black and comes from Thule", "in black, comes from Thule" or "with 4.6 stars and
in stock". Chinese needs no such rules: its clauses stand beside each other.
"""

import re
from enum import StrEnum
from functools import lru_cache
from typing import Final

SLOT: Final = "\0"
"""Stands for a slot in the text of a clause."""
OPENING: Final = 16
"""Characters of a clause that show its form."""
VERBS: Final = frozenset(
    (
        "answers",
        "averages",
        "belongs",
        "came",
        "carries",
        "comes",
        "costs",
        "fits",
        "gets",
        "goes",
        "has",
        "holds",
        "is",
        "lists",
        "matches",
        "meets",
        "mentions",
        "names",
        "resembles",
        "scores",
        "sells",
        "sold",
        "stays",
        "was",
    )
)
"""First words of verb phrases; "now" begins phrases too."""
PHRASES: Final = frozenset(
    (
        "a",
        "an",
        "at",
        "bought",
        "by",
        "called",
        "cheaper",
        "chosen",
        "close",
        "for",
        "from",
        "here",
        "in",
        "listed",
        "made",
        "meant",
        "now",
        "picked",
        "praised",
        "priced",
        "rated",
        "released",
        "scoring",
        "similar",
        "sized",
        "the",
        "to",
        "viewed",
        "with",
        "within",
    )
) | {SLOT}
"""First words of phrases."""
SUBJECTS: Final = frozenset(
    (
        "it",
        "its",
        "of",
        "others",
        "reviewers",
        "shoppers",
        "since",
        "because",
        "the",
        "there",
        "this",
        "you",
        "your",
    )
) | {SLOT, f'"{SLOT}'}
"""First words of clauses with a subject."""
_WORDS: Final = VERBS | PHRASES | SUBJECTS
_IT: Final = ("it", "this")
_LEADS: Final = re.compile(r"^(?:and|but) ")
_PHRASE: Final = re.compile(
    rf"{SLOT} (?:as|and not|off|below)\b|the (?:lowest|cheapest|product)\b|now (?:{SLOT}|priced)"
    r"|at "
)
"""Phrases whose first word may begin something else as well."""
_YOU_STAY: Final = re.compile(rf"at {SLOT} you\b")
_ONLY_PHRASES: Final = frozenset({"discount", "exclusion_met"})
"""Codes of which a slot begins nothing but phrases."""
_NONE: Final = frozenset[str]()


class Form(StrEnum):
    """What a sentence is like at the end of a clause."""

    BEGIN = "begin"
    """Before the first clause, of several."""
    ALONE = "alone"
    """Before the only one."""
    WITH = "with"
    """After a phrase with "with", which needs a subject behind it."""
    PHRASE = "phrase"
    """After phrases alone."""
    IT = "it"
    """After a clause about "it", whose verbs may go on."""
    OWN = "own"
    """After a clause with a subject of its own, whose verbs may not."""


_PHRASES_FOLLOW: Final = (Form.BEGIN, Form.PHRASE)


def form_after(before: Form, clause: str) -> Form:
    """Returns what a sentence is like after one more clause, slots as `SLOT`."""
    text = _LEADS.sub("", clause.lower().lstrip(" "))
    word = text.split(" ", 1)[0].strip('",;.')
    if word in _IT:
        return Form.IT
    if word in VERBS or (word == "now" and before is Form.IT):
        return before
    if word == "with" and before is Form.BEGIN:
        return Form.WITH
    if _YOU_STAY.match(text) or (word in SUBJECTS and not _PHRASE.match(text)):
        return Form.OWN
    return Form.PHRASE


@lru_cache(maxsize=65_536)
def may_begin(before: Form, mark: str, clause: str, code: str) -> bool:
    """Whether a clause may begin so.

    Args:
        before: What the sentence is like.
        mark: That the clause before ends with: ",", ";" or "" for none.
        clause: Its text so far, slots as `SLOT`.
        code: Of its evidence.
    """
    text = clause.lower().lstrip(" ")
    if before not in _PHRASES_FOLLOW and _PHRASE.match(_LEADS.sub("", text)):
        return False
    return any(
        _agrees(text, lead + word)
        for lead, words in _openings(before, mark)
        for word in words
        if word != SLOT or before in _PHRASES_FOLLOW or code not in _ONLY_PHRASES
    )


@lru_cache(maxsize=64)
def _openings(before: Form, mark: str) -> list[tuple[str, frozenset[str]]]:
    """What may come first in a clause: "and " or nothing, and the words behind it."""
    phrases = PHRASES if before in _PHRASES_FOLLOW else _NONE
    if before in (Form.BEGIN, Form.ALONE):
        return [("", SUBJECTS | phrases)]
    if mark == ";":
        return [("", SUBJECTS)]
    if before in (Form.WITH, Form.PHRASE):
        # "In black, it costs 5" but "in black and at 5".
        phrases -= {"with"}
        return [("", SUBJECTS | phrases), ("and ", phrases)] if mark else [("and ", phrases)]
    verbs = VERBS | {"now"} if before is Form.IT else _NONE
    joined = [(lead, SUBJECTS | verbs) for lead in ("and ", "but ")]
    # "It is black, it is in stock" would be two sentences.
    return [("", verbs), *joined] if mark else joined


def may_close(before: Form, clause: str) -> bool:
    """Whether another clause may follow one that ends so."""
    return form_after(before, clause) is not Form.WITH or clause.rstrip().endswith(",")


def _agrees(text: str, opening: str) -> bool:
    """Whether a text begins so or may still come to."""
    if opening.startswith(text):
        # "With" is a word, and does not become "within".
        return text == opening or text.rsplit(" ", 1)[-1] not in _WORDS
    return text.startswith(opening) and not text[len(opening) :][:1].isalpha()
