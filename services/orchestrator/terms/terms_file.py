"""The file of terms (YAML), as docs/b2b.md shows one."""

from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Final, Self

from pydantic import Field, StringConstraints, model_validator

from shared.filter_syntax import quote
from shared.strict_model import StrictModel
from shared.text.normalise import fold

MAX_ACCOUNTS: Final = 20_000
MAX_DISCOUNTS: Final = 1_000
MAX_BREAKS: Final = 20
MAX_NAMED: Final = 200
MAX_CONDITION: Final = 1_500
"""Characters of the filter that hides products from one account."""
_FIELDS: Final = (
    ("id", "products"),
    ("brand", "brands"),
    ("category", "categories"),
    ("tags", "tags"),
)

PartyId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
ProductId = Annotated[str, StringConstraints(pattern=r"^\S+$", max_length=128)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Money = Annotated[Decimal, Field(ge=0, le=1_000_000_000, max_digits=13, decimal_places=4)]
Percent = Annotated[Decimal, Field(gt=0, le=100, decimal_places=4)]
Quantity = Annotated[int, Field(ge=1, le=1_000_000_000)]


class PriceRow(StrictModel):
    """What a product costs a party, and in which quantities it is sold."""

    product: ProductId
    price: Money | None = None
    """Of one unit, in major units of the file's currency; absent: only quantities are set."""
    breaks: Mapping[Quantity, Money] = Field(default_factory=dict[int, Decimal])
    """Price of one unit by the quantity from which on it holds; each is lower than before."""
    minimum: Quantity | None = None
    """Least quantity of an order; 1 where nothing says otherwise."""
    step: Quantity | None = None
    """Quantities are multiples of it, such as units of a pack; 1 where nothing says otherwise."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.price is None:
            if self.breaks:
                raise ValueError("breaks need a price")
            if self.minimum is None and self.step is None:
                raise ValueError("give a price, a minimum or a step")
            return self
        _check_breaks(self.breaks, self.price, falling=True)
        for name, quantity in (("minimum", self.minimum), *(("break", q) for q in self.breaks)):
            if quantity is not None and quantity % (self.step or 1):
                raise ValueError(f"{name} {quantity} is no multiple of the step {self.step}")
        return self


class Discount(StrictModel):
    """So much less than the catalogue's price, for all products or those that it names."""

    percent: Percent
    brand: Text | None = None
    category: Text | None = None
    """A level ("Mugs") or a path ("Kitchen > Mugs"). With a brand both must hold."""
    breaks: Mapping[Quantity, Percent] = Field(default_factory=dict[int, Decimal])
    """Percent by the quantity from which on they hold; each is more than before."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        _check_breaks(self.breaks, self.percent, falling=False)
        return self


class Selection(StrictModel):
    """Products: those that one of the lists names."""

    products: tuple[ProductId, ...] = Field(default=(), max_length=MAX_NAMED)
    brands: tuple[Text, ...] = Field(default=(), max_length=MAX_NAMED)
    categories: tuple[Text, ...] = Field(default=(), max_length=MAX_NAMED)
    tags: tuple[Text, ...] = Field(default=(), max_length=MAX_NAMED)

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not any(getattr(self, name) for _, name in _FIELDS):
            raise ValueError("name products, brands, categories or tags")
        return self

    @property
    def condition(self) -> str:
        """The filter that exactly these products meet."""
        parts = [
            f"{field}: ({' OR '.join(map(quote, values))})"
            for field, name in _FIELDS
            if (values := getattr(self, name))
        ]
        return parts[0] if len(parts) == 1 else f"({' OR '.join(parts)})"


class Party(StrictModel):
    """An account or a group of them."""

    id: PartyId
    discounts: tuple[Discount, ...] = Field(default=(), max_length=MAX_DISCOUNTS)
    prices: tuple[PriceRow, ...] = ()
    only: Selection | None = None
    """Products that it is shown; all when absent."""
    hidden: Selection | None = None
    """Products that it is not shown."""

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        _once(
            "the discount of brand and category",
            (f"{fold(d.brand or '*')}, {fold(d.category or '*')}" for d in self.discounts),
        )
        _once("product", (row.product for row in self.prices))
        return self


class Account(Party):
    """An account."""

    group: PartyId | None = None
    """Whose terms hold where the account has none of its own."""


class Reserved(Selection):
    """Products that nobody else is shown."""

    parties: tuple[PartyId, ...] = Field(alias="for", min_length=1, max_length=1_000)


class TermsFile(StrictModel):
    """The whole file."""

    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    """Of all prices of the file."""
    groups: tuple[Party, ...] = Field(default=(), max_length=MAX_ACCOUNTS)
    accounts: tuple[Account, ...] = Field(default=(), max_length=MAX_ACCOUNTS)
    reserved: tuple[Reserved, ...] = Field(default=(), max_length=100)

    @model_validator(mode="after")
    def _known(self) -> Self:
        _once("group or account", (party.id for party in self.parties))
        groups = {group.id for group in self.groups}
        for account in self.accounts:
            if account.group is not None and account.group not in groups:
                raise ValueError(f"account {account.id!r}: there is no group {account.group!r}")
        known = {party.id for party in self.parties}
        for reserved in self.reserved:
            for name in reserved.parties:
                if name not in known:
                    raise ValueError(f"reserved for {name!r}, which is no account and no group")
        return self

    @property
    def parties(self) -> Iterator[Party]:
        """Groups, then accounts."""
        yield from self.groups
        yield from self.accounts


def _check_breaks(breaks: Mapping[int, Decimal], first: Decimal, *, falling: bool) -> None:
    if len(breaks) > MAX_BREAKS:
        raise ValueError(f"at most {MAX_BREAKS} breaks, not {len(breaks)}")
    before = first
    for quantity in sorted(breaks):
        value = breaks[quantity]
        if quantity == 1:
            raise ValueError("a break begins at 2 or more")
        if value >= before if falling else value <= before:
            word = "lower" if falling else "more"
            raise ValueError(f"break {quantity}: {value} must be {word} than {before} before it")
        before = value


def _once(what: str, names: Iterator[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise ValueError(f"{what} {name!r} is there twice")
