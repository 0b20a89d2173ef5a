"""Whether shoppers or candidates are no longer what they were.

Two signals of shoppers are watched by ADWIN (Bifet and Gavalda, "Learning from time-changing data
with adaptive windowing", SDM 2007): how surprising choices are to the model, and the share of pages
that are clicked, which needs impressions. Candidates are watched by the population stability index
of every feature, of the latest pages against those before; more than 0.25 is a major shift by the
rule of thumb of credit scoring.
"""

from collections import OrderedDict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.ranking.features import FEATURES
from services.ranking.online.learner import Learnt
from services.ranking.online.metrics import STABILITY
from wherefore.common.v1 import user_event_pb2 as pb

MAJOR_SHIFT: Final = 0.25
_BINS: Final = 10
_PENDING_PAGES: Final = 500
"""Pages that wait for a click before they count as not clicked."""


class FeatureStability:
    """Population stability index, in windows one after the other. Not thread-safe.

    Args:
        pages: Of a window.
    """

    def __init__(self, pages: int = 1_000) -> None:
        self._pages = pages
        self._reference: NDArray[np.float64] | None = None
        self._counts = np.zeros((len(FEATURES), _BINS))
        self._seen = 0

    def count(self, features: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """Counts a page; returns (features,) the index whenever a window is full.

        Args:
            features: (places, len(FEATURES)), each 0 to 1.
        """
        bins = np.clip((features * _BINS).astype(np.int64), 0, _BINS - 1)
        for column in range(len(FEATURES)):
            self._counts[column] += np.bincount(bins[:, column], minlength=_BINS)
        self._seen += 1
        if self._seen < self._pages:
            return None
        # Half a count in every bin: an empty one would make the index infinite.
        shares = (self._counts + 0.5) / (self._counts + 0.5).sum(axis=1, keepdims=True)
        before, self._reference = self._reference, shares
        self._counts, self._seen = np.zeros_like(self._counts), 0
        if before is None:
            return None
        return ((shares - before) * np.log(shares / before)).sum(axis=1)


class DriftWatch:
    """Watches events and what they taught. Not thread-safe. Needs the extra `online`.

    Args:
        delta: Probability of a false alarm that ADWIN is given.
        pages: Of a window of features.
    """

    def __init__(self, delta: float = 0.002, pages: int = 1_000) -> None:
        from river.drift import ADWIN

        self._surprise: Any = ADWIN(delta=delta)
        self._clicks: Any = ADWIN(delta=delta)
        self._stability = FeatureStability(pages)
        self._pending: OrderedDict[str, bool] = OrderedDict()
        self.psi: dict[str, float] = {}
        """By feature, of the latest window."""

    def watch(self, event: pb.UserEvent, learnt: Learnt) -> list[str]:
        """Takes an event in; returns the signals that show a drift just now."""
        found: list[str] = []
        if self._clicked_share_changed(event):
            found.append("click_through")
        if learnt.features is None:
            return found
        self._surprise.update(learnt.surprise)
        if self._surprise.drift_detected:
            found.append("surprise")
        if (index := self._stability.count(learnt.features)) is not None:
            self.psi = dict(zip(FEATURES, index.tolist(), strict=True))
            for feature, value in self.psi.items():
                STABILITY.labels(feature).set(value)
            if float(index.max()) > MAJOR_SHIFT:
                found.append("features")
        return found

    def _clicked_share_changed(self, event: pb.UserEvent) -> bool:
        token = event.attribution_token
        if not token:
            return False
        if event.type == pb.USER_EVENT_TYPE_IMPRESSION:
            self._pending.setdefault(token, False)
        elif event.type == pb.USER_EVENT_TYPE_CLICK and token in self._pending:
            self._pending[token] = True
        if len(self._pending) <= _PENDING_PAGES:
            return False
        _, clicked = self._pending.popitem(last=False)
        self._clicks.update(float(clicked))
        return bool(self._clicks.drift_detected)
