"""Attributes that a sentence states by name ("colour: black"), held against the records."""

import re
from collections.abc import Iterator
from typing import Final

from shared.evaluation.claims.record import KIND_OF_KEY, Record
from shared.text.lexicon import find_mentions
from shared.text.normalise import fold
from wherefore.common.v1.product_pb2 import AttributeValue

_STATED: Final = re.compile(
    r"(?:^|[;；]\s*)(?P<all>(?P<name>[A-Za-z]+(?: [a-z]+){0,2}|[\u4e00-\u9fff]{2,6})"
    r"(?::\s|：)(?P<value>(?:[^,，;；。]|,(?=\d))+?))(?=,(?!\d)|[，;；。]|\.?\s*$)"
)
_KEYS: Final = {
    "screen": "display_diagonal",
    "颜色": "colour",
    "材质": "material",
    "图案": "pattern",
    "款式": "style",
    "型号": "model",
    "尺寸": "size",
    "容量": "capacity",
    "容积": "volume",
    "存储容量": "storage",
    "内存": "memory",
    "屏幕尺寸": "display_diagonal",
    "功率": "power",
    "续航": "battery_life",
    "电池容量": "battery_capacity",
    "净重": "net_weight",
    "重量": "weight",
    "长度": "length",
    "宽度": "width",
    "高度": "height",
    "深度": "depth",
    "厚度": "thickness",
    "件数": "pieces",
    "色温": "colour_temperature",
}
"""Names that are not the key with blanks."""
_SIZED: Final = re.compile(r"(?<![A-Za-z0-9])(?P<value>[A-Za-z0-9]{1,4})码")
"""A size as Chinese says it: 42码."""
_BRAND: Final = "品牌"
_DENIED: Final = re.compile(r"\b(?:not|no|without|non)\b|不(?!锈)|非|无|没", re.IGNORECASE)


def check_attributes(text: str, record: Record) -> Iterator[tuple[int, int, str]]:
    """Yields the span of each stated attribute, and its problem, "" where the records bear it out.

    Args:
        text: The sentence.
        record: The records.
    """
    for found in _STATED.finditer(text):
        name, value = found["name"], found["value"]
        key = _KEYS.get(name, name.lower().replace(" ", "_"))
        if name == _BRAND:
            stated = fold(value) == fold(record.product.brand)
        elif key in record.product.attributes:
            stated = _is_stated(key, value, record.product.attributes[key])
        elif name in _KEYS:
            stated = False
        else:
            continue  # a title before a colon: words are read one by one
        yield found.start("all"), found.end("all"), "" if stated else "attribute"
    for found in _SIZED.finditer(text):
        sizes = (
            record.product.attributes["size"].texts if "size" in record.product.attributes else ()
        )
        stated = fold(found["value"]) in map(fold, sizes)
        yield found.start(), found.end(), "" if stated else "attribute"


def _is_stated(key: str, value: str, attribute: AttributeValue) -> bool:
    if fold(value) in map(fold, attribute.texts):
        return True
    if _DENIED.search(value):
        return False
    if kind := KIND_OF_KEY.get(key):
        said, there = (
            {m.canonical for text in texts for m in find_mentions(text, [kind])}
            for texts in ([value], attribute.texts)
        )
        # Some canonical words are no forms of the lexicon: "foam" is more than a material.
        if said and said <= there | set(map(fold, attribute.texts)):
            return True
    number, _, unit = value.partition(" ")
    digits = number.replace(",", "")
    return (
        re.fullmatch(r"\d+(\.\d+)?", digits) is not None
        and unit == attribute.unit
        and any(abs(float(digits) - each) <= 0.005 for each in attribute.numbers)  # noqa: PLR2004
    )
