"""Negation: what a query excludes, "without bluetooth", "not black or white", "不要黑色"."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from services.nlu.domain import Constraint, Entity, EntityType
from shared.text.normalise import fold

# Where an excluded thing stands in the catalogue; what has no field of its own is looked for in
# the whole text.
FIELDS: Final = {
    EntityType.BRAND: "brand",
    EntityType.PRODUCT_TYPE: "product_type",
    EntityType.COLOUR: "colour",
    EntityType.MATERIAL: "material",
    EntityType.AUDIENCE: "audience",
    EntityType.SIZE: "size",
}
TEXT: Final = "text"
# Fields that hold the shop's own words, of which the canonical value may be none.
_AS_WRITTEN: Final = frozenset({TEXT, "product_type"})

_CUE = re.compile(
    r"(?<![a-z])(without|w/o|except(?: for)?|excluding|exclude|other than|anything but|but not"
    r"|do(?: not|n['’]?t) (?:want|like|need)|(?:is|are)n['’]?t|(?<!why )not|non|no)(?![a-z])"
    r"(?:[\s-]+(?:an?|the|any|in|from|by|made(?: of| by)?|with|for)(?![a-z]))*[\s-]*"
    r"|(不想要|不需要|(?<!要)不要|不含|不带|(?<!是)不是|不喜欢|除了|除去|排除|去掉|(?<!有)没有"
    # 非常, 特别 and the like are other words.
    r"|非(?!常|洲|凡)|无|(?<![特区类分级性个])别)"
    r"(?:是|带|有|含|买|的|任何|要)?\s*"
)
# Cues that exclude whatever follows, known or not; "no" and "非" stand in too many names.
_STRONG = re.compile(
    r"(?<![a-z])(?:without|w/o|excluding|exclude|except(?: for)?)(?![a-z])|不含|不带|不要"
)
_AND = re.compile(r"\s*(?:,|、|/|\bor\b|\band\b|\bnor\b|和|或者|或|跟|与|及|也)\s*(?:no\s+|不要)?")
_TAIL = re.compile(r"\s*(?:色的|的)?\s*(?:之外|以外|外)(?:的|都可以|都行)?|\s*的")
# An unknown thing that is excluded: up to three plain words, or a run of Han characters.
_UNKNOWN = re.compile(
    r"(?P<words>[a-z][a-z'-]*(?:\s(?!(?:under|below|over|above|for|with|without|and|or|in|on|from"
    r"|that|but|to|at|less|more|around|about)\b)[a-z][a-z'-]*){0,2})|(?P<han>[\u4e00-\u9fff]{1,6})"
)
_HAN_END = re.compile(r"的|和|或|,|，|、")
_SURE, _LIKELY = 0.9, 0.6


def apply_negation(text: str, entities: Sequence[Entity]) -> tuple[list[Entity], list[Constraint]]:
    """Marks what is excluded and makes conditions of it.

    Args:
        text: Folded query.
        entities: Entities with spans in `text`, in order.

    Returns:
        The entities, those excluded with `negated` set, and one hard condition per excluded thing.
        A thing that is no entity becomes a condition on the whole text, and a soft one: the title
        of what somebody wants "without cable" may well say that it has no cable.
    """
    by_start = {entity.start: entity for entity in entities}
    negated: dict[int, Constraint] = {}
    unknown: list[Constraint] = []
    for cue in _CUE.finditer(text):
        if _inside(cue.start(), entities):
            continue
        first = _excluded(cue, entities)
        if first is None:
            unknown.extend(_unknown(text, cue, entities))
            continue
        group = [first, *_listed(text, first, by_start)]
        for index, entity in enumerate(group):
            start = cue.start() if index == 0 else group[index - 1].end
            end = entity.end
            if index == len(group) - 1 and (tail := _TAIL.match(text, end)):
                end = tail.end()
            negated[entity.start] = _exclusion(entity, start, end)
    marked = [replace(e, negated=True) if e.start in negated else e for e in entities]
    return marked, [*negated.values(), *unknown]


def _excluded(cue: re.Match[str], entities: Sequence[Entity]) -> Entity | None:
    """The entity behind a cue; small words of the cue may be its own: "不要|有线", "not|in-ear"."""
    begin = cue.end(cue.lastindex or 0)
    return next((e for e in entities if begin <= e.start <= cue.end() < e.end), None)


def _exclusion(entity: Entity, start: int, end: int) -> Constraint:
    field = FIELDS.get(entity.type, TEXT)
    values = [entity.normalized]
    if field in _AS_WRITTEN:
        values.append(fold(entity.text))
    return Constraint(
        field,
        start,
        end,
        _SURE,
        hard=True,
        none_of=tuple(dict.fromkeys(values)),
        consumed=((start, end),),
    )


def _listed(text: str, first: Entity, by_start: dict[int, Entity]) -> Iterator[Entity]:
    """Yields further entities of the same kind: "not black or white" excludes both."""
    last = first
    while joint := _AND.match(text, last.end):
        following = by_start.get(joint.end())
        if following is None or following.type is not first.type:
            return
        yield following
        last = following


def _unknown(text: str, cue: re.Match[str], entities: Sequence[Entity]) -> Iterator[Constraint]:
    if not _STRONG.match(text, cue.start()):
        return
    found = _UNKNOWN.match(text, cue.end())
    if not found:
        return
    following = [entity.start for entity in entities if entity.start > cue.end()]
    end = min([found.end(), *following])
    words = text[cue.end() : end].rstrip()
    if found["han"] and (stop := _HAN_END.search(words)):
        words = words[: stop.start()]
    if words:
        span = cue.start(), cue.end() + len(words)
        yield Constraint(TEXT, *span, _LIKELY, hard=False, none_of=(words,), consumed=(span,))


def _inside(position: int, entities: Sequence[Entity]) -> bool:
    return any(entity.start <= position < entity.end for entity in entities)
