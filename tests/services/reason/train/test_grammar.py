"""Whatever the logits, a reason holds no value, number or brand that its evidence does not."""

import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.reason.train.frames import kinds
from services.reason.wording.decode import Wanted, decode, stream
from services.reason.wording.filled import Filled
from services.reason.wording.grammar import Grammar
from services.reason.wording.guard import Guard, guarded_words
from services.reason.wording.sampling import SamplingSettings
from shared.text.lexicon.kinds import LexiconKind, read_entries

from .conftest import filled

NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
PRIVATE_USE = "\ue000"
"""Stands round values in texts that are rendered for a test, and in nothing else."""
KINDS = st.lists(st.sampled_from(kinds()), min_size=1, max_size=5)
VALUES = st.sampled_from(
    ["jet black", "玫瑰金", "Zorblax 9000", "L", "Trail pack 20 l", "best ever", "2 in 1", "红色"]
)


def _pattern() -> re.Pattern[str]:
    forms = {entry.form.lower() for kind in LexiconKind for entry in read_entries(kind)}
    latin = [re.escape(form) for form in forms if form[0].isascii()]
    others = [re.escape(form) for form in forms if not form[0].isascii()]
    return re.compile(rf"(?<![a-z])(?:{'|'.join(latin)})(?![a-z])|{'|'.join(others)}")


FORMS = _pattern()


class ChanceEngine:
    """Logits without sense, of any size: the worst model that there can be."""

    def __init__(self, size: int, seed: int, scale: float) -> None:
        self._size, self._scale = size, scale
        self._rng = np.random.default_rng(seed)

    def start(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        return self._draw(len(ids))

    def step(self, ids: NDArray[np.int64], keep: NDArray[np.int64]) -> NDArray[np.float32]:
        assert len(ids) == len(keep)
        return self._draw(len(ids))

    def _draw(self, count: int) -> NDArray[np.float32]:
        drawn = self._rng.normal(size=(count, self._size)) * self._scale
        return drawn.astype(np.float32)


def marked(evidence: list[Filled]) -> list[Filled]:
    """The same evidence with its values in marks, so that what is copied can be told apart."""
    return [
        Filled(
            one.kind,
            {slot: f"{PRIVATE_USE}{text}{PRIVATE_USE}" for slot, text in one.fills.items()},
            one.required,
        )
        for one in evidence
    ]


def words_of_ours(text: str) -> str:
    """The text without what was copied."""
    return re.sub(f"{PRIVATE_USE}[^{PRIVATE_USE}]*{PRIVATE_USE}", "|", text)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    said=KINDS,
    value=VALUES,
    language=st.sampled_from(["en", "zh"]),
    seed=st.integers(0, 2**31),
    scale=st.sampled_from([0.0, 1.0, 30.0]),
    top_p=st.sampled_from([0.2, 0.9, 1.0]),
)
def test_no_text_holds_a_value_that_evidence_does_not(  # noqa: PLR0917  # what is drawn
    said: list[str],
    value: str,
    language: str,
    seed: int,
    scale: float,
    top_p: float,
    grammar: Grammar,
) -> None:
    evidence = marked(filled(said, language, lambda: value))
    engine = ChanceEngine(len(grammar.texts), seed, scale)
    how = SamplingSettings(top_p=top_p, temperature=1.0, max_tokens=300)
    reason = decode([Wanted(evidence, language, seed)], grammar, engine, how)[0]
    if reason is None:
        return
    ours = words_of_ours(reason.text)
    assert not re.search(r"\d", ours)
    # Of summaries the lexis keeps to the aspect; the guard lets the word stand.
    gift = any(kind == "praised_gift" or kind.endswith(".gift") for kind in said)
    assert not forbidden_in(ours, praised_gift=gift), ours
    copied = set(re.findall(f"{PRIVATE_USE}([^{PRIVATE_USE}]*){PRIVATE_USE}", reason.text))
    known = {text.strip(PRIVATE_USE) for one in evidence for text in one.fills.values()}
    assert copied <= known
    # Each piece of evidence is said in one clause, and that clause holds nothing of another's.
    assert sorted(clause.position for clause in reason.clauses) == list(range(len(said)))
    for clause in reason.clauses:
        own = {text.strip(PRIVATE_USE) for text in evidence[clause.position].fills.values()}
        found = re.findall(f"{PRIVATE_USE}([^{PRIVATE_USE}]*){PRIVATE_USE}", clause.text)
        assert set(found) <= own
        for slot in evidence[clause.position].required:
            assert evidence[clause.position].fills[slot] in clause.text
        assert clause.text in reason.text


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(said=KINDS, language=st.sampled_from(["en", "zh"]), seed=st.integers(0, 2**31))
def test_every_number_of_a_text_is_one_of_its_evidence(
    said: list[str], language: str, seed: int, grammar: Grammar
) -> None:
    evidence = filled(said, language, lambda: "Zorblax 9000")
    engine = ChanceEngine(len(grammar.texts), seed, 1.0)
    how = SamplingSettings(top_p=1.0, max_tokens=300)
    reason = decode([Wanted(evidence, language, seed)], grammar, engine, how)[0]
    if reason is not None:
        copied = " ".join(text for one in evidence for text in one.fills.values())
        words = set(re.findall("[a-z]+", reason.text.lower()))
        spelt = {word.lower() for word in grammar.lexis.words}
        assert words <= spelt | set(re.findall("[a-z]+", copied.lower()))
        for clause in reason.clauses:
            fits = evidence[clause.position].code == "price_fit"
            assert not fits or re.search(r"within|under|以内|不超过", clause.text)
        known = NUMBER.findall(" ".join(text for one in evidence for text in one.fills.values()))
        assert set(NUMBER.findall(reason.text)) <= set(known)


def forbidden_in(text: str, *, praised_gift: bool) -> list[str]:
    """Values of the lexicon in a text, found by a regular expression apart from the guard."""
    found = FORMS.findall(text.lower())
    own = ("gift", "gifts", "送礼", "送人") if praised_gift else ()
    return [form for form in found if form not in own]


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    parts=st.lists(
        st.one_of(
            st.text(alphabet="abcdegilnorst ,黑白红色金棉麻的", min_size=1, max_size=4),
            st.sampled_from([" red", "red", " bl", "ack", "黑", "色", " and", "r", "ed ", "gold"]),
        ),
        max_size=8,
    )
)
def test_the_guard_finds_words_however_they_are_cut(parts: list[str], guard: Guard) -> None:
    state = guard.start
    written = ""
    for part in parts:
        after = guard.after(state, part, "price_fit")
        if after is not None:
            state, written = after, written + part
    assert not forbidden_in(written, praised_gift=False), written


def test_the_guard_refuses_digits_marks_and_banned_words(guard: Guard) -> None:
    for text in ("7", "７", "Ⅶ", "①", "%", "$", "best", "最", " first", "两", "<", "é"):
        assert guard.after(guard.start, text, "discount") is None, text
    for text in (" comes in the", "coloured", "是您要的", "preferred", ", and it"):
        assert guard.after(guard.start, text, "discount") is not None, text


def test_the_guard_lets_a_claim_say_its_own_word(guard: Guard) -> None:
    assert guard.after(guard.start, " gift", "praised_gift") is not None
    assert guard.after(guard.start, " gift", "in_stock") is None


def test_words_that_a_shop_bans_are_refused() -> None:
    guard = Guard(guarded_words(["bargain", "便宜"]))
    assert guard.after(guard.start, " a bargain", "discount") is None
    assert guard.after(guard.start, "很便宜", "discount") is None
    assert guard.after(guard.start, " a bargaining", "discount") is not None


def test_a_token_that_is_not_allowed_is_refused(grammar: Grammar) -> None:
    constraint = grammar.constrain(filled(["in_stock"], "en", str), "en")
    with pytest.raises(ValueError, match="not allowed here"):
        constraint.take(grammar.end)


def test_evidence_that_the_corpus_never_says_is_refused(grammar: Grammar) -> None:
    with pytest.raises(ValueError, match="not learnt to say moon_phase"):
        grammar.constrain([Filled("moon_phase", {"shown": "full"}, ("shown",))], "en")
    with pytest.raises(ValueError, match="1 to 5"):
        grammar.constrain([], "en")


def test_a_language_keeps_to_its_script(grammar: Grammar) -> None:
    for language, other in (("en", r"[\u4e00-\u9fff]"), ("zh", r"[A-Za-z]")):
        for seed in range(20):
            evidence = marked(filled(["price_fit", "popular"], language, str))
            engine = ChanceEngine(len(grammar.texts), seed, 3.0)
            how = SamplingSettings(max_tokens=300)
            reason = decode([Wanted(evidence, language, seed)], grammar, engine, how)[0]
            if reason is not None:
                assert not re.search(other, words_of_ours(reason.text))


def test_a_page_is_written_row_by_row(grammar: Grammar) -> None:
    how = SamplingSettings(max_tokens=300)
    written = 0
    # Words at random end in a row that no clause goes on with more often than not.
    for seed in range(40):
        wanted = [
            Wanted(filled(["price_fit", "in_stock"][: 1 + row % 2], language, str), language, seed)
            for row, language in enumerate(["en", "zh", "en", "zh"])
        ]
        texts = [""] * len(wanted)
        whole: dict[int, str] = {}
        engine = ChanceEngine(len(grammar.texts), seed, 1.0)
        for progress in stream(wanted, grammar, engine, how):
            texts[progress.row] += progress.piece
            if progress.reason is not None:
                whole[progress.row] = progress.reason.text
        written += len(whole)
        assert all(texts[row] == text for row, text in whole.items())
    assert written


def test_the_same_seed_gives_the_same_words(grammar: Grammar) -> None:
    evidence = filled(["in_stock"], "zh", str)
    how = SamplingSettings(max_tokens=300)

    def write(seed: int) -> str:
        engine = ChanceEngine(len(grammar.texts), 9, 1.0)
        reason = decode([Wanted(evidence, "zh", seed)], grammar, engine, how)[0]
        return reason.text if reason is not None else ""

    assert write(1) == write(1)
    assert len({write(seed) for seed in range(12)}) > 1


def test_a_reason_ends_where_the_network_does(grammar: Grammar) -> None:
    short = Grammar(grammar.tokens, grammar.lexis, grammar.guard, positions=8)
    engine = ChanceEngine(len(grammar.texts), 2, 1.0)
    wanted = [Wanted(filled(["discount", "popular"], "en", str), "en", 0)]
    assert decode(wanted, short, engine, SamplingSettings()) == [None]


def test_a_reason_that_grows_too_long_is_given_up(grammar: Grammar) -> None:
    evidence = filled(["discount", "popular"], "en", str)
    how = SamplingSettings(max_tokens=3)
    engine = ChanceEngine(len(grammar.texts), 2, 1.0)
    assert decode([Wanted(evidence, "en", 0)], grammar, engine, how) == [None]
