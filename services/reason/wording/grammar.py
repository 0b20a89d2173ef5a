"""What may come next: the constraint by which a reason's values are those of its evidence.

A reason is a row of clauses. A clause opens with the place of one piece of evidence and may hold

- slots of that evidence, each once, never side by side, all required ones before it closes;
- words that the corpus uses for that kind of evidence in that language (the lexis), spelt right,
  each behind one that it follows somewhere in the corpus;
- of those, none that the guard refuses: no digit, numeral, value, brand or banned word;
- and, where its kind compares or denies, does not close before it has said so;
- no turn that reads badly of its kind (`manners`), nor a form that the clause before does not bear
  (`forms`).

Each piece of evidence is said in exactly one clause. So whatever the weights: every value in the
text is copied from the evidence of the clause that it stands in, nothing is left out or said twice,
and a claim has no words but those of its kind. Pure code over ids, without torch and ONNX.
"""

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.reason.wording.filled import SLOTS, Filled
from services.reason.wording.forms import OPENING, SLOT, Form, form_after, may_begin, may_close
from services.reason.wording.guard import Guard, State
from services.reason.wording.lexis import CLOSE, NOT_A_LETTER, START, Lexis
from services.reason.wording.manners import APART, is_clumsy, says_enough, traits
from services.reason.wording.opinions import is_opinion
from services.reason.wording.tokens import END, MAX_EVIDENCE, TokenTable, place_mark

_FULL_STOP: Final = {"en": ".", "zh": "。"}
_BETWEEN: Final = {"en": frozenset(",;"), "zh": frozenset("；")}
"""Marks that stand between clauses and not within them."""
_KEPT: Final = 50_000
"""Beginnings of clauses whose next words are remembered, about 0.5 kB each."""
_GOES_ON: Final = re.compile(r"，(?:它|这款)?因")
"""A cause behind a comma seems to be one of what stands before it."""


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
        self.kept: dict[tuple[object, ...], NDArray[np.int64]] = {}
        """Words that read well, by all that says so."""

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
        self._form = Form.BEGIN if len(evidence) > 1 else Form.ALONE
        self._mark = ""
        # Sentences of summaries are of one form, and turn from praise to fault.
        self._formed = not is_opinion(evidence[0].kind)
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
        said = says_enough(evidence.code, self._language, self._clause)
        whole = grammar.lexis.is_whole(self._word)
        complete = required and said and whole and not self._quote
        stop = _FULL_STOP[self._language]
        may_stop, goes_on = complete and not self._unsaid, complete and bool(self._unsaid)
        without = "" if may_stop else stop
        words = grammar.word_ids(key, self._state, self._word, without, self._last)
        words = self._well(evidence, words, (key, without), goes_on=goes_on)
        ids: list[int] = []
        # Two numbers side by side would read as a third.
        for index in () if self._copied or not whole else grammar.slots_of(key):
            slot = grammar.slots[index]
            free = slot not in self._used and evidence.fills.get(slot)
            if (
                free
                and grammar.lexis.may_follow(self._last, index)
                and self._reads_well(evidence, self._slot())
            ):
                ids.append(index)
        if goes_on and self._may_close(evidence.code):
            ids += [grammar.places[i] for i in sorted(self._unsaid)]
        return np.concatenate([words, np.array(ids, dtype=np.int64)]) if ids else words

    def _well(
        self, evidence: Filled, words: NDArray[np.int64], of: tuple[str, str], *, goes_on: bool
    ) -> NDArray[np.int64]:
        """Returns those of the words that the clause may go on with; pages say much alike."""
        grammar = self._grammar
        before = (self._state, self._word, self._last, self._clause, self._copied, self._quote)
        known = (*of, *before, self._form, self._mark, self._formed, goes_on, traits(evidence))
        found = grammar.kept.get(known)
        if found is None:
            # A mark that ends a clause waits until the clause is whole.
            well = [
                self._reads_well(evidence, text) and (goes_on or not self._ends(text))
                for text in (grammar.texts[int(index)] for index in words)
            ]
            found = words[np.array(well, dtype=np.bool_)]
            if len(grammar.kept) >= _KEPT:
                grammar.kept.clear()
            grammar.kept[known] = found
        return found

    def _reads_well(self, evidence: Filled, text: str) -> bool:
        """Whether the clause may go on with a text."""
        clause = self._clause + text
        if is_clumsy(evidence, self._language, clause):
            return False
        if evidence.code in APART and _GOES_ON.match(self._mark + clause):
            return False
        if text[:1] == '"' and self._copied and not self._quote:
            return False  # the end of a quotation that was not begun
        opens = self._language == "en" and self._formed and len(self._clause) <= OPENING
        return not opens or may_begin(self._form, self._mark, clause, evidence.code)

    def _ends(self, text: str) -> bool:
        """Whether a text holds a mark that stands between clauses alone."""
        return self._formed and not _BETWEEN[self._language].isdisjoint(text)

    def _slot(self) -> str:
        """A slot as it stands behind the clause so far: the text has a blank before it."""
        blank = self._language == "en" and self._clause[-1:] not in ("", " ", '"')
        return " " + SLOT if blank else SLOT

    def _may_close(self, code: str) -> bool:
        """Whether another clause may follow."""
        if not self._grammar.lexis.may_follow(self._last, CLOSE):
            return False
        if self._language == "en" and code in APART and not self._clause.endswith(";"):
            return False
        formed = self._language == "en" and self._formed
        return not formed or may_close(self._form, self._clause)

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
            if self._now is not None:
                self._form = form_after(self._form, self._clause)
                end = self._clause.rstrip()[-1:]
                self._mark = end if end in ",;，" else ""
            self._now = grammar.places.index(token)
            self._unsaid.discard(self._now)
            self._used, self._clause, self._quote = set(), "", False
        elif token in grammar.slots:
            self._used.add(grammar.slots[token])
            self._copied = True
            self._state = grammar.guard.boundary(self._state)
            self._clause += self._slot()
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
