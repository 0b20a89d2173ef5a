import json

import pytest

from services.insight.classifier import Classifier
from services.insight.config import OPINION_MODEL
from services.insight.domain import Mood, Series
from services.insight.domain_file import DATA, read_domain
from services.insight.evaluation.baselines import alerts_of, best_threshold, count_over, share_over
from services.insight.evaluation.scoring import Told, replay, score
from services.insight.evaluation.stream import (
    HOUR,
    MINUTE,
    START_MS,
    Review,
    ReviewsError,
    Streams,
    StreamSettings,
    Surge,
    read_reviews,
)
from services.insight.opinion_model import OpinionModel
from services.insight.timeline import DetectionSettings
from services.insight.windows import WindowSettings
from shared.cli import failures
from shared.cli.app import main

BLAME = ["物流太慢了，很失望", "快递态度差，等了一周", "发货慢，差评", "送货太慢，再也不买了"]
PRAISE = ["很好用，非常满意", "质量不错，喜欢", "超值，推荐大家买", "很棒，五星好评"]
REVIEWS = [
    Review(category, negative, f"{text}{at}")
    for category in ("手机", "水果", "衣服")
    for negative, texts in ((True, BLAME), (False, PRAISE))
    for at in range(6)
    for text in texts
]
SHORT = StreamSettings(hours=10, quiet_hours=4, surges=4, sales=4, a_minute=12)
CLASSIFIER = Classifier(read_domain(DATA / "shop.toml"), OpinionModel.load(OPINION_MODEL))
STREAMS = Streams(REVIEWS, CLASSIFIER, SHORT)


def test_a_seed_gives_the_same_stream_and_another_one_another():
    assert STREAMS.draw(5) == STREAMS.draw(5)
    assert STREAMS.draw(5).surges != STREAMS.draw(6).surges


def test_a_stream_holds_what_was_put_in():
    stream = STREAMS.draw(7)
    assert len(stream.surges) == 4
    assert [at for at, _ in stream.arrivals] == sorted(at for at, _ in stream.arrivals)
    assert len({mention.id for _, mention in stream.arrivals}) == len(stream.arrivals)
    late = [at - mention.at_ms for at, mention in stream.arrivals]
    assert min(late) >= 0
    assert MINUTE < max(late) <= 300_000
    for surge in stream.surges:
        assert surge.start_ms >= START_MS + 4 * HOUR
        inside = [
            m
            for _, m in stream.arrivals
            if m.cell.product_id == surge.product_id
            and surge.topic in m.cell.topics
            and surge.start_ms <= m.at_ms < surge.end_ms
        ]
        minutes = (surge.end_ms - surge.start_ms) / MINUTE
        assert len(inside) >= 5 * minutes


def test_surges_are_found_and_told_once():
    stream = STREAMS.draw(8)
    told = replay(stream, WindowSettings(), DetectionSettings())
    found = score(told, stream.surges)
    assert found.recall >= 0.75
    assert found.precision >= 0.75
    assert all(0 < delay < 5 for delay in found.delays)


def told_of(minute, value, dimension="product"):
    at = START_MS + minute * MINUTE
    return Told(at, at, (Series(dimension, value),), ("物流 慢",))


def test_scores_count_each_surge_once():
    surges = [
        Surge("p1", "b", "delivery", START_MS + 10 * MINUTE, START_MS + 20 * MINUTE),
        Surge("p2", "b", "price", START_MS + 100 * MINUTE, START_MS + 120 * MINUTE),
    ]
    alerts = [
        told_of(5, "p1"),
        told_of(12, "p1"),
        told_of(13, "p1"),
        told_of(50, "p2"),
        told_of(104, "b", "brand"),
    ]
    found = score(alerts, surges, lambda topic, phrase: topic == "delivery" and "物流" in phrase)
    assert (found.found, found.recall, found.precision) == (2, 1.0, 0.4)
    assert found.delays == (2.0, 4.0)
    assert found.phrases == 0.5
    assert score([], surges).as_json()["recall"] == 0
    assert score([told_of(12, "p1")], []).precision == 0


def test_a_threshold_tells_once_until_it_was_quiet():
    stream = STREAMS.draw(9)
    many = alerts_of(stream, count_over(1), 10)
    assert len(alerts_of(stream, count_over(10_000), 10)) == 0
    assert len(many) >= 9
    of_share = alerts_of(stream, share_over(0.99), 10)
    assert all(each.series[0].dimension == "product" for each in of_share)
    best = best_threshold([stream], lambda t: count_over(round(t)), (1, 20, 10_000), 10)
    assert best == 20


def test_reviews_that_cannot_surge_are_refused(tmp_path):
    path = tmp_path / "reviews.jsonl"
    path.write_text('{"cat": "a"}\n')
    with pytest.raises(ReviewsError, match=r"reviews\.jsonl:1"):
        read_reviews(path)
    with pytest.raises(ReviewsError):
        Streams([Review("a", False, "很好")], CLASSIFIER, SHORT)


def test_moods_of_labelled_reviews_are_read():
    read = CLASSIFIER.scores([review.text for review in REVIEWS])
    right = [(s < 0) == r.negative for s, r in zip(read, REVIEWS, strict=True)]
    assert sum(right) / len(right) > 0.9
    assert Mood.NEGATIVE.value == "negative"


def write(path):
    rows = [{"cat": r.category, "label": int(not r.negative), "review": r.text} for r in REVIEWS]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")


def test_the_command_prints_figures_of_the_three_systems(tmp_path, capsys, monkeypatch):
    from services.insight.evaluation import run

    monkeypatch.setattr(run, "StreamSettings", lambda: SHORT)
    path = tmp_path / "reviews.jsonl"
    write(path)
    assert main(["eval", "monitor", "--reviews", str(path), "--seed", "12", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found["systems"]) == {"own forecast", "fixed number", "fixed share"}
    assert found["systems"]["own forecast"]["surges"] == 4
    assert found["streams"] == 1
    assert 0.9 < found["moods"]["accuracy"] <= 1


def test_the_command_refuses_streams_that_were_tuned_on(tmp_path, capsys):
    path = tmp_path / "reviews.jsonl"
    write(path)
    assert main(["eval", "monitor", "--reviews", str(path), "--seed", "2"]) == failures.USAGE
    assert "seed 2" in capsys.readouterr().err
    assert main(["eval", "monitor", "--reviews", str(tmp_path / "no")]) == failures.USAGE
