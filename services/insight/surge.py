"""When the negatives of one series surge: a cumulative sum that opens high and closes low.

Page's CUSUM (1954), which for a given rate of false alarms finds a change soonest (Moustakides,
1986): evidence for "the odds of a negative are `odds` times the forecast" against "as foretold" is
added up, never below 0. Evidence counts only as far as share and number agree: a sale brings more
negatives and more of all else, a quiet hour a higher share of few.
"""

import math
from dataclasses import dataclass, replace

from services.insight.forecast import Climate, Expected, Forecast, Learnt


@dataclass(frozen=True, slots=True)
class SurgeSettings:
    """When a surge begins and ends.

    Attributes:
        odds: How many times the odds of a negative grow in a surge.
        factor: How many times their number grows.
        open_at: Evidence (natural logarithm of a likelihood ratio) at which it opens. Without a
            surge a series gets there once in about exp(open_at) windows.
        close_at: Evidence at which an open one closes; lower, so that it does not flutter.
        min_texts: Fewest texts since it set in.
        min_negatives: Fewest negatives of these.
        warm_hours: How long the stream has to run before anything opens.
        longest_hours: An open one ends after that: what lasts is the new normal.
    """

    odds: float = 6.0
    factor: float = 5.0
    open_at: float = 7.0
    close_at: float = 3.0
    min_texts: int = 8
    min_negatives: int = 6
    warm_hours: float = 3.0
    longest_hours: float = 12.0


@dataclass(frozen=True, slots=True)
class Run:
    """What has been adding up since the evidence was last 0.

    Attributes:
        first: The window in which it set in.
        evidence: So far, above 0.
        texts: Since then.
        negatives: Likewise.
        expected: Negatives that the forecast gave to them: of the texts, its share.
        opened: The window at whose end it became a surge; None while it is none.
    """

    first: int
    evidence: float
    texts: int
    negatives: int
    expected: float
    opened: int | None = None

    @property
    def excess(self) -> float:
        """Negatives beyond the expected ones."""
        return self.negatives - self.expected


@dataclass(frozen=True, slots=True)
class SeriesState:
    """One series up to a window."""

    learnt: Learnt
    run: Run | None = None


class SurgeDetector:
    """Reads one window of one series after another."""

    def __init__(self, settings: SurgeSettings, forecast: Forecast, window_seconds: int) -> None:
        self.settings = settings
        self._forecast = forecast
        self._cap = settings.open_at * 1.25  # so that closing takes no longer the longer it lasted
        self._longest = settings.longest_hours * 3_600 / window_seconds

    def step(
        self,
        state: SeriesState | None,
        climate: Climate,
        index: int,
        *,
        texts: int,
        negatives: int,
        armed: bool,
    ) -> SeriesState:
        """Returns the state after a window.

        Args:
            state: Before it; None for a new series.
            climate: Of all series before it.
            index: The window.
            texts: Of the series in it.
            negatives: Of these.
            armed: Whether surges may open: the stream has run long enough.
        """
        learnt = state.learnt if state else None
        expected = self._forecast.expect(learnt, climate, index)
        before = state.run if state else None
        if before is None and not armed:
            run = None
        else:
            run = self._run(before, expected, index=index, texts=texts, negatives=negatives)
        if run is None or run.opened is None:
            return SeriesState(self._forecast.learn(learnt, climate, index, texts, negatives), run)
        if index - run.opened >= self._longest:
            known = self._forecast.learn(learnt, climate, index, texts, negatives)
            return SeriesState(_accustomed(known, run))
        # A surge is not learnt from: the forecast stands in for it, or it would soon be normal.
        foretold = expected.negatives
        known = self._forecast.learn(learnt, climate, index, foretold / expected.share, foretold)
        return SeriesState(known, run)

    def _run(
        self, run: Run | None, expected: Expected, *, index: int, texts: int, negatives: int
    ) -> Run | None:
        evidence = min(
            (run.evidence if run else 0.0) + self._evidence(expected, texts, negatives), self._cap
        )
        if run is not None and run.opened is not None:
            if evidence <= self.settings.close_at:
                return None
        elif evidence <= 0:
            return None
        run = run or Run(index, 0.0, 0, 0, 0.0)
        run = replace(
            run,
            evidence=evidence,
            texts=run.texts + texts,
            negatives=run.negatives + negatives,
            expected=run.expected + texts * expected.share,
        )
        return replace(run, opened=index) if self._opens(run) else run

    def _opens(self, run: Run) -> bool:
        settings = self.settings
        return (
            run.opened is None
            and run.evidence >= settings.open_at
            and run.texts >= settings.min_texts
            and run.negatives >= settings.min_negatives
        )

    def _evidence(self, expected: Expected, texts: int, negatives: int) -> float:
        share, odds, factor = expected.share, self.settings.odds, self.settings.factor
        raised = odds * share / (1 - share + odds * share)
        of_share = negatives * math.log(raised / share)
        of_share += (texts - negatives) * math.log((1 - raised) / (1 - share))
        of_number = negatives * math.log(factor) - expected.negatives * (factor - 1)
        return min(of_share, of_number)


def _accustomed(learnt: Learnt, run: Run) -> Learnt:
    """Returns what is known once a surge has become normal: its own share and level."""
    grown = max(1.0, run.negatives / max(run.expected, 1e-9))
    share = run.negatives / max(run.texts, 1)
    return replace(learnt, negatives=learnt.texts * share, level=learnt.level * grown)
