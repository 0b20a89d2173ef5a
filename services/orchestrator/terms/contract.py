"""What one account is asked for a product: the price, from which quantity on, and by whose terms.

A price that was agreed for the product goes before any discount, and the account's own terms before
those of its group. Of the discounts of one party that a product falls under the largest counts.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from services.orchestrator.terms.money import discounted, to_major
from shared.category_path import category_text
from shared.text.normalise import fold
from wherefore.common.v1.product_pb2 import Product


class Source(StrEnum):
    """What set a price."""

    LIST = "list"
    DISCOUNT = "discount"
    CONTRACT = "contract"


@dataclass(frozen=True, slots=True)
class AgreedPrice:
    """What was agreed for one product.

    Attributes:
        unit: Price of one unit in minor units; None where only quantities are set.
        breaks: Quantities from which on a unit costs less, rising, with the price in minor units.
        minimum: Least quantity of an order; 0 where it is not set.
        step: What quantities are multiples of; 0 where it is not set.
    """

    unit: int | None
    breaks: tuple[tuple[int, int], ...] = ()
    minimum: int = 0
    step: int = 0


@dataclass(frozen=True, slots=True)
class Rebate:
    """A discount in percent.

    Attributes:
        percent: Of one unit.
        breaks: Quantities from which on it is more, rising, with the percent.
    """

    percent: Decimal
    breaks: tuple[tuple[int, Decimal], ...] = ()


@dataclass(frozen=True, slots=True)
class PartyTerms:
    """The terms of an account or a group.

    Attributes:
        id: Of the party.
        prices: By product.
        rebates: By folded brand and category, each "" for any.
    """

    id: str
    prices: Mapping[str, AgreedPrice]
    rebates: Mapping[tuple[str, str], Rebate]

    def rebate_for(self, product: Product) -> Rebate | None:
        """Returns the largest discount that a product falls under."""
        if not self.rebates:
            return None
        brands = dict.fromkeys(("", fold(product.brand)))
        kinds = dict.fromkeys(("", *_categories(product.category_path)))
        found = [
            rebate
            for brand in brands
            for kind in kinds
            if (rebate := self.rebates.get((brand, kind))) is not None
        ]
        return max(found, key=lambda each: each.percent, default=None)


@dataclass(frozen=True, slots=True)
class Offer:
    """What an account is asked for a product.

    Attributes:
        source: What set the price.
        party: The account or the group whose terms did; empty for the catalogue's price.
        currency: Of all prices; empty where there is none.
        amount: Price of one unit of the least order, in major units; None where there is no price.
        breaks: Larger quantities from which on a unit costs less, rising, with that price.
        minimum: Least quantity of an order, a multiple of `step`.
        step: What quantities are multiples of.
    """

    source: Source
    party: str
    currency: str
    amount: float | None
    breaks: tuple[tuple[int, float], ...]
    minimum: int
    step: int


class Contract:
    """The terms of one account.

    Args:
        account_id: Who asks.
        parties: Whose terms hold, the account's own first.
        currency: Of agreed prices.
        condition: Filter that products it may be shown meet; empty for all.
    """

    def __init__(
        self, account_id: str, parties: Sequence[PartyTerms], currency: str, condition: str
    ) -> None:
        self.account_id = account_id
        self.condition = condition
        self.currency = currency
        self.parties = tuple(parties)

    @property
    def changes_prices(self) -> bool:
        """Whether any price may be another than the catalogue's."""
        return any(party.prices or party.rebates for party in self.parties)

    @property
    def agreed_count(self) -> int:
        """Products that something was agreed for, at most."""
        return sum(len(party.prices) for party in self.parties)

    @cached_property
    def agreed_prices(self) -> Mapping[str, float]:
        """The agreed prices by product, in major units."""
        named = dict.fromkeys(product_id for party in self.parties for product_id in party.prices)
        offers = ((product_id, self.offer(Product(id=product_id))) for product_id in named)
        return {
            product_id: offer.amount
            for product_id, offer in offers
            if offer.source is Source.CONTRACT and offer.amount is not None
        }

    @cached_property
    def least_share(self) -> float:
        """Share of the catalogue's price that the largest discount leaves, 0 to 1."""
        percents = (
            percent
            for party in self.parties
            for rebate in party.rebates.values()
            for percent in (rebate.percent, *(percent for _, percent in rebate.breaks))
        )
        return float(1 - max(percents, default=Decimal(0)) / 100)

    def offer(self, product: Product) -> Offer:
        """Returns what the account is asked for a product; read are id, brand, category, price."""
        agreed = [
            (party.id, price)
            for party in self.parties
            if (price := party.prices.get(product.id)) is not None
        ]
        step = next((each.step for _, each in agreed if each.step), 1)
        minimum = _multiple(next((each.minimum for _, each in agreed if each.minimum), 1), step)
        for party, price in agreed:
            if price.unit is not None:
                scale = ((1, price.unit), *price.breaks)
                told = _Scale(scale, self.currency, minimum, step)
                return told.offer(Source.CONTRACT, party)
        if not product.HasField("price"):
            return Offer(Source.LIST, "", "", None, (), minimum, step)
        amount, currency = product.price.amount, product.price.currency_code
        for party in self.parties:
            if (rebate := party.rebate_for(product)) is not None:
                percents = ((1, rebate.percent), *rebate.breaks)
                scale = [(q, discounted(amount, percent, currency)) for q, percent in percents]
                told = _Scale(scale, currency, minimum, step)
                return told.offer(Source.DISCOUNT, party.id)
        return Offer(Source.LIST, "", currency, amount, (), minimum, step)


@dataclass(frozen=True, slots=True)
class _Scale:
    """Prices in minor units from quantities on, which begin at 1."""

    prices: Sequence[tuple[int, int]]
    currency: str
    minimum: int
    step: int

    def offer(self, source: Source, party: str) -> Offer:
        """Returns the offer: breaks stand at quantities that one can order."""
        unit = lowest = self.prices[0][1]
        breaks: dict[int, int] = {}
        for quantity, price in self.prices:
            if (least := _multiple(quantity, self.step)) <= self.minimum:
                unit = lowest = price
            elif price < lowest:
                breaks[least] = lowest = price
        amount = to_major(unit, self.currency)
        told = tuple((least, to_major(price, self.currency)) for least, price in breaks.items())
        return Offer(source, party, self.currency, amount, told, self.minimum, self.step)


def _multiple(quantity: int, step: int) -> int:
    """Returns the least multiple of a step that is no less than a quantity."""
    return -(-quantity // step) * step


def _categories(path: Iterable[str]) -> Iterator[str]:
    """Yields what a discount may call a category: each level, and each path from the root."""
    levels = [fold(level) for level in path]
    yield from levels
    for count in range(2, len(levels) + 1):
        yield category_text(levels[:count])
