"""Opinion monitoring without any wire: texts in, counts and notices of alerts out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from services.insight.bands import Stretch, Surges
from services.insight.domain import Mention, Series
from services.insight.incidents import Incident, as_json, from_json
from services.insight.mentions import MentionStore
from services.insight.phrases import Phrase, driving_phrases
from services.insight.timeline import DetectionSettings, Timeline
from services.insight.windows import HOUR_MS, Taken, Windows, WindowSettings
from shared.text.normalise import fold

_PHRASE_TEXTS: Final = 500
_BEFORE_HOURS: Final = 24
_EXAMPLES: Final = 5


class Change(Enum):
    """What a notice tells of an alert."""

    OPENED = "opened"
    SPREAD = "spread"
    CLOSED = "closed"
    REOPENED = "reopened"
    WITHDRAWN = "withdrawn"
    REVISED = "revised"


@dataclass(frozen=True, slots=True)
class Alert:
    """A surge of negatives, with what drives it.

    Attributes:
        incident: Which series, since when, how much.
        onset_ms: Beginning of the window in which it set in.
        opened_ms: End of the window in which there was evidence enough.
        closed_ms: End of the window in which it was over; None while it is not.
        final: Whether no late text can change it any more.
        phrases: What its negatives say more than those of the day before; most telling first.
        examples: Negatives that say most of that.
    """

    incident: Incident
    onset_ms: int
    opened_ms: int
    closed_ms: int | None
    final: bool
    phrases: tuple[Phrase, ...] = ()
    examples: tuple[Mention, ...] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that changed about an alert.

    Attributes:
        change: What.
        alert: As it is now.
        replaces: Id under which it was told before late texts changed it; empty for the same.
    """

    change: Change
    alert: Alert
    replaces: str = ""


class Monitor:
    """Counts texts by event time and tells of surges. For one thread at a time.

    Args:
        windows: How event time is cut.
        detection: How surges are found.
        store: Where texts are kept.
    """

    def __init__(
        self, windows: WindowSettings, detection: DetectionSettings, store: MentionStore
    ) -> None:
        self.windows = Windows(windows)
        self.forecast_settings = detection.forecast
        self._timeline = Timeline(self.windows, detection)
        self._store = store
        self._incidents: dict[str, Incident] = {}
        self._told: dict[str, Incident] = {}
        self._oldest = 0
        self._keep_ms = windows.hours * HOUR_MS

    def recover(self) -> int:
        """Reads the kept texts again, as they came; returns how many.

        What was told of alerts stays told: `notices` then gives what a crash left untold.
        """
        count = 0
        for batch in self._store.replay():
            for mention in batch:
                self.windows.add(mention)
            self._read(self.windows.closed)
            count += len(batch)
        self._told = {name: from_json(told) for name, told in self._store.book.told().items()}
        return count

    def take(self, mentions: Sequence[Mention]) -> list[Taken]:
        """Keeps texts and counts them; on disk when it returns.

        A text that is late is kept, and counts nowhere.

        Raises:
            sqlite3.Error: They cannot be kept; then none is counted.
        """
        new = self._store.append(mentions)
        return [
            self.windows.add(mention) if fresh else Taken.DUPLICATE
            for mention, fresh in zip(mentions, new, strict=True)
        ]

    def notices(self, *, settle: bool = False) -> list[Notice]:
        """Reads what is closed and returns what changed about alerts, in order of their onset.

        Args:
            settle: Read also windows that are not closed: the stream is idle.
        """
        if self.windows.newest_ms is None:
            return []
        self._read(self.windows.newest if settle else self.windows.closed)
        found: list[Notice] = []
        for incident in sorted(self._incidents.values(), key=lambda i: (i.run.first, i.id)):
            change = self._change(incident)
            if change is not None:
                found.append(Notice(change, self.alert(incident)))
                self._told[incident.id] = incident
        return _revised(found, self._withdrawn())

    def keep(self, notices: Sequence[Notice], bodies: Sequence[bytes]) -> list[int]:
        """Keeps notices as they are told, before anybody is; returns the place of each."""
        rows: list[tuple[str, str | None, bytes]] = []
        for notice, body in zip(notices, bodies, strict=True):
            gone = notice.change is Change.WITHDRAWN
            incident = notice.alert.incident
            rows.append((incident.id, None if gone else as_json(incident), body))
        return self._store.book.tell(rows, [each.replaces for each in notices if each.replaces])

    def incidents(self) -> list[Incident]:
        """Returns all incidents that are kept, newest first."""
        return sorted(
            self._incidents.values(), key=lambda i: (i.run.opened or 0, i.id), reverse=True
        )

    def surges(self, wanted: Iterable[Series]) -> Surges:
        """Returns when alerts of some series were open."""
        length = self.windows.length_ms
        found: dict[Series, list[Stretch]] = {series: [] for series in wanted}
        for incident in self._incidents.values():
            begin = incident.run.first * length
            end = None if incident.closed is None else (incident.closed + 1) * length
            for series in found.keys() & set(incident.members):
                found[series].append((begin, end))
        return Surges(found)

    def alert(self, incident: Incident) -> Alert:
        """Returns an incident as it is told, with its phrases and examples."""
        length = self.windows.length_ms
        onset = incident.run.first * length
        opened = (incident.run.opened if incident.run.opened is not None else incident.last) + 1
        closed = None if incident.closed is None else (incident.closed + 1) * length
        end = (incident.last + 1) * length
        surge = self._store.negatives(incident.series, onset, end, _PHRASE_TEXTS)
        before = self._store.negatives(
            incident.series, onset - _BEFORE_HOURS * HOUR_MS, onset, _PHRASE_TEXTS
        )
        phrases = driving_phrases([m.text for m in surge], [m.text for m in before])
        final = incident.closed is not None and incident.closed <= self.windows.final
        return Alert(
            incident,
            onset,
            opened * length,
            closed,
            final,
            tuple(phrases),
            tuple(_examples(surge, phrases)),
        )

    def _read(self, last: int) -> None:
        head = self._timeline.read(last)
        final = self.windows.final
        current = {each.id for each in head}
        newest = self.windows.newest_ms or 0
        oldest = self._oldest = (newest - self._keep_ms) // self.windows.length_ms
        self._incidents = {
            each.id: each
            for each in self._incidents.values()
            if each.id not in current and each.closed is not None and oldest <= each.closed <= final
        } | {each.id: each for each in head}

    def _change(self, incident: Incident) -> Change | None:
        told = self._told.get(incident.id)
        if told is None:
            return Change.OPENED
        if incident.closed is None:
            if told.closed is not None:
                return Change.REOPENED
            return Change.SPREAD if told.also != incident.also else None
        return Change.CLOSED if told.closed is None else None

    def _withdrawn(self) -> list[Notice]:
        """Gives alerts that were told and are not so: late texts made normal what was a surge."""
        found: list[Notice] = []
        for gone in sorted(self._told.keys() - self._incidents.keys()):
            told = self._told.pop(gone)
            if told.closed is None or told.closed >= self._oldest:
                found.append(Notice(Change.WITHDRAWN, self.alert(told)))
        return found


def _revised(found: list[Notice], withdrawn: list[Notice]) -> list[Notice]:
    """Makes one notice of a withdrawal and of what opened in its place."""
    left: list[Notice] = []
    for gone in withdrawn:
        before = gone.alert.incident
        for at, notice in enumerate(found):
            now = notice.alert.incident
            shared = set(before.members) & set(now.members)
            together = before.run.first <= now.last and now.run.first <= before.last
            if notice.change is Change.OPENED and shared and together:
                found[at] = Notice(Change.REVISED, notice.alert, before.id)
                break
        else:
            left.append(gone)
    return found + left


def _examples(surge: Sequence[Mention], phrases: Iterable[Phrase]) -> list[Mention]:
    """Returns the negatives that say most of the phrases; of equals the more negative."""
    weights = {phrase.text: phrase.score for phrase in phrases}
    folded = [(fold(mention.text), mention) for mention in surge]

    def worth(item: tuple[str, Mention]) -> tuple[float, float, str]:
        text, mention = item
        said = sum(weight for phrase, weight in weights.items() if phrase in text)
        return -said, mention.score, mention.id

    chosen: dict[str, Mention] = {}
    for text, mention in sorted(folded, key=worth):
        chosen.setdefault(text, mention)  # a text that was posted many times is shown once
        if len(chosen) == _EXAMPLES:
            break
    return list(chosen.values())
