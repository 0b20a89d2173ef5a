"""Runs that outlast who watches them: a job that is started again finds its run, or begins it anew.

A run writes a checkpoint after each round, so one that begins anew goes on from the last.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from shared.federated.checkpoint import CHECKPOINT
from shared.federated.errors import FederatedError
from shared.federated.flower.control import Run
from shared.federated.result import CARD_FILE
from shared.numpy_file import UNREADABLE, open_arrays

RUN_FILE: Final = "flower-run"
"""Names the run of a folder."""
PAUSE_SECONDS: Final = 5.0
_MOST_FAILURES: Final = 24
"""Looks in a row: a SuperLink that is moved to another machine is away for so long."""

logger = logging.getLogger("shared.federated")


class Control(Protocol):
    """What is asked of a SuperLink; see `control.Link`."""

    def register(self, key: Path) -> bool:
        """Lets a shop join; returns whether it is new."""
        ...

    def start(self, config: dict[str, Any]) -> str:
        """Starts a run; returns its number."""
        ...

    def runs(self) -> list[Run]:
        """Returns all runs."""
        ...

    def log(self, number: str) -> str:
        """Returns what a run logged."""
        ...


def register_all(link: Control, keys: Path) -> None:
    """Registers every key of a folder; those that are known stay so.

    Raises:
        FederatedError: There is none, or one was refused; those before it are registered.
    """
    found = sorted(keys.glob("*.pub"))
    if not found:
        raise FederatedError(f"{keys} holds no public key (NAME.pub)")
    for key in found:
        logger.info("%s: %s", key.stem, "registered" if link.register(key) else "known already")


def run_to_its_end(
    link: Control, config: dict[str, Any], out: Path, pause: Callable[[float], None] = time.sleep
) -> None:
    """Starts a run that writes to a folder, or goes on with the folder's own, and waits for it.

    Args:
        link: The SuperLink.
        config: The run configuration, without `out`.
        out: Folder for the model, the same here and at the SuperLink.
        pause: Sleeps.

    Raises:
        FederatedError: The run failed or was stopped, or another one is under way.
    """
    if (out / CARD_FILE).is_file():
        logger.info("%s holds the model already", out)
        return
    number = _own_run(link, out)
    if number is None:
        number = link.start({**config, "out": str(out)})
        out.mkdir(parents=True, exist_ok=True)
        (out / RUN_FILE).write_text(number, encoding="utf-8")
        logger.info("run %s is started", number)
    ended = _wait(link, number, out, pause)
    if not ended.completed:
        logger.info("%s", link.log(number))
        raise FederatedError(f"run {number} is {ended.status}: {ended.details}")
    if not (out / CARD_FILE).is_file():
        raise FederatedError(f"run {number} is {ended.status}, and left no model in {out}")
    logger.info("the model is in %s", out)


def _own_run(link: Control, out: Path) -> str | None:
    """Returns the folder's run where it is under way; None where one is to be started."""
    file = out / RUN_FILE
    own = file.read_text(encoding="utf-8").strip() if file.is_file() else None
    active = [each.number for each in link.runs() if not each.finished]
    if own in active:
        logger.info("run %s is under way", own)
        return own
    if active:
        raise FederatedError(
            f"run {active[0]} is under way, which is not that of {out}: wait for it, or stop it "
            "(flwr stop)"
        )
    return None


def _wait(link: Control, number: str, out: Path, pause: Callable[[float], None]) -> Run:
    failures, told = 0, ("", 0)
    while True:
        try:
            run = next((each for each in link.runs() if each.number == number), None)
        except FederatedError as error:
            failures += 1
            if failures > _MOST_FAILURES:
                raise
            logger.info("%s", error)
        else:
            failures = 0
            if run is None:
                raise FederatedError(f"the SuperLink knows run {number} no longer")
            if run.finished:
                return run
            if (now := (run.status, _rounds(out))) != told:
                logger.info("run %s: %s, %d rounds done", number, *now)
                told = now
        pause(PAUSE_SECONDS)


def _rounds(out: Path) -> int:
    if not (out / CHECKPOINT).is_file():
        return 0
    try:
        with open_arrays(out / CHECKPOINT) as file:
            return int(np.asarray(file["rounds"]))
    except UNREADABLE:
        return 0
