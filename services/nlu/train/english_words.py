"""The words that English queries are written from: goods by kind of shop, and frames."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from pathlib import Path
from random import Random
from typing import Final

DATA: Final = Path(__file__).parent / "data"
GOODS: Final = DATA / "english_goods.txt"
FRAMES: Final = DATA / "english_frames.txt"

_CHOICE: Final = re.compile(r"\(([^()]*\|[^()]*)\)")


@dataclass(frozen=True, slots=True)
class Shop:
    """What one kind of shop sells, in the words of its customers.

    Attributes:
        words: By kind: type, brand, attribute, material, colour, audience, occasion, and names of
            shapes as "size".
        models: (brand or "", model) with every number and edition written out.
    """

    name: str
    words: Mapping[str, tuple[str, ...]]
    models: tuple[tuple[str, str], ...]


def expand(text: str) -> list[str]:
    """Returns every way to read the choices of "galaxy (s9|s10|)", in order."""
    pieces = _CHOICE.split(text)
    choices = [piece.split("|") if at % 2 else [piece] for at, piece in enumerate(pieces)]
    return [" ".join("".join(way).split()) for way in product(*choices)]


def choose(text: str, random: Random) -> str:
    """Returns one way to read the choices of a text."""
    return _CHOICE.sub(lambda found: random.choice(found[1].split("|")), text)


@lru_cache(maxsize=1)
def read_shops() -> tuple[Shop, ...]:
    """Returns the shops of `data/english_goods.txt`.

    Raises:
        ValueError: A line is not of the file's form.
    """
    shops: list[Shop] = []
    for name, lines in _sections(GOODS):
        words: dict[str, list[str]] = {}
        models: list[tuple[str, str]] = []
        for line in lines:
            key, colon, rest = line.partition(":")
            if not colon:
                raise ValueError(f"{GOODS.name}: {line!r} has no colon")
            kind, _, brand = key.strip().partition(" ")
            listed = rest.split() if kind == "size" else _split(rest)
            entries = [word for entry in listed for word in expand(entry)]
            if kind == "model":
                models.extend((brand.strip(), entry) for entry in entries)
            else:
                words.setdefault(kind, []).extend(entries)
        unique = {kind: tuple(dict.fromkeys(entries)) for kind, entries in words.items()}
        shops.append(Shop(name, unique, tuple(dict.fromkeys(models))))
    return tuple(_without_doubles(shops))


def _without_doubles(shops: Sequence[Shop]) -> Iterator[Shop]:
    """Takes words of use off the attributes: "outdoor" is OCCASION, whatever shop lists it."""
    uses = {word for shop in shops for word in shop.words["occasion"]}
    for shop in shops:
        kept = tuple(word for word in shop.words["attribute"] if word not in uses)
        yield replace(shop, words={**shop.words, "attribute": kept})


@lru_cache(maxsize=1)
def read_frames() -> Mapping[str, tuple[str, ...]]:
    """Returns the frames of `data/english_frames.txt` by intent."""
    return {name: tuple(lines) for name, lines in _sections(FRAMES)}


def _sections(path: Path) -> list[tuple[str, list[str]]]:
    sections: list[tuple[str, list[str]]] = []
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("["):
            sections.append((line.strip("[] "), []))
        elif line.strip() and not line.startswith("#"):
            sections[-1][1].append(line.strip())
    return sections


def _split(text: str) -> Sequence[str]:
    return [entry.strip() for entry in text.split(",") if entry.strip()]
