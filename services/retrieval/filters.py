"""Compiles filters into conditions on the payload, against what the catalogue holds."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from services.retrieval.fields import (
    INDEXED,
    LEXICONS,
    ValueKind,
    attribute_value,
    number_path,
)
from services.retrieval.store.conditions import (
    AllOf,
    AnyOf,
    Condition,
    IdIn,
    Negated,
    Present,
    Range,
    SomeOf,
)
from shared.errors import InvalidArgumentError
from shared.filter_syntax import And, Expression, Not, Operator, Or, Restriction, Value
from shared.text.analysis import terms
from shared.text.lexicon import canonical
from shared.text.normalise import fold

ATTRIBUTES: Final = "attributes."
# Kinds that are kept as numbers or keywords.
_OTHER_KINDS: Final = {"release_time": ValueKind.TIME, "in_stock": ValueKind.BOOLEAN}
# Fields of SearchRequest.filter by kind, as Stats reports them.
FILTER_FIELDS: Final = {
    "id": ValueKind.KEYWORD,
    **{
        name: _OTHER_KINDS.get(name, ValueKind(kind))
        for name, kind in INDEXED.items()
        if name not in ("attribute", "title_terms", "vector_model", "popularity")
    },
    "text": ValueKind.KEYWORD,
}
_EXACT: Final = frozenset({"id", "currency", "variant_group_id"})
_TRUTH: Final = ("true", "false")
_EQUALITY: Final = (Operator.EQUAL, Operator.NOT_EQUAL, Operator.HAS)


@dataclass(frozen=True, slots=True)
class FilterCompiler:
    """Compiles for a catalogue with the given attributes.

    Texts compare folded, and whole values only; colours, materials and audiences also by what the
    lexicon makes of them. A field of several values meets a comparison when one of them does; a
    product that lacks the field meets no comparison, but does meet its negation.
    """

    attributes: Mapping[str, frozenset[ValueKind]]

    def compile(self, expression: Expression) -> Condition:
        """Returns the condition.

        Raises:
            InvalidArgumentError: For a field that the catalogue does not have, a value or an
                operator that does not suit it.
        """
        match expression:
            case Restriction():
                return self._restriction(expression)
            case Not(operand):
                return Negated(self.compile(operand))
            case And(operands):
                return AllOf(tuple(self.compile(operand) for operand in operands))
            case Or(operands):
                return SomeOf(tuple(self.compile(operand) for operand in operands))

    def _restriction(self, restriction: Restriction) -> Condition:
        if restriction.operator is Operator.NOT_EQUAL:
            equal = Restriction(restriction.field, Operator.EQUAL, restriction.values)
            return Negated(self._restriction(equal))
        name = restriction.field
        if name.startswith(ATTRIBUTES):
            return self._attribute(name.removeprefix(ATTRIBUTES), restriction)
        if name == "text":
            return _text(restriction)
        kind = FILTER_FIELDS.get(name)
        if kind is None:
            raise _error(f"unknown field {name[:100]!r}")
        return self._known(name, kind, restriction)

    def _known(self, name: str, kind: ValueKind, restriction: Restriction) -> Condition:
        if restriction.values[0].is_star:
            return Negated(IdIn(())) if name == "id" else Present(name)
        match kind:
            case ValueKind.NUMBER | ValueKind.TIME:
                return _number(name, restriction, is_time=kind is ValueKind.TIME)
            case ValueKind.BOOLEAN:
                _require_equality(restriction)
                return AnyOf(name, tuple(_truth(name, value) for value in restriction.values))
            case _:
                return self._keyword(name, restriction)

    def _keyword(self, name: str, restriction: Restriction) -> Condition:
        if restriction.operator not in _EQUALITY and ValueKind.NUMBER in self.attributes.get(
            name, ()
        ):
            return _number(number_path(name), restriction)  # such as size > 40
        _require_equality(restriction)
        if name == "id":
            return IdIn(tuple(value.text for value in restriction.values))
        return AnyOf(name, tuple(dict.fromkeys(_keywords(name, restriction.values))))

    def _attribute(self, key: str, restriction: Restriction) -> Condition:
        kinds = self.attributes.get(key)
        if not kinds:
            raise _error(f"no product has an attribute {key[:100]!r}")
        if restriction.operator not in _EQUALITY:
            if ValueKind.NUMBER not in kinds:
                raise _error(f"attributes.{key} has no numbers to compare")
            return _number(number_path(key), restriction)
        if restriction.values[0].is_star:
            return _some([AnyOf("attribute", (key,)), Present(number_path(key))])
        keywords = tuple(attribute_value(key, value.text) for value in restriction.values)
        alternatives: list[Condition] = [AnyOf("attribute", keywords)]
        if ValueKind.NUMBER in kinds:
            numbers = [number for value in restriction.values for number in _as_numbers(value)]
            path = number_path(key)
            alternatives += [Range(path, at_least=number, at_most=number) for number in numbers]
        return _some(alternatives)


def number_paths(condition: Condition | None) -> Iterator[str]:
    """Yields the payload paths of attribute numbers that a condition looks at."""
    match condition:
        case Range(key) | Present(key):
            if key.startswith("num."):
                yield key
        case AllOf(operands) | SomeOf(operands):
            for operand in operands:
                yield from number_paths(operand)
        case Negated(operand):
            yield from number_paths(operand)
        case _:
            return


def _keywords(name: str, values: tuple[Value, ...]) -> Iterator[str]:
    for value in values:
        if name in _EXACT:
            yield value.text.upper() if name == "currency" else value.text
            continue
        yield fold(value.text)
        if name in LEXICONS and (known := canonical(LEXICONS[name], value.text)):
            yield known


def _text(restriction: Restriction) -> Condition:
    """The titles hold all words of a value."""
    _require_equality(restriction)
    alternatives: list[Condition] = []
    for value in restriction.values:
        words = tuple(dict.fromkeys(terms(value.text)))
        if not words:
            raise _error(f"text: {value.text[:50]!r} holds no word to look for")
        alternatives.append(AllOf(tuple(AnyOf("title_terms", (word,)) for word in words)))
    return _some(alternatives)


def _number(path: str, restriction: Restriction, *, is_time: bool = False) -> Condition:
    read = _time if is_time else _as_number
    numbers = [read(restriction.field, value) for value in restriction.values]
    number = numbers[0]
    match restriction.operator:
        case Operator.LESS:
            return Range(path, below=number)
        case Operator.LESS_EQUAL:
            return Range(path, at_most=number)
        case Operator.GREATER:
            return Range(path, above=number)
        case Operator.GREATER_EQUAL:
            return Range(path, at_least=number)
        case _:
            return _some([Range(path, at_least=each, at_most=each) for each in numbers])


def _as_number(field: str, value: Value) -> float:
    numbers = _as_numbers(value)
    if not numbers:
        raise _error(f"{field} is compared with a number, not with {value.text[:50]!r}")
    return numbers[0]


def _as_numbers(value: Value) -> list[float]:
    try:
        number = float(value.text)
    except ValueError:
        return []
    return [number] if math.isfinite(number) else []


def _time(field: str, value: Value) -> float:
    try:
        time = datetime.fromisoformat(value.text)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError) as error:
        raise _error(f'{field} is compared with a time such as "2024-05-01T00:00:00Z"') from error


def _truth(field: str, value: Value) -> str:
    truth = value.text.casefold()
    if truth not in _TRUTH:
        raise _error(f"{field} is true or false, not {value.text[:50]!r}")
    return truth


def _require_equality(restriction: Restriction) -> None:
    if restriction.operator not in _EQUALITY:
        raise _error(f"{restriction.field} has no order: use = or :")


def _some(alternatives: "list[Condition] | list[Range]") -> Condition:
    return alternatives[0] if len(alternatives) == 1 else SomeOf(tuple(alternatives))


def _error(problem: str) -> InvalidArgumentError:
    return InvalidArgumentError.of("filter", problem)
