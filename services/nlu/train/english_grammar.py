"""Writes English shopping queries with their entities, from shops and frames.

A query is a list of pieces, (text, entity type or ""), until it is joined; so noise and order can
change what stands there while every span stays exact.
"""

# ruff: noqa: PLR2004 - the shares are the recipe itself.

import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from services.nlu.train import english_shapes as shapes
from services.nlu.train.english_kinds import split_kinds
from services.nlu.train.english_words import Shop, choose, read_frames, read_shops
from services.nlu.train.examples import Example, Span
from shared.text.lexicon.matcher import plurals

Piece = tuple[str, str]

_KINDS: Final = {
    "type": "PRODUCT_TYPE",
    "types": "PRODUCT_TYPE",
    "brand": "BRAND",
    "attribute": "ATTRIBUTE",
    "material": "MATERIAL",
    "colour": "COLOUR",
    "audience": "AUDIENCE",
    "occasion": "OCCASION",
}
_SLOT: Final = re.compile(r"\{([a-z]+)\d?\}|<([^<>:]+)(?::([A-Z_]+))?>")
_UNSEEN_BRAND: Final = 0.08
"""Share of brands that stand on no list."""
_PART_NUMBER: Final = 0.3
_EXTRAS: Final = (
    ("attribute", 9),
    ("brand", 7),
    ("colour", 6),
    ("size", 6),
    ("audience", 5),
    ("occasion", 5),
    ("material", 4),
    ("price", 4),
    ("attribute", 3),
)
"""What a noun phrase may say besides its head, with weights; two attributes are not rare."""
_CLINGING: Final = re.compile(r"[,?.!]|'s$")


class QueryWriter:
    """Writes queries; the same seed writes the same ones.

    Args:
        random: Source of chance.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._shops = read_shops()
        self._frames = read_frames()

    def query(self) -> Example:
        """Returns a noun phrase as most shoppers type it: "black leather wallet for men"."""
        shop = self._random.choice(self._shops)
        return join(self._item(shop), "product_search")

    def sentence(self, intent: str) -> Example:
        """Returns a sentence of one intent."""
        return join(self.sentence_pieces(intent), intent)

    def query_pieces(self) -> list[Piece]:
        """Returns what `query` joins."""
        return self._item(self._random.choice(self._shops))

    def sentence_pieces(self, intent: str) -> list[Piece]:
        """Returns what `sentence` joins."""
        frame = choose(self._random.choice(self._frames[intent]), self._random)
        # A choice may hold a slot that holds a choice.
        return self._fill(choose(frame, self._random), self._random.choice(self._shops))

    def _fill(self, frame: str, shop: Shop) -> list[Piece]:
        pieces: list[Piece] = []
        used: set[str] = set()
        at = 0
        for slot in _SLOT.finditer(frame):
            pieces.append((frame[at : slot.start()], ""))
            if slot[2]:
                pieces.append((slot[2], slot[3] or "PRODUCT_TYPE"))
                at = slot.end()
                continue
            made = self._slot(slot[1], shop)
            for _ in range(5):  # "{brand} vs {brand2}" wants two different ones
                if made[0][0] not in used:
                    break
                made = self._slot(slot[1], shop)
            used.add(made[0][0])
            pieces.extend(made)
            at = slot.end()
        return [*pieces, (frame[at:], "")]

    def _slot(self, name: str, shop: Shop) -> list[Piece]:
        random = self._random
        writers: dict[str, Callable[[], list[Piece]]] = {
            "item": lambda: self._item(shop, sentence=True),
            "short": lambda: self._short(shop),
            "product": lambda: self._product(shop),
            "model": lambda: [(self._model(shop)[1], "MODEL")],
            "size": lambda: self._size(shop),
            "price": lambda: [(shapes.price(random), "PRICE")],
            "budget": lambda: [(shapes.budget(random), "PRICE")],
            "number": lambda: [(str(random.randint(2, 46)), "SIZE")],
            "types": lambda: [(_plural(self._word("type", shop)), "PRODUCT_TYPE")],
        }
        if name in writers:
            return writers[name]()
        return [(self._word(name, shop), _KINDS[name])]

    def _word(self, kind: str, shop: Shop) -> str:
        if kind == "brand" and self._random.random() < _UNSEEN_BRAND:
            return shapes.unknown_brand(self._random)
        return self._random.choice(shop.words[kind])

    def _model(self, shop: Shop) -> tuple[str, str]:
        if self._random.random() < _PART_NUMBER:
            return self._word("brand", shop), shapes.part_number(self._random)
        return self._random.choice(shop.models)

    def _size(self, shop: Shop) -> list[Piece]:
        return list(shapes.size(self._random.choice(shop.words["size"]), self._random))

    def _product(self, shop: Shop) -> list[Piece]:
        """One certain product: brand and model, a model, or a brand with its kind of thing."""
        way = self._random.random()
        if way < 0.7:
            brand, model = self._model(shop)
            pieces = [(model, "MODEL")]
            if brand and way < 0.45:
                pieces.insert(0, (brand, "BRAND"))
            if self._random.random() < 0.2:
                pieces.append((self._word("type", shop), "PRODUCT_TYPE"))
            return pieces
        kind = (self._word("type", shop), "PRODUCT_TYPE")
        return [(self._word("brand", shop), "BRAND"), kind]

    def _short(self, shop: Shop) -> list[Piece]:
        kind = self._random.choice(("brand", "attribute", "attribute", "material", "colour", ""))
        pieces = [(self._word("type", shop), "PRODUCT_TYPE")]
        if kind:
            pieces.insert(0, (self._word(kind, shop), _KINDS[kind]))
        return pieces

    def _item(self, shop: Shop, *, sentence: bool = False) -> list[Piece]:
        random = self._random
        before: list[list[Piece]] = []
        after: list[list[Piece]] = []
        head = self._head(shop)
        extras = random.choices((0, 1, 2, 3, 4, 5), (8, 30, 32, 18, 9, 3))[0]
        if len(head) == 1 and head[0][1] == "PRODUCT_TYPE" and extras == 0 and not sentence:
            extras = random.choice((0, 1, 2))
        kinds = _sample(random, _EXTRAS, extras)
        if any(label == "BRAND" for _, label in head):
            kinds = [kind for kind in kinds if kind != "brand"]
        for kind in kinds:
            place, pieces = self._extra(kind, shop)
            (before if place else after).append(pieces)
        if random.random() < 0.25:
            random.shuffle(before)
        else:
            before.sort(key=lambda pieces: _RANK.get(pieces[-1][1], 4))
        random.shuffle(after)
        # Terse shoppers put words after the head without any preposition.
        while before and not sentence and random.random() < 0.42:
            after.insert(0, before.pop(random.randrange(len(before))))
        parts = [*before, head, *after]
        if not sentence and random.random() < 0.05:
            random.shuffle(parts)
        return [piece for part in parts for piece in part]

    def _head(self, shop: Shop) -> list[Piece]:
        way = self._random.random()
        word = self._word("type", shop)
        kind = (_plural(word) if self._random.random() < 0.3 else word, "PRODUCT_TYPE")
        if way < 0.76:
            return [kind]
        brand, model = self._model(shop)
        pieces = [(model, "MODEL")]
        if brand and way < 0.92:
            pieces.insert(0, (brand, "BRAND"))
        if self._random.random() < 0.45:
            pieces.append(kind)
        return pieces

    def _extra(self, kind: str, shop: Shop) -> tuple[bool, list[Piece]]:
        """Returns whether a part stands before the head, and its pieces."""
        random = self._random
        if kind == "price":
            text = shapes.price(random)
            return text.isalpha() and random.random() < 0.9, [(text, "PRICE")]
        if kind == "size":
            return random.random() < 0.55, self._size(shop)
        if kind == "attribute" and random.random() < 0.04:
            return False, [("with", ""), *shapes.size("memory", random)]
        piece = (self._word(kind, shop), _KINDS[kind])
        share, bare, words = _PLACES[kind]
        # Only single words stand before the head as those of people: "kids tablet".
        if random.random() < share and not (kind == "audience" and " " in piece[0]):
            return True, [piece]
        pieces = [piece] if random.random() < bare else [(choose(words, random), ""), piece]
        if kind == "colour" and random.random() < 0.25:
            pieces += [(choose("(or|and)", random), ""), (self._word(kind, shop), "COLOUR")]
        return False, pieces


_FOR: Final = "(for|for|for|for a|for my|for the|for our|suitable for)"
_USE: Final = "(for|for|for|for the|to use for|for a|suitable for)"
_PLACES: Final = {
    "brand": (0.84, 0.0, "(by|from|not|no|except|from|not from)"),
    "colour": (0.7, 0.0, "(in|in|in|not|not|no|in color|any color but)"),
    "material": (0.75, 0.0, "(made of|in|made from|without|no|not|with)"),
    "attribute": (
        0.62,
        0.0,
        "(with|with|with|without|no|w/|not|and no|including|has|but not|minus)",
    ),
    "audience": (0.35, 0.15, _FOR),
    "occasion": (0.55, 0.0, _USE),
}
"""Share that stands before the head; share of the others without a word before; those words."""

_RANK: Final = {
    "PRICE": 0,
    "BRAND": 2,
    "MODEL": 2,
    "SIZE": 3,
    "COLOUR": 4,
    "ATTRIBUTE": 5,
    "MATERIAL": 6,
    "AUDIENCE": 7,
    "OCCASION": 7,
}


def join(pieces: Sequence[Piece], intent: str) -> Example:
    """Returns the example that pieces make, with single blanks and signs clinging to words."""
    text = ""
    spans: list[Span] = []
    for words, label in pieces:
        clean = " ".join(words.split())
        if not clean:
            continue
        for part in [clean] if label else clean.split():
            clings = not label and _CLINGING.match(part)
            text += "" if not text or clings else " "
            if label:
                spans.append(Span(len(text), len(text) + len(part), label))
            text += part
    return Example(text, tuple(split_kinds(text, spans)), intent)


def _plural(phrase: str) -> str:
    return next(iter(plurals(phrase)), phrase)


def _sample(random: Random, weights: Sequence[tuple[str, int]], count: int) -> list[str]:
    """Returns `count` different entries, likelier by weight (Efraimidis and Spirakis, 2006)."""
    keyed = sorted(weights, key=lambda entry: random.random() ** (1.0 / entry[1]), reverse=True)
    return [kind for kind, _ in keyed[:count]]
