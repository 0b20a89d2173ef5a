"""Whether the records say that one product fits another, read without the knowledge graph.

An accessory fits a device when what is written about it names a model that the device's title or
model attribute carries, and the brand of the device. The service asks for more: that one brand
alone carries the model, and that the two are not of one category.
"""

import re
from collections.abc import Iterator
from typing import Final

from shared.evaluation.claims.record import Record, texts_of
from shared.text.analysis import UNITS
from shared.text.normalise import fold
from wherefore.common.v1.product_pb2 import Product

_WORD: Final = re.compile(r"[a-z0-9]+(?:[-./][a-z0-9]+)*")
_PARTS: Final = re.compile(r"([a-z]*)(\d.*)")
_MEASURE: Final = re.compile(r"\d+([a-z]*)")
_HYPHENS: Final = re.compile(r"[-.]+")
_MIN_SIGNS, _MIN_DIGITS = 4, 2
_FITS: Final = re.compile(r"\b(?:for|fits?|compatible|replac\w+|works with)\b|适用|用于|兼容")
"""What a title names behind such a word is another product."""


def fit_each_other(one: Product, other: Product) -> bool:
    """Whether one of two products is written to fit the other."""
    return _names(one, other) or _names(other, one)


def products_named(title: str, record: Record) -> Iterator[Product]:
    """Yields the products on record that have a title (folded)."""
    known = [seen.product for seen in record.history]
    known += [other for other in record.page if other.id != record.product.id]
    known += [tie.product for tie in record.beside.values() if tie.product is not None]
    for product in known:
        if title in map(fold, product.titles.values()):
            yield product


def _names(accessory: Product, device: Product) -> bool:
    text = fold("\n".join(texts_of(accessory)).replace("\\n", "\n"))
    brand = fold(device.brand)
    if not brand or brand not in text:
        return False
    lines = _HYPHENS.sub("", text).splitlines()
    joined = [line.replace(" ", "") for line in lines]
    return any(_stands(name, number, lines, joined) for name, number in _models(device))


def _stands(name: str, number: str, lines: list[str], joined: list[str]) -> bool:
    """Whether a model stands in a line, whole or in a list: "FS-1020/1050" names the FS-1050."""
    ahead = r"(?<!\d)" if not name else ""
    whole = re.compile(rf"{ahead}{re.escape(name + number)}(?!\d)")
    if any(whole.search(line) for line in (*lines, *joined)):
        return True
    listed = re.compile(rf"(?<![a-z]){re.escape(name)}.*/\s?[a-z]{{0,4}}{number}(?![a-z0-9])")
    return bool(name) and any(listed.search(line) for line in lines)


def _models(product: Product) -> Iterator[tuple[str, str]]:
    """Yields the letters and the rest of each model that a product carries: ("fs", "1050")."""
    texts = [*product.titles.values()]
    if "model" in product.attributes:
        texts += product.attributes["model"].texts
    for text in texts:
        before = ""
        for word in _WORD.findall(_FITS.split(fold(text))[0]):
            for piece in word.split("/"):
                found = _PARTS.fullmatch(_HYPHENS.sub("", piece))
                if found is None:
                    continue
                measure = _MEASURE.fullmatch(found[0])
                name = found[1] or (before if found[2].isdigit() else "")
                letters = bool(name) or not found[2].isdigit()
                digits = sum(map(str.isdigit, found[2]))
                if (
                    letters
                    and digits >= _MIN_DIGITS
                    and len(name + found[2]) >= _MIN_SIGNS
                    and not (measure and measure[1] in UNITS)
                ):
                    yield name, found[2]
                before = found[1] or before
            if word.isalpha():
                before = word
            elif "/" not in word:
                before = ""
