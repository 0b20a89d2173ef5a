"""What was written comes out again, as the training commands read it."""

import uuid
from pathlib import Path

import pytest

from services.ranking.train.log_source import follow_suite, read_event_file
from shared.cli.app import main
from shared.cli.event_file import read_events
from shared.suite import Suite

pytestmark = pytest.mark.suite
PRODUCTS = ["audio-0001", "audio-0002", "audio-0003"]


@pytest.mark.parametrize("name", ["events.jsonl", "events.jsonl.gz"])
def test_events_are_exported_in_order(
    suite: Suite, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    target = ("--target", suite.target("orchestrator"))
    user = f"exporter-{uuid.uuid4().hex}"
    for product_id in PRODUCTS:
        assert main(["events", "write", "view", product_id, "--user", user, *target]) == 0
    path = tmp_path / name
    assert main(["events", "export", str(path), *target]) == 0
    assert "events written to" in capsys.readouterr().err
    rows = list(read_events(path))
    events = [row.event for row in rows if row.event is not None]
    assert len(events) == len(rows)
    # The last three of the log, under one pseudonym.
    own = events[-3:]
    assert [each.products[0].product_id for each in own] == PRODUCTS
    (pseudonym,) = {each.user_id for each in own}
    assert pseudonym
    assert pseudonym not in {each.user_id for each in events[:-3]}
    assert all(user not in str(event) for event in events)
    assert [each.name for each in tmp_path.iterdir()] == [name]
    # What trains a ranker reads the same, from the file and from the running suite.
    assert list(read_event_file(path)) == events
    assert list(follow_suite(suite.target("orchestrator")))[: len(events)] == events
