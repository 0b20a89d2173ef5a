"""Hot swap of heads of intents: the newest version that holds together reads, from one text on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from services.nlu.learnt.intent_head import HEAD_FILE, IntentHead, load_head
from services.nlu.learnt.port import Reading
from shared.errors import WhereforeError
from shared.inference.entries import versions

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Refined:
    """A reading, and why it lacks what a head was to add; "" where it does not."""

    reading: Reading
    problem: str = ""


class IntentHeads:
    """Heads by name, each over the vectors of one reader.

    A version that is put beside the old one takes over at the next look, if its files hold together
    and fit the reader; else it is passed over, and the log says why. When the version in use is
    taken away, what is left is used.

    Args:
        repository: The model repository.
        names: Entries of it.
    """

    def __init__(self, repository: Path, names: Sequence[str]) -> None:
        self._repository = repository
        self._heads: dict[str, IntentHead | None] = dict.fromkeys(names)
        self._refused: dict[str, str] = {}

    @property
    def names(self) -> Sequence[str]:
        """Names of the heads."""
        return tuple(self._heads)

    def look(self) -> None:
        """Looks for newer versions once; reads files."""
        for name, before in self._heads.items():
            after = self._newest(name, before)
            if after is not before:
                self._heads[name] = after
                log.info(
                    "intent_head_switched",
                    before=before.model if before else "",
                    after=after.model if after else "",
                )

    async def watch(self, poll_seconds: float) -> None:
        """Looks again and again; never returns."""
        while True:
            await asyncio.sleep(poll_seconds)
            await asyncio.to_thread(self.look)

    def refine(self, reading: Reading, model: str) -> Refined:
        """Returns a reading with the intents of the head that is for its model, if there is one.

        Args:
            reading: What the model read.
            model: Its name and version.
        """
        problem = ""
        for name, head in self._heads.items():
            if head is None:
                problem = f"no version of {name} can be read"
            elif head.encoder == model:
                return Refined(head.refine(reading))
            elif head.encoder.partition("@")[0] == model.partition("@")[0]:
                problem = f"{head.model} reads vectors of {head.encoder}, not of {model}"
        return Refined(reading, problem)

    def _newest(self, name: str, current: IntentHead | None) -> IntentHead | None:
        for version in reversed(versions(self._repository / name, HEAD_FILE)):
            model = f"{name}@{version}"
            if current is not None and current.model == model:
                return current
            try:
                return load_head(self._repository, name, version)
            except (WhereforeError, ValueError, OSError) as error:
                # Once for each problem: the next look finds the same one.
                if self._refused.get(model) != (told := str(error)):
                    self._refused[model] = told
                    log.warning("intent_head_refused", model=model, error=told)
        return None
