"""The file of campaigns (YAML), as docs/sponsored.md shows one."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from services.orchestrator.time_window import TimeWindow
from shared.strict_model import StrictModel
from shared.yaml_file import read_yaml

MAX_CAMPAIGNS: Final = 10_000
MAX_POSITION: Final = 20
MAX_SLOTS: Final = 4
MICROS: Final = 1_000_000
"""Of a unit of the currency: money is whole micros, which add up without rounding."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,47}$")]
ProductId = Annotated[str, StringConstraints(pattern=r"^\S+$", max_length=128)]
Money = Annotated[Decimal, Field(gt=0, le=1_000_000, max_digits=13, decimal_places=6)]


class Campaign(TimeWindow):
    """What an advertiser pays for."""

    id: Name
    products: tuple[ProductId, ...] = Field(min_length=1, max_length=200)
    bid: Money
    """Most that a click may cost."""
    daily_budget: Money
    """Of a day (UTC), beyond which no further click is charged."""

    @model_validator(mode="after")
    def _can_pay(self) -> Self:
        if self.bid > self.daily_budget:
            raise ValueError("bid must not be above daily_budget")
        return self

    @property
    def bid_micros(self) -> int:
        """`bid` in micros."""
        return int(self.bid * MICROS)

    @property
    def budget_micros(self) -> int:
        """`daily_budget` in micros."""
        return int(self.daily_budget * MICROS)


class CampaignFile(StrictModel):
    """The whole file."""

    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    serving_configs: tuple[Literal["search", "precise"], ...] = ()
    """Those whose rankings have sponsored results; none when empty."""
    positions: tuple[Annotated[int, Field(ge=1, le=MAX_POSITION)], ...] = Field(
        default=(1,), min_length=1, max_length=MAX_SLOTS
    )
    """Places of the slots, the best first; each is one sponsored result at most."""
    min_confidence: float = Field(default=0.5, gt=0, le=1)
    """Least probability that a product is relevant, with which it may be sponsored."""
    reserve: Money = Decimal("0.01")
    """Least price of a click."""
    pacing: Literal["even", "none"] = "even"
    """Whether budgets are spread over the day, or spent as fast as they can be."""
    campaigns: tuple[Campaign, ...] = Field(default=(), max_length=MAX_CAMPAIGNS)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if list(self.positions) != sorted(set(self.positions)):
            raise ValueError("positions must rise")
        ids = [campaign.id for campaign in self.campaigns]
        if len(set(ids)) < len(ids):
            twice = next(each for each in ids if ids.count(each) > 1)
            raise ValueError(f"campaign {twice!r} is there twice")
        return self

    @property
    def reserve_micros(self) -> int:
        """`reserve` in micros."""
        return int(self.reserve * MICROS)


class Campaigns:
    """The campaigns of a file, found by the products that they are for."""

    def __init__(self, file: CampaignFile) -> None:
        self.file = file
        self.by_id = {campaign.id: campaign for campaign in file.campaigns}
        self._by_product: dict[str, list[Campaign]] = {}
        for campaign in file.campaigns:
            for product_id in dict.fromkeys(campaign.products):
                self._by_product.setdefault(product_id, []).append(campaign)

    def of(self, product_id: str) -> list[Campaign]:
        """Returns the campaigns for a product."""
        return self._by_product.get(product_id, [])


def read_campaigns(path: Path) -> Campaigns:
    """Reads a file.

    Raises:
        YamlFileError: It cannot be read, or is wrong.
    """
    return Campaigns(read_yaml(path, CampaignFile))
