"""Moves products of a ranking by stock pressure, after the model and before the shop's rules."""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

from services.orchestrator.fallback import Degradations
from services.orchestrator.stock.pressure import Pressure, pressure_of
from services.orchestrator.stock.settings import StockSettings
from services.orchestrator.watched_book import WatchedBook
from shared.demand.forecast_file import ForecastFileError, Forecasts, read_forecasts
from shared.errors import FailedPreconditionError
from wherefore.common.v1.product_pb2 import Product
from wherefore.orchestrator.v1.result_pb2 import Result
from wherefore.orchestrator.v1.stock_pressure_pb2 import (
    STOCK_PRESSURE_KIND_HELD_BACK,
    StockPressure,
)
from wherefore.retrieval.v1.candidate_pb2 import Candidate

STAGE: Final = "stock"


class StockMover:
    """Keeps the forecasts in force and applies them. One for the process.

    Args:
        settings: How; without serving configs it does nothing.
        today: Returns the day (UTC).
    """

    def __init__(
        self,
        settings: StockSettings,
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
    ) -> None:
        self._settings = settings
        self._today = today
        self.book: WatchedBook[Forecasts] = WatchedBook(
            settings.forecast_file if settings.serving_configs else None,
            read_forecasts,
            ForecastFileError,
            poll_seconds=settings.poll_seconds,
            stage=STAGE,
            what="forecasts",
        )
        self.tells_running_low = settings.tell_running_low
        """Whether reasons may say that a product runs low."""

    @property
    def version(self) -> str:
        """What answers depend on beside the catalogue; empty while it does nothing."""
        found = self._in_force()
        return "" if found is None else f"{found.events}/{found.start}/{found.horizon}"

    def of(self, serving_config: str, product: Product) -> Pressure | None:
        """Returns what stock does to a product in a serving config."""
        found = self._in_force()
        if found is None or serving_config not in self._settings.serving_configs:
            return None
        return pressure_of(product, found.by_product, self._settings)

    def told(self, serving_config: str, product: Product, spread: float) -> StockPressure | None:
        """Returns the same as answers tell it; `spread` as of `apply`."""
        found = self.of(serving_config, product)
        return None if found is None else found.message(self._boost(found, spread))

    def apply(
        self,
        serving_config: str,
        candidates: Sequence[Candidate],
        results: Sequence[Result],
        spread: float,
        degradations: Degradations,
        *,
        kept: Collection[str] = (),
    ) -> list[Result]:
        """Returns ranked results in the order of score and boost, without what is held back.

        Args:
            serving_config: By its public name.
            candidates: The products of the results, with their stock.
            results: Best first.
            spread: What a strength of 1 stands for, in units of the score.
            degradations: Told when the forecasts are refused or too old.
            kept: Products that the shop put at a place itself: these are not held back.
        """
        if serving_config not in self._settings.serving_configs:
            return list(results)
        self._note(degradations)
        products = {candidate.product.id: candidate.product for candidate in candidates}
        shown: list[Result] = []
        moved = False
        for result in results:
            product_id = result.product.id
            found = self.of(serving_config, products[product_id])
            if found is None:
                shown.append(result)
            elif found.kind != STOCK_PRESSURE_KIND_HELD_BACK or product_id in kept:
                boost = self._boost(found, spread)
                result.boost += boost
                result.stock_pressure.CopyFrom(found.message(boost))
                shown.append(result)
                moved = True
        return sorted(shown, key=lambda each: -(each.score + each.boost)) if moved else shown

    def _boost(self, pressure: Pressure, spread: float) -> float:
        return pressure.push * self._settings.strength * spread

    def _in_force(self) -> Forecasts | None:
        found = self.book.content
        return None if found is None or self._is_past(found) else found

    def _is_past(self, found: Forecasts) -> bool:
        return self._today() >= found.start + timedelta(days=found.horizon)

    def _note(self, degradations: Degradations) -> None:
        if self.book.problem is not None:
            degradations.pass_on([self.book.problem])
        elif (found := self.book.content) is not None and self._is_past(found):
            last = found.start + timedelta(days=found.horizon - 1)
            error = FailedPreconditionError("the forecasts are of the past")
            degradations.note(STAGE, error, f"the forecasts end on {last}")
