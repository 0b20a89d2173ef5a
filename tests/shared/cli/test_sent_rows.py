"""Rows of a file on their way to a service."""

from shared.cli.sent_rows import SentRows
from wherefore.common.v1.diagnostics_pb2 import RowError
from wherefore.orchestrator.v1.user_event_service_pb2 import UserEventServiceImportResponse


def test_rows_go_in_batches_and_errors_come_back_by_lines() -> None:
    sent = SentRows()
    rows = [(2, "a", ""), (3, None, "is no JSON"), (5, "b", ""), (6, "c", ""), (9, "d", "")]
    assert list(sent.batches(rows, 2)) == [["a", "b"], ["c", "d"]]
    assert list(sent.batches([(11, "e", "")], 2)) == [["e"]]
    assert list(sent.batches([], 2)) == []
    response = UserEventServiceImportResponse(
        failed_count=1, errors=[RowError(row=3, reason="no such type")]
    )
    sent.tell_by_lines(response)
    assert response.failed_count == 2
    assert [(error.row, error.reason) for error in response.errors] == [
        (6, "no such type"),
        (3, "is no JSON"),
    ]
