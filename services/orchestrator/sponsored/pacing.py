"""Pacing: a campaign takes part in so many auctions that its budget lasts through the day.

The throttle of Agarwal et al., "Budget pacing for targeted online advertisements at LinkedIn" (KDD
2014): each minute the share of auctions that a campaign takes part in falls by a tenth where more
is spent than the day's share of the budget, and rises by a tenth where less is. Bids stay what they
are, so that second prices keep their sense.
"""

from dataclasses import dataclass
from typing import Final

DAY_SECONDS: Final = 86_400
INTERVAL_SECONDS: Final = 60
_STEP: Final = 0.1
FIRST_RATE: Final = 0.1
"""At the start: what is spent too fast in the first minutes does not come back."""
LEAST_RATE: Final = 0.01
_MOST_STEPS: Final = 60
"""Steps that are made up for after a pause: an hour's suffice from the least rate to all."""


@dataclass(slots=True)
class Pacer:
    """The throttle of one campaign.

    Attributes:
        rate: Share of auctions that it takes part in, 0 to 1.
    """

    rate: float = FIRST_RATE
    _stepped_at: float = 0.0

    def step(self, now: float, spent: int, budget: int) -> float:
        """Returns the rate, brought up to a time.

        Args:
            now: Seconds since 1970.
            spent: Of today's budget.
            budget: Of a day, in the same unit.
        """
        if not self._stepped_at:
            self._stepped_at = now
        due = int((now - self._stepped_at) // INTERVAL_SECONDS)
        if due > 0:
            self._stepped_at += due * INTERVAL_SECONDS
            planned = budget * (now % DAY_SECONDS) / DAY_SECONDS
            factor = 1.0 - _STEP if spent > planned else 1.0 + _STEP
            paced = self.rate * factor ** min(due, _MOST_STEPS)
            self.rate = min(1.0, max(LEAST_RATE, paced))
        return self.rate
