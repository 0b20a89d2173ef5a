"""Made-up streams of mentions whose moods are drawn, not read."""

import random
from collections.abc import Sequence

from services.insight.domain import Cell, Mention, Mood
from services.insight.mentions import MentionStore
from services.insight.monitor import Change, Monitor, Notice
from services.insight.surge import SurgeSettings
from services.insight.timeline import DetectionSettings
from services.insight.windows import WindowSettings

START_MS = 1_790_000_000_000
MINUTE_MS = 60_000
QUICK = DetectionSettings(surge=SurgeSettings(warm_hours=0.5))
SMALL = WindowSettings(seconds=20, disorder_seconds=20, lateness_seconds=300)
CELLS = [
    Cell(("delivery",), "p1", "Acme"),
    Cell(("quality",), "p1", "Acme"),
    Cell(("quality",), "p2", "Acme"),
    Cell((), "p3", "Bolt"),
]


def quiet(seed: int, minutes: float, *, a_minute: float = 12, negative: float = 0.15):
    """Draws texts whose share of negatives stays as it is."""
    draw = random.Random(seed)  # noqa: S311 - not a secret
    at, end, mentions = 0.0, minutes * MINUTE_MS, list[Mention]()
    while (at := at + draw.expovariate(a_minute / MINUTE_MS)) < end:
        mood = Mood.NEGATIVE if draw.random() < negative else Mood.POSITIVE
        mentions.append(mention(f"q{seed}-{len(mentions)}", at, draw.choice(CELLS), mood))
    return mentions


def burst(
    start: float, minutes: float, count: int, *, cell: Cell = CELLS[0], mood: Mood = Mood.NEGATIVE
):
    """Spreads texts of one mood evenly over some minutes."""
    step = minutes / count
    text = "screen cracked on arrival" if mood is Mood.NEGATIVE else "works well"
    return [
        mention(f"b{start:g}-{mood.value}-{at}", (start + at * step) * MINUTE_MS, cell, mood, text)
        for at in range(count)
    ]


def mention(name: str, at: float, cell: Cell, mood: Mood, text: str = "as usual"):
    return Mention(name, START_MS + int(at), text, cell, mood)


def in_order(*parts: Sequence[Mention]) -> list[Mention]:
    return sorted((m for part in parts for m in part), key=lambda m: (m.at_ms, m.id))


def monitor(detection: DetectionSettings = QUICK, windows: WindowSettings = SMALL) -> Monitor:
    return Monitor(windows, detection, MentionStore(None))


def play(into: Monitor, mentions: Sequence[Mention], size: int = 20) -> list[Notice]:
    """Takes texts in batches, and settles at the end."""
    told: list[Notice] = []
    for at in range(0, len(mentions), size):
        into.take(mentions[at : at + size])
        told += into.notices()
    return told + into.notices(settle=True)


def opened(notices: Sequence[Notice]) -> list[Notice]:
    return [each for each in notices if each.change is Change.OPENED]
