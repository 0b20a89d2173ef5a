import asyncio
import shlex
import sys

from prometheus_client import REGISTRY

from services.ranking.online.retraining import Retraining


def command(code: str) -> str:
    return shlex.join([sys.executable, "-c", code])


def count(outcome: str) -> float:
    labels = {"outcome": outcome}
    return REGISTRY.get_sample_value("wherefore_ranking_retraining_total", labels) or 0.0


async def test_the_command_runs_once_in_a_while_and_knows_the_signal(tmp_path):
    now = [0.0]
    told = tmp_path / "told"
    code = f"import os; open({str(told)!r}, 'a').write(os.environ['WHEREFORE_DRIFT_SIGNAL'] + ' ')"
    retraining = Retraining(command(code), 3_600.0, lambda: now[0])
    before = count("done")
    assert retraining.request("surprise")
    assert not retraining.request("features")  # one runs
    await retraining.finished()
    assert not retraining.request("features")  # one ran of late
    now[0] = 3_600.0
    assert retraining.request("features")
    await retraining.finished()
    assert told.read_text() == "surprise features "
    assert count("done") == before + 2


async def test_a_command_that_fails_or_is_not_there_is_told():
    before = count("failed")
    for text in (command("import sys; sys.exit('no data')"), "/no/such/program --all"):
        retraining = Retraining(text, 0.0)
        assert retraining.request("surprise")
        await retraining.finished()
    assert count("failed") == before + 2


async def test_without_a_command_nothing_runs():
    retraining = Retraining("", 0.0)
    assert not retraining.request("surprise")
    await retraining.finished()
    await retraining.close()


async def test_a_training_ends_with_the_service(tmp_path):
    ready = tmp_path / "ready"
    code = f"import time, pathlib; pathlib.Path({str(ready)!r}).touch(); time.sleep(60)"
    before = count("stopped")
    retraining = Retraining(command(code), 0.0)
    assert retraining.request("surprise")
    for _ in range(3_000):
        if ready.exists():
            break
        await asyncio.sleep(0.01)
    await retraining.close()
    assert count("stopped") == before + 1
