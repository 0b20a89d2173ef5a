"""Words are kept by all that they depend on, finished late within bounds, and verified again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reason.cache import CACHE, CachedWriter, key_of
from services.reason.explainer import Explainer, ExplainInput, Item
from services.reason.verify import Verifier
from services.reason.worded import WordedExplainer
from services.reason.wording.batch import Wanted
from services.reason.wording.decode import Progress
from services.reason.wording.filled import Filled
from services.reason.wording.rendering import SaidClause, SaidReason
from shared.errors import ResourceExhaustedError, UnavailableError, WhereforeError
from tests.services.reason.conftest import NOW, build_product, build_user


def said_of(wanted: Wanted) -> SaidReason:
    text = " and ".join(f"{k} {v}" for one in wanted.evidence for k, v in one.fills.items())
    return SaidReason(f"{text} {wanted.seed}.", (SaidClause(0, text),))


@dataclass
class SlowWriter:
    """Writes as many reasons of a page as it is told to, then all once it is let go."""

    in_time: int = 100
    late: Event = field(default_factory=Event)
    done: Event = field(default_factory=Event)
    calls: list[int] = field(default_factory=list[int])
    error: WhereforeError | None = None
    version: str = "slow@1"

    def knows(self, wanted: Wanted) -> bool:
        return bool(wanted.evidence)

    def stream(self, wanted: Sequence[Wanted], seconds: float) -> Iterator[Progress]:
        self.calls.append(len(wanted))
        if self.error is not None:
            raise self.error
        first = len(self.calls) == 1
        if not first:
            assert self.late.wait(10)
        for row, one in enumerate(wanted):
            if first and row >= self.in_time:
                return
            said = said_of(one)
            yield Progress(row, closed=said, reason=said)
        if not first:
            self.done.set()

    def wait_ready(self, seconds: float) -> None:
        pass

    def close(self) -> None:
        pass


def wanted_of(shown: str, seed: int = 1, language: str = "en") -> Wanted:
    return Wanted([Filled("brand_match", {"shown": shown}, ("shown",))], language, seed)


def cached(writer: SlowWriter, **settings: float) -> CachedWriter:
    given = {"size": 100, "seconds": 60.0, "late_seconds": 1.0, "late_pages": 2, **settings}
    return CachedWriter(writer, **given)  # type: ignore[arg-type]


def texts(writer: CachedWriter, wanted: Sequence[Wanted]) -> dict[int, str]:
    found = writer.stream(wanted, 1.0)
    return {each.row: each.reason.text for each in found if each.reason is not None}


def count(outcome: str) -> float:
    return CACHE.labels(outcome)._value.get()  # type: ignore[attr-defined]


def test_what_was_written_is_not_written_again():
    inner = SlowWriter()
    writer = cached(inner)
    page = [wanted_of("Acme"), wanted_of("Orbit")]
    hits, misses = count("hit"), count("miss")
    first = texts(writer, page)
    assert texts(writer, page) == first == {0: "shown Acme 1.", 1: "shown Orbit 1."}
    assert inner.calls == [2]
    assert (count("hit") - hits, count("miss") - misses) == (2, 2)
    assert all(progress.cached for progress in writer.stream(page, 0.0))


def test_rows_keep_their_places_beside_what_is_kept():
    inner = SlowWriter()
    inner.late.set()
    writer = cached(inner)
    texts(writer, [wanted_of("b")])
    assert texts(writer, [wanted_of("a"), wanted_of("b"), wanted_of("c")]) == {
        0: "shown a 1.",
        1: "shown b 1.",
        2: "shown c 1.",
    }
    assert inner.calls == [1, 2]


def test_what_missed_its_time_is_there_for_the_next_request():
    inner = SlowWriter(in_time=1)
    writer = cached(inner)
    page = [wanted_of("a"), wanted_of("b"), wanted_of("c")]
    assert set(texts(writer, page)) == {0}
    inner.late.set()
    assert inner.done.wait(10)
    writer._thread.shutdown(wait=True)
    assert set(texts(writer, page)) == {0, 1, 2}
    assert inner.calls == [3, 2]


def test_a_page_that_the_model_has_no_time_for_is_finished_behind_the_others():
    busy, behind = SlowWriter(error=ResourceExhaustedError("2 pages are ahead")), SlowWriter()
    writer = CachedWriter(busy, behind=behind, size=9, seconds=60, late_seconds=1, late_pages=2)
    with pytest.raises(ResourceExhaustedError):
        texts(writer, [wanted_of("a")])
    writer._thread.shutdown(wait=True)
    assert (busy.calls, behind.calls) == ([1], [1])
    assert texts(writer, [wanted_of("a")]) == {0: "shown a 1."}


def test_a_page_that_waits_is_not_written_twice_and_few_may_wait():
    inner = SlowWriter(in_time=0)
    writer = cached(inner, late_pages=1)
    texts(writer, [wanted_of("a")])
    dropped = count("dropped")
    inner.calls.append(0)  # the writer does not answer in time again
    writer._finish({key_of(wanted_of("a"), inner.version): wanted_of("a")})
    assert count("dropped") == dropped  # under way already
    writer._finish({key_of(wanted_of("b"), inner.version): wanted_of("b")})
    assert count("dropped") == dropped + 1
    inner.late.set()
    assert inner.done.wait(10)


@pytest.mark.parametrize("setting", ["late_seconds", "size"])
def test_it_can_be_turned_off(setting):
    inner = SlowWriter(in_time=0 if setting == "late_seconds" else 9)
    inner.late.set()
    writer = cached(inner, **{setting: 0})
    texts(writer, [wanted_of("a")])
    writer._thread.shutdown(wait=True)
    assert inner.calls == [1]
    texts(writer, [wanted_of("a")])
    assert inner.calls == [1, 1]


def test_a_lost_model_still_gives_what_is_kept():
    inner = SlowWriter()
    writer = cached(inner)
    texts(writer, [wanted_of("a")])
    inner.error = UnavailableError("gone")
    found = writer.stream([wanted_of("b"), wanted_of("a")], 1.0)
    assert next(found).row == 1
    with pytest.raises(UnavailableError):
        next(found)


def test_reasons_are_forgotten_after_their_time():
    now, inner = [0.0], SlowWriter()
    inner.late.set()
    writer = CachedWriter(
        inner, size=9, seconds=60, late_seconds=0, late_pages=1, clock=lambda: now[0]
    )
    texts(writer, [wanted_of("a")])
    now[0] = 61
    texts(writer, [wanted_of("a")])
    assert inner.calls == [1, 1]


FILLS = st.dictionaries(st.sampled_from(["shown", "count", "price"]), st.text(max_size=8))
EVIDENCE = st.builds(Filled, st.sampled_from(["fits_yours", "popular"]), FILLS, st.just(("shown",)))
WANTED = st.builds(
    Wanted, st.lists(EVIDENCE, min_size=1, max_size=3), st.sampled_from(["en", "zh"]), st.just(7)
)


@given(WANTED, WANTED)
def test_users_with_other_facts_never_share_a_key(one, other):
    same = one == other
    assert (key_of(one, "m@1") == key_of(other, "m@1")) == same
    assert key_of(one, "m@1") != key_of(one, "m@2")
    assert key_of(one, "m@1") != key_of(replace(one, seed=8), "m@1")


@given(st.lists(WANTED, max_size=8))
def test_nobody_reads_what_is_known_of_others(asked):
    inner = SlowWriter()
    inner.late.set()
    writer = cached(inner)
    for one in asked:  # users one after another
        assert texts(writer, [one]) == {0: said_of(one).text}


@given(st.sampled_from(["a", "b", "c"]), st.sampled_from(["a", "b", "c"]))
def test_the_history_of_one_user_is_not_told_to_another(first, second):
    """Through the whole page: the title that a user looked at stands in the reason."""
    inner = SlowWriter()
    inner.late.set()
    verifier = Verifier(())
    writer = cached(inner)
    explainer = Explainer(verifier, clock=lambda: NOW)
    page = WordedExplainer(explainer, verifier, writer, seconds=1, rows=9)
    for name in (first, second, ""):
        user = build_user()
        user.recent_products[0].title = f"Trail pack {name}"
        wanted = ExplainInput([Item(build_product(), ("h1",))], None, user if name else None)
        page.explain(wanted)
    assert len(writer._kept) == len({first, second, ""})
