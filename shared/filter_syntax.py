"""Filters: the subset of AIP-160 that `SearchRequest.filter` describes, as a syntax tree.

    expression  = factor { "AND" factor }
    factor      = term { "OR" term }                  OR binds tighter than AND, as AIP-160 says
    term        = [ "NOT" | "-" ] simple
    simple      = "(" expression ")" | restriction
    restriction = field ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) value
                | field ":" ( value | "*" | "(" value { "OR" value } ")" )
    field       = name { "." ( name | string ) }
    value       = string | bare word

The tree knows nothing of which fields exist; the compiler of whoever holds the catalogue does.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.errors import InvalidArgumentError

MAX_LENGTH: Final = 2_000
MAX_DEPTH: Final = 20


class Operator(StrEnum):
    """How a restriction compares."""

    EQUAL = "="
    NOT_EQUAL = "!="
    LESS = "<"
    LESS_EQUAL = "<="
    GREATER = ">"
    GREATER_EQUAL = ">="
    HAS = ":"


@dataclass(frozen=True, slots=True)
class Value:
    """One value, as text; `quoted` when it was a string, which is never a number or a star."""

    text: str
    quoted: bool = True

    @property
    def is_star(self) -> bool:
        """Whether it is the bare `*`, which asks for any value at all."""
        return self.text == "*" and not self.quoted


@dataclass(frozen=True, slots=True)
class Restriction:
    """One field compared with a value, or with any of several for HAS."""

    field: str
    operator: Operator
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The operand does not hold."""

    operand: "Expression"


@dataclass(frozen=True, slots=True)
class And:
    """All operands hold; at least two."""

    operands: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one operand holds; at least two."""

    operands: tuple["Expression", ...]


Expression = Restriction | Not | And | Or

_KEYWORDS = frozenset({"AND", "OR", "NOT"})
_BLANK = re.compile(r"\s*")
_NAME = re.compile(r"[^\W\d][\w-]*")
_SEGMENT = re.compile(r"[\w-]+")
_BARE_KEY = re.compile(r"[\w-]+(?:\.[\w-]+)*")
_BARE_VALUE = re.compile(r"[^\s()\"'<>=!]+")
_OPERATOR = re.compile(r"!=|<=|>=|[=<>:]")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def parse_filter(text: str, *, max_length: int = MAX_LENGTH) -> Expression:
    """Parses a filter.

    Args:
        text: The filter; not empty.
        max_length: Longest text to accept, in characters. Services that join a caller's filter with
            one of their own allow more.

    Returns:
        The syntax tree.

    Raises:
        InvalidArgumentError: When it does not parse; it names "filter" and the position.
    """
    if len(text) > max_length:
        raise InvalidArgumentError.of("filter", f"longer than {max_length} characters")
    if control := _CONTROL.search(text):
        raise _error(control.start(), "control characters are not allowed")
    return _Parser(text).parse()


def format_filter(expression: Expression) -> str:
    """Writes a syntax tree as a filter; `parse_filter` gives the same tree back."""
    match expression:
        case Restriction():
            return _format_restriction(expression)
        case Not(operand):
            return f"NOT {_enclosed(operand)}"
        case And(operands):
            return " AND ".join(map(_operand, operands))
        case Or(operands):
            return " OR ".join(map(_operand, operands))


def quote(value: str) -> str:
    """Writes a text as a quoted string of the grammar, without control characters."""
    plain = _CONTROL.sub(" ", value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{plain}"'


def join_and(*filters: str) -> str:
    """Joins filters by AND; empty ones are left out.

    Raises:
        InvalidArgumentError: When one of several does not parse. A single one is returned as it is.
    """
    present = [text.strip() for text in filters if text.strip()]
    if len(present) <= 1:
        return "".join(present)
    trees = [parse_filter(text, max_length=10 * MAX_LENGTH) for text in present]
    operands = [
        operand
        for tree in trees
        for operand in (tree.operands if isinstance(tree, And) else (tree,))
    ]
    return format_filter(And(tuple(operands)))


def _operand(expression: Expression) -> str:
    return format_filter(expression) if isinstance(expression, Not) else _enclosed(expression)


def _enclosed(expression: Expression) -> str:
    text = format_filter(expression)
    return text if isinstance(expression, Restriction) else f"({text})"


def _format_restriction(restriction: Restriction) -> str:
    head, _, rest = restriction.field.partition(".")
    if rest:
        head = f"{head}.{rest if _BARE_KEY.fullmatch(rest) else quote(rest)}"
    values = [quote(value.text) if value.quoted else value.text for value in restriction.values]
    joined = values[0] if len(values) == 1 else f"({' OR '.join(values)})"
    if restriction.operator is Operator.HAS:
        return f"{head}: {joined}"
    return f"{head} {restriction.operator} {joined}"


def _error(position: int, problem: str) -> InvalidArgumentError:
    return InvalidArgumentError.of("filter", f"at character {position + 1}: {problem}")


class _Parser:
    """Recursive descent over the text, one method per rule of the grammar."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._depth = 0

    def parse(self) -> Expression:
        expression = self._expression()
        self._skip_blanks()
        if self._position < len(self._text):
            raise _error(self._position, "expected AND, OR or the end")
        return expression

    def _expression(self) -> Expression:
        operands = [self._factor()]
        while self._keyword("AND"):
            operands.append(self._factor())
        return operands[0] if len(operands) == 1 else And(tuple(operands))

    def _factor(self) -> Expression:
        operands = [self._term()]
        while self._keyword("OR"):
            operands.append(self._term())
        return operands[0] if len(operands) == 1 else Or(tuple(operands))

    def _term(self) -> Expression:
        if self._keyword("NOT") or self._symbol("-"):
            return Not(self._simple())
        return self._simple()

    def _simple(self) -> Expression:
        if not self._symbol("("):
            return self._restriction()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _error(self._position, f"parentheses nested more than {MAX_DEPTH} deep")
        expression = self._expression()
        self._depth -= 1
        self._expect(")")
        return expression

    def _restriction(self) -> Restriction:
        field = self._field()
        self._skip_blanks()
        found = _OPERATOR.match(self._text, self._position)
        if not found:
            raise _error(self._position, "expected one of = != < <= > >= :")
        self._position = found.end()
        operator = Operator(found[0])
        if operator is Operator.HAS and self._symbol("("):
            values = [self._value()]
            while self._keyword("OR"):
                values.append(self._value())
            self._expect(")")
        else:
            values = [self._value()]
        if operator is not Operator.HAS and values[0].is_star:
            raise _error(self._position - 1, "* goes with : only")
        return Restriction(field, operator, tuple(values))

    def _field(self) -> str:
        self._skip_blanks()
        found = _NAME.match(self._text, self._position)
        if not found or found[0] in _KEYWORDS:
            raise _error(self._position, "expected the name of a field")
        self._position = found.end()
        segments = [found[0]]
        while self._text.startswith(".", self._position):
            self._position += 1
            if self._text.startswith('"', self._position):
                segments.append(self._string())
            elif segment := _SEGMENT.match(self._text, self._position):
                self._position = segment.end()
                segments.append(segment[0])
            else:
                raise _error(self._position, "expected a name after the dot")
        return ".".join(segments)

    def _value(self) -> Value:
        self._skip_blanks()
        if self._text.startswith('"', self._position):
            return Value(self._string())
        found = _BARE_VALUE.match(self._text, self._position)
        if not found or found[0] in _KEYWORDS:
            raise _error(self._position, "expected a value")
        self._position = found.end()
        return Value(found[0], quoted=False)

    def _string(self) -> str:
        found = _STRING.match(self._text, self._position)
        if not found:
            raise _error(self._position, "the string is not closed")
        self._position = found.end()
        return re.sub(r"\\(.)", r"\1", found[0][1:-1], flags=re.DOTALL)

    def _keyword(self, word: str) -> bool:
        self._skip_blanks()
        found = _NAME.match(self._text, self._position)
        if not found or found[0] != word:
            return False
        self._position = found.end()
        return True

    def _symbol(self, symbol: str) -> bool:
        self._skip_blanks()
        if not self._text.startswith(symbol, self._position):
            return False
        self._position += len(symbol)
        return True

    def _expect(self, symbol: str) -> None:
        if not self._symbol(symbol):
            raise _error(self._position, f"expected {symbol}")

    def _skip_blanks(self) -> None:
        found = _BLANK.match(self._text, self._position)
        self._position = found.end() if found else self._position
