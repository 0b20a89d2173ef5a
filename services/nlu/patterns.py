"""Patterns: numbers, units, model numbers and sizes as queries write them. All on folded text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

NUMBER: Final = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
CHINESE_NUMBER: Final = r"[一二两三四五六七八九十百千万]{1,7}"
DASH: Final = r"\s*(?:-|–|—|~|～|to|到|至)\s*"

# Units by the one spelling that AttributeValue.unit uses.
UNITS: Final = {
    **dict.fromkeys(("inches", "inch", '"', "”", "″", "英寸"), "inch"),
    "寸": "寸",
    **dict.fromkeys(("centimetres", "centimeters", "cm", "厘米", "公分"), "cm"),
    **dict.fromkeys(("millimetres", "millimeters", "mm", "毫米"), "mm"),
    **dict.fromkeys(("metres", "meters", "metre", "meter", "米"), "m"),
    **dict.fromkeys(("feet", "foot", "ft", "英尺"), "ft"),
    **dict.fromkeys(("kilograms", "kg", "kgs", "公斤", "千克"), "kg"),
    **dict.fromkeys(("grams", "gram", "g", "克"), "g"),
    **dict.fromkeys(("斤",), "斤"),
    **dict.fromkeys(("pounds", "lbs", "lb", "磅"), "lb"),
    **dict.fromkeys(("ounces", "ounce", "oz", "盎司"), "oz"),
    **dict.fromkeys(("millilitres", "milliliters", "ml", "毫升"), "ml"),
    **dict.fromkeys(("litres", "liters", "litre", "liter", "l", "升"), "l"),
    **dict.fromkeys(("watts", "watt", "w", "瓦"), "W"),
    **dict.fromkeys(("mah", "毫安时", "毫安"), "mAh"),
    **{unit.casefold(): unit for unit in ("KB", "MB", "GB", "TB", "Hz", "kHz", "MHz", "GHz")},
    **{unit.casefold(): unit for unit in ("MP", "dpi", "rpm", "fps")},
}
_LATIN_UNITS = "|".join(
    re.escape(unit) for unit in sorted(UNITS, key=len, reverse=True) if unit.isascii()
)
_HAN_UNITS = "|".join(unit for unit in sorted(UNITS, key=len, reverse=True) if not unit.isascii())
UNIT: Final = rf"(?:(?:{_LATIN_UNITS})(?![a-z0-9])|(?:{_HAN_UNITS}))"

# What counts things rather than money: "under 12 months", "over 1000 pieces", "3岁以下".
NOT_MONEY: Final = re.compile(
    r"\s*-?\s*(?:years?|yrs?|yo|months?|weeks?|days?|hours?|hrs?|minutes?|mins?|pieces?|pcs?|packs?"
    r"|sheets?|pages?|people|persons?|players?|seats?|stars?|percent|%|times|cores?|keys?|port\b"
    r"|ports|channels?|岁|个|只|件|片|页|张|人|星|天|小时|分钟|年|月|码|层|抽|包|瓶|盒|度|代|寸)"
)

_SIZE = re.compile(
    rf"(?<![\w.,])(?P<low>{NUMBER})(?:{DASH}(?P<high>{NUMBER}))?\s?-?(?P<unit>{UNIT})"
)
_CLOTHES = re.compile(
    r"(?<![a-z0-9])(?:(?:size|尺码|码数)\s*(?P<named>[2-6]?x{0,3}[sml]|\d{1,2}(?:\.5)?)"
    r"|(?P<bare>[2-6]x{1,2}l|x{1,4}[sl])|(?P<code>\d{2}(?:\.5)?)\s*码|(?P<letter>[sml])\s*码)"
    r"(?![a-z0-9])"
)
_MODEL = re.compile(
    r"(?<![\w.])(?=[a-z0-9./-]*\d)(?=[a-z0-9./-]*[a-z])[a-z0-9]+(?:[-/.][a-z0-9]+)*(?![\w])"
)
# Names of lines of products whose number is part of the name.
_LINES = (
    "iphone|ipad|ipod|galaxy|windows|office|rtx|gtx|radeon|geforce|playstation|xbox|surface|pixel"
    "|redmi|mate|kindle|macbook|airpods|watch series|thinkpad|core|ryzen|android|ios|mi|nova|note"
)
_LINE_AND_NUMBER = re.compile(
    rf"(?<![\w])(?:{_LINES})\s?(?:[a-z]?\d{{1,4}}[a-z]{{0,2}}|x[rs]|se)(?:\s(?:pro|max|plus|mini|air"
    r"|ultra|ti|super|xl))*(?![\w])"
)
# Letters and digits that name a standard or a feature, not a model.
_NO_MODEL = re.compile(
    r"\d+(?:\.\d+)?(?:k|g|d|p|x|st|nd|rd|th|in|in1)|\d+-?in-?\d+|mp[34]|usb-?[\d.]+|h\.?26\d"
    r"|(?:ddr|lpddr|gddr)\d[a-z]?|wifi-?\d[a-z]?|hdmi-?[\d.]+|\d+x\d+|a[0-6]|(?:cr|lr|aa)\d{0,4}"
    rf"|\d+(?:[.-]\d+)?-?(?:{_LATIN_UNITS})"
)
_ORDER_ID = re.compile(
    r"(?:(?<![a-z])(?:orders?|purchases?|parcels?|shipments?)(?:\s+(?:number|no\.?|nr\.?|id|code))?"
    r"|订单编?号?|单号)\s*(?:is(?![a-z])|是|为|[:：])?\s*#?(?P<id>\d{5,20})(?![a-z0-9_]|[.,]\d)"
)
_MIN_MODEL = 3
_DIGITS = dict(zip("一二两三四五六七八九", (1, 2, 2, 3, 4, 5, 6, 7, 8, 9), strict=True))
_TENS = {"十": 10, "百": 100, "千": 1_000, "万": 10_000}
_MOST: Final = 1e15
"""Beyond any price or measure, and still whole in a float."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A number, or a range, with its unit; equal ends for a single number."""

    low: float
    high: float
    unit: str
    start: int
    end: int


def find_measures(text: str) -> Iterator[Measure]:
    """Finds numbers with a unit: "15.6 inch", "500ml", "4-6寸"."""
    for found in _SIZE.finditer(text):
        low = to_number(found["low"])
        high = to_number(found["high"]) if found["high"] else low
        unit = UNITS[found["unit"]]
        yield Measure(min(low, high), max(low, high), unit, found.start(), found.end())


def find_clothing_sizes(text: str) -> Iterator[tuple[str, int, int]]:
    """Finds sizes of clothes and shoes: ("xl", start, end), ("42", start, end)."""
    for found in _CLOTHES.finditer(text):
        value = next(group for group in found.groups() if group)
        yield value, found.start(), found.end()


def find_models(text: str) -> Iterator[tuple[str, int, int]]:
    """Finds model numbers ("tn-2110") and numbered lines of products ("iphone 11 pro")."""
    for found in _LINE_AND_NUMBER.finditer(text):
        yield found[0], found.start(), found.end()
    for found in _MODEL.finditer(text):
        if len(found[0]) >= _MIN_MODEL and not _NO_MODEL.fullmatch(found[0]):
            yield found[0], found.start(), found.end()


def find_order_ids(text: str) -> Iterator[tuple[str, int, int]]:
    """Finds numbers of orders where a word says that they are: ("00123842", start, end)."""
    for found in _ORDER_ID.finditer(text):
        yield found["id"], found.start("id"), found.end("id")


def to_number(text: str) -> float:
    """Reads "1,299.50", "500" or "两百五十"; at most 10^15, so that no number is infinite."""
    if text[:1].isdigit():
        return min(_MOST, float(text.replace(",", "")))
    total, part, digit = 0, 0, 0
    for character in text:
        if character in _DIGITS:
            digit = _DIGITS[character]
        elif character == "万":
            total, part, digit = (total + part + digit or 1) * _TENS["万"], 0, 0
        else:
            part += (digit or 1) * _TENS[character]
            digit = 0
    return float(total + part + digit)
