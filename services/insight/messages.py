"""Between messages and the domain."""

from collections.abc import Callable, Mapping
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from services.insight import domain
from services.insight.aggregates import Direction, Outlook, Points
from services.insight.bands import Band
from services.insight.domain import Counts, Mention, Mood, Series
from services.insight.domain_file import Domain
from services.insight.monitor import Alert, Change, Notice
from wherefore.insight.v1 import alert_pb2, insight_service_pb2, opinion_pb2

DIMENSIONS: Final[Mapping[int, str]] = {
    opinion_pb2.DIMENSION_UNSPECIFIED: domain.ALL,
    opinion_pb2.DIMENSION_ALL: domain.ALL,
    opinion_pb2.DIMENSION_TOPIC: domain.TOPIC,
    opinion_pb2.DIMENSION_PRODUCT: domain.PRODUCT,
    opinion_pb2.DIMENSION_BRAND: domain.BRAND,
}
_MOODS: Final = {
    Mood.POSITIVE: opinion_pb2.MOOD_POSITIVE,
    Mood.NEUTRAL: opinion_pb2.MOOD_NEUTRAL,
    Mood.NEGATIVE: opinion_pb2.MOOD_NEGATIVE,
}
_CHANGES: Final = {
    Change.OPENED: alert_pb2.ALERT_CHANGE_OPENED,
    Change.SPREAD: alert_pb2.ALERT_CHANGE_SPREAD,
    Change.CLOSED: alert_pb2.ALERT_CHANGE_CLOSED,
    Change.REOPENED: alert_pb2.ALERT_CHANGE_REOPENED,
    Change.WITHDRAWN: alert_pb2.ALERT_CHANGE_WITHDRAWN,
    Change.REVISED: alert_pb2.ALERT_CHANGE_REVISED,
}


def time_message(ms: int) -> Timestamp:
    """Returns milliseconds since 1970 as a message."""
    return Timestamp(seconds=ms // 1_000, nanos=ms % 1_000 * 1_000_000)


def milliseconds(time: Timestamp) -> int:
    """Returns a message as milliseconds since 1970, rounded down."""
    return time.seconds * 1_000 + time.nanos // 1_000_000


def series_message(series: Series) -> opinion_pb2.Series:
    """Returns a series as a message."""
    number = opinion_pb2.Dimension.Value(f"DIMENSION_{series.dimension.upper()}")
    return opinion_pb2.Series(dimension=number, value=series.value)


def series_of(message: opinion_pb2.Series) -> Series:
    """Returns the series that a checked message names."""
    return Series(DIMENSIONS[message.dimension], message.value)


def counts_message(counts: Counts) -> opinion_pb2.MoodCounts:
    """Returns counts as a message."""
    return opinion_pb2.MoodCounts(
        positive_count=counts.positive,
        neutral_count=counts.neutral,
        negative_count=counts.negative,
    )


def mention_message(mention: Mention, read_by: Domain) -> opinion_pb2.Mention:
    """Returns a text as a message."""
    return opinion_pb2.Mention(
        id=mention.id,
        event_time=time_message(mention.at_ms),
        text=mention.text,
        topics=mention.cell.topics,
        product_id=mention.cell.product_id,
        brand=mention.cell.brand,
        mood=_MOODS[mention.mood],
        label=read_by.labels.of(mention.mood),
        score=mention.score,
        language_code=mention.language,
    )


def alert_message(alert: Alert, read_by: Domain) -> alert_pb2.Alert:
    """Returns an alert as a message."""
    incident = alert.incident
    message = alert_pb2.Alert(
        id=incident.id,
        series=series_message(incident.series),
        also=[series_message(series) for series in incident.also],
        state=alert_pb2.ALERT_STATE_OPEN,
        onset_time=time_message(alert.onset_ms),
        open_time=time_message(alert.opened_ms),
        text_count=incident.run.texts,
        negative_count=incident.run.negatives,
        expected_negative_count=incident.run.expected,
        evidence=incident.peak,
        final=alert.final,
        examples=[mention_message(each, read_by) for each in alert.examples],
        domain=read_by.name,
    )
    for phrase in alert.phrases:
        message.phrases.add(text=phrase.text, text_count=phrase.texts, score=phrase.score)
    if alert.closed_ms is not None:
        message.state = alert_pb2.ALERT_STATE_CLOSED
        message.close_time.CopyFrom(time_message(alert.closed_ms))
    return message


def notice_message(notice: Notice, read_by: Domain) -> alert_pb2.AlertNotice:
    """Returns a notice as a message, without its place."""
    alert = alert_message(notice.alert, read_by)
    change = _CHANGES[notice.change]
    return alert_pb2.AlertNotice(change=change, alert=alert, replaced_alert_id=notice.replaces)


def without_examples(body: bytes, gone: Callable[[str, int], bool]) -> bytes | None:
    """Takes example texts out of a notice.

    Args:
        body: The notice as it is kept.
        gone: Whether the text of an id, written at some millisecond since 1970, is to go.

    Returns:
        The notice without them; None where it has none of them.
    """
    notice = alert_pb2.AlertNotice.FromString(body)
    examples = notice.alert.examples
    left = [each for each in examples if not gone(each.id, milliseconds(each.event_time))]
    if len(left) == len(examples):
        return None
    del examples[:]
    examples.extend(left)
    return notice.SerializeToString()


def series_points(
    series: Series, points: Points, bands: Mapping[int, Band]
) -> insight_service_pb2.AggregateSeries:
    """Returns a series over time as a message, with a forecast where there is one."""
    message = insight_service_pb2.AggregateSeries(
        series=series_message(series), total=counts_message(points.total)
    )
    for at_ms in sorted(points.by_time):
        counts = counts_message(points.by_time[at_ms])
        point = message.points.add(start_time=time_message(at_ms), counts=counts)
        if (band := bands.get(at_ms)) is not None:
            point.forecast.negative_share = band.share
            point.forecast.low, point.forecast.high = band.low, band.high
    return message


def trend_message(series: Series, found: Outlook) -> insight_service_pb2.GetTrendResponse:
    """Returns trend and season as a message."""
    return insight_service_pb2.GetTrendResponse(
        series=series_message(series),
        total=counts_message(found.total),
        volume=_direction(found.volume),
        negative_share=_direction(found.negative_share),
        hour_of_day=found.hour_of_day,
        hour_of_day_strength=found.hour_strength,
        day_of_week=found.day_of_week,
        day_of_week_strength=found.day_strength,
    )


def _direction(found: Direction) -> insight_service_pb2.Trend:
    return insight_service_pb2.Trend(
        slope_per_day=found.slope, p_value=found.p, day_count=found.days
    )
