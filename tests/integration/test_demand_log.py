"""Forecasts of demand from the log of a running suite are those of the same events in a file."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from google.protobuf.json_format import MessageToJson

from shared.cli.app import main
from shared.demand.forecast_file import read_forecasts
from shared.suite import PortPlan, Suite
from wherefore.common.v1.user_event_pb2 import (
    DATA_PURPOSE_ANALYTICS,
    USER_EVENT_TYPE_PURCHASE,
    USER_EVENT_TYPE_VIEW,
    UserEvent,
)

pytest.importorskip("statsforecast")
pytestmark = pytest.mark.suite
DAYS = 60
END = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
RATES = {"kettle": 0.6, "mouse": 2.0, "lamp": 4.0}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The option that names a suite with a log of its own."""
    with Suite(
        tmp_path / "suite",
        PortPlan.free(),
        services=("retrieval", "orchestrator"),
        private=True,
        triton=False,
        variables={"WHEREFORE_ORCHESTRATOR_STARTUP_WAIT_SECONDS": "0"},
    ) as suite:
        suite.up()
        yield "--target", suite.target("orchestrator")


def event(day: int, product_id: str, quantity: int = 0) -> UserEvent:
    kind = USER_EVENT_TYPE_PURCHASE if quantity else USER_EVENT_TYPE_VIEW
    found = UserEvent(type=kind, user_id=f"buyer-{day % 7}")
    found.event_time.FromDatetime(END - timedelta(days=DAYS - day))
    found.products.add(product_id=product_id, quantity=quantity)
    return found


def sales() -> Iterator[UserEvent]:
    random = np.random.default_rng(3)
    for day in range(DAYS):
        for product_id, rate in RATES.items():
            count = int(random.poisson(rate))
            yield event(day, product_id, count)


def refusing() -> UserEvent:
    """What somebody bought who is not to be counted."""
    found = event(DAYS - 3, "present", 50)
    found.user_id = "quiet"
    found.refused_purposes.append(DATA_PURPOSE_ANALYTICS)
    return found


def write(path: Path, events: Iterable[UserEvent]) -> str:
    path.write_text("".join(f"{MessageToJson(each, indent=None)}\n" for each in events), "utf-8")
    return str(path)


def test_the_log_tells_what_a_file_tells(
    shop: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    counted = [*sales(), event(DAYS, "kettle")]
    known = write(tmp_path / "counted.jsonl", counted)
    every = write(tmp_path / "all.jsonl", [*counted, refusing()])
    assert main(["events", "import", every, *shop]) == 0

    of_file, of_log = tmp_path / "file.out", tmp_path / "log.out"
    assert main(["demand", "forecast", known, "--out", str(of_file)]) == 0
    assert main(["demand", "forecast", "--out", str(of_log), *shop]) == 0
    assert of_log.read_text("utf-8") == of_file.read_text("utf-8")
    found = read_forecasts(of_log)
    assert set(found.by_product) == set(RATES)
    assert found.start == END.date()
    totals = [found.by_product[each].total for each in RATES]
    assert totals == sorted(totals)

    capsys.readouterr()
    figures: list[dict[str, object]] = []
    for source in ([known], [*shop]):
        assert main(["demand", "evaluate", *source, "--horizon", "7", "--json"]) == 0
        figures.append(json.loads(capsys.readouterr().out))
    assert figures[0] == figures[1]
    assert figures[0]["products"] == len(RATES)


def test_what_is_sold_meanwhile_is_forecast_anew(shop: tuple[str, str], tmp_path: Path) -> None:
    before = [each for each in sales() if each.event_time.ToDatetime(UTC) < END - timedelta(10)]
    out = tmp_path / "forecasts.jsonl"
    assert main(["events", "import", write(tmp_path / "1.jsonl", before), *shop]) == 0
    assert main(["demand", "forecast", "--out", str(out), *shop]) == 0
    first = read_forecasts(out)
    later = [each for each in sales() if each not in before]
    later += [event(day, "lamp", 40) for day in range(DAYS - 10, DAYS)]
    assert main(["events", "import", write(tmp_path / "2.jsonl", later), *shop]) == 0
    assert main(["demand", "forecast", "--out", str(out), *shop]) == 0
    second = read_forecasts(out)
    assert second.start == first.start + timedelta(days=10)
    assert second.events != first.events
    assert second.by_product["lamp"].total > 2 * first.by_product["lamp"].total
