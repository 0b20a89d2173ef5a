"""Quoted words of a sentence: what they are said to be decides which record must hold them.

A quotation is a piece of the product's own title, the kind of product or occasion that the query
asks for, a device that the catalogue lists, or the title of another product. The words right before
and right behind it tell which.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

from shared.evaluation.claims.fits import fit_each_other, products_named
from shared.evaluation.claims.record import Record, is_more_than_known
from shared.text.analysis import terms
from shared.text.lexicon import LexiconKind, find_mentions
from shared.text.normalise import fold
from wherefore.common.v1.product_pb2 import Product

QUOTED: Final = re.compile(r"“([^”]+)”|\"((?:[^\"]|\"(?=\)))+)\"(?![\w)])")
"""A mark before a bracket is of inches, as in "Lenovo Tab M8 20.3 cm (8") Gray"."""
_NEAR: Final = 48
"""Characters on each side that tell what a quotation is."""


def _before(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{words})\s*$", re.IGNORECASE)


def _behind(words: str) -> re.Pattern[str]:
    return re.compile(rf"^\s*(?:{words})", re.IGNORECASE)


_TYPES: Final = frozenset({LexiconKind.PRODUCT_TYPE})
_BETWEEN: Final = re.compile(r",? |,? and |、|和")
"""What joins quotations to a list."""
_ASKED_BEFORE: Final = _before(r"您搜的")
_ASKED_BEHIND: Final = _behind(r"of your search\b")
_FITS_BEFORE: Final = _before(
    r"\b(?:fits|to fit|fit for|is made for)(?: your| the)?"
    r"|适用于(?:您的)?|用在(?:您的)?|与您的|可配|可以[用配]|适配的是"
)
_FITS_BEHIND: Final = _behind(
    r"(?:is what it )?fits\b|and it fits|is made to fit|适配|(?:正好)?(?:可以|能)[用配]|适用于它"
)
_GOES_BEFORE: Final = _before(r"goes(?: together)? with|to go with")
_GOES_BEHIND: Final = _behind(r"goes with it|(?:可以)?和它(?:可以)?搭配|搭配(?!购买)|配套")


def check_quotes(text: str, record: Record) -> Iterator[tuple[int, int, str]]:
    """Yields the span of each quotation, and its problem or ""."""
    for found, start, end in _in_lists(text):
        before = text[max(0, start - _NEAR) : start]
        behind = text[end : end + _NEAR]
        words = fold(found[1] or found[2])
        holds = next(
            (
                check
                for ahead, after, check in _ROLES
                if ahead.search(before) or after.search(behind)
            ),
            _is_known,
        )
        known = holds(words, record)
        if known and (_ASKED_BEFORE.search(before) or _ASKED_BEHIND.search(behind)):
            known = _is_asked(words, record)
        if _FITS_BEFORE.search(before) or _FITS_BEHIND.search(behind):
            # It may be one of the page, which nothing else of a sentence is about.
            known = (known or holds is _is_known) and _fits(words, record)
        elif known and (_GOES_BEFORE.search(before) or _GOES_BEHIND.search(behind)):
            known = _goes_with(words, record)
        yield found.start(), found.end(), "" if known else "title"


def _in_lists(text: str) -> Iterator[tuple[re.Match[str], int, int]]:
    """Yields quotations, each with the span of the list that it stands in ("a", "b" and "c")."""
    found = list(QUOTED.finditer(text))
    first = 0
    for index in range(len(found)):
        last = index + 1 == len(found)
        if last or not _BETWEEN.fullmatch(text[found[index].end() : found[index + 1].start()]):
            for each in found[first : index + 1]:
                yield each, found[first].start(), found[index].end()
            first = index + 1


def _titled(words: str, record: Record) -> bool:
    """Whether every piece of what is quoted stands in the product's title, as whole words."""
    titles = [fold(title) for title in record.product.titles.values()]
    return any(all(_stands_in(piece, title) for piece in words.split(", ")) for title in titles)


def _stands_in(piece: str, text: str) -> bool:
    start = r"(?<![a-z0-9])" if piece[:1].isascii() and piece[:1].isalnum() else ""
    end = r"(?![a-z0-9])" if piece[-1:].isascii() and piece[-1:].isalnum() else ""
    return bool(piece) and re.search(start + re.escape(piece) + end, text) is not None


def _is_asked(words: str, record: Record) -> bool:
    """Whether the query says it, in these words or in others that mean the same."""
    query = fold(record.query)
    if words in query or _meanings(words, record.query_meanings):
        return True
    said = terms(words)
    return bool(said) and all(
        term in record.query_terms or (not term.isascii() and term in query) for term in said
    )


def _asked_kind(words: str, record: Record) -> bool:
    """Whether it is on record as it stands or by its meaning, and asked for."""
    meant = _meanings(words, record.meanings) and not is_more_than_known(words, record)
    there = meant or _stands_in(words, record.folded)
    return there and _is_asked(words, record)


def _meanings(words: str, known: object) -> bool:
    """Whether the lexicon knows all of the words, and each meaning is among the known ones."""
    mentions = find_mentions(words)
    whole = sum(len(mention.text) for mention in mentions) >= len(words.replace(" ", ""))
    meant = {(mention.kind, mention.canonical) for mention in mentions}
    return bool(meant) and whole and isinstance(known, frozenset) and meant <= known


def _is_listed(device: str, record: Record) -> bool:
    """Whether the catalogue lists a device among those that the product is compatible with."""
    whole = rf"(?<!\w){re.escape(device)}(?!\w)"
    return any(
        re.search(whole, fold(text.replace("\\n", " ")))
        for key, value in record.product.attributes.items()
        if key.startswith("compatib")
        for text in value.texts
    )


def _seen(title: str, record: Record, *, bought: bool) -> bool:
    return any(
        title in map(fold, seen.product.titles.values()) and (seen.bought or not bought)
        for seen in record.history
    )


def _was_bought(title: str, record: Record) -> bool:
    return _seen(title, record, bought=True)


def _was_seen(title: str, record: Record) -> bool:
    return _seen(title, record, bought=False)


def _has_customers(title: str, record: Record) -> bool:
    return any(fold(name) == title and b.customers > 0 for name, b in record.beside.items())


def _is_known(title: str, record: Record) -> bool:
    """Whether it is a product of the history or one that a record ties to this one."""
    return (
        _was_seen(title, record)
        or any(fold(name) == title for name in record.beside)
        or title in map(fold, record.product.titles.values())
    )


def _fits(title: str, record: Record) -> bool:
    """Whether the records of the two say that one fits the other."""
    return any(fit_each_other(record.product, each) for each in products_named(title, record))


def _goes_with(title: str, record: Record) -> bool:
    """Whether the two are of different kinds: which go together the catalogue does not say."""
    own = _kinds(record.product)
    others = [_kinds(each) for each in products_named(title, record)]
    return bool(own) and any(kinds and kinds != own for kinds in others)


def _kinds(product: Product) -> frozenset[str]:
    """Returns the category of a product, or where it has none the types that its titles name."""
    if product.category_path:
        return frozenset({" > ".join(product.category_path)})
    mentions = find_mentions("\n".join(product.titles.values()).lower(), _TYPES)
    return frozenset(mention.canonical for mention in mentions)


_ROLES: Final[
    tuple[tuple[re.Pattern[str], re.Pattern[str], Callable[[str, Record], bool]], ...]
] = (
    (
        _before(
            r"its title (?:names|mentions|has)"
            r"|标题[里中]?(?:就?有|写着|含有?|带有?|出现了)(?:您搜的)?"
        ),
        _behind(r"(?:of your search )?(?:(?:stands|is) )?in its title|(?:写|就)?在标题[里中]"),
        _titled,
    ),
    (
        _before(r"compatible with|compatible models (?:names|has)|兼容(?:型号[中里]?有)?|可用于"),
        _behind(r"among the models|(?:is )?on its list of compatible|在它的兼容"),
        _is_listed,
    ),
    (
        _before(r"search for|searched for|(?:listed|filed) as|belongs to|(?:meant|listed) for"),
        _behind(r"search\b|is the kind of product|among its occasions"),
        _asked_kind,
    ),
    (
        _before(r"customers who (?:also )?(?:bought|looked at|viewed)|together with|along with"),
        _behind(r"的(?:\d+位)?顾客|(?:同时|搭配|一起)(?:购买|被)"),
        lambda title, record: _has_customers(title, record) or _is_known(title, record),
    ),
    (
        _before(r"you(?:'ve| have)? bought|purchase of|\byours?|您买过的?|您的"),
        _behind(r"(?:which )?you bought"),
        _was_bought,
    ),
    (
        _before(r"you(?:'ve| have)? (?:looked at|viewed)|您(?:之前)?看过的?"),
        _behind(r"which you (?:looked at|viewed)"),
        _was_seen,
    ),
)
"""Words right before, words right behind, and what must be so; the first that applies wins."""
