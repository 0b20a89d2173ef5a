"""Model names in text: which a product carries as its own, and which it says it fits.

A designation is a word of letters and digits ("CP4025", "FS-1020") or a word and the number behind
it ("Phaser 7760", "iPhone 12"), squeezed to lower-case letters and digits. Measures ("14 inch",
"1920x1080") are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from shared.text.analysis import UNITS
from shared.text.normalise import fold
from shared.text.product_values import squeeze
from wherefore.common.v1.product_pb2 import Product

_SEPARATOR = re.compile(r"[\s,;()\[\]|•\"“”]+")
_MEASURE = re.compile(r"(\d+)([a-z]+)|\d+x\d+\w*|x?\d+(?:st|nd|rd|th|er|pcs?|pk|k|x|p|u|cell|awg)")
_DECIMAL = re.compile(r"\d[.,]\d")
_SUFFIX = re.compile(r"(?<=\d)[a-z]{1,4}$")
_FITS = re.compile(
    r"(?<!\w)(?:for|fits?|compatible with|replacement for|replaces|works with|suitable for)\s+"
    r"(?P<text>.+?)(?=\s[-–—|]\s|\s\(|,\s\d|\.\s|\.?$|\swith\s)|(?:适用于?|用于|兼容)(?P<han>[^，。；、]+)",
    re.IGNORECASE,
)
_COMPATIBILITY_KEY = re.compile(r"compatib(?:ility|le)(?!.*(?:system|screen|memory|electro))")
_AFTER_MEASURE = {"x", "pc", "pcs", "pages", "pieces", "sheets", "gsm", *UNITS}
_BRAND_KEY = "brand_compatibility"
_MIN_LENGTH = 4
_MIN_DIGITS = 2
_MAX_LENGTH = 24
_MAX_DESCRIPTION = 300
"""Characters of a description that are read: what it fits stands at its start, or in a list."""


@dataclass(frozen=True, slots=True)
class Designation:
    """One model name."""

    key: str
    """Squeezed, such as "phaser7760"."""
    text: str
    """As written, such as "Phaser 7760"."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A model that a product says it fits."""

    designation: Designation
    stated: bool
    """From a compatibility attribute, not from the words of a title or a description."""


def designations(text: str) -> Iterator[Designation]:
    """Yield the designations of a text; parts of "FS-1020/1050" each, with the prefix repeated."""
    before = ""
    tokens = _SEPARATOR.split(text)
    for token, after in zip(tokens, [*tokens[1:], ""], strict=True):
        prefix = ""
        parts = token.split("/")
        for part in parts:
            key = squeeze(part)
            digits = sum(character.isdigit() for character in key)
            if _DECIMAL.search(part) and key.isdigit():
                continue
            if key.isdigit() and prefix:
                yield Designation(squeeze(prefix) + key, prefix + part)
                continue
            if key.isdigit():
                # A bare number needs the word before it, and a measure is no name.
                if before and digits >= _MIN_DIGITS and fold(after) not in _AFTER_MEASURE:
                    yield Designation(squeeze(before) + key, f"{before} {part}")
                continue
            if _is_designation(key, digits):
                yield Designation(key, part)
                if before and key[0].isdigit():
                    yield Designation(squeeze(before) + key, f"{before} {part}")
                letters = re.match(r"[^\W\d]+-?", part)
                prefix = letters[0] if letters else prefix
        before = parts[-1] if _is_name(parts[-1]) else ""


def family(key: str) -> str:
    """Return a designation without the letters that tell its variants apart: "cp4025dn", "cp4025".

    The designation itself where it has none.
    """
    short = _SUFFIX.sub("", key)
    return short if len(short) >= _MIN_LENGTH and not short.isdigit() else key


def own_designations(product: Product) -> dict[str, Designation]:
    """Return the designations that a product carries in its naming part and model, by key."""
    texts = [_before_fits(title) for title in product.titles.values()]
    if "model" in product.attributes:
        texts.extend(_before_fits(model) for model in product.attributes["model"].texts)
    return {found.key: found for text in sorted(texts) for found in designations(text)}


def mentions(product: Product) -> dict[str, Mention]:
    """Return the designations that a product says it fits, by key."""
    found: dict[str, Mention] = {}
    texts = [*product.titles.values()]
    texts += [text[:_MAX_DESCRIPTION] for text in product.descriptions.values()]
    for text in sorted(texts):
        for fits in _FITS.finditer(text):
            for each in designations(fits["text"] or fits["han"]):
                found.setdefault(each.key, Mention(each, stated=False))
    for key in sorted(product.attributes):
        if key != _BRAND_KEY and _COMPATIBILITY_KEY.search(key):
            for text in product.attributes[key].texts:
                for each in designations(text.replace("\\n", " ")):
                    found[each.key] = Mention(each, stated=True)
    return found


def fitted_brands(product: Product) -> frozenset[str]:
    """Return the words, folded, among which a product names the brands that it fits."""
    texts = [*product.titles.values()]
    for key, value in product.attributes.items():
        if key == _BRAND_KEY or _COMPATIBILITY_KEY.search(key):
            texts.extend(value.texts)
    return frozenset(fold(word) for text in texts for word in _SEPARATOR.split(text) if word)


def _before_fits(text: str) -> str:
    fits = _FITS.search(text)
    return text[: fits.start()] if fits else text


def _is_designation(key: str, digits: int) -> bool:
    if not _MIN_LENGTH <= len(key) <= _MAX_LENGTH or digits < _MIN_DIGITS or not key.isascii():
        return False
    measure = _MEASURE.fullmatch(key)
    return not (measure and (measure[2] is None or measure[2] in UNITS))


def _is_name(word: str) -> bool:
    """Whether a number behind the word belongs to a name: "Phaser", "iPhone", not "for" or "of"."""
    return (
        len(word) > 2  # noqa: PLR2004
        and word.isalpha()
        and not word.islower()
        and fold(word) not in {"for", "black", "series", "pack"}
    )
