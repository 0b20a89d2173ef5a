import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.insight.domain import Cell, Mood, Series
from services.insight.mentions import MentionStore
from services.insight.monitor import Change, Monitor
from services.insight.timeline import Known, Timeline
from services.insight.windows import Taken, Windows
from tests.services.insight.streams import (
    CELLS,
    MINUTE_MS,
    QUICK,
    SMALL,
    START_MS,
    burst,
    in_order,
    mention,
    monitor,
    opened,
    play,
    quiet,
)

SURGE = in_order(quiet(1, 160), burst(120, 10, 120))


def test_nothing_is_told_of_a_steady_stream():
    assert play(monitor(), quiet(2, 400)) == []


def test_a_surge_is_told_once_of_the_narrowest_series_and_closes():
    told = play(monitor(), SURGE)
    assert [each.change for each in told if each.change is not Change.SPREAD] == [
        Change.OPENED,
        Change.CLOSED,
    ]
    alert = opened(told)[0].alert
    assert alert.incident.series == Series("product", "p1")
    assert abs(alert.onset_ms - START_MS - 120 * MINUTE_MS) <= MINUTE_MS
    assert alert.opened_ms - START_MS - 120 * MINUTE_MS <= 2 * MINUTE_MS
    closed = told[-1].alert
    assert set(closed.incident.members) == {
        Series("product", "p1"),
        Series("brand", "Acme"),
        Series("topic", "delivery"),
    }
    assert closed.incident.run.negatives >= 100
    assert closed.closed_ms is not None
    assert closed.closed_ms - START_MS < 140 * MINUTE_MS


def test_it_says_what_drives_it():
    told = play(monitor(), SURGE)
    alert = told[-1].alert
    assert any("cracked" in phrase.text for phrase in alert.phrases)
    assert alert.examples[0].text == "screen cracked on arrival"
    assert len({each.text for each in alert.examples}) == len(alert.examples)


def test_more_of_everything_is_no_surge():
    sale = in_order(burst(120, 20, 40), burst(120, 20, 220, mood=Mood.POSITIVE), quiet(3, 180))
    assert play(monitor(), sale) == []


def test_a_higher_share_of_few_is_no_surge():
    usual = quiet(4, 240)
    night = [m for m in usual if m.at_ms - START_MS < 180 * MINUTE_MS or m.mood is Mood.NEGATIVE]
    assert opened(play(monitor(), night)) == []


def test_two_products_that_surge_at_once_are_two_alerts():
    other = Cell(("quality",), "p3", "Bolt")
    both = in_order(quiet(5, 180), burst(120, 10, 120), burst(121, 10, 120, cell=other))
    tried = monitor()
    assert len(opened(play(tried, both))) == 2
    first, second = (set(each.members) for each in tried.incidents())
    products = {Series("product", "p1"), Series("product", "p3")}
    assert {frozenset(first & products), frozenset(second & products)} == {
        frozenset({Series("product", "p1")}),
        frozenset({Series("product", "p3")}),
    }


def test_a_pause_does_not_make_a_second_alert():
    told = play(monitor(), in_order(quiet(6, 180), burst(100, 8, 50), burst(118, 8, 50)))
    assert len(opened(told)) == 1
    assert [each.change for each in told if each.change is not Change.SPREAD] == [
        Change.OPENED,
        Change.CLOSED,
        Change.REOPENED,
        Change.CLOSED,
    ]
    later = play(monitor(), in_order(quiet(6, 240), burst(100, 8, 50), burst(170, 8, 50)))
    assert len(opened(later)) == 2


def test_what_lasts_becomes_normal():
    surge = replace(QUICK.surge, longest_hours=1)
    lasting = in_order(quiet(7, 90), burst(90, 240, 1200), quiet(8, 330))
    told = play(monitor(replace(QUICK, surge=surge)), lasting)
    assert [each.change for each in told if each.change is not Change.SPREAD] == [
        Change.OPENED,
        Change.CLOSED,
    ]


def test_nothing_opens_before_the_stream_is_warm():
    assert play(monitor(), in_order(quiet(9, 60), burst(10, 5, 60))) == []


YEARS_MS = 3 * 365 * 24 * 60 * MINUTE_MS


def years_later(mentions):
    return [replace(each, id=f"y-{each.id}", at_ms=each.at_ms + YEARS_MS) for each in mentions]


def outline(notices, after_ms=0):
    return [
        (each.change, each.alert.incident.series, each.alert.onset_ms - after_ms,
         each.alert.opened_ms - after_ms)
        for each in notices
    ]  # fmt: skip


def test_after_a_long_silence_all_begins_anew():
    before = quiet(5, 200, negative=0.9)
    told = play(monitor(), in_order(before, years_later(SURGE)))
    assert outline(told, YEARS_MS) == outline(play(monitor(), SURGE))


def test_a_silence_of_years_is_not_read_window_by_window(monkeypatch):
    read = Counter[str]()
    step = Timeline._step

    def counted(self, before, index):
        read["windows"] += 1
        return step(self, before, index)

    monkeypatch.setattr(Timeline, "_step", counted)
    of = monitor()
    for name in ("first", "last"):
        one = mention(name, 0, CELLS[0], Mood.NEGATIVE)
        play(of, [one] if name == "first" else years_later([one]))
    fortnight = 14 * 24 * 3_600 // SMALL.seconds
    assert fortnight < read["windows"] < 1.1 * fortnight < YEARS_MS / SMALL.seconds / 1_000


def known_after(mentions) -> Known:
    windows = Windows(SMALL)
    timeline = Timeline(windows, QUICK)
    for each in mentions:
        assert windows.add(each) is Taken.COUNTED
        timeline.read(windows.closed)
    timeline.read(windows.newest)
    return timeline.known()


@pytest.mark.parametrize("late", [[5], [3, 4.5], [4.9, 0.2]])
def test_a_late_text_at_the_end_of_a_silence_is_read(late):
    last = [mention(f"late-{at}", at * MINUTE_MS, CELLS[0], Mood.NEGATIVE) for at in (*late, 5.2)]
    first, *others = mention("first", 0, CELLS[0], Mood.NEGATIVE), *years_later(in_order(last))
    in_turn = known_after([first, *others])
    assert known_after([first, others[-1], *others[:-1]]) == in_turn
    assert sum(state.learnt.texts for state in in_turn.states.values()) > 0


def final_alerts(of: Monitor) -> list[object]:
    of.notices(settle=True)
    return [of.alert(incident) for incident in of.incidents()]


EXPECTED = monitor()
play(EXPECTED, SURGE)
ALERTS = final_alerts(EXPECTED)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    disorder=st.floats(0, 300),
    batch=st.integers(1, 200),
    again=st.floats(0, 1),
)
def test_late_texts_and_replays_give_the_same_alerts(seed, disorder, batch, again):
    draw = random.Random(seed)  # noqa: S311 - not a secret
    late = sorted(SURGE, key=lambda m: m.at_ms + draw.uniform(0, disorder * 1000))
    late = [m for m in late for _ in range(2 if draw.random() < again else 1)]
    tried = monitor()
    play(tried, late, batch)
    assert final_alerts(tried) == ALERTS
    assert len(ALERTS) == 1


def test_a_late_text_makes_a_surge_normal_and_withdraws_the_alert():
    negatives = burst(120, 2, 14)
    praise = burst(120, 2, 140, mood=Mood.POSITIVE)
    rest = [m for m in quiet(10, 180) if m.at_ms - START_MS < 122 * MINUTE_MS]
    tried = monitor()
    first = play(tried, in_order(rest, negatives))
    assert len(opened(first)) == 1
    tried.take(praise)
    after = tried.notices(settle=True)
    assert [each.change for each in after] == [Change.WITHDRAWN]
    assert after[0].alert.incident.id == first[0].alert.incident.id
    assert tried.incidents() == []
    assert tried.notices(settle=True) == []


def test_texts_that_come_again_or_too_late_do_not_count():
    tried = monitor()
    one = mention("one", 0, CELLS[0], Mood.NEGATIVE)
    newer = mention("new", 60 * MINUTE_MS, CELLS[0], Mood.NEGATIVE)
    late = mention("late", 10 * MINUTE_MS, CELLS[0], Mood.NEGATIVE)
    in_time = mention("in time", 56 * MINUTE_MS, CELLS[0], Mood.NEGATIVE)
    taken = tried.take([one, one, newer, late, in_time])
    assert taken == [Taken.COUNTED, Taken.DUPLICATE, Taken.COUNTED, Taken.LATE, Taken.COUNTED]
    whole = sum(
        counts.total for _, cells in tried.windows.hourly(0, 2**60) for counts in cells.values()
    )
    assert whole == 3


@pytest.mark.parametrize("place", [0.3, 0.68, 0.72, 1.0])
def test_a_restart_tells_nothing_twice_and_nothing_less(tmp_path, place):
    path = tmp_path / "mentions.sqlite"
    cut = int(len(SURGE) * place) // 20 * 20
    first = Monitor(SMALL, QUICK, MentionStore(path))
    told = [each for at in range(0, cut, 20) for each in tell(first, SURGE[at : min(at + 20, cut)])]
    # No close: as if the process had been killed.
    second = Monitor(SMALL, QUICK, MentionStore(path))
    assert second.recover() == cut
    told += tell(second, [])
    for at in range(cut, len(SURGE), 20):
        told += tell(second, SURGE[at : at + 20])
    told += keep(second, second.notices(settle=True))
    whole = play(monitor(), SURGE)
    assert [(n.change, n.alert.incident) for n in told] == [
        (n.change, n.alert.incident) for n in whole
    ]
    assert final_alerts(second) == ALERTS


def test_what_a_crash_left_untold_is_told_after_it(tmp_path):
    path = tmp_path / "mentions.sqlite"
    first = Monitor(SMALL, QUICK, MentionStore(path))
    first.take(SURGE)
    assert first.notices()  # and nobody was told
    second = Monitor(SMALL, QUICK, MentionStore(path))
    second.recover()
    told = second.notices(settle=True)
    assert len(opened(told)) == 1


def tell(to: Monitor, mentions):
    to.take(mentions)
    return keep(to, to.notices())


def keep(of: Monitor, notices):
    of.keep(notices, [b"" for _ in notices])
    return notices
