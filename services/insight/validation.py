"""What of a request breaks the contract."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from services.insight import domain
from services.insight.classifier import Post
from services.insight.domain import Series, Whose
from services.insight.messages import DIMENSIONS, milliseconds, series_of
from services.insight.windows import DAY_MS, HOUR_MS, MS, Windows
from shared.errors import FieldViolation, InvalidArgumentError
from wherefore.insight.v1 import alert_pb2, opinion_pb2
from wherefore.insight.v1 import insight_service_pb2 as pb
from wherefore.insight.v1 import text_service_pb2 as text_pb

MAX_POSTS: Final = 1_000
_MAX_ID, _MAX_TEXT, _MAX_USER, _MAX_IDS = 200, 10_000, 256, 1_000
_LONGEST: Final = {
    "product_id": _MAX_ID,
    "brand": _MAX_ID,
    "user_id": _MAX_USER,
    "source_id": _MAX_ID,
}
_MAX_VALUES, _MAX_SERIES, _MAX_PAGE, _MAX_POINTS = 100, 100, 100, 10_000
_MAX_FORECASTS: Final = 10
_DEFAULT_SERIES, _DEFAULT_PAGE, _DEFAULT_DAYS = 20, 20, 14
_FEWEST_DAYS, _MOST_DAYS = 2, 92
_LATEST: Final = 253_402_300_799
_NANOS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class AggregateQuery:
    """A checked `QueryAggregatesRequest`."""

    dimension: str
    values: tuple[str, ...]
    max_series: int
    with_forecast: bool
    start_ms: int
    end_ms: int
    step_ms: int


def check_post(post: opinion_pb2.Post, latest_ms: int) -> FieldViolation | None:
    """Returns what is wrong with a text, or None.

    Args:
        post: The text.
        latest_ms: No text is from later than that.
    """
    if not post.id or len(post.id) > _MAX_ID:
        return FieldViolation("id", f"must have 1 to {_MAX_ID} characters")
    if not post.HasField("event_time"):
        return FieldViolation("event_time", "must be set")
    if problem := _time_problem(post.event_time):
        return FieldViolation("event_time", problem)
    if milliseconds(post.event_time) > latest_ms:
        return FieldViolation("event_time", "is in the future")
    return _words_problem(post)


def post_of(post: opinion_pb2.Post) -> Post:
    """Returns a checked text."""
    at_ms = milliseconds(post.event_time)
    return Post(
        post.id,
        at_ms,
        post.text,
        post.product_id,
        post.brand,
        user_id=post.user_id,
        source_id=post.source_id,
    )


def check_series(message: opinion_pb2.Series, field: str) -> Series:
    """Returns the series that a message names.

    Raises:
        InvalidArgumentError: It names none.
    """
    if message.dimension not in DIMENSIONS:
        raise InvalidArgumentError.of(f"{field}.dimension", "is no dimension")
    series = series_of(message)
    if series.dimension == domain.ALL and series.value:
        raise InvalidArgumentError.of(f"{field}.value", "must be empty where all texts are meant")
    if series.dimension != domain.ALL and not 0 < len(series.value) <= _MAX_ID:
        raise InvalidArgumentError.of(f"{field}.value", f"must have 1 to {_MAX_ID} characters")
    return series


def all_series(messages: Iterable[opinion_pb2.Series]) -> list[Series]:
    """Returns the series of a subscription.

    Raises:
        InvalidArgumentError: One is none, or there are too many.
    """
    found = [check_series(each, f"series[{at}]") for at, each in enumerate(messages)]
    if len(found) > _MAX_SERIES:
        raise InvalidArgumentError.of("series", f"must be at most {_MAX_SERIES}")
    return found


def aggregate_query(request: pb.QueryAggregatesRequest, windows: Windows) -> AggregateQuery:
    """Checks a request for counts.

    Raises:
        InvalidArgumentError: It breaks the contract; the field is named.
    """
    if request.dimension not in DIMENSIONS:
        raise InvalidArgumentError.of("dimension", "is no dimension")
    if len(request.values) > _MAX_VALUES:
        raise InvalidArgumentError.of("values", f"must be at most {_MAX_VALUES}")
    most = _count(request.max_series, "max_series", 1, _MAX_SERIES, _DEFAULT_SERIES)
    if request.with_forecast:
        if len(request.values) > _MAX_FORECASTS:
            raise InvalidArgumentError.of("values", f"must be at most {_MAX_FORECASTS} to foretell")
        most = _count(request.max_series, "max_series", 1, _MAX_FORECASTS, _MAX_FORECASTS)
    step = request.step_seconds or HOUR_MS // MS
    if step < 0 or step > _MOST_DAYS * DAY_MS // MS:
        raise InvalidArgumentError.of("step_seconds", f"must be 1 to {_MOST_DAYS} days")
    unit = HOUR_MS // MS if step * MS >= HOUR_MS else windows.settings.seconds
    if step % unit:
        raise InvalidArgumentError.of("step_seconds", f"must be a multiple of {unit}")
    step_ms = step * MS
    newest = (windows.newest_ms or 0) + 1
    end = _time(request.end_time, "end_time") if request.HasField("end_time") else newest
    start = end - DAY_MS
    if request.HasField("start_time"):
        start = _time(request.start_time, "start_time")
    if start >= end:
        raise InvalidArgumentError.of("start_time", "must be before end_time")
    start -= start % step_ms
    if (end - start) // step_ms > _MAX_POINTS:
        raise InvalidArgumentError.of("step_seconds", f"would give over {_MAX_POINTS} points")
    if step_ms < HOUR_MS and request.HasField("start_time") and start < windows.fine_from_ms:
        kept = windows.settings.fine_hours
        raise InvalidArgumentError.of(
            "start_time", f"steps under an hour are kept for {kept} hours"
        )
    dimension = DIMENSIONS[request.dimension]
    return AggregateQuery(
        dimension, tuple(request.values), most, request.with_forecast, start, end, step_ms
    )


def trend_days(request: pb.GetTrendRequest) -> int:
    """Returns the days of a request for a trend.

    Raises:
        InvalidArgumentError: They are too few or too many.
    """
    return _count(request.days, "days", _FEWEST_DAYS, _MOST_DAYS, _DEFAULT_DAYS)


def whose(request: text_pb.EraseTextsRequest | text_pb.ExportTextsRequest) -> Whose:
    """Returns the texts that are meant.

    Raises:
        InvalidArgumentError: None are named, or too many.
    """
    if len(request.user.user_id) > _MAX_USER:
        raise InvalidArgumentError.of("user.user_id", f"must have at most {_MAX_USER} characters")
    for field, ids in (("source_ids", request.source_ids), ("text_ids", request.text_ids)):
        if len(ids) > _MAX_IDS or not all(ids):
            raise InvalidArgumentError.of(field, f"must be at most {_MAX_IDS}, none of them empty")
    user = (request.user.user_id,) if request.user.user_id else ()
    named = Whose(tuple(request.text_ids), user, tuple(request.source_ids))
    if not any(named.by_kind()):
        raise InvalidArgumentError.of("user.user_id", "name a user, sources or texts")
    return named


def page_size(request: pb.ListAlertsRequest) -> int:
    """Returns the size of a page.

    Raises:
        InvalidArgumentError: It, or the state, is none.
    """
    if request.state not in alert_pb2.AlertState.values():
        raise InvalidArgumentError.of("state", "is no state")
    return _count(request.page_size, "page_size", 1, _MAX_PAGE, _DEFAULT_PAGE)


def _words_problem(post: opinion_pb2.Post) -> FieldViolation | None:
    if not post.text.strip() or len(post.text) > _MAX_TEXT:
        return FieldViolation("text", f"must have 1 to {_MAX_TEXT} characters")
    for field, most in _LONGEST.items():
        if len(getattr(post, field)) > most:
            return FieldViolation(field, f"must have at most {most} characters")
    return None


def _count(value: int, field: str, least: int, most: int, default: int) -> int:
    if value == 0:
        return default
    if not least <= value <= most:
        raise InvalidArgumentError.of(field, f"must be {least} to {most}")
    return value


def _time(time: Timestamp, field: str) -> int:
    if problem := _time_problem(time):
        raise InvalidArgumentError.of(field, problem)
    return milliseconds(time)


def _time_problem(time: Timestamp) -> str:
    if 0 <= time.seconds <= _LATEST and 0 <= time.nanos < _NANOS:
        return ""
    return "must be from 1970 to 9999"
