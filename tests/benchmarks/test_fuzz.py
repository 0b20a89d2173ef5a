from pathlib import Path

import grpc

from benchmarks.fuzz import Ledger, section
from tests.fuzz.cases import Case
from tests.fuzz.client import Outcome
from tests.fuzz.methods import all_methods


def test_a_ledger_goes_on_where_it_stopped_and_counts_problems(tmp_path: Path) -> None:
    method = all_methods()[0]
    path = tmp_path / "state" / "fuzz.json"
    ledger = Ledger(path, fresh=False)
    fault = Outcome(grpc.StatusCode.INTERNAL, "x", None, (), 1.5)
    ledger.of(method).add(7, Case(method, (b"\x01",), (("x-priority", "batch"),)), fault)
    ledger.save()

    again = Ledger(path, fresh=False)
    tally = again.of(method)
    assert (tally.done, tally.codes["INTERNAL"], tally.problem_count) == (1, 1, 1)
    assert tally.problems[0]["requests"] == ["01"]
    assert "x-priority" in tally.problems[0]["metadata"]
    assert Ledger(path, fresh=True).of(method).done == 0

    text = section(again, 10_000, ["nlu"], {"reason": 3})
    assert f"| `{method.short}` | 1 |" in text
    assert "1 calls of 1 RPCs" in text
    assert "Not healthy: ['nlu'], faults logged: {'reason': 3}" in text
