"""Constraints: the conditions on products that a query states.

Prices, ratings, stock, ranges of sizes and exclusions that are spelt out are hard: products that
break them are left out. What merely describes ("black", "for men", "cheap", "15.6 inch") is soft:
it ranks, because a catalogue that does not say the colour of a product does not say that it is
another colour.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from services.nlu.domain import Bounds, Constraint, Entity, EntityType
from services.nlu.negation import FIELDS, apply_negation
from services.nlu.patterns import Measure, find_measures, to_number
from services.nlu.prices import find_prices

_STARS = re.compile(
    r"(?<![\w.])(?:(?P<cue>at least|over|above|more than|min(?:imum)?|rated|至少|高于|超过)\s*)?"
    r"(?P<value>[1-5](?:\.\d)?|[一二三四五])\s?(?P<plus>\+)?\s?-?"
    r"(?P<unit>stars?(?![a-z])|星级?|分)"
    r"(?P<tail>\s*(?:and up|and above|or more|or higher|or above|\+|以上|及以上|起))?"
)
_STOCK = re.compile(
    r"(?<![a-z])(?:in[- ]stock|available now|ready to ship)(?![a-z])|现货|有货|有库存"
)
_AT_LEAST = re.compile(
    r"(?:(?<![a-z])(?:at least|min(?:imum)?(?: of)?|more than|over|above|no less than)"
    r"|至少|不低于|不少于|超过|大于|高于)\s*$"
)
_AT_MOST = re.compile(
    r"(?:(?<![a-z])(?:at most|max(?:imum)?(?: of)?|less than|under|below|up to|no more than)"
    r"|最多|不超过|低于|小于|少于)\s*$"
)
_MORE = re.compile(r"\s*(?:以上|or more|and up|or larger|or bigger|\+)")
_LESS = re.compile(r"\s*(?:以下|以内|or less|or smaller)")
# What a unit measures where the words around it do not say.
_FIELDS_OF_UNITS: Final = {"寸": "size", "inch": "display_diagonal"}
_STORAGE = re.compile(r"\s*(?:of )?(?:ssd|hdd|hard|disk|drive|storage|硬盘|存储|固态)")
_MEMORY = re.compile(r"\s*(?:of )?(?:ram|memory|ddr\d?|内存|运存)")
_MEMORY_FIELD, _STORAGE_FIELD = "internal_memory", "total_storage_capacity"
# Fields whose positive mentions become soft conditions.
_SOFT_TYPES: Final = (
    EntityType.BRAND,
    EntityType.COLOUR,
    EntityType.MATERIAL,
    EntityType.AUDIENCE,
)
_SURE, _LIKELY = 0.95, 0.8
# Stock is a boolean in filters, spelt as the grammar spells it.
_TRUE = "true"
_DIAGONALS = (3.0, 120.0)


def find_constraints(
    text: str, entities: Sequence[Entity]
) -> tuple[list[Entity], list[Constraint]]:
    """Finds the conditions of a query.

    Args:
        text: Folded query.
        entities: Entities with spans in `text`, in order and without overlaps.

    Returns:
        The entities (exclusions marked, prices added) and the constraints in order of their spans.
    """
    prices = list(find_prices(text))
    spans = [(price.start, price.end) for price in prices]
    kept = [entity for entity in entities if not _within(entity.start, entity.end, spans)]
    marked, exclusions = apply_negation(text, kept)
    taken = [*spans, *((item.start, item.end) for item in exclusions)]
    exclusions = [item for item in exclusions if not _within(item.start, item.end, spans)]
    others = [
        item
        for item in (*_ratings(text), *_stock(text), *_measures(text))
        if not _within(item.start, item.end, taken)
    ]
    constraints = [*prices, *exclusions, *others, *_descriptions(marked)]
    amounts = [_price_entity(text, price) for price in prices if price.bounds]
    marked = sorted([*marked, *amounts], key=lambda entity: entity.start)
    return marked, sorted(constraints, key=lambda item: (item.start, item.end))


def _price_entity(text: str, price: Constraint) -> Entity:
    bounds = price.bounds or Bounds()
    low = f"{bounds.minimum:g}" if bounds.minimum is not None else ""
    high = f"{bounds.maximum:g}" if bounds.maximum is not None else ""
    value = f"{low}..{high} {bounds.unit}".strip()
    written = text[price.start : price.end]
    return Entity(
        EntityType.PRICE, written, value, price.start, price.end, price.confidence, "pattern"
    )


def _ratings(text: str) -> Iterator[Constraint]:
    for found in _STARS.finditer(text):
        floor = found["cue"] or found["plus"] or found["tail"]
        # "4分" alone is a mark or a share; "四星" alone may be a name.
        if not floor:
            continue
        bounds = Bounds(minimum=to_number(found["value"]), unit="")
        yield Constraint(
            "rating", *found.span(), _SURE, hard=True, bounds=bounds, consumed=(found.span(),)
        )


def _stock(text: str) -> Iterator[Constraint]:
    for found in _STOCK.finditer(text):
        span = found.span()
        yield Constraint("in_stock", *span, _SURE, hard=True, any_of=(_TRUE,), consumed=(span,))


def _measures(text: str) -> Iterator[Constraint]:
    for measure in find_measures(text):
        field = _field_of(text, measure)
        if not field:
            continue
        before = text[: measure.start]
        bounds, cue = Bounds(measure.low, measure.high, measure.unit), None
        if (cue := _AT_LEAST.search(before)) or _MORE.match(text, measure.end):
            bounds = Bounds(minimum=measure.low, unit=measure.unit)
        elif (cue := _AT_MOST.search(before)) or _LESS.match(text, measure.end):
            bounds = Bounds(maximum=measure.high, unit=measure.unit)
        # The number stays in the text to search for, where titles may hold it; "at least" goes.
        consumed = (cue.span(),) if cue else ()
        start = cue.start() if cue else measure.start
        # A range of cake sizes ("4-6寸") is a choice that was spelt out; one size may be a wish.
        hard = field == "size" and bounds.minimum != bounds.maximum
        yield Constraint(
            field, start, measure.end, _LIKELY, hard=hard, bounds=bounds, consumed=consumed
        )


def _field_of(text: str, measure: Measure) -> str:
    if measure.unit in ("GB", "TB"):
        if _MEMORY.match(text, measure.end):
            return _MEMORY_FIELD
        return _STORAGE_FIELD if _STORAGE.match(text, measure.end) else ""
    if measure.unit == "inch" and not _DIAGONALS[0] <= measure.low <= _DIAGONALS[1]:
        return ""
    return _FIELDS_OF_UNITS.get(measure.unit, "")


def _descriptions(entities: Sequence[Entity]) -> Iterator[Constraint]:
    """One soft condition per field: "black or white" accepts both."""
    for kind in _SOFT_TYPES:
        named = [entity for entity in entities if entity.type is kind and not entity.negated]
        if named:
            yield Constraint(
                FIELDS[kind],
                named[0].start,
                named[-1].end,
                min(entity.confidence for entity in named),
                hard=False,
                any_of=tuple(dict.fromkeys(entity.normalized for entity in named)),
            )


def _within(start: int, end: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(start < last and first < end for first, last in spans)
