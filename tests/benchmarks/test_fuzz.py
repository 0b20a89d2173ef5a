from pathlib import Path

import grpc
from google.rpc.status_pb2 import Status

from benchmarks.fuzz import Ledger, ask_again, chance_of, section
from tests.fuzz.cases import Case, Start, make_case
from tests.fuzz.client import Outcome
from tests.fuzz.methods import all_methods
from tests.fuzz.values import Known


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


def test_calls_that_had_a_problem_are_made_anew_and_taken_back_when_they_are_well(
    tmp_path: Path,
) -> None:
    method = next(one for one in all_methods() if one.short.endswith("NluService.Parse"))
    tally = Ledger(tmp_path / "fuzz.json", fresh=True).of(method)
    start = Start(seeds=(), known=Known())
    late = Outcome(grpc.StatusCode.UNKNOWN, "x", None, (), 1.5)
    for index in (3, 8):
        tally.add(index, make_case(chance_of(method, index), method, start), late)
    asked = []

    class Service:
        def call(self, case: Case) -> Outcome:
            asked.append(case)
            if len(asked) == 1:
                return late
            return Outcome(grpc.StatusCode.NOT_FOUND, "x", Status(code=5), (), 1.5)

    ask_again(Service(), method, tally, start)
    assert [case.requests for case in asked] == [
        make_case(chance_of(method, index), method, start).requests for index in (3, 8)
    ]
    assert (tally.done, tally.problem_count, [p["index"] for p in tally.problems]) == (2, 1, [3])
    assert tally.codes == {"UNKNOWN": 1, "NOT_FOUND": 1}
