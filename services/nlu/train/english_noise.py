"""Makes queries as careless as typed ones: slips of the keyboard, capitals, lost words."""

# ruff: noqa: PLR2004 - the shares are the recipe itself.

from collections.abc import Sequence
from random import Random
from typing import Final

_ROWS: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_MIN_LENGTH: Final = 4
_SLIP: Final = 0.2
"""Share of queries with a slip."""
_LOST: Final = frozenset({"a", "an", "the", "for", "of", "in", "with", "to", "is", "are"})

Piece = tuple[str, str]


def roughen(pieces: Sequence[Piece], random: Random) -> list[Piece]:
    """Returns pieces as a hurried shopper would type them; entity types stay.

    Args:
        pieces: (text, entity type or "").
        random: Source of chance.
    """
    made = list(pieces)
    if random.random() < _SLIP:
        places = [
            at for at, (text, label) in enumerate(made) if _long_words(text) and label != "PRICE"
        ]
        if places:
            at = random.choice(places)
            text, label = made[at]
            made[at] = (_slip_in(text, random), label)
    if random.random() < 0.06:
        # Negations and prices mean something else without their small words.
        made = [(_without_small_words(text) if not label else text, label) for text, label in made]
    way = random.random()
    if way < 0.06:
        made = [(text.title() if label else text, label) for text, label in made]
    elif way < 0.08:
        made = [(text.upper(), label) for text, label in made]
    elif way < 0.14:
        names = ("BRAND", "MODEL")
        made = [(text.title() if label in names else text, label) for text, label in made]
    return made


def slip(word: str, random: Random) -> str:
    """Returns a word with one slip: a key's neighbour, two letters swapped, lost or doubled."""
    at = random.randrange(1, len(word) - 1)
    way = random.randrange(5)
    if way == 0:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if way == 1:
        return word[:at] + word[at + 1 :]
    if way == 2:
        return word[:at] + word[at] + word[at:]
    if way == 3:
        return word[:at] + _neighbour(word[at], random) + word[at + 1 :]
    return word[:at] + random.choice("aeiou") + word[at + (word[at] in "aeiou") :]


def _neighbour(letter: str, random: Random) -> str:
    for row in _ROWS:
        at = row.find(letter)
        if at >= 0:
            return random.choice(row[max(0, at - 1) : at] + row[at + 1 : at + 2])
    return letter


def _long_words(text: str) -> list[str]:
    return [word for word in text.split() if len(word) >= _MIN_LENGTH and word.isalpha()]


def _slip_in(text: str, random: Random) -> str:
    words = text.split()
    places = [at for at, word in enumerate(words) if len(word) >= _MIN_LENGTH and word.isalpha()]
    at = random.choice(places)
    words[at] = slip(words[at], random)
    return " ".join(words)


def _without_small_words(text: str) -> str:
    return " ".join(word for word in text.split() if word not in _LOST)
