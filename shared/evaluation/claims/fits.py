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
_MODEL: Final = re.compile(r"([a-z]*)[-./]?([a-z]*)(\d{2,})([a-z]*)")
_MIN_SIGNS: Final = 4
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
    text = fold("\n".join(texts_of(accessory)).replace("\\n", " "))
    brand = fold(device.brand)
    return (
        bool(brand) and brand in text and any(pattern.search(text) for pattern in _models(device))
    )


def _models(product: Product) -> Iterator[re.Pattern[str]]:
    """Yields what finds each model that a product carries, however it is joined or listed."""
    texts = [*product.titles.values()]
    if "model" in product.attributes:
        texts += product.attributes["model"].texts
    for text in texts:
        before = ""
        for word in _WORD.findall(_FITS.split(fold(text))[0]):
            if (found := _MODEL.search(word)) is not None:
                letters = [run for run in found.group(1, 2) if run] or [before] * bool(before)
                digits, tail = found.group(3, 4)
                signs = sum(map(len, (*letters, digits, tail)))
                if letters and signs >= _MIN_SIGNS and tail not in UNITS:
                    # "FS-1020/1050" names the FS-1050: what stands between may be another number.
                    ahead = "".join(rf"(?=[^\n]*(?<![a-z]){re.escape(run)})" for run in letters)
                    whole = rf"(?<!\d){digits}{re.escape(tail)}(?![a-z0-9])"
                    yield re.compile(rf"(?m)^{ahead}[^\n]*{whole}")
            before = word if word.isalpha() else ""
