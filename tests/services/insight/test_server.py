import asyncio
import time

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from services.insight.domain import Mood
from services.insight.messages import milliseconds, time_message
from shared.status_details import detail_of, status_of
from tests.services.insight.serving import ingest, post_of, running, serving
from tests.services.insight.streams import MINUTE_MS, START_MS, burst, in_order, quiet
from wherefore.insight.v1 import alert_pb2, opinion_pb2
from wherefore.insight.v1 import insight_service_pb2 as pb

SURGE = [post_of(m) for m in in_order(quiet(1, 160), burst(120, 10, 120))]
PRODUCT = opinion_pb2.Series(dimension=opinion_pb2.DIMENSION_PRODUCT, value="p1")


@pytest.fixture
async def stub(tmp_path):
    async with serving(tmp_path) as stub:
        yield stub


def fields_of(error: grpc.aio.AioRpcError):
    from google.rpc.error_details_pb2 import BadRequest

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    status = status_of(error)
    assert status is not None
    found = detail_of(status, BadRequest)
    assert found is not None
    return [each.field for each in found.field_violations]


async def test_texts_become_counts(stub):
    taken = await ingest(stub, SURGE)
    assert (taken.counted_count, taken.failed_count) == (len(SURGE), 0)
    found = await stub.QueryAggregates(
        pb.QueryAggregatesRequest(dimension=opinion_pb2.DIMENSION_PRODUCT), timeout=5
    )
    assert {each.series.value for each in found.series} == {"p1", "p2", "p3"}
    assert found.series[0].series.value == "p1"
    counted = sum(
        c.positive_count + c.neutral_count + c.negative_count
        for c in (each.total for each in found.series)
    )
    assert counted == len(SURGE)
    negatives = sum(each.total.negative_count for each in found.series)
    assert negatives == sum(post.text.startswith("Terrible") for post in SURGE)
    minutes = await stub.QueryAggregates(
        pb.QueryAggregatesRequest(
            dimension=opinion_pb2.DIMENSION_PRODUCT,
            values=["p1"],
            step_seconds=60,
            start_time=time_message(START_MS + 120 * MINUTE_MS),
            end_time=time_message(START_MS + 130 * MINUTE_MS),
        ),
        timeout=5,
    )
    (series,) = minutes.series
    assert 10 <= len(series.points) <= 11
    assert all(each.counts.negative_count >= 3 for each in series.points[1:10])
    assert found.watermark == minutes.watermark
    assert 0 < START_MS + 160 * MINUTE_MS - milliseconds(found.watermark) < 5 * MINUTE_MS


async def test_points_come_with_a_forecast_where_it_is_asked_for(stub):
    await ingest(stub, SURGE)
    request = pb.QueryAggregatesRequest(
        dimension=opinion_pb2.DIMENSION_PRODUCT, values=["p1"], step_seconds=600
    )
    plain = await stub.QueryAggregates(request, timeout=5)
    assert not any(point.HasField("forecast") for point in plain.series[0].points)
    request.with_forecast = True
    (series,) = (await stub.QueryAggregates(request, timeout=5)).series
    assert all(point.HasField("forecast") for point in series.points)
    shares = {
        milliseconds(point.start_time): (
            point.counts.negative_count
            / (point.counts.negative_count + point.counts.positive_count),
            point.forecast,
        )
        for point in series.points
    }
    surge = START_MS + 120 * MINUTE_MS
    share, forecast = shares[surge - surge % (10 * MINUTE_MS)]
    assert share > forecast.high > forecast.negative_share > forecast.low
    # The alert is not learnt from.
    last = shares[max(shares)][1]
    assert abs(last.negative_share - forecast.negative_share) < 0.05
    request.values[:] = [f"p{n}" for n in range(11)]
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await stub.QueryAggregates(request, timeout=5)
    assert fields_of(raised.value) == ["values"]


async def test_a_surge_is_listed_with_its_phrases_and_examples(stub):
    await ingest(stub, SURGE)
    listed = await stub.ListAlerts(pb.ListAlertsRequest(), timeout=5)
    (alert,) = listed.alerts
    assert alert.series == PRODUCT
    assert alert.state == alert_pb2.ALERT_STATE_CLOSED
    assert alert.negative_count > 100
    assert alert.negative_count > 3 * alert.expected_negative_count
    assert abs(milliseconds(alert.onset_time) - START_MS - 120 * MINUTE_MS) <= MINUTE_MS
    assert milliseconds(alert.open_time) - START_MS - 120 * MINUTE_MS <= 2 * MINUTE_MS
    assert alert.domain == "shop"
    (example,) = alert.examples
    assert (example.mood, example.label) == (opinion_pb2.MOOD_NEGATIVE, "negative")
    assert "quality" in example.topics
    for series, count in ((PRODUCT, 1), (opinion_pb2.Series(dimension=4, value="Bolt"), 0)):
        some = await stub.ListAlerts(pb.ListAlertsRequest(series=series), timeout=5)
        assert len(some.alerts) == count
    still = pb.ListAlertsRequest(state=alert_pb2.ALERT_STATE_OPEN)
    assert not (await stub.ListAlerts(still, timeout=5)).alerts


async def test_pages_of_alerts_go_on_where_the_last_one_ended(stub):
    three = in_order(quiet(5, 400), *(burst(at, 8, 100) for at in (100, 180, 260)), quiet(6, 400))
    await ingest(stub, [post_of(m) for m in three])
    whole = (await stub.ListAlerts(pb.ListAlertsRequest(), timeout=5)).alerts
    assert len(whole) == 3
    opened = [milliseconds(each.open_time) for each in whole]
    assert opened == sorted(opened, reverse=True)
    first = await stub.ListAlerts(pb.ListAlertsRequest(page_size=2), timeout=5)
    rest = await stub.ListAlerts(
        pb.ListAlertsRequest(page_size=2, page_token=first.next_page_token), timeout=5
    )
    assert [*first.alerts, *rest.alerts] == list(whole)
    assert rest.next_page_token == ""


async def test_subscribers_are_told_and_go_on_where_they_stopped(stub):
    live = stub.SubscribeAlerts(pb.SubscribeAlertsRequest(after_sequence=-1), timeout=30)
    first = await live.read()
    assert not first.HasField("notice")
    await ingest(stub, SURGE, size=10)
    told = []
    while not told or told[-1].change != alert_pb2.ALERT_CHANGE_CLOSED:
        told.append((await live.read()).notice)
    assert told[0].change == alert_pb2.ALERT_CHANGE_OPENED
    assert [each.sequence for each in told] == list(range(1, len(told) + 1))
    live.cancel()
    later = stub.SubscribeAlerts(pb.SubscribeAlertsRequest(after_sequence=1), timeout=30)
    assert (await later.read()).sequence == 1
    assert (await later.read()).notice == told[1]
    later.cancel()
    other = opinion_pb2.Series(dimension=opinion_pb2.DIMENSION_BRAND, value="Bolt")
    picky = stub.SubscribeAlerts(pb.SubscribeAlertsRequest(series=[other, PRODUCT]), timeout=30)
    assert not (await picky.read()).HasField("notice")
    assert (await picky.read()).notice == told[0]
    picky.cancel()


async def test_a_surge_at_the_end_of_an_idle_stream_is_told(stub):
    tail = [p for p in SURGE if milliseconds(p.event_time) < START_MS + 122 * MINUTE_MS]
    live = stub.SubscribeAlerts(pb.SubscribeAlertsRequest(), timeout=30)
    await live.read()
    await ingest(stub, tail)
    assert (await live.read()).notice.change == alert_pb2.ALERT_CHANGE_OPENED
    live.cancel()


async def test_subscriptions_are_limited_and_end_with_the_service(tmp_path):
    async with running(tmp_path, max_subscribers=1) as (server, stub):
        one = stub.SubscribeAlerts(pb.SubscribeAlertsRequest(), timeout=30)
        await one.read()
        two = stub.SubscribeAlerts(pb.SubscribeAlertsRequest(), timeout=30)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await two.read()
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        one.cancel()
        await asyncio.sleep(0.1)
        three = stub.SubscribeAlerts(pb.SubscribeAlertsRequest(), timeout=30)
        await three.read()
        ended = asyncio.create_task(three.read())
        await server.stop()
        assert await ended is grpc.aio.EOF


async def test_bad_rows_are_named_and_the_rest_goes_in(stub):
    now = Timestamp(seconds=int(time.time()))
    ahead = Timestamp(seconds=int(time.time()) + 3_600)
    posts = [
        opinion_pb2.Post(id="good", event_time=now, text="fine"),
        opinion_pb2.Post(event_time=now, text="no id"),
        opinion_pb2.Post(id="no time", text="fine"),
        opinion_pb2.Post(id="ahead", event_time=ahead, text="fine"),
        opinion_pb2.Post(id="old", event_time=Timestamp(seconds=-5), text="fine"),
        opinion_pb2.Post(id="no text", event_time=now, text="  "),
        opinion_pb2.Post(id="long", event_time=now, text="x" * 10_001),
        opinion_pb2.Post(id="product", event_time=now, text="x", product_id="p" * 201),
        opinion_pb2.Post(id="brand", event_time=now, text="x", brand="p" * 201),
        opinion_pb2.Post(id="good", event_time=now, text="fine"),
    ]
    taken = await ingest(stub, posts)
    assert (taken.counted_count, taken.duplicate_count, taken.failed_count) == (1, 1, 8)
    assert [(each.row, each.field) for each in taken.errors] == [
        (2, "id"),
        (3, "event_time"),
        (4, "event_time"),
        (5, "event_time"),
        (6, "text"),
        (7, "text"),
        (8, "product_id"),
        (9, "brand"),
    ]


async def test_late_texts_are_counted_as_late(stub):
    late = burst(0, 1, 3, mood=Mood.POSITIVE)
    await ingest(stub, [post_of(m) for m in quiet(3, 60)])
    taken = await ingest(stub, [post_of(m) for m in late])
    assert (taken.counted_count, taken.late_count) == (0, 3)


T = pb.QueryAggregatesRequest
BAD = [
    ("QueryAggregates", T(dimension=9), "dimension"),
    ("QueryAggregates", T(values=["x"] * 101), "values"),
    ("QueryAggregates", T(max_series=101), "max_series"),
    ("QueryAggregates", T(step_seconds=-1), "step_seconds"),
    ("QueryAggregates", T(step_seconds=35), "step_seconds"),
    ("QueryAggregates", T(step_seconds=4_000), "step_seconds"),
    ("QueryAggregates", T(step_seconds=2**62), "step_seconds"),
    ("QueryAggregates", T(start_time=Timestamp(seconds=-1)), "start_time"),
    ("QueryAggregates", T(end_time=Timestamp(seconds=2**62)), "end_time"),
    (
        "QueryAggregates",
        T(start_time=Timestamp(seconds=9), end_time=Timestamp(seconds=9)),
        "start_time",
    ),
    (
        "QueryAggregates",
        T(start_time=Timestamp(seconds=0), end_time=Timestamp(seconds=10**9), step_seconds=3600),
        "step_seconds",
    ),
    ("GetTrend", pb.GetTrendRequest(days=1), "days"),
    ("GetTrend", pb.GetTrendRequest(days=93), "days"),
    ("GetTrend", pb.GetTrendRequest(series={"dimension": 2}), "series.value"),
    ("GetTrend", pb.GetTrendRequest(series={"value": "x"}), "series.value"),
    ("ListAlerts", pb.ListAlertsRequest(page_size=-1), "page_size"),
    ("ListAlerts", pb.ListAlertsRequest(page_size=101), "page_size"),
    ("ListAlerts", pb.ListAlertsRequest(**{"page_token": "!"}), "page_token"),
    ("ListAlerts", pb.ListAlertsRequest(state=7), "state"),
    ("ListAlerts", pb.ListAlertsRequest(series={"dimension": 8}), "series.dimension"),
]


@pytest.mark.parametrize(("method", "request_", "field"), BAD)
async def test_bad_requests_name_the_field(stub, method, request_, field):
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await getattr(stub, method)(request_, timeout=5)
    assert fields_of(refused.value) == [field]


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (pb.SubscribeAlertsRequest(after_sequence=-2), "after_sequence"),
        (pb.SubscribeAlertsRequest(series=[{"dimension": 2}]), "series[0].value"),
        (pb.SubscribeAlertsRequest(series=[PRODUCT] * 101), "series"),
    ],
)
async def test_bad_subscriptions_name_the_field(stub, request_, field):
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.SubscribeAlerts(request_, timeout=5).read()
    assert fields_of(refused.value) == [field]


async def test_a_message_of_too_many_texts_is_refused(stub):
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await ingest(stub, [SURGE[0]] * 1_001, size=1_001)
    assert fields_of(refused.value) == ["posts"]


async def test_before_the_first_text_there_is_nothing_and_no_error(stub):
    assert await ingest(stub, []) == pb.IngestResponse()
    found = await stub.QueryAggregates(T(), timeout=5)
    assert not found.series
    assert not found.HasField("watermark")
    assert not (await stub.ListAlerts(pb.ListAlertsRequest(), timeout=5)).alerts
    trend = await stub.GetTrend(pb.GetTrendRequest(), timeout=5)
    assert trend.volume.p_value == 1
    assert not trend.hour_of_day


async def test_another_domain_has_labels_of_its_own(tmp_path):
    async with serving(tmp_path, domain="finance") as stub:
        told = await stub.DescribeDomain(pb.DescribeDomainRequest(), timeout=5)
        assert (told.name, told.negative_label) == ("finance", "bearish")
        assert dict(told.topics[0].names) == {"en": "Earnings", "zh": "业绩"}
        news = opinion_pb2.Post(
            id="n1",
            event_time=time_message(START_MS),
            text="Acme shares plunge, regulator opens probe",
            brand="Acme",
        )
        await ingest(stub, [news])
        found = await stub.QueryAggregates(T(dimension=opinion_pb2.DIMENSION_TOPIC), timeout=5)
        assert {each.series.value for each in found.series} == {"regulation", "shares"}
        assert all(each.total.negative_count == 1 for each in found.series)


async def test_personal_data_is_neither_kept_nor_shown(tmp_path):
    private = [
        opinion_pb2.Post(
            id=f"x{at}",
            event_time=time_message(START_MS + 120 * MINUTE_MS + at * 3_000),
            text=f"Terrible quality, it broke, call me at 138123456{at:02}",
            product_id="p1",
        )
        for at in range(60)
    ]
    usual = [p for p in SURGE if not p.id.startswith("b")]
    async with serving(tmp_path) as stub:
        await ingest(stub, sorted([*usual, *private], key=lambda p: milliseconds(p.event_time)))
        listed = await stub.ListAlerts(pb.ListAlertsRequest(), timeout=5)
    assert listed.alerts
    assert "[phone]" in listed.alerts[0].examples[0].text
    assert "138123456" not in str(listed)
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"it broke" not in kept  # sealed
    assert b"138123456" not in kept
