"""What a file of rules may hold.

One rule has an id, a condition (`when`) and exactly one action, whose name is its key.
"""

from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    Field,
    StringConstraints,
    model_validator,
)

from services.orchestrator.time_window import TimeWindow
from shared.errors import InvalidArgumentError
from shared.filter_syntax import parse_filter, quote
from shared.strict_model import StrictModel

MAX_RULES: Final = 10_000
MAX_POSITION: Final = 100
ActionName = Literal["boost", "bury", "pin", "block", "synonyms", "filter", "redirect"]


def _parsed(text: str) -> str:
    try:
        parse_filter(text)
    except InvalidArgumentError as error:
        raise ValueError("; ".join(v.description for v in error.violations)) from error
    return text


def _target(uri: str) -> str:
    parts = urlsplit(uri)
    if not (parts.scheme in ("http", "https") and parts.netloc) and not (
        uri.startswith("/") and not uri.startswith("//")
    ):
        raise ValueError('must be an http(s) address, or a path that starts with "/"')
    return uri


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
ProductId = Annotated[str, StringConstraints(pattern=r"^\S+$", max_length=128)]
FilterText = Annotated[str, StringConstraints(min_length=1), AfterValidator(_parsed)]
Target = Annotated[str, StringConstraints(max_length=2_000), AfterValidator(_target)]


class When(TimeWindow):
    """When a rule applies: everything that is given must hold, of a list one item."""

    query_terms: tuple[Text, ...] = ()
    """Words or phrases of which all words are in the query, in any order and form."""
    queries: tuple[Text, ...] = ()
    """Whole queries, folded."""
    categories: tuple[Text, ...] = ()
    """Categories that the caller's filter asks for, or that the query is read to be about."""
    serving_configs: tuple[Text, ...] = ()


class Products(StrictModel):
    """Products by id, by a condition, or both."""

    products: tuple[ProductId, ...] = Field(default=(), max_length=200)
    filter: FilterText | None = None

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.products and self.filter is None:
            raise ValueError("name products, a filter, or both")
        return self

    @property
    def condition(self) -> str:
        """The filter that exactly these products meet."""
        ids = " OR ".join(map(quote, self.products))
        named = f"id: ({ids})" if ids else ""
        if named and self.filter:
            return f"({named} OR ({self.filter}))"
        return named or self.filter or ""


class Shift(Products):
    """Products to move, and how far: 1 is the distance from the worst to the best candidate."""

    strength: float = Field(gt=0, le=1)


class Pin(StrictModel):
    """A product to put at a place, from 1."""

    product: ProductId
    position: int = Field(ge=1, le=MAX_POSITION)


class Synonyms(StrictModel):
    """Words to search for too: each of `terms` for the others, or `to` for `from`."""

    terms: tuple[Text, ...] = Field(default=(), max_length=50)
    one_way_from: tuple[Text, ...] = Field(default=(), alias="from", max_length=50)
    to: tuple[Text, ...] = Field(default=(), max_length=50)
    weight: float = Field(default=1.0, gt=0, le=1)
    """Of the related word, against 1 for a word of the query."""

    @property
    def sources(self) -> tuple[str, ...]:
        """The words of a query that it adds to."""
        return self.terms or self.one_way_from

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        two_way = len(self.terms) > 1 and not self.one_way_from and not self.to
        one_way = not self.terms and bool(self.one_way_from) and bool(self.to)
        if not two_way and not one_way:
            raise ValueError("give two or more terms, or from and to")
        return self


class Rule(StrictModel):
    """One rule."""

    id: Annotated[str, StringConstraints(pattern=r"^\S+$", max_length=100)]
    when: When = When()
    boost: Shift | None = None
    bury: Shift | None = None
    pin: Pin | None = None
    block: Products | None = None
    synonyms: Synonyms | None = None
    filter: FilterText | None = None
    redirect: Target | None = None

    @model_validator(mode="after")
    def _one_action(self) -> Self:
        given = [name for name in _ACTIONS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"needs exactly one of {', '.join(_ACTIONS)}, not {' and '.join(given) or 'none'}"
            )
        return self

    @property
    def action(self) -> ActionName:
        """The name of what it does."""
        return next(name for name in _ACTIONS if getattr(self, name) is not None)


_ACTIONS: Final[tuple[ActionName, ...]] = (
    "boost",
    "bury",
    "pin",
    "block",
    "synonyms",
    "filter",
    "redirect",
)


class RuleFile(StrictModel):
    """A whole file."""

    rules: tuple[Rule, ...] = Field(default=(), max_length=MAX_RULES)
