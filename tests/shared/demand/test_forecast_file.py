"""The file of forecasts: whole or not at all, and refused with its line."""

from datetime import date

import pytest

from shared.demand.forecast import Forecast
from shared.demand.forecast_file import ForecastDraft, ForecastFileError, Header, read_forecasts

HEADER = Header(start=date(2026, 3, 7), horizon=2, events="abc")


def forecast(product_id, daily=(1.0, 0.5)):
    quantiles = {0.1: 0.0, 0.5: 1.0, 0.9: 4.0}
    return Forecast(product_id, "tsb", daily, sum(daily), quantiles, 60)


def test_what_is_written_is_read_back(tmp_path):
    path = tmp_path / "made" / "f.jsonl"
    draft = ForecastDraft(path, HEADER)
    assert not draft.open()
    draft.add([forecast("cup"), forecast("壶")])
    assert not path.exists()
    draft.finish()
    read = read_forecasts(path)
    assert (read.start, read.horizon) == (HEADER.start, 2)
    assert read.by_product == {each: forecast(each) for each in ("cup", "壶")}
    assert [each.name for each in path.parent.iterdir()] == ["f.jsonl"]


def test_a_run_that_was_stopped_goes_on_after_its_last_whole_line(tmp_path):
    path = tmp_path / "f.jsonl"
    first = ForecastDraft(path, HEADER)
    first.open()
    first.add([forecast("cup")])
    with (tmp_path / "f.jsonl.part").open("a", encoding="utf-8") as file:
        file.write('{"product_id": "la')
    second = ForecastDraft(path, HEADER)
    assert second.open()
    assert second.done == {"cup"}
    second.add([forecast("lamp")])
    second.finish()
    assert set(read_forecasts(path).by_product) == {"cup", "lamp"}


def test_a_draft_of_other_events_is_begun_anew(tmp_path):
    first = ForecastDraft(tmp_path / "f.jsonl", HEADER)
    first.open()
    first.add([forecast("cup")])
    other = ForecastDraft(tmp_path / "f.jsonl", HEADER.model_copy(update={"events": "xyz"}))
    assert not other.open()
    other.finish()
    assert read_forecasts(tmp_path / "f.jsonl").by_product == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1"),
        ("nonsense\n", "line 1"),
        ('{"start": "2026-03-07", "horizon": 0, "events": ""}\n', "line 1: horizon"),
        ('{"wherefore_demand": 9, "start": "2026-03-07", "horizon": 2, "events": ""}\n', "version"),
        (HEADER.model_dump_json() + "\n{}\n", "line 2: product_id"),
        (
            HEADER.model_dump_json() + '\n{"product_id": "a", "method": "m", "daily": [1], '
            '"total": 1, "quantiles": {}, "history_days": 9}\n',
            "line 2: 1 days, not 2",
        ),
        (
            HEADER.model_dump_json() + '\n{"product_id": "a", "method": "m", "daily": [1, 1], '
            '"total": NaN, "quantiles": {}, "history_days": 9}\n',
            "line 2",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path, text, said):
    path = tmp_path / "f.jsonl"
    path.write_text(text, "utf-8")
    with pytest.raises(ForecastFileError, match=said):
        read_forecasts(path)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ForecastFileError, match="No such file"):
        read_forecasts(tmp_path / "none")
