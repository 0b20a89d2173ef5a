"""The gRPC face of opinion monitoring: proto <-> domain, nothing else."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import grpc
import grpc.aio

from services.insight import messages, validation
from services.insight.aggregates import Outlook, Points, aggregate, outlook
from services.insight.bands import Band, share_bands
from services.insight.config import Settings
from services.insight.desk import Desk
from services.insight.domain import Series
from services.insight.incidents import Incident
from services.insight.monitor import Alert, Monitor
from services.insight.text_server import TextServer
from services.insight.webhook import Webhook
from services.insight.windows import DAY_MS, HOUR_MS, Taken
from shared.errors import InvalidArgumentError, ResourceExhaustedError, UnavailableError
from shared.page_token import page_token, read_page_token
from wherefore.common.v1.diagnostics_pb2 import RowError
from wherefore.insight.v1 import alert_pb2
from wherefore.insight.v1 import insight_service_pb2 as pb
from wherefore.insight.v1 import insight_service_pb2_grpc as pb_grpc
from wherefore.insight.v1.text_service_pb2_grpc import add_TextServiceServicer_to_server

_MAX_ERRORS: Final = 1_000
_Context = grpc.aio.ServicerContext[Any, Any]


class InsightServer(pb_grpc.InsightServiceServicer):
    """Serves `InsightService`.

    Args:
        settings: Of the service.
        folder: Where it keeps its file; that of the settings when None.
    """

    service_names: Sequence[str] = (
        "wherefore.insight.v1.InsightService",
        "wherefore.insight.v1.TextService",
    )

    def __init__(self, settings: Settings, folder: Path | None = None) -> None:
        self._settings = settings
        self._desk = Desk(settings, folder or settings.data_dir)
        self._webhook = Webhook.of(settings, self._desk)
        self._started = False
        self._subscribers = 0

    def register(self, server: grpc.aio.Server) -> None:
        """Adds the services to a server."""
        pb_grpc.add_InsightServiceServicer_to_server(self, server)
        add_TextServiceServicer_to_server(TextServer(self._desk), server)

    async def start(self) -> None:
        """Counts the texts that are kept, before the first request.

        Raises:
            UnavailableError: Another process has the folder: this one stands by.
            Exception: A file is wrong or cannot be read.
        """
        await self._desk.start()
        self._started = True
        if self._webhook is not None:
            await self._webhook.start()

    async def check_ready(self) -> None:
        """Raises until it has started."""
        if not self._started:
            raise UnavailableError("starting")

    def begin_drain(self) -> None:
        """Ends subscriptions."""
        self._desk.end_waits()

    async def close(self) -> None:
        """Closes the webhook and the file."""
        if self._webhook is not None:
            await self._webhook.close()
        await self._desk.close()

    async def Ingest(  # noqa: N802  # the contract's name
        self, request_iterator: AsyncIterator[pb.IngestRequest], context: _Context
    ) -> pb.IngestResponse:
        """Takes texts; see insight_service.proto."""
        response = pb.IngestResponse()
        row = 0
        async for request in request_iterator:
            if len(request.posts) > validation.MAX_POSTS:
                raise InvalidArgumentError.of("posts", f"must be at most {validation.MAX_POSTS}")
            latest = round((time.time() + self._settings.future_seconds) * 1_000)
            posts: list[validation.Post] = []
            for message in request.posts:
                row += 1
                wrong = validation.check_post(message, latest)
                if wrong is None:
                    posts.append(validation.post_of(message))
                    continue
                response.failed_count += 1
                if len(response.errors) < _MAX_ERRORS:
                    error = RowError(row=row, field=wrong.field, reason=wrong.description)
                    error.id = message.id[:200]
                    response.errors.append(error)
            taken = await self._desk.take(posts) if posts else []
            response.counted_count += taken.count(Taken.COUNTED)
            response.duplicate_count += taken.count(Taken.DUPLICATE)
            response.late_count += taken.count(Taken.LATE)
        return response

    async def QueryAggregates(  # noqa: N802  # the contract's name
        self, request: pb.QueryAggregatesRequest, context: _Context
    ) -> pb.QueryAggregatesResponse:
        """Counts texts; see insight_service.proto."""
        found, watermark = await self._desk.ask(lambda m: _aggregate(m, request))
        response = pb.QueryAggregatesResponse()
        for series, points, bands in found:
            response.series.append(messages.series_points(series, points, bands))
        if watermark is not None:
            response.watermark.CopyFrom(messages.time_message(watermark))
        return response

    async def GetTrend(  # noqa: N802  # the contract's name
        self, request: pb.GetTrendRequest, context: _Context
    ) -> pb.GetTrendResponse:
        """Tells where a series is going; see insight_service.proto."""
        series = validation.check_series(request.series, "series")
        days = validation.trend_days(request)
        found = await self._desk.ask(lambda m: _outlook(m, series, days))
        return messages.trend_message(series, found)

    async def ListAlerts(  # noqa: N802  # the contract's name
        self, request: pb.ListAlertsRequest, context: _Context
    ) -> pb.ListAlertsResponse:
        """Lists alerts; see insight_service.proto."""
        size = validation.page_size(request)
        series: Series | None = None
        if request.HasField("series"):
            series = validation.check_series(request.series, "series")
        after = read_page_token(request.page_token) if request.page_token else None
        state = request.state

        def ask(monitor: Monitor) -> tuple[list[Alert], str]:
            behind = [
                each
                for each in monitor.incidents()
                if (after is None or _place(each) < after) and _fits(each, series, state)
            ]
            following = page_token(*_place(behind[size - 1])) if behind[size:] else ""
            return [monitor.alert(each) for each in behind[:size]], following

        alerts, following = await self._desk.ask(ask)
        told = [messages.alert_message(alert, self._desk.domain) for alert in alerts]
        return pb.ListAlertsResponse(alerts=told, next_page_token=following)

    async def SubscribeAlerts(  # noqa: N802  # the contract's name
        self, request: pb.SubscribeAlertsRequest, context: _Context
    ) -> AsyncIterator[pb.SubscribeAlertsResponse]:
        """Sends notices as they happen; see insight_service.proto."""
        wanted = set(validation.all_series(request.series))
        if request.after_sequence < -1:
            raise InvalidArgumentError.of("after_sequence", "must be -1 or more")
        if self._subscribers >= self._settings.max_subscribers:
            raise ResourceExhaustedError("too many subscriptions at once", 5.0)
        self._subscribers += 1
        try:
            place = self._desk.last_notice if request.after_sequence < 0 else request.after_sequence
            yield pb.SubscribeAlertsResponse(sequence=place)
            while not self._desk.ended:
                for notice in await self._desk.notices(place):
                    place = notice.sequence
                    shows = (notice.alert.series, *notice.alert.also)
                    if not wanted or any(messages.series_of(each) in wanted for each in shows):
                        yield pb.SubscribeAlertsResponse(notice=notice, sequence=place)
                await self._desk.wait_past(place)
        finally:
            self._subscribers -= 1

    async def DescribeDomain(  # noqa: N802  # the contract's name
        self, request: pb.DescribeDomainRequest, context: _Context
    ) -> pb.DescribeDomainResponse:
        """Tells topics and labels; see insight_service.proto."""
        read_by = self._desk.domain
        response = pb.DescribeDomainResponse(
            name=read_by.name,
            positive_label=read_by.labels.positive,
            neutral_label=read_by.labels.neutral,
            negative_label=read_by.labels.negative,
        )
        for topic in read_by.topics:
            response.topics.add(id=topic.id, names={"en": topic.en, "zh": topic.zh})
        return response


def _aggregate(
    monitor: Monitor, request: pb.QueryAggregatesRequest
) -> tuple[list[tuple[Series, Points, Mapping[int, Band]]], int | None]:
    """Returns series with the most texts first, each with its forecast; and the watermark."""
    windows = monitor.windows
    query = validation.aggregate_query(request, windows)
    found = aggregate(
        windows,
        query.dimension,
        query.values,
        start_ms=query.start_ms,
        end_ms=query.end_ms,
        step_ms=query.step_ms,
    )
    order = sorted(found.items(), key=lambda item: (-item[1].total.total, item[0]))
    chosen = order[: len(query.values) or query.max_series]
    bands: Mapping[Series, Mapping[int, Band]] = {}
    if query.with_forecast:
        wanted = [series for series, _ in chosen]
        bands = share_bands(
            windows,
            wanted,
            monitor.surges(wanted),
            monitor.forecast_settings,
            start_ms=query.start_ms,
            end_ms=query.end_ms,
            step_ms=query.step_ms,
        )
    watermark = windows.watermark_ms
    shown = None if watermark is None else max(0, watermark)
    return [(series, points, bands.get(series, {})) for series, points in chosen], shown


def _outlook(monitor: Monitor, series: Series, days: int) -> Outlook:
    end = (monitor.windows.newest_ms or 0) + 1
    first = (end // DAY_MS - days) * DAY_MS
    found = aggregate(
        monitor.windows,
        series.dimension,
        (series.value,),
        start_ms=first,
        end_ms=end,
        step_ms=HOUR_MS,
    )
    return outlook(found.get(series, Points()).by_time, first, end)


def _place(incident: Incident) -> tuple[int, str]:
    return incident.run.opened or 0, incident.id


def _fits(incident: Incident, series: Series | None, state: int) -> bool:
    if series is not None and series not in incident.members:
        return False
    if state == alert_pb2.ALERT_STATE_UNSPECIFIED:
        return True
    return (incident.closed is None) == (state == alert_pb2.ALERT_STATE_OPEN)
