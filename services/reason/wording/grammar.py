"""What may come next: the constraint by which a reason's values are those of its evidence.

A reason is a row of clauses. A clause opens with the place of one piece of evidence and may hold

- slots of that evidence, each once, never side by side, all required ones before it closes;
- words that the corpus uses for that kind of evidence in that language (the lexis), spelt right,
  each behind one that it follows somewhere in the corpus;
- of those, none that the guard refuses: no digit, numeral, value, brand or banned word;
- and, where its kind compares or denies, does not close before it has said so.

Each piece of evidence is said in exactly one clause. So whatever the weights: every value in the
text is copied from the evidence of the clause that it stands in, nothing is left out or said twice,
and a claim has no words but those of its kind. Pure code over ids, without torch and ONNX.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.reason.wording.filled import SLOTS, Filled
from services.reason.wording.guard import Guard, State
from services.reason.wording.lexis import CLOSE, NOT_A_LETTER, START, Lexis
from services.reason.wording.tokens import END, MAX_EVIDENCE, TokenTable, place_mark

_OBLIGED: Final[Mapping[str, Mapping[str, re.Pattern[str]]]] = {
    code: {"en": re.compile(rf"\b(?:{english})\b"), "zh": re.compile(chinese)}
    for code, english, chinese in (
        ("price_fit", "within|under", "以内|不超过"),
        ("lowest_price_on_page", "lowest|cheapest", "其余各款"),
        ("below_median_price", "below", "比.*低|低于"),
        ("price_in_category", "below|cheaper|less", "比.*便宜|低于"),
        ("discount", "below|off", "比.*低|优惠"),
        ("exclusion_met", "not", "不是|不含"),
        ("better_rated", "above|higher", "高于"),
        ("product_type_match", "search(?:ed)?|asked", "您"),
        ("brand_affinity", "looked.*brand|brand.*looked", "看过|浏览过"),
        ("category_affinity", "looked", "看过|浏览过|逛过"),
        ("because_you_viewed", "here|picked|chosen|follows", "推荐|挑选|出现"),
        ("because_you_bought", "here|picked|chosen|follows", "推荐|挑选|出现"),
    )
}
"""What a comparison, a denial, a wish or a history cannot do without: a price beside a limit says
nothing yet, nor does "Tea before" or "a match for your tea", and "because you bought it" would give
the cause of what follows."""
_OF_A_HISTORY: Final = re.compile(r"^\W*(?:and )?(?:you\b|following)|\0.*(?:,|\band\b)")
_OF_REVIEWS: Final = re.compile(r"\b(?:called|described)\b.* for\b")
_CLUMSY: Final[Mapping[str, re.Pattern[str]]] = {
    "product_type_match": re.compile(r"\b(?:list|fi|be)|\bfor[;,]"),
    "because_you_viewed": _OF_A_HISTORY,
    "because_you_bought": _OF_A_HISTORY,
    "reviews_praise": _OF_REVIEWS,
    "reviews_fault": _OF_REVIEWS,
}
"""What no clause of a code says in English though each of its words may stand there: "is filed as a
kettle as in your search", "you bought it, 15% off", "called good value for 2 of 2 reviewers"."""
_APART: Final = frozenset({"because_you_viewed", "because_you_bought"})
"""Codes after which English begins anew: "because you bought it and 15% off" gives two causes."""
_FULL_STOP: Final = {"en": ".", "zh": "。"}


class Grammar:
    """Knows the tokens; makes a `Constraint` for each reason.

    Args:
        tokens: Of the model.
        lexis: Words and slots by language and kind, and how words are spelt.
        guard: Text that is never to be written.
        positions: Tokens of prefix and reason that the network can tell apart.
    """

    def __init__(
        self, tokens: TokenTable, lexis: Lexis, guard: Guard, positions: int = 128
    ) -> None:
        self.tokens, self.lexis, self.positions = tokens, lexis, positions
        self.texts = tokens.texts
        self.end = tokens.id(END)
        self.places = [tokens.id(place_mark(n)) for n in range(1, MAX_EVIDENCE + 1)]
        # A model that was taught before a slot came up has no mark for it.
        marks = {f"<{slot}>": slot for slot in SLOTS}
        self.slots = {tokens.id(mark): marks[mark] for mark in marks.keys() & tokens.marks}
        self.guard = guard
        self._words = {
            key: [index for index in ids if not tokens.is_mark(index)]
            for key, ids in lexis.ids.items()
        }
        self._slots = {
            key: [index for index in ids if index in self.slots] for key, ids in lexis.ids.items()
        }
        self._memory: dict[tuple[str, State, str], dict[int, tuple[State, str]]] = {}
        self._arrays: dict[tuple[str, State, str, str, int], NDArray[np.int64]] = {}

    def knows(self, evidence: Filled, language: str) -> bool:
        """Whether the corpus says a kind of evidence, with all that it requires."""
        key = f"{language}/{evidence.kind}"
        has = {self.slots[index] for index in self._slots.get(key, ())}
        return key in self._words and set(evidence.required) <= has

    def knows_all(self, evidence: Sequence[Filled], language: str) -> bool:
        """Whether `constrain` takes the evidence."""
        fits = 1 <= len(evidence) <= MAX_EVIDENCE
        return fits and all(self.knows(one, language) for one in evidence)

    def constrain(self, evidence: Sequence[Filled], language: str) -> "Constraint":
        """Returns the constraint of one reason.

        Raises:
            ValueError: No evidence, too much of it, or some that the corpus never says.
        """
        if not 1 <= len(evidence) <= MAX_EVIDENCE:
            raise ValueError(f"a reason says 1 to {MAX_EVIDENCE} pieces of evidence")
        if unknown := [one.kind for one in evidence if not self.knows(one, language)]:
            raise ValueError(f"the model has not learnt to say {', '.join(unknown)}")
        return Constraint(self, evidence, language)

    def prefix(self, evidence: Sequence[Filled], language: str) -> list[int]:
        """Returns the ids that stand before the reason."""
        return self.tokens.prefix([one.kind for one in evidence], language)

    def words(self, key: str, state: State, word: str) -> dict[int, tuple[State, str]]:
        """Returns the tokens of a kind that may follow, with the states after each.

        Args:
            key: "language/kind".
            state: Of the guard.
            word: Under way, see `Lexis.spell`.
        """
        known = (key, state, word)
        if known not in self._memory:
            code = key.partition("/")[2].partition(".")[0]
            found: dict[int, tuple[State, str]] = {}
            for index in self._words[key]:
                after = self.guard.after(state, self.texts[index], code)
                spelt = self.lexis.spell(word, self.texts[index])
                if after is not None and spelt is not None:
                    found[index] = (after, spelt)
            self._memory[known] = found
        return self._memory[known]

    def word_ids(
        self, key: str, state: State, word: str, without: str, last: int
    ) -> NDArray[np.int64]:
        """Returns the ids of `words` that may stand behind the token `last`; not to be written to.

        Texts that hold `without` are left out.
        """
        known = (key, state, word, without, last)
        if known not in self._arrays:
            words = self.words(key, state, word)
            ids = [
                index
                for index in words
                if self.lexis.may_follow(last, index)
                and (not without or without not in self.texts[index])
            ]
            self._arrays[known] = np.array(ids, dtype=np.int64)
        return self._arrays[known]

    def slots_of(self, key: str) -> list[int]:
        """Returns the slots that the corpus uses for a kind."""
        return self._slots[key]


class Constraint:
    """The state of one reason that is being written."""

    def __init__(self, grammar: Grammar, evidence: Sequence[Filled], language: str) -> None:
        self._grammar, self._evidence, self._language = grammar, evidence, language
        self._unsaid = set(range(len(evidence)))
        self._now: int | None = None
        self._used: set[str] = set()
        self._state: State = grammar.guard.start
        self._clause = ""
        self._quote = False
        self._stopped = self._copied = False
        self._word = ""
        self._last = START
        self._next: NDArray[np.int64] | None = None
        self.said: list[int] = []
        self.finished = False

    def allowed(self) -> NDArray[np.int64]:
        """Returns the ids that may come next; empty when the reason is finished."""
        if self._next is None:
            self._next = self._allowed()
        return self._next

    def _allowed(self) -> NDArray[np.int64]:
        grammar = self._grammar
        if self.finished:
            return np.zeros(0, dtype=np.int64)
        if self._now is None:
            return np.array([grammar.places[i] for i in sorted(self._unsaid)], dtype=np.int64)
        if self._stopped:
            return np.array([grammar.end], dtype=np.int64)
        evidence, key = self._evidence[self._now], self._key()
        required = set(evidence.required) <= self._used
        obliged = _OBLIGED.get(evidence.code, {}).get(self._language)
        said = bool(self._clause) and (obliged is None or bool(obliged.search(self._clause)))
        whole = grammar.lexis.is_whole(self._word)
        complete = required and said and whole and not self._quote
        stop = _FULL_STOP[self._language]
        may_stop = complete and not self._unsaid
        without = "" if may_stop else stop
        words = grammar.word_ids(key, self._state, self._word, without, self._last)
        if (clumsy := _CLUMSY.get(evidence.code)) is not None and self._language == "en":
            kept = [
                not clumsy.search((self._clause + grammar.texts[int(index)]).lower())
                for index in words
            ]
            words = words[np.array(kept, dtype=np.bool_)]
        ids: list[int] = []
        # Two numbers side by side would read as a third.
        for index in () if self._copied or not whole else grammar.slots_of(key):
            slot = grammar.slots[index]
            free = slot not in self._used and evidence.fills.get(slot)
            if free and grammar.lexis.may_follow(self._last, index):
                ids.append(index)
        apart = evidence.code not in _APART or self._language != "en"
        apart = apart or self._clause.endswith(";")
        if complete and apart and self._unsaid and grammar.lexis.may_follow(self._last, CLOSE):
            ids += [grammar.places[i] for i in sorted(self._unsaid)]
        return np.concatenate([words, np.array(ids, dtype=np.int64)]) if ids else words

    def take(self, token: int) -> None:
        """Writes a token.

        Raises:
            ValueError: It is not one of `allowed`.
        """
        grammar = self._grammar
        if token not in self.allowed():
            raise ValueError(f"token {token} ({grammar.texts[token]!r}) is not allowed here")
        self._next = None
        self.said.append(token)
        self._last = START if token in grammar.places else token
        if token == grammar.end:
            self.finished = True
        elif token in grammar.places:
            self._now = grammar.places.index(token)
            self._unsaid.discard(self._now)
            self._used, self._clause, self._quote = set(), "", False
        elif token in grammar.slots:
            self._used.add(grammar.slots[token])
            self._copied = True
            self._state = grammar.guard.boundary(self._state)
            self._clause += "\0"
            self._word = NOT_A_LETTER
        else:
            after = grammar.words(self._key(), self._state, self._word)[token]
            self._state, self._word = after
            text = grammar.texts[token]
            self._copied = False
            self._clause += text
            self._quote ^= bool(sum(text.count(mark) for mark in '"“”') % 2)
            self._stopped = _FULL_STOP[self._language] in text

    def _key(self) -> str:
        return f"{self._language}/{self._evidence[self._now or 0].kind}"
