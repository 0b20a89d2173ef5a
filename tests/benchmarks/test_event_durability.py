import asyncio
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.event_durability import Run, measure


@pytest.mark.integration
def test_what_was_acknowledged_is_there_once_after_kills(tmp_path: Path) -> None:
    run = asyncio.run(measure(count=600, kills=2, writers=16, seed=7, folder=tmp_path))
    assert len(run.acknowledged) == 600
    assert len(run.kills) == 2
    assert (run.lost, run.doubled, run.altered) == (0, 0, 0)


def test_losses_and_doubles_are_counted() -> None:
    run = Run(acknowledged={"a": b"", "b": b""}, kept=Counter({"a": 2}))
    assert (run.lost, run.doubled) == (1, 1)
