"""`wherefore demand`: forecasts from files of events and from the log."""

import csv
import json
from concurrent import futures
from datetime import UTC, datetime, timedelta

import grpc
import numpy as np
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from shared.cli import demand_run, main
from shared.demand.forecast_file import read_forecasts
from wherefore.common.v1.user_event_pb2 import (
    DATA_PURPOSE_ANALYTICS,
    USER_EVENT_TYPE_PURCHASE,
    UserEvent,
)
from wherefore.orchestrator.v1 import event_log_service_pb2 as log_pb
from wherefore.orchestrator.v1 import event_log_service_pb2_grpc as log_grpc

pytest.importorskip("statsforecast")
DAYS = 70
BEGIN = datetime(2026, 1, 5, 12, tzinfo=UTC)


def sales(products):
    random = np.random.default_rng(2)
    for day in range(DAYS):
        for number in range(products):
            if count := int(random.poisson(0.5 + number / 5)):
                yield BEGIN + timedelta(days=day), f"p{number}", count
    yield BEGIN + timedelta(days=DAYS), "p0", 1


@pytest.fixture
def events(tmp_path):
    path = tmp_path / "events.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("type", "user_id", "event_time", "product_id", "quantity"))
        for at, product, count in sales(4):
            table.writerow(("purchase", "ada", at.isoformat(), product, count))
        table.writerow(("purchase", "ada", BEGIN.isoformat(), "new", 1))
    return path


def test_forecasts_of_a_file(events, tmp_path, capsys):
    out = tmp_path / "forecasts.jsonl"
    assert main(["demand", "forecast", str(events), "--out", str(out), "--jobs", "1"]) == 0
    found = read_forecasts(out)
    assert found.start == (BEGIN + timedelta(days=DAYS)).date()
    assert found.horizon == 14
    assert set(found.by_product) == {"p0", "p1", "p2", "p3", "new"}
    rates = [found.by_product[f"p{n}"].total / 14 for n in range(4)]
    assert rates == pytest.approx([0.5, 0.7, 0.9, 1.1], abs=0.45)
    assert "5 forecasts from 2026-03-16 on" in capsys.readouterr().err


def test_a_run_that_was_stopped_goes_on(events, tmp_path, monkeypatch, capsys):
    out = tmp_path / "forecasts.jsonl"
    monkeypatch.setattr(demand_run, "BATCH", 2)
    whole = demand_run._forecast_batch
    calls = []

    def stopped(batch, horizon, field):
        calls.append([product for product, _ in batch])
        if len(calls) == 2:
            raise KeyboardInterrupt
        return whole(batch, horizon, field)

    monkeypatch.setattr(demand_run, "_forecast_batch", stopped)
    arguments = ["demand", "forecast", str(events), "--out", str(out), "--jobs", "1"]
    assert main(arguments) == 130
    assert not out.exists()
    assert main(arguments) == 0
    assert calls == [["new", "p0"], ["p1", "p2"], ["p1", "p2"], ["p3"]]
    assert "2 products are forecast already" in capsys.readouterr().err
    assert len(read_forecasts(out).by_product) == 5


def test_processes_give_the_same_as_one(events, tmp_path, monkeypatch):
    monkeypatch.setattr(demand_run, "BATCH", 2)
    texts = []
    for jobs in ("1", "2"):
        out = tmp_path / f"{jobs}.jsonl"
        assert main(["demand", "forecast", str(events), "--out", str(out), "--jobs", jobs]) == 0
        texts.append(out.read_text("utf-8"))
    assert texts[0] == texts[1]


def test_an_evaluation(events, capsys):
    assert main(["demand", "evaluate", str(events), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["products"], told["left_out"], told["horizon"]) == (5, 0, 14)
    assert told["methods"]["chosen per product"]["rmsse"] < told["methods"]["naive"]["rmsse"]
    assert main(["demand", "evaluate", str(events), "--horizon", "7"]) == 0
    shown = capsys.readouterr().out
    assert "chosen per product" in shown
    assert "over 7 days" in shown


class FakeLog(log_grpc.EventLogServiceServicer):
    """Sends the sales in two pieces."""

    def __init__(self):
        self.purposes = []

    def Follow(self, request, context):  # noqa: N802 - the contract's name
        self.purposes.append(request.purpose)
        found = []
        for at, product, count in sales(2):
            event = UserEvent(type=USER_EVENT_TYPE_PURCHASE)
            event.event_time.CopyFrom(Timestamp(seconds=int(at.timestamp())))
            event.products.add(product_id=product, quantity=count)
            found.append(event)
        half = len(found) // 2
        for part, end in ((found[:half], half), (found[half:], len(found))):
            yield log_pb.FollowResponse(events=part, sequence=end, last_sequence=len(found))


def test_the_log_of_the_suite_is_read_to_its_end(tmp_path):
    server = grpc.server(futures.ThreadPoolExecutor(2))
    fake = FakeLog()
    log_grpc.add_EventLogServiceServicer_to_server(fake, server)
    target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    out = tmp_path / "f.jsonl"
    try:
        assert main(["demand", "forecast", "--out", str(out), "--target", target]) == 0
    finally:
        server.stop(None)
    assert fake.purposes == [DATA_PURPOSE_ANALYTICS]
    assert set(read_forecasts(out).by_product) == {"p0", "p1"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("type,user_id,event_time\n", "no purchase"),
        ("type,user_id\nnonsense,ada\n", "1 lines are no events"),
    ],
)
def test_a_file_without_purchases_is_refused(tmp_path, capsys, content, said):
    path = tmp_path / "events.csv"
    path.write_text(content, "utf-8")
    assert main(["demand", "forecast", str(path), "--out", str(tmp_path / "f")]) == 1
    assert said in capsys.readouterr().err


def test_wrong_arguments(tmp_path, events, capsys):
    out = str(tmp_path / "f")
    assert main(["demand", "forecast", str(tmp_path / "none"), "--out", out]) == 2
    assert main(["demand", "forecast", str(events), "--out", out, "--until", "soon"]) == 2
    assert "no day" in capsys.readouterr().err
    assert main(["demand", "forecast", str(events), "--out", out, "--horizon", "0"]) == 2
