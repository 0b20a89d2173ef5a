"""The queue: texts that wait, answers that were given, and who is asked what next."""

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from services.nlu.labelling.batch import pick
from services.nlu.labelling.items import Item, item_record, read_item, read_spans, span_rows
from services.nlu.labelling.journal import Journal
from services.nlu.labelling.sampling import Strategy
from services.nlu.labelling.task import Answer, LabellingError, LabelTask
from services.nlu.labelling.task_file import TASK_FILE, keep_task
from services.nlu.train.examples import TaskKind

MAX_NOTE: Final = 2_000
MAX_NAME: Final = 64


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one annotator is.

    Attributes:
        labelled: Texts that they answered.
        skipped: Texts that they passed over.
        left: Texts that they may still be asked.
        counts: Label -> answers of theirs that hold it.
    """

    labelled: int
    skipped: int
    left: int
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Given:
    """An action of one annotator on one text; a skip has no answer."""

    item: str
    answer: Answer | None
    note: str


class LabelQueue:
    """One labelling task in a folder, for one process and any number of annotators.

    The folder holds `task.jsonl`, `items.jsonl` and `labels.jsonl`, all append-only. Whatever a
    method returned from is on the disk.

    Args:
        folder: Of the queue; made where it is not there.
        task: What is asked. A folder made for another task is refused, but labels may be added.
        strategy: How the next texts are chosen.
        twice: Share of the texts that every annotator is asked, so that their agreement can be
            measured; the others are asked once.
        seed: Of the choice.

    Raises:
        LabellingError: The folder is of another task, or its files are broken.
        JournalError: Another process has the folder open, or a file is no journal.
    """

    def __init__(
        self,
        folder: Path,
        task: LabelTask,
        *,
        strategy: Strategy = Strategy.RANDOM,
        twice: float = 0.0,
        seed: int = 17,
    ) -> None:
        self.folder = folder
        self.task = task
        self.strategy = strategy
        self._twice = twice
        self._random = np.random.default_rng(seed)
        self._lock = threading.RLock()
        self._items: dict[str, Item] = {}
        self._given: dict[str, list[Given]] = {}
        self._order: list[str] = []
        self._asked: dict[str, str] = {}
        self._journals: list[Journal] = []
        try:
            self.task = keep_task(self._open(TASK_FILE), task, folder)
            self._item_log = self._open("items.jsonl")
            self._label_log = self._open("labels.jsonl")
            self._restore()
        except BaseException:
            self.close()
            raise

    @property
    def items(self) -> Mapping[str, Item]:
        """The texts by id."""
        return self._items

    def add(self, items: Iterable[Item]) -> int:
        """Puts texts in, or new readings of texts that are in; returns how many texts are new."""
        with self._lock:
            items = list(items)
            self._item_log.append(*map(item_record, items))
            before = len(self._items)
            self._items.update((item.id, item) for item in items)
            self._order.clear()
            return len(self._items) - before

    def next(self, annotator: str) -> Item | None:
        """Returns the text to ask an annotator, the same one until they act on it; None at the end.

        Raises:
            LabellingError: The name cannot be one.
        """
        _check_name(annotator)
        with self._lock:
            done, others = self._taken(annotator)
            asked = self._asked.get(annotator, "")
            if asked and asked not in done:
                return self._items[asked]
            elsewhere = {item for who, item in self._asked.items() if who != annotator}
            free = self._free(done, others, elsewhere)
            if not free:
                # Better two people on one text than one without any.
                free = self._free(done, others, set())
            if not free:
                return None
            # What another answered and all are asked comes first: agreement is known early then.
            chosen = min(free & others, default="") or self._ordered(free)
            self._asked[annotator] = chosen
            return self._items[chosen]

    def label(self, annotator: str, item: str, answer: Answer, note: str = "") -> None:
        """Keeps an answer. A second answer to the same text replaces the annotator's first.

        Raises:
            LabellingError: There is no such text, or the answer does not fit the task.
        """
        text = self._text(item)
        answer = self.task.check(answer, text)
        said = (
            {"label": answer.label}
            if self.task.kind is TaskKind.CLASSES
            else {"spans": span_rows(answer.spans)}
        )
        self._act(annotator, {"action": "label", "item": item, "note": note, **said})

    def skip(self, annotator: str, item: str, note: str = "") -> None:
        """Passes over a text: this annotator is not asked again, others may be.

        Raises:
            LabellingError: There is no such text.
        """
        self._text(item)
        self._act(annotator, {"action": "skip", "item": item, "note": note})

    def undo(self, annotator: str) -> Item | None:
        """Takes back an annotator's last action and asks that text again; None when there is none.

        Raises:
            LabellingError: The name cannot be one.
        """
        with self._lock:
            given = self._given.get(annotator)
            if not given:
                _check_name(annotator)
                return None
            item = given[-1].item
            self._act(annotator, {"action": "undo", "item": item})
            self._asked[annotator] = item
            return self._items[item]

    def progress(self, annotator: str) -> Progress:
        """Returns how far an annotator is."""
        with self._lock:
            done, others = self._taken(annotator)
            answers = [given.answer for given in self._latest(annotator).values()]
            counts: Counter[str] = Counter(dict.fromkeys(self.task.labels, 0))
            for answer in filter(None, answers):
                counts.update({answer.label} if answer.label else {s.label for s in answer.spans})
            labelled = sum(answer is not None for answer in answers)
            return Progress(
                labelled, len(answers) - labelled, len(self._free(done, others, set())), counts
            )

    def answers(self) -> dict[str, dict[str, Given]]:
        """Returns text id -> annotator -> the answer that holds; skips are left out."""
        with self._lock:
            found: dict[str, dict[str, Given]] = {}
            for annotator in self._given:
                for item, given in self._latest(annotator).items():
                    if given.answer is not None:
                        found.setdefault(item, {})[annotator] = given
            return found

    def close(self) -> None:
        """Closes the files; another process may then open the queue."""
        for journal in self._journals:
            journal.close()
        self._journals.clear()

    def _open(self, name: str) -> Journal:
        journal = Journal(self.folder / name)
        self._journals.append(journal)
        return journal

    def _restore(self) -> None:
        try:
            for record in self._item_log.records:
                item = read_item(record)
                self._items[item.id] = item
            for record in self._label_log.records:
                self._apply(record)
        except (KeyError, ValueError, TypeError, IndexError) as error:
            raise LabellingError(f"{self.folder}: a record is broken: {error!r}") from error

    def _act(self, annotator: str, action: dict[str, Any]) -> None:
        _check_name(annotator)
        if len(action.get("note", "")) > MAX_NOTE:
            raise LabellingError(f"a note has at most {MAX_NOTE} characters")
        with self._lock:
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            record = {"at": now, "annotator": annotator, **action}
            self._label_log.append(record)
            self._apply(record)
            self._asked.pop(annotator, None)

    def _apply(self, record: Mapping[str, Any]) -> None:
        given = self._given.setdefault(record["annotator"], [])
        if record["action"] == "undo":
            given.pop()
            return
        answer = None
        if record["action"] == "label":
            answer = Answer(record.get("label", ""), read_spans(list(record.get("spans", ()))))
        given.append(Given(record["item"], answer, record.get("note", "")))

    def _latest(self, annotator: str) -> dict[str, Given]:
        return {given.item: given for given in self._given.get(annotator, ())}

    def _taken(self, annotator: str) -> tuple[set[str], set[str]]:
        """Returns the texts that the annotator acted on, and those that others answered."""
        others = {
            given.item
            for who in self._given
            if who != annotator
            for given in self._latest(who).values()
            if given.answer is not None
        }
        return set(self._latest(annotator)), others

    def _free(self, done: set[str], others: set[str], elsewhere: set[str]) -> set[str]:
        return {
            item
            for item in self._items
            if item not in done
            and item not in elsewhere
            and (item not in others or self._is_for_all(item))
        }

    def _is_for_all(self, item: str) -> bool:
        # The id is a hash: its first digits are a number that chance drew once and for all.
        return int(item[:8], 16) < self._twice * 16**8

    def _ordered(self, free: set[str]) -> str:
        """Returns the first text of the batch that is free, after choosing a new one if need be."""
        for item in self._order:
            if item in free:
                return item
        self._choose(free)
        return self._order[0]

    def _choose(self, free: set[str]) -> None:
        ids = sorted(free)
        answered = [self._items[item] for item in self.answers()]
        items = [self._items[item] for item in ids]
        picks = pick(self.strategy, self.task, items, answered, self._random)
        self._order = [ids[at] for at in picks]

    def _text(self, item: str) -> str:
        with self._lock:
            if item not in self._items:
                raise LabellingError("no such text in the queue")
            return self._items[item].text


def _check_name(annotator: str) -> None:
    if not (annotator.isprintable() and annotator.strip() and len(annotator) <= MAX_NAME):
        raise LabellingError(f"an annotator's name has 1 to {MAX_NAME} printable characters")
