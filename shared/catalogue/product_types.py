"""A type for products whose catalogue states no category, read from their titles.

Three readings, the surest first; all are learnt from the catalogue itself:

1. What follows the model in a title that is built as brand, model, type, features:
   "Targus TBT042 | notebook case | 39.1 cm Black". Such types start in lower case.
2. A type that the first reading or the stated categories know, anywhere in the naming part of a
   title: "C7100 Black | Toner Cartridge | for ...". The longest wins, then the last.
3. The last two words of the naming part, where many titles end so: "... | Patch Cable | - Black".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from shared.text.document import title_of
from shared.text.normalise import fold
from wherefore.common.v1.product_pb2 import Product

_LOWER_WORDS = re.compile(r"[a-z][a-z/&-]+(?: [a-z][a-z/&-]+)*")
_WORD = re.compile(r"[^\W\d_][^\W_]*(?:[/&'-][^\W_]+)*")
# What follows names what the product goes with or has, not what it is.
_END_OF_NAME = re.compile(
    r"\s(?:for|fits|with|w/|compatible|equivalent|without)\s|[,;:](?!\d)|\s[-–—|]\s"
    r"|\s\d+ ?(?:pc|pcs|pages?|sheets?)\b",
    re.IGNORECASE,
)
_BRACKETS = re.compile(r"\([^)]*\)|\[[^\]]*\]")
# A measure ends the name, unless the name has not begun: "3 ft Patch Cord".
_NUMBER = re.compile(r"(?<![\w.-])\d+(?:[.,]\d+)?(?![\w-])")
_NAME_STARTS_AFTER = 3
_MIN_TYPE_SUPPORT = 3
"""Titles that must name a type before it is one."""
_MIN_ENDING_SUPPORT = 15
"""The same for the third reading, which is the least sure."""
_MAX_TYPE_WORDS = 4

_Key = TypeVar("_Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class TypeWords:
    """What a title has to say of its product's type, folded.

    Attributes:
        after_model: Lower-case words behind the model.
        named: Words of the naming part, without values of attributes.
    """

    after_model: tuple[str, ...]
    named: tuple[str, ...]


def type_words(product: Product) -> TypeWords:
    """Read a title; a reading can be kept for as long as the product stays as it is."""
    return TypeWords(_after_model(product), _named_words(product))


def infer_types(products: Sequence[Product]) -> dict[str, str]:
    """Return a type, folded, by product id; products with a category or no telling title have none.

    The order of the products does not matter.
    """
    return types_of_titles(
        {product.id: type_words(product) for product in products if not product.category_path},
        {product.category_path[-1] for product in products if product.category_path},
    )


def types_of_titles(titles: Mapping[_Key, TypeWords], stated: Iterable[str]) -> dict[_Key, str]:
    """Return a type, folded, by the key of each title that tells one.

    Args:
        titles: Readings of products without a category; types are learnt from them together.
        stated: Categories of other products, which titles may name too.
    """
    known = _frequent_prefixes(words.after_model for words in titles.values())
    types: dict[_Key, str] = {}
    for key, words in titles.items():
        for end in range(min(len(words.after_model), _MAX_TYPE_WORDS), 0, -1):
            if words.after_model[:end] in known:
                types[key] = " ".join(words.after_model[:end])
                break
    known |= {tuple(fold(category).split()) for category in stated}
    named = {key: words.named for key, words in titles.items() if key not in types}
    heads = {name[-1] for name in known if name}
    for key, words in named.items():
        if found := _last_known(words, known, heads):
            types[key] = found
    endings = {key: words[-2:] for key, words in named.items() if key not in types}
    counts: Counter[tuple[str, ...]] = Counter(
        ending
        for ending in endings.values()
        if len(ending) == 2  # noqa: PLR2004
    )
    for key, ending in endings.items():
        if counts[ending] >= _MIN_ENDING_SUPPORT and not any(map(_has_digit, ending)):
            types[key] = " ".join(ending)
    return types


def _after_model(product: Product) -> tuple[str, ...]:
    """The lower-case words behind the model, without what the product's attributes say."""
    if "model" not in product.attributes or not product.attributes["model"].texts:
        return ()
    model = product.attributes["model"].texts[0]
    _, found, rest = title_of(product, "en").partition(model)
    match = _LOWER_WORDS.match(rest.strip()) if found else None
    return tuple(match[0].split()) if match else ()


def _frequent_prefixes(names: Iterable[tuple[str, ...]]) -> set[tuple[str, ...]]:
    whole = Counter(names)
    del whole[()]
    return {name for name, count in whole.items() if count >= _MIN_TYPE_SUPPORT}


def _named_words(product: Product) -> tuple[str, ...]:
    """Words of the title's naming part, folded, without values of attributes, such as colours."""
    title = title_of(product, "en")
    if fold(title).startswith(fold(product.brand)):
        title = title[len(product.brand) :]
    title = _BRACKETS.sub(" ", title)
    end = _END_OF_NAME.search(title)
    name = title[: end.start()] if end else title
    for number in _NUMBER.finditer(name):
        if len(name[: number.start()].split()) >= _NAME_STARTS_AFTER:
            name = name[: number.start()]
            break
    values = {
        word
        for key, attribute in product.attributes.items()
        if key != "model"
        for text in attribute.texts
        if len(text) <= 30  # noqa: PLR2004 - longer ones are prose, whose words are no values
        for word in fold(text).split()
    }
    return tuple(word for word in map(fold, _words(name)) if word not in values)


def _words(name: str) -> Iterator[str]:
    """Yields words that begin with a letter, and else what stands together around a digit."""
    for written in name.split():
        digits = [at for at, sign in enumerate(written) if sign.isdecimal()]
        at = 0
        while at < len(written):
            if word := _WORD.match(written, at):
                yield word[0]
                at = word.end()
            elif digits and at <= digits[-1]:
                yield written[at:]
                break
            else:
                at += 1


def _last_known(words: tuple[str, ...], known: set[tuple[str, ...]], heads: Container[str]) -> str:
    """Returns the longest known type in a name, and of equals the last.

    Args:
        words: The name.
        known: Types.
        heads: Last words of all types.
    """
    # Titles speak of one kit or of many cables; types are in the singular.
    singulars = [word.removesuffix("s") for word in words]
    ends = [
        end
        for end in range(len(words), 0, -1)
        if words[end - 1] in heads or singulars[end - 1] in heads
    ]
    for length in range(_MAX_TYPE_WORDS, 0, -1):
        for end in ends:
            if end < length:
                continue
            part = words[end - length : end]
            for form in (part, (*part[:-1], singulars[end - 1])):
                if form in known:
                    return " ".join(form)
    return ""


def _has_digit(word: str) -> bool:
    return any(character.isdigit() for character in word)
