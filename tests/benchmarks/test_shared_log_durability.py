import asyncio
import shutil
from pathlib import Path

import pytest

from benchmarks.shared_log_durability import measure


@pytest.mark.integration
@pytest.mark.skipif(
    not shutil.which("redis-server"), reason="redis-server is not installed (apt: redis-server)"
)
def test_what_was_acknowledged_is_there_once_whatever_part_is_killed(tmp_path: Path) -> None:
    pytest.importorskip("redis", reason="the extra redis is not installed")
    runs = asyncio.run(measure(count=600, kills=3, writers=16, seed=7, folder=tmp_path))
    for run in runs:
        assert len(run.acknowledged) == 600
        assert (run.lost, run.doubled, run.altered) == (0, 0, 0)
        assert sum(run.kept.values()) == 600
    assert len(runs) == 2
    assert len(runs[0].kills) == 3
