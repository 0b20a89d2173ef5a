"""What is expected of a series before a window is looked at: share and number of negatives.

Both are exponentially weighted means (Holt, 1957) with a prior, so that a new series is not taken
for a surge; the number follows the hour of the day by an index that all series share (Winters'
multiplicative season, 1960). Decay goes by event time alone: the same texts give the same forecast.
"""

from dataclasses import dataclass
from typing import Final

HOURS: Final = 24


@dataclass(frozen=True, slots=True)
class ForecastSettings:
    """How fast a forecast follows.

    Attributes:
        share_hours: Half-life of the share of negatives.
        level_hours: Half-life of their number.
        prior_texts: Weight of the share over all series in that of one, in texts.
        prior_level: Negatives an hour that are expected of a series not seen before.
        prior_hours: Weight of that, in hours.
        season_days: Half-life of the index of the hour.
        season_hours: Weight of "no season" in the index, in hours seen.
        silence_days: Days without a text after which nothing is expected any more.
    """

    share_hours: float = 24
    level_hours: float = 6
    prior_texts: float = 20
    prior_level: float = 10
    prior_hours: float = 0.25
    season_days: float = 7
    season_hours: float = 0.5
    silence_days: float = 14


@dataclass(frozen=True, slots=True)
class Climate:
    """What all series have in common, up to a window.

    Attributes:
        started: Whether there was a text.
        texts: Of all series, discounted.
        negatives: Likewise.
        exposure: Windows times their index, discounted: what levels are divided by.
        hours: Texts and windows of each hour of the day, discounted.
        season: How many times the mean is usual at the hour of the next window.
        windows: Windows since the first text.
        quiet: Windows since the last one.
    """

    started: bool = False
    texts: float = 0.0
    negatives: float = 0.0
    exposure: float = 0.0
    hours: tuple[tuple[float, float], ...] = ((0.0, 0.0),) * HOURS
    season: float = 1.0
    windows: int = 0
    quiet: int = 0


@dataclass(frozen=True, slots=True)
class Learnt:
    """What was learnt of one series, up to a window.

    Attributes:
        index: That window.
        texts: Discounted; with `negatives` they make the share.
        negatives: Likewise.
        level: Negatives, discounted faster.
        since: The window before its first, and the exposure up to there.
    """

    index: int
    texts: float
    negatives: float
    level: float
    since: tuple[int, float]


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected of one window.

    Attributes:
        share: Of negatives among the texts; a standard deviation above the mean, which is not
            known for sure.
        negatives: Their number.
    """

    share: float
    negatives: float


def share_of(
    series: tuple[float, float], everywhere: tuple[float, float], prior_texts: float
) -> tuple[float, float]:
    """Returns the share of negatives that is expected of a series, and its weight in texts.

    Args:
        series: Texts and negatives so far, discounted.
        everywhere: The same of all series, whose share is the prior.
        prior_texts: Weight of the prior.
    """
    prior = (everywhere[1] + 1) / (everywhere[0] + 4)
    weight = series[0] + prior_texts
    return (series[1] + prior * prior_texts) / weight, weight


class Forecast:
    """Foretells windows from those before them."""

    def __init__(self, settings: ForecastSettings, window_seconds: int) -> None:
        hour = 3_600 / window_seconds
        self._settings = settings
        self._hour_windows = hour
        self._share = 0.5 ** (1 / (settings.share_hours * hour))
        self._level = 0.5 ** (1 / (settings.level_hours * hour))
        self._season = 0.5 ** (1 / (settings.season_days * hour))  # an hour comes once a day
        self._silence = settings.silence_days * HOURS * hour
        self._window_seconds = window_seconds

    def is_over(self, climate: Climate) -> bool:
        """Whether there was no text for so long that what was learnt says nothing more."""
        return climate.quiet >= self._silence

    def expect(self, learnt: Learnt | None, climate: Climate, index: int) -> Expected:
        """Foretells a window of a series from what was learnt up to the one before."""
        settings = self._settings
        texts = negatives = level = exposure = 0.0
        if learnt is not None:
            gap = index - 1 - learnt.index
            texts, negatives = (v * self._share**gap for v in (learnt.texts, learnt.negatives))
            level = learnt.level * self._level**gap
            start, before = learnt.since
            exposure = max(0.0, climate.exposure - before * self._level ** (index - 1 - start))
        everywhere = (climate.texts, climate.negatives)
        share, weight = share_of((texts, negatives), everywhere, settings.prior_texts)
        share += (share * (1 - share) / (weight + 1)) ** 0.5
        prior = settings.prior_hours * self._hour_windows
        mean = (level + settings.prior_level * settings.prior_hours) / (exposure + prior)
        return Expected(min(share, 0.99), mean * climate.season)

    def learn(
        self, learnt: Learnt | None, climate: Climate, index: int, texts: float, negatives: float
    ) -> Learnt:
        """Returns what is known after a window; `climate` is that before it."""
        if learnt is None:
            start = (index - 1, climate.exposure)
            return Learnt(index, texts, negatives, negatives, start)
        gap = index - learnt.index
        return Learnt(
            index,
            learnt.texts * self._share**gap + texts,
            learnt.negatives * self._share**gap + negatives,
            learnt.level * self._level**gap + negatives,
            learnt.since,
        )

    def pass_window(self, climate: Climate, index: int, texts: int, negatives: int) -> Climate:
        """Returns what is known of all series after a window."""
        if not climate.started and not texts:
            return climate  # time before the first text does not count, however it was cut
        hour = self._hour(index)
        seen, windows = climate.hours[hour]
        now = (seen * self._season + texts, windows * self._season + 1)
        hours = (*climate.hours[:hour], now, *climate.hours[hour + 1 :])
        return Climate(
            started=True,
            texts=climate.texts * self._share + texts,
            negatives=climate.negatives * self._share + negatives,
            exposure=climate.exposure * self._level + climate.season,
            hours=hours,
            season=self._season_of(hours, self._hour(index + 1)),
            windows=climate.windows + 1,
            quiet=0 if texts else climate.quiet + 1,
        )

    def _season_of(self, hours: tuple[tuple[float, float], ...], hour: int) -> float:
        all_texts = all_windows = 0.0
        for texts, windows in hours:
            all_texts += texts
            all_windows += windows
        if not all_texts:
            return 1.0
        mean = all_texts / all_windows
        prior = self._settings.season_hours * self._hour_windows
        texts, windows = hours[hour]
        return (texts + prior * mean) / ((windows + prior) * mean)

    def _hour(self, index: int) -> int:
        return index * self._window_seconds // 3_600 % HOURS
