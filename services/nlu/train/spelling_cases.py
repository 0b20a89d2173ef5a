"""Words in their queries, right and mistyped, that teach the spelling checker and judge it.

Typing errors are generated in words of a catalogue; words of real queries that no catalogue here
holds are right. Some words are kept apart for measuring.
"""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from hashlib import blake2b
from random import Random
from typing import Final

from services.nlu.catalogue_terms import CatalogueTerms
from services.nlu.spelling import WORD
from services.nlu.train.catalogue import title_words
from services.nlu.train.typing_pairs import generate, generate_blindly
from services.nlu.typing_errors import ErrorKind
from shared.text.document import titles
from shared.text.normalise import fold
from wherefore.common.v1.product_pb2 import Product

_MIN_LENGTH: Final = 5
_LEAST_PRODUCTS: Final = 20
# Long words are mistyped twice now and then.
_TWO_ERRORS_FROM: Final = 8
_TWO_ERRORS: Final = 0.15


@dataclass(frozen=True, slots=True)
class Case:
    """A word in its query, and what was meant; "" where it is right and must stay."""

    words: tuple[str, ...]
    at: int
    meant: str


def catalogue_cases(
    products: Sequence[Product],
    terms: CatalogueTerms,
    shares: dict[ErrorKind, float],
    *,
    held: bool,
    random: Random,
) -> Iterator[Case]:
    """Yields words of titles with one error, alone or with neighbours, endlessly.

    Args:
        products: Whose titles the words come from.
        terms: Of the same products.
        shares: How often each kind of error is made.
        held: Of the words kept apart, with errors that know nothing of kinds; else of the others.
        random: Draws everything.
    """
    known = terms.known_words
    drawn = list(shares.items())
    while True:
        product = random.choice(products)
        words = title_words(random.choice(titles(product) or [""]))
        places = [
            at
            for at, word in enumerate(words)
            if len(word) >= _MIN_LENGTH
            and word.isascii()
            and word.isalpha()
            and terms.vocabulary.get(word, 0) >= _LEAST_PRODUCTS
            and is_held(word) is held
        ]
        if not places:
            continue
        at = random.choice(places)
        meant = words[at]
        if held:
            typed = generate_blindly(meant, random)
        else:
            typed = generate(meant, drawn, random)
            if len(meant) >= _TWO_ERRORS_FROM and random.random() < _TWO_ERRORS:
                typed = generate(typed, drawn, random)
        if typed != meant and typed not in known:
            case = window(words, at, random)
            before, after = case.words[: case.at], case.words[case.at + 1 :]
            yield Case((*before, typed, *after), case.at, meant)


def window(words: Sequence[str], at: int, random: Random) -> Case:
    """Returns a word with as much of its neighbourhood as a short query might hold."""
    start = max(0, at - random.choice((0, 0, 1, 2)))
    end = at + 1 + random.choice((0, 0, 1))
    return Case(tuple(words[start:end]), at - start, "")


def foreign_cases(queries: Iterable[str], terms: CatalogueTerms) -> Iterator[Case]:
    """Yields the words of right queries that the catalogue does not hold: all must stay."""
    for query in queries:
        words = tuple(fold(match[0]) for match in WORD.finditer(query))
        for at, word in enumerate(words):
            if len(word) >= _MIN_LENGTH and word not in terms.known_words:
                yield Case(words, at, "")


def without_some(terms: CatalogueTerms, words: AbstractSet[str], *, held: bool) -> CatalogueTerms:
    """Returns terms as a catalogue would have them that lacks some words no dictionary holds.

    Args:
        terms: Of the whole catalogue.
        words: What any dictionary holds; these stay.
        held: Which half of the others goes.
    """
    gone = {
        word
        for word in terms.vocabulary
        if len(word) >= _MIN_LENGTH and word not in words and is_held(word, 2) is held
    }
    return replace(
        terms,
        vocabulary={word: n for word, n in terms.vocabulary.items() if word not in gone},
        brands=[name for name in terms.brands if gone.isdisjoint(fold(name).split())],
        product_types=[name for name in terms.product_types if gone.isdisjoint(fold(name).split())],
    )


def is_held(word: str, share: int = 3) -> bool:
    """Whether a word is kept apart for measuring: one of so many, by its hash."""
    return blake2b(word.encode(), digest_size=1).digest()[0] % share == 0


def take(cases: Iterator[Case], count: int) -> list[Case]:
    """Returns the first cases."""
    return [case for case, _ in zip(cases, range(count), strict=False)]
